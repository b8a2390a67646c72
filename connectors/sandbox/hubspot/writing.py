"""Creating, changing, archiving and restoring records, with one outcome for each input of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.effects import follow, recalculated, set_value, stamp
from connectors.sandbox.hubspot.errors import HubSpotError, invalid, not_found
from connectors.sandbox.hubspot.history import Origin, Version
from connectors.sandbox.hubspot.intake import Intake
from connectors.sandbox.hubspot.linking import Linker
from connectors.sandbox.hubspot.parties import Batch
from connectors.sandbox.hubspot.reading import MAX_INPUTS, Reader, check_inputs, check_size, missing_error
from connectors.sandbox.hubspot.records import ARCHIVED, LIVING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.parties import Caller, Source
    from connectors.sandbox.hubspot.state import State

# A record to be made: its values and what it is associated with.
Draft = tuple[dict[str, str], list[tuple["ObjectType", int, list[int]]]]
# Computed properties that the answer to a create or update carries besides what was written.
_TOLD: Mapping[str, tuple[str, ...]] = {
    "deals": (
        "amount_in_home_currency", "days_to_close", "hs_closed_amount", "hs_deal_stage_probability",
        "hs_deal_stage_probability_shadow", "hs_forecast_amount", "hs_is_closed", "hs_is_closed_lost",
        "hs_is_closed_won", "hs_projected_amount", "hs_object_source", "hs_object_source_label", "pipeline",
    ),
    "companies": ("hs_object_source", "hs_object_source_label", "lifecyclestage"),
    "tasks": ("hs_task_is_completed", "hs_task_status", "hs_task_type", "hs_object_source", "hs_object_source_label"),
}  # fmt: skip


class Writer:
    """Writes to one portal's records. The caller holds the lock."""

    def __init__(self, state: State, reader: Reader) -> None:
        self._state, self._reader, self._linker = state, reader, Linker(state)

    # New records.

    def create(
        self, caller: Caller, one: ObjectType, inputs: Sequence[Mapping[str, Any]], source: Source
    ) -> Batch:
        """Make records. With an `objectWriteTraceId` of its own for each, the bad ones alone are refused."""
        check_inputs(inputs, MAX_INPUTS)
        traces = [each.get("objectWriteTraceId") for each in inputs]
        one_by_one = None not in traces and len(set(traces)) == len(traces)
        intake = Intake(self._state, one)
        drafts: list[Draft] = []
        errors = []
        for each, trace in zip(inputs, traces, strict=True):
            try:
                drafts.append(self._draft(intake, one, each))
            except HubSpotError as error:
                if not one_by_one:
                    raise
                errors.append(error.entry({"objectWriteTraceId": [str(trace)]}))
        rows = self._make(caller, one, drafts, source)
        names = {name for values, _ in drafts for name in values}
        tell = self._reader.view(one, self._told(one, names))
        return Batch([tell(row) for row in rows], errors)

    def _draft(self, intake: Intake, one: ObjectType, each: Mapping[str, Any]) -> Draft:
        values = intake.required(intake.changes(None, _properties(each)))
        return values, self._linker.inline(one, each.get("associations") or [])

    def _make(self, caller: Caller, one: ObjectType, drafts: Sequence[Draft], source: Source) -> list[int]:
        state, records, now = self._state, self._state.records(one), self._state.now()
        origin = _origin(caller, source)
        rows, touched = [], set()
        for values, associations in drafts:
            row = records.add(values | _made_by(caller, source), now)
            state.remember(one.name, row, new=True)
            for name, value in values.items():
                records.history.note(row, name, Version(value, now, origin), None, now)
            follow(state, one.name, row, dict.fromkeys(values), now)
            for end, other, kinds in associations:
                self._linker.link(one.name, records.ids[row], end.name, other, kinds)
            touched |= recalculated(state, one.name, row, values)
            rows.append(row)
        stamp(state, touched, now)
        ids = [records.ids[row] for row in rows]
        fields = sorted({name for values, _ in drafts for name in values})
        state.note(caller, "create", one, ids, fields, sum(len(values) for values, _ in drafts))
        return rows

    # Changes.

    def update_one(  # the parameters of the request
        self,
        caller: Caller,
        one: ObjectType,
        record_id: str,
        properties: Mapping[str, Any],
        id_property: str | None,
        source: Source,
    ) -> dict[str, Any]:
        """Change one record; the old id of a merged one changes the winner."""
        row = self._reader.find(one, record_id, id_property)
        if row is None and id_property is None:
            row = self._state.records(one).winner(record_id)
        if row is None:
            raise not_found(record_id)
        changes = Intake(self._state, one).changes(row, properties)
        self._apply(caller, one, [(row, changes)], source, "update")
        return self._reader.view(one, self._told(one, changes))(row)

    def update(
        self, caller: Caller, one: ObjectType, inputs: Sequence[Mapping[str, Any]], source: Source
    ) -> Batch:
        """Change records. A bad value refuses them all; ids that do not exist are one error in the answer."""
        check_inputs(inputs, MAX_INPUTS)
        _no_twins(inputs)
        intake, records = Intake(self._state, one), self._state.records(one)
        wanted: list[tuple[int, dict[str, str]]] = []
        missing: list[Mapping[str, Any]] = []
        for each in inputs:
            record_id = str(each.get("id", ""))
            row = self._reader.find(one, record_id, each.get("idProperty"))
            if row is not None:
                wanted.append((row, intake.changes(row, _properties(each))))
            elif each.get("idProperty") or records.winner(record_id) is None:
                missing.append(each)
            # The old id of a merged record is passed over in silence, as portals do.
        self._apply(caller, one, wanted, source, "update")
        # An import has no use for what the records hold now, and is a hundred times larger.
        quiet = source == "IMPORT"
        results = [{"id": str(records.ids[row])} for row, _ in wanted] if quiet else self._tell(one, wanted)
        return Batch(results, _missing(one, missing))

    def upsert(
        self, caller: Caller, one: ObjectType, inputs: Sequence[Mapping[str, Any]], source: Source
    ) -> Batch:
        """Change the records that carry a key, and make those that are missing; ids alone make nothing."""
        check_inputs(inputs, MAX_INPUTS)
        _no_twins(inputs)
        intake = Intake(self._state, one)
        held: list[tuple[int, dict[str, str]]] = []
        drafts: list[Draft] = []
        places: list[tuple[bool, int]] = []
        missing: list[Mapping[str, Any]] = []
        for each in inputs:
            row, properties = self._keyed(one, each)
            if row is None and properties is None:
                missing.append(each)
                continue
            changes = intake.changes(row, properties or {})
            if row is None:
                places.append((True, len(drafts)))
                drafts.append((intake.required(changes), []))
            else:
                places.append((False, len(held)))
                held.append((row, changes))
        self._apply(caller, one, held, source, "upsert")
        made = self._make(caller, one, drafts, source)
        new = [(row, values) for row, (values, _) in zip(made, drafts, strict=True)]
        told = {False: self._tell(one, held), True: self._tell(one, new)}
        results = [{**told[is_new][place], "new": is_new} for is_new, place in places]
        return Batch(results, _missing(one, missing))

    def _keyed(self, one: ObjectType, each: Mapping[str, Any]) -> tuple[int | None, Mapping[str, Any] | None]:
        """The record that an upsert means and the values with its key; no values if it can only be changed."""
        key, name = str(each.get("id", "")), each.get("idProperty")
        if name is None or name == "hs_object_id":
            row = self._reader.find(one, key)
            return row, None if row is None else _properties(each)
        return self._reader.find(one, key, name), {name: key, **_properties(each)}

    def _tell(self, one: ObjectType, wanted: Sequence[tuple[int, Mapping[str, str]]]) -> list[dict[str, Any]]:
        """Written records, each with the properties that were written to it."""
        views: dict[tuple[str, ...], Any] = {}
        results = []
        for row, changes in wanted:
            names = tuple(changes)
            if names not in views:
                views[names] = self._reader.view(one, self._told(one, names))
            results.append(views[names](row))
        return results

    @staticmethod
    def _told(one: ObjectType, written: Iterable[str]) -> list[str]:
        return [*written, *_TOLD.get(one.name, ()), "hs_object_id"]

    def _apply(
        self,
        caller: Caller,
        one: ObjectType,
        wanted: Sequence[tuple[int, Mapping[str, str]]],
        source: Source,
        operation: str,
    ) -> None:
        state, records, now = self._state, self._state.records(one), self._state.now()
        state.check_lock(records.ids[row] for row, _ in wanted)
        origin = _origin(caller, source)
        changed, touched = 0, set()
        for row, changes in wanted:
            state.remember(one.name, row)
            before = {name: records.value(row, name) for name in changes}
            really = {
                name: before[name]
                for name, value in changes.items()
                if set_value(state, one.name, row, name, value, origin, now)
            }
            follow(state, one.name, row, really, now)
            # Even a write of what is there already stamps the record: what portals do is not known, and this
            # is the case that a worker must live with.
            records.modified[row] = now
            changed += len(really)
            touched |= recalculated(state, one.name, row, really) if really else set()
        stamp(state, touched, now)
        fields = sorted({name for _, changes in wanted for name in changes})
        state.note(caller, operation, one, [records.ids[row] for row, _ in wanted], fields, changed)

    # The recycle bin.

    def archive(self, caller: Caller, one: ObjectType, ids: Iterable[str]) -> None:
        """Put records into the recycle bin: no stamp moves."""
        records, now = self._state.records(one), self._state.now()
        wanted = list(ids)
        check_size(wanted, MAX_INPUTS)
        rows = [row for each in dict.fromkeys(wanted) if (row := records.find(str(each))) is not None]
        self._state.check_lock(records.ids[row] for row in rows)
        for row in rows:
            records.mark(row, ARCHIVED, now)
        self._state.note(caller, "archive", one, [records.ids[row] for row in rows], (), len(rows))

    def restore(self, one: ObjectType, record_id: str) -> None:
        """Take a record out of the recycle bin."""
        records, now = self._state.records(one), self._state.now()
        row = records.find_archived(record_id, now)
        if row is None:
            raise not_found(record_id)
        records.mark(row, LIVING, now)
        records.modified[row] = now


def _properties(each: Mapping[str, Any]) -> Mapping[str, Any]:
    found = each.get("properties")
    if not isinstance(found, dict):
        raise invalid("Invalid input JSON. Some required fields were not set: [properties]")
    return found


def _missing(one: ObjectType, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One error for all inputs that mean no record; none if there are no such inputs."""
    ids = [str(each.get("id", "")) for each in inputs]
    traces = [str(each["objectWriteTraceId"]) for each in inputs if each.get("objectWriteTraceId")]
    return [missing_error(one, ids, traces)] if inputs else []


def _no_twins(inputs: Sequence[Mapping[str, Any]]) -> None:
    ids = [str(each.get("id", "")) for each in inputs]
    if len(set(ids)) < len(ids):
        twins = sorted({one for one in ids if ids.count(one) > 1})
        raise invalid(
            f"Duplicate IDs found in batch input: [{', '.join(twins)}]. IDs must be unique",
            context={"ids": twins},
        )


def _origin(caller: Caller, source: Source) -> Origin:
    return Origin(source, caller.app_id, caller.username)


def _made_by(caller: Caller, source: Source) -> dict[str, str]:
    return {
        "hs_object_source": source,
        "hs_object_source_id": caller.app_id,
        "hs_object_source_label": source,
    }
