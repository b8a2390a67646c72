"""Batches on the wire: their envelope, their statuses, and rows that a fault refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.fault_kinds import RefuseRows
from connectors.sandbox.hubspot.context import found
from connectors.sandbox.hubspot.errors import HubSpotError
from connectors.sandbox.hubspot.parties import Batch
from connectors.sandbox.wire import notes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from starlette.responses import Response

    from connectors.sandbox.hubspot.context import Call

    Input = Mapping[str, Any]

PARTIAL = 207


def batch_reply(call: Call, begun: datetime, batch: Batch, status: int = 200) -> Response:
    """The envelope of a batch; with errors it says 207."""
    body: dict[str, Any] = {"status": "COMPLETE", "results": batch.results}
    if batch.errors:
        body |= {"numErrors": len(batch.errors), "errors": batch.errors}
    body |= {"startedAt": stamp(begun), "completedAt": stamp(call.context.clock())}
    return found(body, PARTIAL if batch.errors else status)


def stamp(moment: datetime) -> str:
    """A moment as HubSpot writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written(
    call: Call, inputs: Sequence[Input], write: Callable[[Sequence[Input]], Batch], *, traced: bool = False
) -> Batch:
    """The outcome of a batch of writes; rows that a fault refuses never reach the portal.

    `traced` inputs have no ids yet: rows can be refused alone only if each has its `objectWriteTraceId`.
    """
    kept, errors = list(inputs), []
    for fault in notes().faults:
        if isinstance(fault, RefuseRows):
            refused = [one for place, one in enumerate(kept) if _refuses(call, fault, one, place)]
            kept = [one for one in kept if one not in refused]
            errors += _errors(fault, refused, alone=not traced or all(_trace(one) for one in inputs))
    batch = write(kept) if kept or not errors else Batch([], [])
    return Batch(batch.results, [*batch.errors, *errors])


def _refuses(call: Call, fault: RefuseRows, one: Input, place: int) -> bool:
    key = _trace(one) or str(one.get("id", place))
    if fault.ids:
        return key in fault.ids or str(one.get("id")) in fault.ids
    return call.context.faults.draws(key, fault.percent)


def _errors(fault: RefuseRows, refused: Sequence[Input], *, alone: bool) -> list[dict[str, Any]]:
    error = HubSpotError(fault.category, fault.message)
    if refused and (fault.whole_batch or not alone):
        raise error
    return [
        error.entry({"ids": [str(one["id"])]} if "id" in one else {"objectWriteTraceId": [_trace(one)]})
        for one in refused
    ]


def _trace(one: Input) -> str:
    return str(one.get("objectWriteTraceId") or "")
