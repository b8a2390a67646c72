"""Small writes: sObject Collections, 200 records to a call, each with a result of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.contract import ConfigProblem, ConnectorError, RecordRefused
from connectors.outcomes import NOT_SENT, refused, unknown
from connectors.salesforce.outcomes import from_save_result
from connectors.salesforce.refusals import REMEDIES
from connectors.transport import LostReply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from connectors.outcomes import Outcome
    from connectors.salesforce.api import Api

    Record = Mapping[str, Any]
    Send = Callable[[Sequence[Record]], list[dict[str, Any]]]

MOST_RECORDS = 200
LOCK_RETRIES = 5
# Fewer neighbours, fewer locks: what was locked out is sent again in small company.
LOCKED_RECORDS = 10
LOCKED = frozenset({"UNABLE_TO_LOCK_ROW"})


class Collections:
    """Writes records of one object by their ids, or by an external id."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def update(self, sf_object: str, records: Sequence[Record]) -> list[Outcome]:
        """Set fields of existing records; each record has `id` and its fields. One call after the other."""

        def send(part: Sequence[Record]) -> list[dict[str, Any]]:
            return self._send("PATCH", "composite/sobjects", sf_object, part, idempotent=True)

        return self._settle(records, send)

    def upsert(self, sf_object: str, key_field: str, records: Sequence[Record]) -> list[Outcome]:
        """Create or update by a unique field, so that it may be sent again when a reply is lost."""
        path = f"composite/sobjects/{sf_object}/{key_field}"

        def send(part: Sequence[Record]) -> list[dict[str, Any]]:
            return self._send("PATCH", path, sf_object, part, idempotent=True)

        return self._settle(records, send)

    def insert(self, sf_object: str, records: Sequence[Record]) -> list[Outcome]:
        """Create records; a lost reply leaves their outcome unknown."""

        def send(part: Sequence[Record]) -> list[dict[str, Any]]:
            return self._send("POST", "composite/sobjects", sf_object, part, idempotent=False)

        return self._settle(records, send)

    def delete(self, ids: Sequence[str]) -> list[Outcome]:
        """Delete records."""

        def send(part: Sequence[Record]) -> list[dict[str, Any]]:
            joined = ",".join(record["id"] for record in part)
            path = f"composite/sobjects?ids={joined}&allOrNone=false"
            reply: list[dict[str, Any]] = self._api.call("DELETE", path, kind="write")
            return reply

        return self._settle([{"id": record_id} for record_id in ids], send)

    def _send(
        self, method: str, path: str, sf_object: str, part: Sequence[Record], *, idempotent: bool
    ) -> list[dict[str, Any]]:
        body = {
            "allOrNone": False,
            "records": [{"attributes": {"type": sf_object}, **record} for record in part],
        }
        reply: list[dict[str, Any]] = self._api.call(
            method,
            path,
            json=body,
            idempotent=idempotent,
            kind="write",
            headers={"Sforce-Auto-Assign": "FALSE"},
        )
        return reply

    def _settle(self, records: Sequence[Record], send: Send) -> list[Outcome]:
        """An outcome for each record; those that met a lock are sent again, a few at a time."""
        outcomes = dict(enumerate(self._in_parts(records, range(len(records)), MOST_RECORDS, send)))
        for attempt in range(LOCK_RETRIES):
            locked = [place for place, outcome in outcomes.items() if outcome.code in LOCKED]
            if not locked:
                break
            self._api.transport.sleep(self._api.transport.rng.uniform(0, 2.0**attempt))
            size = MOST_RECORDS if len(locked) > MOST_RECORDS else LOCKED_RECORDS
            again = self._in_parts(records, locked, size, send)
            outcomes.update(zip(locked, again, strict=True))
        return [outcomes[place] for place in range(len(records))]

    def _in_parts(
        self, records: Sequence[Record], places: Sequence[int], size: int, send: Send
    ) -> Iterator[Outcome]:
        """Outcomes in the order of the places. Once the CRM is gone, what was not sent is said to be so."""
        gone: Exception | None = None
        for start in range(0, len(places), size):
            part = [records[place] for place in places[start : start + size]]
            if gone is not None:
                yield from (unknown(f"not sent: {gone}", NOT_SENT) for _ in part)
                continue
            try:
                yield from self._outcomes(part, send)
            except (ConnectorError, ConfigProblem) as error:
                if start == 0:
                    raise
                gone = error
                yield from (unknown(str(error)) for _ in part)

    def _outcomes(self, part: Sequence[Record], send: Send) -> list[Outcome]:
        moment = self._api.transport.server_date
        try:
            results = send(part)
        except LostReply as error:
            return [unknown(str(error)) for _ in part]
        except RecordRefused as error:
            return self._apart(part, send, error)
        if not isinstance(results, list) or len(results) != len(part):
            return [unknown("the reply does not speak of every record") for _ in part]
        return [from_save_result(result, moment) for result in results]

    def _apart(self, part: Sequence[Record], send: Send, error: RecordRefused) -> list[Outcome]:
        """A call refused whole: find the record that is to blame by halves, so that its neighbours pass."""
        if len(part) == 1:
            return [refused(error.code, str(error), error.fields, REMEDIES)]
        half = len(part) // 2
        return self._outcomes(part[:half], send) + self._outcomes(part[half:], send)
