"""Growth plans are remembered as they stood, so that promises can be compared with what came."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from config.records import schema
from config.rules import Rules
from scoring import extract
from sync.buckets import Buckets
from sync.store.growth_plans import remember_plans
from sync.store.mirror import Mirror

COLUMNS = ("id", "name", "foretag_growth_plan", "foretag_growth_plan_by", "modified_at")
JUNE, DECEMBER = date(2026, 6, 30), date(2026, 12, 31)


@pytest.fixture
def mirror(tmp_path):
    """An empty mirror."""
    return Mirror(tmp_path)


def write(mirror, amount, by, seen):
    """The plan of one account, as a run on some day sees it."""
    row = {
        "id": "acme", "name": "Acme", "foretag_growth_plan": None if amount is None else Decimal(amount),
        "foretag_growth_plan_by": by, "modified_at": datetime(2026, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    mirror.load("account", COLUMNS, [pa.Table.from_pylist([row], schema=schema("account", COLUMNS))])
    remember_plans(mirror, seen)


def promised(mirror, today):
    """Of the account: what is promised now, and how many plans fell due, with their sum."""
    part = extract(Buckets(mirror, Rules()).tables(0), 90, Rules(), today)
    (row,) = part.accounts.to_pylist()
    return row["promised"], row["plans_due"], row["plans_promised"]


def test_a_plan_that_fell_due_counts_after_the_next_one_took_its_place(mirror):
    """In July the rep writes next year's plan over this year's: what was promised for June stays known."""
    write(mirror, 1000, JUNE, date(2026, 1, 5))
    write(mirror, 1000, JUNE, date(2026, 6, 29))
    write(mirror, 3000, DECEMBER, date(2026, 7, 10))
    assert promised(mirror, date(2026, 7, 10)) == (300_000, 1, 100_000)


def test_a_plan_that_was_changed_before_its_day_was_never_broken(mirror):
    """Moved from June to December in March: there is one promise, the new one; an emptied field is none."""
    write(mirror, 1000, JUNE, date(2026, 1, 5))
    write(mirror, 1200, DECEMBER, date(2026, 3, 1))
    assert promised(mirror, date(2026, 7, 10)) == (120_000, 0, 0)
    write(mirror, None, None, date(2026, 3, 2))
    assert promised(mirror, date(2026, 7, 10)) == (None, 0, 0)


def test_of_several_amounts_for_a_day_the_last_one_counts(mirror):
    """Lowered a week before it fell due: the account is held to what stood there last."""
    write(mirror, 1000, JUNE, date(2026, 1, 5))
    write(mirror, 800, JUNE, date(2026, 6, 23))
    write(mirror, None, None, date(2026, 7, 10))
    assert promised(mirror, date(2026, 7, 10)) == (None, 1, 80_000)


def test_a_second_look_on_the_same_day_keeps_nothing_twice(mirror):
    """Two runs a day know the same plans."""
    write(mirror, 1000, JUNE, date(2026, 1, 5))
    before = mirror.read("commitment")
    remember_plans(mirror, date(2026, 1, 5))
    assert mirror.read("commitment") == before
    assert before.num_rows == 1
