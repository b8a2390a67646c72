"""Planted books: whole, repeatable, with a truth that agrees with them and that no CRM shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from connectors.sandbox.datasets import load_book, load_dataset
from connectors.sandbox.datasets.hubspot import load_dataset as load_portal

TABLES = ("owners", "accounts", "products", "opportunities", "cases", "line_items", "activities", "quotas",
          "commitments", "territories", "capacities")  # fmt: skip


@pytest.fixture(scope="module")
def book():
    """A book of some size."""
    return load_book("planted:800:6000:11")


@pytest.mark.parametrize(
    "name", ["planted:1:0", "planted:1:1", "planted:2:9:3", "planted:40:0:5", "planted:700:2500:1"]
)
def test_any_size_can_be_planted(name):
    """As many accounts and opportunities as were asked for, down to one and none."""
    _, accounts, opportunities = name.split(":")[:3]
    book = load_book(name)
    assert (book.accounts.num_rows, book.opportunities.num_rows) == (int(accounts), int(opportunities))
    assert {table: len(rows) for table, rows in book.truth.items()} == {
        "account": book.accounts.num_rows,
        "opportunity": book.opportunities.num_rows,
        "commitment": book.commitments.num_rows,
    }


def test_a_seed_makes_one_book():
    """All tables and the truth are the same again, and others for another seed."""
    first, again, other = (load_book(f"planted:60:300:{seed}") for seed in (1, 1, 2))
    for table in TABLES:
        assert getattr(first, table).equals(getattr(again, table)), table
    assert all(first.truth[table].equals(again.truth[table]) for table in first.truth)
    assert not first.opportunities.equals(other.opportunities)


@pytest.mark.parametrize("table", TABLES)
def test_references_point_to_rows(book, table):
    """Every number of a row lies within the table that it points into."""
    targets = {"owner": book.owners, "account": book.accounts, "opportunity": book.opportunities,
               "product": book.products, "parent": book.accounts, "manager": book.owners}  # fmt: skip
    rows = getattr(book, table)
    for column in rows.column_names:
        if column in targets and pa.types.is_integer(rows.schema.field(column).type):
            found = rows[column].drop_null().to_numpy()
            assert ((found >= 0) & (found < targets[column].num_rows)).all(), column


def test_nothing_that_happened_lies_after_today(book):
    """Stamps of every kind are past, in order, and what is closed closed before today."""
    now = np.datetime64(book.today, "ms")
    for table in ("accounts", "opportunities", "cases", "line_items", "activities"):
        rows = getattr(book, table)
        for column in rows.column_names:
            if pa.types.is_timestamp(rows.schema.field(column).type):
                assert (rows[column].drop_null().to_numpy() < now).all(), (table, column)
    deals = book.opportunities
    assert pc.all(pc.less_equal(deals["created_at"], deals["stage_changed_at"])).as_py()
    closed = deals.filter(pc.starts_with(deals["stage"], "Closed"))
    assert pc.all(pc.less(closed["close_date"], pa.scalar(book.today))).as_py()


def test_no_company_owns_itself(book):
    """Parents come earlier in the list: there is no circle."""
    parent = book.accounts["parent"].to_pylist()
    assert all(above is None or above < row for row, above in enumerate(parent))
    assert sum(above is not None for above in parent) > 20


def test_every_kind_of_thing_is_there(book):
    """Partners, competitors, opted out, a rep who left and left accounts behind, urgent requests, several pipelines."""
    accounts, deals, cases = book.accounts, book.opportunities, book.cases
    assert {"Prospect", "Customer - Direct", "Partner", "Competitor"} == set(accounts["type"].to_pylist())
    assert pc.any(accounts["opted_out"]).as_py()
    assert len(set(deals["pipeline"].to_pylist())) == 3
    gone = [row for row, active in enumerate(book.owners["active"].to_pylist()) if not active]
    assert set(gone) & set(accounts["owner"].to_pylist())
    urgent = cases.filter(pc.and_(pc.equal(cases["priority"], "High"), pc.is_null(cases["closed_at"])))
    assert urgent.num_rows
    assert set(book.activities["kind"].to_pylist()) == {"call", "email", "meeting"}
    for column in ("need_by", "pain", "margin"):
        assert 0 < deals[column].null_count < deals.num_rows, column
    assert 0 < accounts["company_growth"].null_count < accounts.num_rows
    assert len(set(accounts["territory"].to_pylist())) == 5


def test_the_truth_agrees_with_what_is_known(book):
    """A closed deal ends as it did; an open one ends today or later, or never."""
    deals, truth = book.opportunities, book.truth["opportunity"]
    stage = deals["stage"].to_pylist()
    for row, (won, closes) in enumerate(
        zip(truth["won"].to_pylist(), truth["closes"].to_pylist(), strict=True)
    ):
        if stage[row].startswith("Closed"):
            assert won == (stage[row] == "Closed Won")
            assert closes == deals["close_date"][row].as_py()
        else:
            assert closes is None or closes >= book.today


def test_a_plan_that_fell_due_was_kept_if_the_deals_say_so(book):
    """What was reached is what the year before the due day brought; nine tenths keep a plan."""
    deals, plans, truth = (
        book.opportunities.to_pylist(),
        book.commitments.to_pylist(),
        book.truth["commitment"].to_pylist(),
    )
    due = [(plan, told) for plan, told in zip(plans, truth, strict=True) if plan["by"] < book.today]
    assert len(due) > 50
    for plan, told in due:
        won = sum(
            deal["amount"] for deal in deals
            if deal["account"] == plan["account"] and deal["stage"] == "Closed Won"
            and plan["by"] - timedelta(days=365) < deal["close_date"] <= plan["by"]
        )  # fmt: skip
        assert told["reached"] == pytest.approx(won, abs=1)
        assert told["kept"] == (told["reached"] >= 0.9 * plan["amount"])
    assert 0.2 < np.mean([told["kept"] for _, told in due]) < 0.8


@pytest.mark.parametrize("name", ["showcase", "planted:80:500:4"])
def test_no_crm_shows_the_truth(name):
    """Both CRMs are filled with the same whether there is a truth or not."""
    book = load_book(name)
    assert book.truth
    blind = replace(book, truth={})
    shown, hidden = (load_dataset(name, one).tables for one in (book, blind))
    assert all(shown[table].equals(hidden[table]) for table in shown)
    assert load_portal(name, book).tables == load_portal(name, blind).tables


def test_the_showcase_tells_its_stories():
    """Three hundred companies of different names, each story among them, and always the same book."""
    book, again = load_book("showcase"), load_book("showcase")
    names = book.accounts["name"].to_pylist()
    assert len(names) == len(set(names)) == 300
    assert len(book.notes) > 15
    assert all(note.partition(":")[0] in names for note in book.notes)
    assert book.opportunities.equals(again.opportunities)
    assert all(book.truth[table].equals(again.truth[table]) for table in book.truth)
