"""The local copy as the book was: nothing that was made later, changed records as they were, each in its place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from config.records import RECORDS, schema
from sync.store.mirror import MANY_BUCKETS, ONE_BUCKET_ROWS, Mirror, bucket_of
from sync.store.past import PastMirror

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 1, 10)
MOMENT = datetime(2026, 1, 11, tzinfo=UTC)
BEFORE, AFTER = MOMENT - timedelta(days=5), MOMENT + timedelta(days=5)


def load(mirror: Mirror, name: str, *rows: dict[str, Any]) -> None:
    """Fill an object of the mirror."""
    table = pa.Table.from_pylist([{"modified_at": AFTER, **row} for row in rows], schema=schema(name))
    mirror.load(name, [column.name for column in RECORDS.get(name, ())] or table.column_names, [table])


@pytest.fixture(params=[1, MANY_BUCKETS])
def now(request: Any, tmp_path: Path) -> Mirror:
    """Accounts a and b, of which b was made after the day; a deal that went from a to c since."""
    more = [f"x{number}" for number in range(ONE_BUCKET_ROWS)] if request.param > 1 else []
    mirror = Mirror(tmp_path)
    made = {"b": AFTER}
    load(
        mirror,
        "account",
        *({"id": one, "name": one, "created_at": made.get(one, BEFORE)} for one in ("a", "b", "c", *more)),
    )
    deal = {"account_id": "c", "stage": "Won", "created_at": BEFORE}
    load(
        mirror,
        "opportunity",
        {"id": "d1", **deal},
        {"id": "d2", **deal},
        {"id": "new", **deal, "created_at": AFTER},
    )
    assert mirror.buckets() == request.param
    return mirror


def past(now: Mirror, **told: Any) -> PastMirror:
    """The mirror as it was, of which this is told of the deal d1."""
    columns = {"id": ["d1"]} | {name: pa.array([value], pa.string()) for name, value in told.items()}
    columns |= {f"told_{name}": pa.array([True]) for name in told}
    return PastMirror(now, DAY, MOMENT, {"opportunity": pa.table(columns)})


def test_what_was_made_later_was_not_there(now: Mirror) -> None:
    """Accounts and deals alike, by whatever way they are read."""
    then = past(now, stage="Open")
    assert "b" not in then.read("account", ("id",))["id"].to_pylist()
    assert sorted(then.read("opportunity", ("id",))["id"].to_pylist()) == ["d1", "d2"]
    assert then.read("account", ("id",), ids=pa.array(["a", "b"]))["id"].to_pylist() == ["a"]


def test_what_is_told_counts_and_what_is_not_stays(now: Mirror) -> None:
    """A value of then may be none; a column that is not asked for changes nothing."""
    then = past(now, stage=None)
    rows = {row["id"]: row for row in then.read("opportunity", ("id", "stage", "account_id")).to_pylist()}
    assert (rows["d1"]["stage"], rows["d2"]["stage"]) == (None, "Won")
    assert then.read("opportunity", ("stage",)).column_names == ["stage"]


def test_a_record_lies_with_the_account_that_it_had(now: Mirror) -> None:
    """In the bucket of that account, once, and with that bucket's number."""
    then = past(now, account_id="a")
    seen = {}
    for bucket in range(then.buckets()):
        for row in then.read("opportunity", ("id", "account_id"), bucket, bucketed=True).to_pylist():
            assert row["id"] not in seen
            assert row["bucket"] == bucket
            seen[row["id"]] = row["account_id"]
            assert bucket_of(pa.array([row["account_id"]]), then.buckets()).to_pylist() == [bucket]
    assert seen == {"d1": "a", "d2": "c"}


def test_a_plan_promised_later_was_not_promised(now: Mirror) -> None:
    """Growth plans that were kept bear the day on which they were made."""
    plans = [{"id": str(day), "account_id": "a", "made_on": day} for day in (DAY, DAY + timedelta(days=1))]
    load(now, "commitment", *plans)
    assert past(now, stage=None).read("commitment")["id"].to_pylist() == [str(DAY)]
