"""Which values an undo puts back, field by field: what the run wrote, what there was before, what there is now."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from config.outputs import written
from sync.runs.putting_back import put_back
from sync.writing.plan import change_schema

FIELDS = written("account", "basic")
SCHEMA = change_schema("account", FIELDS)
OLD, NEW = date(2026, 1, 1), date(2026, 2, 1)


def rows(*given, batch=1):
    """Rows as the journal keeps them."""
    plain = [{"clear": [], **row} for row in given]
    table = pa.Table.from_pylist(plain, schema=SCHEMA)
    return table.append_column("batch", pa.repeat(pa.scalar(batch, pa.int32()), table.num_rows))


def back(wrote, **now):
    """What goes back of account 1, given what it holds now: new values and cleared fields, and what is left."""
    held = pa.Table.from_pylist(
        [{"id": "1", **now}],
        schema=pa.schema(
            [("id", pa.string()), ("name", pa.string()), ("owner_id", pa.string())]
            + [SCHEMA.field(field.name) for field in FIELDS]
        ),
    )
    found = put_back("account", wrote, held, FIELDS)
    told = {}
    for row in found.changes.to_pylist():
        told = {
            name: row[name] for name in SCHEMA.names if name.startswith("foretag_") and row[name] is not None
        } | dict.fromkeys(row["clear"], "emptied")
    return told, [(row["id"], row["fields"], row["gone"]) for row in found.left.to_pylist()]


ROSE = {"id": "1", "foretag_tier": "A", "old_foretag_tier": "B"}
FIRST = {"id": "1", "foretag_tier": "A"}
EMPTIED = {"id": "1", "clear": ["foretag_tier"], "old_foretag_tier": "B"}
RENEWED = {"id": "1", "foretag_valid_until": NEW, "old_foretag_valid_until": OLD}


@pytest.mark.parametrize(
    ("wrote", "now", "goes_back", "left"),
    [
        (ROSE, {"foretag_tier": "A"}, {"foretag_tier": "B"}, []),
        (ROSE, {"foretag_tier": "B"}, {}, []),
        (ROSE, {"foretag_tier": "C"}, {}, [("1", ["foretag_tier"], False)]),
        (ROSE, {}, {}, [("1", ["foretag_tier"], False)]),
        (FIRST, {"foretag_tier": "A"}, {"foretag_tier": "emptied"}, []),
        (EMPTIED, {}, {"foretag_tier": "B"}, []),
        (RENEWED, {"foretag_valid_until": NEW}, {"foretag_valid_until": OLD}, []),
        (RENEWED, {"foretag_valid_until": date(2026, 3, 1)}, {}, []),
        # A later run renewed the validity of a record whose tier is still ours: it goes back with the tier.
        (
            ROSE | RENEWED,
            {"foretag_tier": "A", "foretag_valid_until": date(2026, 3, 1)},
            {"foretag_tier": "B", "foretag_valid_until": OLD},
            [],
        ),
        # Somebody else's tier keeps the validity that it has.
        (
            ROSE | RENEWED,
            {"foretag_tier": "C", "foretag_valid_until": NEW},
            {},
            [("1", ["foretag_tier"], False)],
        ),
    ],
)
def test_a_value_goes_back_where_the_crm_still_holds_what_the_run_wrote(wrote, now, goes_back, left):
    """Ours goes back; what is back already needs nothing; another's value is left and told."""
    assert back(rows(wrote), **now) == (goes_back, left)


def test_a_record_that_is_gone_is_told():
    """Of a record that was deleted since, nothing goes back."""
    wrote = rows(ROSE | {"id": "2"})
    assert back(wrote) == ({}, [("2", [], True)])


def test_fields_that_are_not_chosen_stay():
    """Only the fields asked for are looked at."""
    wrote = rows(ROSE | {"foretag_next_step": "Call", "old_foretag_next_step": "Wait"})
    held = pa.Table.from_pylist(
        [{"id": "1", "name": None, "owner_id": None, "foretag_tier": "A", "foretag_next_step": "Call"}]
    )
    tier = tuple(field for field in FIELDS if field.name == "foretag_tier")
    (row,) = put_back("account", wrote, held, tier).changes.to_pylist()
    assert (row["foretag_tier"], "foretag_next_step" in row) == ("B", False)
