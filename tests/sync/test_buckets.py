"""What scoring gets of each bucket: all that hangs on its accounts, and no more."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from config.records import RECORDS, schema
from config.rules import Rules
from sync.buckets import Buckets
from sync.store.mirror import MANY_BUCKETS, ONE_BUCKET_ROWS, Mirror, bucket_of

AT = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Rules(read=("line_item", "quota", "call"))
ACCOUNTS = [f"a{number}" for number in range(40)]


def page(name, *rows):
    """Records of an object, with all columns."""
    return pa.Table.from_pylist([{"modified_at": AT, **row} for row in rows], schema=schema(name))


def load(mirror, name, *rows):
    """Fill an object of the mirror."""
    mirror.load(name, [column.name for column in RECORDS[name]], [page(name, *rows)])


def opened(mirror, rules):
    """The tables of each bucket, in order."""
    return (bucket() for bucket in Buckets(mirror, rules))


@pytest.fixture(params=[1, MANY_BUCKETS])
def mirror(request, tmp_path):
    """Forty accounts with one deal, line item, case and call each, in one bucket or in many."""
    more = [f"b{number}" for number in range(ONE_BUCKET_ROWS)] if request.param > 1 else []
    mirror = Mirror(tmp_path)
    load(mirror, "account", *({"id": name} for name in (*ACCOUNTS, *more)))
    load(mirror, "opportunity", *({"id": f"d-{name}", "account_id": name} for name in ACCOUNTS))
    load(mirror, "line_item", *(
        {"id": f"l-{name}", "opportunity_id": f"d-{name}", "product": name, "amount": Decimal(1)} for name in ACCOUNTS
    ))  # fmt: skip
    for kind in ("case", "call"):
        load(mirror, kind, *({"id": f"{kind}-{name}", "account_id": name} for name in ACCOUNTS))
    load(mirror, "quota", {"id": "q", "owner_id": "o"})
    return mirror


def test_what_hangs_on_an_account_lies_with_it(mirror):
    """Deals, cases, calls, and the line items of deals come with the bucket of their account, each exactly once."""
    seen = {name: [] for name in ("opportunity", "case", "call", "line_item")}
    for number, tables in enumerate(opened(mirror, RULES)):
        for name, found in seen.items():
            accounts = tables[name]["account_id"]
            assert set(bucket_of(accounts, mirror.buckets()).to_pylist()) <= {number}
            found.extend(accounts.to_pylist())
        assert tables["quota"]["id"].to_pylist() == ["q"]
    assert {name: sorted(found) for name, found in seen.items()} == dict.fromkeys(seen, sorted(ACCOUNTS))


def test_one_bucket_alone_is_as_it_is_among_all(mirror):
    """What `explain` reads of one bucket is what a run scored."""
    for number, tables in enumerate(opened(mirror, RULES)):
        alone = Buckets(mirror, RULES).tables(number)
        assert {name: table.sort_by(table.column_names[0]) for name, table in alone.items()} == {
            name: table.sort_by(table.column_names[0]) for name, table in tables.items()
        }


def test_line_items_follow_their_deal(mirror):
    """A deal that moves to another account takes its line items along, though they have no newer stamp."""
    list(opened(mirror, RULES))
    moved = {"id": "d-a0", "account_id": "a7", "modified_at": datetime(2026, 1, 2, tzinfo=UTC)}
    mirror.append("opportunity", page("opportunity", moved))
    items = pa.concat_tables([tables["line_item"] for tables in opened(mirror, RULES)]).to_pylist()
    assert [row["account_id"] for row in items if row["opportunity_id"] == "d-a0"] == ["a7"]


def test_objects_that_no_rule_uses_are_not_read(mirror):
    """Under the default rules scoring gets cases, for urgent ones, but no calls, quotas or line items."""
    tables = next(opened(mirror, Rules()))
    assert set(tables) == {"account", "opportunity", "owner", "stage", "case", "commitment"}
