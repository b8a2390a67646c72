"""What holds for every book that has more than accounts and deals: order, buckets, foreign columns, poison."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.records import MONEY
from config.rules import Rules
from scoring import Book, read_book, tag
from scoring.arithmetic.counts import merge
from scoring.book import measure, with_measures
from scoring.conditions.facts import Inputs, account_facts, deal_facts
from scoring.reading.features import TABLES, Reader
from scoring.reading.groups import with_families
from tests.scoring.conftest import TODAY, Company

RULES = Rules.model_validate({"needs": {"cases": ["Capacity"]}, "likelihood": {"horizon": 90}})

accounts = st.sampled_from([None, "a0", "a1", "a2", "a3", "gone"])
deals = st.sampled_from([None, "d0", "d1", "d2", "gone"])
owners = st.sampled_from([None, "", "o1", "o2"])
days = st.dates(date(2023, 1, 1), date(2027, 12, 31)) | st.sampled_from(
    [None, date(1, 1, 1), date(9999, 12, 31)]
)
money = st.decimals(-10, 10**6, places=2) | st.sampled_from([None, Decimal("9999999999999999.99")])
words = st.sampled_from([None, "", "Capacity", "HIGH ", "North", "'; DROP", "x" * 300])
counts = st.integers(-5, 10**6) | st.sampled_from([None, 2**62])
growths = st.floats(-50, 50) | st.sampled_from([None, float("nan"), float("inf"), -1e300])

ROWS = {
    "account": st.fixed_dictionaries({
        "owner_id": owners, "parent_id": st.sampled_from([None, "a0", "a1", "a2", "a3", "gone"]), "territory": words,
        "company_growth": growths, "opted_out": st.booleans() | st.none(), "last_activity_date": days,
        "touches": counts, "foretag_growth_plan": money, "foretag_growth_plan_by": days,
    }),
    "opportunity": st.fixed_dictionaries({
        "account_id": accounts, "owner_id": owners, "amount": money, "close_date": days, "is_won": st.booleans(),
        "is_closed": st.booleans(), "touches": counts, "pipeline": words, "product": words,
    }),
    "owner": st.fixed_dictionaries({"team": words, "active": st.booleans() | st.none()}),
    "case": st.fixed_dictionaries({
        "account_id": accounts, "type": words, "priority": words, "is_closed": st.booleans() | st.none(),
    }),
    "line_item": st.fixed_dictionaries({"opportunity_id": deals, "product": words, "amount": money, "cost": money}),
    "call": st.fixed_dictionaries({"account_id": accounts, "opportunity_id": deals, "day": days}),
    "meeting": st.fixed_dictionaries({"account_id": accounts, "opportunity_id": deals, "day": days}),
    "quota": st.fixed_dictionaries({"owner_id": owners, "amount": money, "start": days, "end": days}),
    "commitment": st.fixed_dictionaries({"account_id": accounts, "amount": money, "by": days, "made_on": days}),
    "territory": st.fixed_dictionaries({"territory": words, "owner_id": owners}),
    "capacity": st.fixed_dictionaries({"owner_id": owners, "accounts": counts}),
}  # fmt: skip
PREFIXES = {"account": "a", "opportunity": "d", "owner": "o"}


def company_of(rows):
    """A company of these rows, with ids where their place gives one."""
    numbered = {
        name: [{"id": f"{PREFIXES.get(name, name)}{place}", **row} for place, row in enumerate(found)]
        for name, found in rows.items()
    }
    basic = [numbered.pop(name) for name in ("account", "opportunity", "owner")]
    return Company(TODAY, RULES, *basic, others=numbered)


books = st.fixed_dictionaries(
    {name: st.lists(row, max_size=6 if name == "opportunity" else 3) for name, row in ROWS.items()}
).map(company_of)
many = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(many, max_examples=3)


def told(buckets):
    """All facts about all records, by object and id."""
    reader = Reader(RULES, TODAY)
    parts = with_families([reader.features(tables, 90) for tables in buckets])
    book = with_measures(Book(horizon=90, cycle=90), merge(map(measure, parts)))
    found = {}
    for part in parts:
        for table, make in ((part.accounts, account_facts), (part.deals, deal_facts)):
            inputs = Inputs(make(part, book, RULES, TODAY))
            columns = {name: inputs[name].to_pylist() for name in inputs}
            for row, record in enumerate(table["id"].to_pylist()):
                found[make.__name__, record] = {name: values[row] for name, values in columns.items()}
    return found


def tagged(buckets):
    """What a run is told of all records."""
    book, parts = read_book(buckets, RULES, TODAY)
    found = {}
    for part in parts:
        said = tag(part, book, None, RULES, TODAY)
        for name, table in (("account", said.accounts), ("opportunity", said.opportunities)):
            found |= {(name, row["id"]): row for row in table.to_pylist()}
    return found


def differing(some, others):
    """Where two tellings of one book differ: both values, by record and name."""
    assert some.keys() == others.keys()
    return {
        (*record, name): (value, others[record][name])
        for record, values in some.items()
        for name, value in values.items()
        if value != others[record][name]
    }


@many
@given(books, st.integers(1, 4), st.integers(0, 99))
def test_neither_order_nor_cut_nor_poison_matters(company, buckets, seed):
    """Every fact is the same however rows lie; absurd values, nulls and strangers raise nothing."""
    whole = told([company.tables()])
    assert differing(told(company.cut(buckets, seed)), whole) == {}
    for values in whole.values():
        assert np.isfinite([value for value in values.values() if isinstance(value, float)]).all()


@few
@given(books, st.integers(1, 4), st.integers(0, 99))
def test_tags_do_not_depend_on_order_or_cut_either(company, buckets, seed):
    """The same for all that is made of these facts: tags of a book with everything in it."""
    assert differing(tagged(company.cut(buckets, seed)), tagged([company.tables()])) == {}


@few
@given(books)
def test_foreign_columns_and_absent_ones_do_not_matter(company):
    """A column that no rule knows changes nothing, one that is not there is unknown, in every table."""
    tables = company.tables()
    foreign = {
        name: table.append_column("hobby", pa.array(["golf"] * table.num_rows))
        for name, table in tables.items()
    }
    assert differing(told([foreign]), told([tables])) == {}
    bare = {name: table.select(table.column_names[:1]) for name, table in tables.items()}
    empty = {
        name: pa.table({
            column.name: table[column.name] if place == 0 else pa.nulls(table.num_rows, column.type)
            for place, column in enumerate(TABLES[name])
        })
        for name, table in tables.items()
    }  # fmt: skip
    assert differing(told([bare]), told([empty])) == {}


def test_money_of_absurd_books_stays_within_its_bounds(company):
    """The largest amounts that a CRM can hold, many of them, overflow nothing."""
    most = Decimal("9999999999999999.99")
    company.account("a", foretag_growth_plan=most, foretag_growth_plan_by=company.day(5))
    for number in range(100):
        company.won("a", number, most)
        company.open(f"d{number}", "a", amount=most)
        company.add("line_item", opportunity_id=f"d{number}", amount=most, cost=most)
        company.add("quota", owner_id="rep", amount=most, start=company.day(number), end=company.day(-1))
    tables = company.tables()
    assert tables["opportunity"]["amount"].type == MONEY
    assert tagged([tables])
    for values in told([tables]).values():
        assert all(np.isfinite(value) for value in values.values() if isinstance(value, float))
