"""Batch calls: 100 records each, several in flight, and one outcome for each record whatever the reply."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from connectors.contract import ConfigProblem, ConnectorError, RecordRefused, RetryLater
from connectors.hubspot.by_id import read_by_id
from connectors.hubspot.failures import LOCKED
from connectors.hubspot.lanes import lanes
from connectors.hubspot.refusals import NOT_FOUND, PASSING, TURNED_AWAY
from connectors.hubspot.replies import NOT_RETURNED, moment, outcomes_of, refusal
from connectors.in_flight import in_flight
from connectors.outcomes import NOT_SENT, Outcome, refused, unknown
from connectors.transport import LostReply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from connectors.hubspot.api import Api

    Input = Mapping[str, Any]
    Batch = Sequence[Input]
    Family = Mapping[str, str | None]
    Outcomes = dict[str, Outcome]
    # The outcomes of some records of a batch, and the parts in which the others are to be sent again.
    Send = Callable[[Batch], tuple[Outcomes, Sequence[Batch]]]

_TRACE = "objectWriteTraceId"
MOST_INPUTS = 100
# 19 calls a second, and batches that take most of a second each.
IN_FLIGHT = 16
# HubSpot's locks last two seconds.
LOCKED_SECONDS = 2.0
# What meets a lock is sent again in batches of these sizes: one record may be locked for long, the others not.
SMALLER_COMPANY = (50, 10, 1, 1, 1)
# Where very many are locked, company is not made so small that it would cost more calls than these, each time.
CALLS_FOR_LOCKED = 100
# Of a batch one record may be locked, and for long: it is parted from the others here, not waited for with them.
_PARTED = frozenset({LOCKED})
# When so many are refused and none is done, the trouble is not the records': no more calls are spent on it.
HOPELESS = 300
# A refused batch whose blamed property has this many values at most is cut by value, else by halves.
FEW_VALUES = 4
# These speak of a property, whatever value it was to get.
_WHATEVER_VALUE = frozenset({"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"})
NOT_THERE = (
    "HubSpot has no such record any more: it was deleted, or merged into another; the next run takes that in"
)


@dataclass
class _Gone:
    """Why no more is sent, once the portal or our rights went away in the middle of a write, or all is refused."""

    error: Exception | None = None
    reached: bool = False
    done: bool = False
    refused: int = 0
    lock: Lock = field(default_factory=Lock)

    def note(self, outcomes: Mapping[str, Outcome]) -> None:
        """Take a batch's outcomes in."""
        with self.lock:
            self.reached = True
            self.done = self.done or any(outcome.status == "done" for outcome in outcomes.values())
            messages = [outcome.message for outcome in outcomes.values() if outcome.status == "refused"]
            self.refused += len(messages)
            if messages and self.refused >= HOPELESS and not self.done and self.error is None:
                self.error = RetryLater(f"the first {self.refused} records were all refused: {messages[-1]}")

    def note_end(self, error: Exception) -> None:
        """The first error that ends it counts."""
        with self.lock:
            self.error = self.error or error


class Batches:
    """Writes records of one portal by the hundred."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def update(
        self, hs_object: str, records: Sequence[Input], parents: Sequence[str | None] | None = None
    ) -> Outcomes:
        """Set properties of existing records (`{"id", "properties"}`); outcome by id.

        Records of one parent are never in flight in two calls.
        """
        send = _Verb(self._api, f"{hs_object}/batch/update", _id, idempotent=True).send
        family = dict(zip((record["id"] for record in records), parents or (), strict=False))
        outcomes = self._write(records, family, send, PASSING)
        return outcomes | self._silent(hs_object, records, outcomes)

    def create(self, hs_object: str, records: Mapping[str, Input], key: str) -> Outcomes:
        """Create records (`{"properties", "associations"}`), once each; outcome by the property `key`, our own.

        With a trace id for every input, HubSpot makes the good ones although some are bad. It need not come
        back with what was made, and in no order: the key tells.
        """

        def made(result: Input) -> str | None:
            name: str | None = result.get(_TRACE) or (result.get("properties") or {}).get(key)
            return name

        verb = _Verb(self._api, f"{hs_object}/batch/create", made, idempotent=False)
        inputs = [{**record, _TRACE: name} for name, record in records.items()]
        return self._write(inputs, {}, verb.send, TURNED_AWAY)

    def archive(self, hs_object: str, ids: Sequence[str]) -> Outcomes:
        """Put records into the recycle bin; one that is not there is done."""
        verb = _Verb(self._api, f"{hs_object}/batch/archive", _id, idempotent=True)
        outcomes = self._write(
            [{"id": record_id} for record_id in dict.fromkeys(ids)], {}, verb.send, PASSING
        )
        return {name: Outcome("done") if one.code == NOT_FOUND else one for name, one in outcomes.items()}

    def _write(
        self, records: Sequence[Input], family: Family, send: Send, passing: frozenset[str]
    ) -> Outcomes:
        """An outcome for each record; those that met something `passing` are sent again, in smaller company."""
        outcomes = self._in_lanes(records, family, send, MOST_INPUTS)
        for attempt, size in enumerate(SMALLER_COMPANY):
            again = [record for record in records if outcomes[_name(record)].code in passing]
            if not again:
                break
            self._pause(attempt)
            bearable = min(-(-len(again) // CALLS_FOR_LOCKED), MOST_INPUTS)
            try:
                outcomes |= self._in_lanes(again, family, send, max(size, bearable))
            except (ConnectorError, ConfigProblem):
                break
        return outcomes

    def _in_lanes(self, records: Sequence[Input], family: Family, send: Send, size: int) -> Outcomes:
        """All batches; once the portal is gone, what was not sent is said to be so. Raises if nothing was reached."""
        cut = lanes([family.get(_name(record)) for record in records], size)
        gone = _Gone()
        flights = [[[records[place] for place in batch] for batch in lane] for lane in cut]
        outcomes: Outcomes = {}
        for found in in_flight(lambda lane: self._lane(lane, send, gone), flights, IN_FLIGHT):
            outcomes |= found
        if gone.error is not None and not gone.reached:
            raise gone.error
        return outcomes

    def _lane(self, batches: Iterable[Batch], send: Send, gone: _Gone) -> Outcomes:
        """One batch after the other; the parts of a refused one come before the next."""
        outcomes: Outcomes = {}
        rest = deque(batches)
        while rest:
            batch = rest.popleft()
            if gone.error is not None:
                outcomes |= _all(batch, unknown(f"not sent: {gone.error}", NOT_SENT))
                continue
            try:
                found, parts = send(batch)
            except (ConnectorError, ConfigProblem) as error:
                gone.note_end(error)
                found, parts = _all(batch, _in_doubt(error)), ()
            else:
                gone.note(found)
            outcomes |= found
            rest.extendleft(reversed(parts))
        return outcomes

    def _silent(self, hs_object: str, records: Sequence[Input], outcomes: Mapping[str, Outcome]) -> Outcomes:
        """Records that a reply passed over: merged ones vanish so. What they hold now decides."""
        silent = {
            record["id"]: record["properties"]
            for record in records
            if outcomes[record["id"]].code == NOT_RETURNED
        }
        try:
            return self.held(hs_object, silent) if silent else {}
        except (ConnectorError, ConfigProblem):
            return {}

    def held(self, hs_object: str, wanted: Mapping[str, Mapping[str, str]]) -> Outcomes:
        """What became of writes that nobody answered for: done, where the record holds just the wanted values."""
        names = sorted({name for properties in wanted.values() for name in properties})
        living = {row["id"]: row for row in read_by_id(self._api, hs_object, list(wanted), names)}
        outcomes: Outcomes = {}
        for record_id, properties in wanted.items():
            row = living.get(record_id)
            if row is None:
                outcomes[record_id] = refused(NOT_FOUND, NOT_THERE)
            elif all(_same(row["properties"].get(name), value) for name, value in properties.items()):
                outcomes[record_id] = Outcome(
                    "done", modified_at=moment(row.get("updatedAt")), crm_id=record_id
                )
            else:
                outcomes[record_id] = unknown(
                    "HubSpot does not mention the record in its reply, and it holds other values",
                    NOT_RETURNED,
                )
        return outcomes

    def _pause(self, attempt: int) -> None:
        transport = self._api.transport
        transport.sleep(LOCKED_SECONDS + transport.rng.uniform(0, 2.0**attempt))


@dataclass(frozen=True)
class _Verb:
    """One batch call: where it goes, how to know a result in its reply, and whether it may be sent twice."""

    api: Api
    tail: str
    name_of: Callable[[Input], str | None]
    idempotent: bool

    def send(self, batch: Batch) -> tuple[Outcomes, Sequence[Batch]]:
        """Outcomes by key, and what is to be sent again by itself. Raises when no more should be sent."""
        names = [_name(record) for record in batch]
        try:
            reply = self.api.call(
                "POST",
                "objects",
                self.tail,
                json={"inputs": batch},
                idempotent=self.idempotent,
                counted="write",
                handed_back=_PARTED,
            )
        except LostReply as error:
            return dict.fromkeys(names, unknown(str(error))), ()
        except RecordRefused as error:
            # Refused whole: those to blame are found, so that their neighbours pass.
            guilty, others = (batch, ()) if error.code in _PARTED else _sorted_out(batch, error)
            return _all(guilty, refusal(error.code, str(error), error.fields)), others
        if reply is None:
            # 204, which only an archive answers: all of it is done.
            return dict.fromkeys(names, Outcome("done")), ()
        return outcomes_of(reply, names, self.name_of), ()


def _sorted_out(batch: Batch, error: RecordRefused) -> tuple[Batch, Sequence[Batch]]:
    """The records that a refusal surely speaks of, and the parts in which the others are sent again.

    HubSpot names the property. If the property is the trouble, all that carry it are to blame; if the value
    is, all that carry the same value: so an option that the portal lacks costs a few calls, not hundreds.
    """
    if len(batch) == 1:
        return batch, []
    blamed = next((name for name in error.fields if any(name in _values(record) for record in batch)), None)
    if blamed is None:
        return [], _halves(batch)
    carrying = [record for record in batch if blamed in _values(record)]
    free = [record for record in batch if blamed not in _values(record)]
    by_value: dict[str, list[Input]] = {}
    for record in carrying:
        by_value.setdefault(_values(record)[blamed], []).append(record)
    if error.code in _WHATEVER_VALUE or len(by_value) == 1:
        return carrying, [free] if free else []
    if len(by_value) > FEW_VALUES:
        return [], _halves(batch)
    return [], [*by_value.values(), *([free] if free else [])]


def _values(record: Input) -> Mapping[str, str]:
    return record.get("properties") or {}


def _halves(batch: Sequence[Any]) -> list[Sequence[Any]]:
    half = len(batch) // 2
    return [batch[:half], batch[half:]]


def _all(batch: Batch, outcome: Outcome) -> Outcomes:
    return {_name(record): outcome for record in batch}


def _name(record: Input) -> str:
    """What the caller knows a record by."""
    name: str = record.get(_TRACE) or record["id"]
    return name


def _id(result: Input) -> str | None:
    return str(result.get("id"))


def _in_doubt(error: Exception) -> Outcome:
    """The batch that met the end: turned away for certain if rights or an allowance were missing."""
    turned_away = isinstance(error, ConfigProblem) or (isinstance(error, RetryLater) and error.quota)
    return unknown(f"not sent: {error}", NOT_SENT) if turned_away else unknown(str(error))


def _same(held: str | None, wanted: str) -> bool:
    """Whether a property holds a value that was sent; numbers may come back in another form."""
    if (held or "") == wanted:
        return True
    try:
        return float(held or "nan") == float(wanted)
    except ValueError:
        return False
