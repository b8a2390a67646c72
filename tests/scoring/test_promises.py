"""Growth plans against what came: what counts as a rise, and how far a book's plans come true."""

from __future__ import annotations

import pyarrow as pa
import pytest

from scoring.growing.promises import plan_counts, promises


def accounts(**columns):
    """Two accounts without plans, but for what is given."""
    names = ("promised", "year_spend", "plans_due", "plans_promised", "plans_reached")
    return pa.table({name: pa.array(columns.get(name, [0, 0]), pa.int64()) for name in names})


def test_a_plan_of_who_spends_nothing_is_measured_by_a_usual_purchase():
    """Without spend the rise would have no end; an account that spends more is measured by that."""
    found = promises(accounts(promised=[2000, 2000], year_spend=[0, 4000]), 999.0, 50)
    assert found.rise == pytest.approx([2.0, 0.5])


def test_every_plan_counts_in_what_the_book_keeps():
    """Three plans of one customer that came to nothing outweigh one of another that came true."""
    held = accounts(plans_due=[3, 1], plans_promised=[300, 100], plans_reached=[0, 100])
    assert plan_counts(held) == {"plans": 4, "kept": 100}
