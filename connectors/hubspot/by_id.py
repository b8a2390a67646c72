"""Reading records by id, or by a unique property: a hundred in a call, never behind, as a search may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.contract import RecordRefused, RetryLater
from connectors.hubspot.refusals import NOT_FOUND
from connectors.in_flight import in_flight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.hubspot.api import Api
    from connectors.hubspot.records import Record

IDS_IN_A_CALL = 100
IDS_WITH_HISTORY = 50
IN_FLIGHT = 16


def read_by_id(  # what may be asked of a batch read
    api: Api,
    hs_object: str,
    ids: Sequence[str],
    properties: Sequence[str],
    *,
    by: str = "",
    archived: bool = False,
    history: bool = False,
) -> list[Record]:
    """The records, in no order; those that are not there are left out.

    `by` names the property, if it is not the id. `history`: with the past of the properties. Raises `RetryLater`
    if HubSpot cannot tell of one of them.
    """
    body: dict[str, Any] = {"properties": list(properties), **({"idProperty": by} if by else {})}
    if history:
        body["propertiesWithHistory"] = list(properties)
    # The flag is for the address: a body's would be ignored.
    asking = {"params": {"archived": "true"}} if archived else {}

    def ask(part: Sequence[str]) -> list[Record]:
        inputs = [{"id": one} for one in part]
        try:
            reply = api.ask(
                "objects", f"{hs_object}/batch/read", {**body, "inputs": inputs}, counted="batch", **asking
            )
        except RecordRefused:
            # Whether a key is there must be known for certain; an id that HubSpot cannot read is no record.
            if by:
                raise
            half = len(part) // 2
            return [] if not half else ask(part[:half]) + ask(part[half:])
        return _records(reply)

    unique = list(dict.fromkeys(ids))
    size = IDS_WITH_HISTORY if history else IDS_IN_A_CALL
    parts = [unique[start : start + size] for start in range(0, len(unique), size)]
    return [record for found in in_flight(ask, parts, IN_FLIGHT) for record in found]


def _records(reply: Any) -> list[Record]:
    """The records in the reply to a batch read; only "not found" may be said of the others."""
    for error in reply.get("errors") or ():
        if error.get("category") != NOT_FOUND:
            raise RetryLater(f"HubSpot cannot read some records: {error.get('message')}")
    records: list[Record] = reply["results"]
    return records
