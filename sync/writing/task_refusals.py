"""Changes of tasks that the CRM refused: not asked for again each night, until something else is wanted of the task."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from sync.ledger import Item
from sync.ledger.quarantine import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from sync.ledger import Ledger

# What is made waits as "task", by key; what is changed by the CRM's id.
KIND = "task change"


def without_refused(
    ledger: Ledger, connection: str, changes: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[Item]]:
    """The changes that may be sent, and the others as set aside."""
    refusals = ledger.quarantine.of(connection, KIND)
    same = {
        row["crm_id"]
        for row in changes
        if row["crm_id"] in refusals and refusals[row["crm_id"]].digest == _digest(row)
    }
    items = [
        Item("task", one, "quarantined", refusals[one].code, refusals[one].message, refusals[one].fix)
        for one in sorted(same)
    ]
    return [row for row in changes if row["crm_id"] not in same], items


def note_refused(
    ledger: Ledger, connection: str, run_id: str, rows: Sequence[Mapping[str, Any]], outcomes: pa.Table
) -> None:
    """Remember what was refused for good, and forget what was done after all."""
    lasting = pc.and_(pc.equal(outcomes["status"], "refused"), pc.invert(outcomes["passing"]))
    wanted = {row["crm_id"]: row for row in rows}
    refusals = [
        Refusal(
            one["id"],
            _digest(wanted[one["id"]]),
            run_id,
            one["code"] or "",
            one["message"] or "",
            one["fix"] or "",
        )
        for one in outcomes.filter(lasting).to_pylist()
    ]
    if refusals:
        ledger.quarantine.put(connection, KIND, refusals)
    done = outcomes.filter(pc.equal(outcomes["status"], "done"))["id"].to_pylist()
    waited = ledger.quarantine.of(connection, KIND).keys() & set(done)
    if waited:
        ledger.quarantine.lift(connection, KIND, waited)


def _digest(row: Mapping[str, Any]) -> str:
    # A task that may not be deleted is completed instead: one wish, whatever it came to.
    wanted = (
        "end" if row.get("ended") else "",
        *(row.get(name) or "" for name in ("subject", "description", "owner_id")),
    )
    return hashlib.sha256("\x1f".join(wanted).encode("utf-8", "surrogatepass")).hexdigest()
