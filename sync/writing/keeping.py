"""Make a plan fit to be kept: each row gets the names, the inputs and the tag state that go with its change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from config.outputs import OBJECTS
from scoring import STATE_SCHEMA
from sync.store.embedded import database
from sync.writing.inputs import inputs_of
from sync.writing.plan import KEPT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.rules import Rules
    from sync.store.mirror import Mirror
    from sync.writing.plan import Plan

# With which account a row's inputs lie, by kind of row; those of a record without one lie with itself.
ACCOUNT_OF = {
    "account": "r.id",
    "opportunity": "coalesce(r.parent_id, r.id)",
    "task": "coalesce(r.account_id, r.id)",
    "task change": "coalesce(deal.account_id, r.id)",
}

_REMEMBERED = [name for name in STATE_SCHEMA.names if name not in ("object", "id")]
_SQL_TYPES = {pa.string(): "VARCHAR", pa.date32(): "DATE", pa.int64(): "BIGINT"}
_STATE = ", ".join(f"'{name}': state.{name}" for name in _REMEMBERED)
_STATE_TYPES = ", ".join(f'"{name}": "{_SQL_TYPES[STATE_SCHEMA.field(name).type]}"' for name in _REMEMBERED)


def kept(plan: Plan, mirror: Mirror, rules: Rules) -> Plan:
    """The plan with the columns of `KEPT` in each row; `mirror` is what it was made from."""
    told = {
        "digest": inputs_of(mirror, rules),
        "company": mirror.read("account", ("id", "name")),
        "deal": mirror.read("opportunity", ("id", "account_id")),
        "owner": mirror.read("owner", ("id", "name")),
        "state": pa.concat_tables([STATE_SCHEMA.empty_table(), *plan.states]),
    }
    return replace(
        plan,
        changes={name: _with_kept(name, table, told) for name, table in plan.changes.items()},
        tasks=_with_kept("task", plan.tasks, told),
        task_changes=_with_kept("task change", plan.task_changes, told),
    )


def as_planned(rows: pa.Table) -> pa.Table:
    """The rows without what only a kept plan carries."""
    return rows.drop_columns([name for name in KEPT.names if name in rows.column_names])


def states_of(object_name: str, rows: pa.Table) -> pa.Table:
    """The tag state that kept rows carry, in `STATE_SCHEMA`; none of rows without one."""
    columns = ", ".join(f"s.{name}" for name in _REMEMBERED)
    with database(rows=rows.select(["id", "state"])) as db:
        found = db.sql(
            f"SELECT '{object_name}' AS object, id, {columns} FROM"  # noqa: S608  # names from the schema, no values
            f" (SELECT id, from_json(state, '{{{_STATE_TYPES}}}') AS s FROM rows WHERE state IS NOT NULL)"
        ).to_arrow_table()
    return found.cast(STATE_SCHEMA)


def _tells(kind: str, rows: pa.Table) -> str:
    """Whether the CRM will hold the tier of the state: else what kept the old tier calm must stay as it was."""
    if kind not in OBJECTS or "foretag_tier" not in rows.column_names:
        return "FALSE"
    left = "CASE WHEN list_contains(r.clear, 'foretag_tier') THEN NULL ELSE r.old_foretag_tier END"
    return f"state.id IS NOT NULL AND state.tier IS NOT DISTINCT FROM coalesce(r.foretag_tier, {left})"


def _with_kept(kind: str, rows: pa.Table, told: Mapping[str, pa.Table]) -> pa.Table:
    places = pa.array(range(rows.num_rows), pa.int64())
    account = ACCOUNT_OF[kind]
    with database(rows=as_planned(rows).append_column("place", places), **told) as db:
        found = db.sql(
            f"""
            SELECT r.*, company.name AS company, owner.name AS owner, digest.inputs,
                CASE WHEN {_tells(kind, rows)} THEN to_json({{{_STATE}}})::VARCHAR END AS state
            FROM rows r LEFT JOIN deal ON deal.id = r.id
            LEFT JOIN company ON company.id = {account} LEFT JOIN digest ON digest.account_id = {account}
            LEFT JOIN owner ON owner.id = r.owner_id
            LEFT JOIN state ON state.object = '{kind}' AND state.id = r.id
            ORDER BY place
            """  # noqa: S608  # names from the schema, no values
        ).to_arrow_table()
    return found.drop_columns(["place"]).cast(pa.schema([*as_planned(rows).schema, *KEPT]))
