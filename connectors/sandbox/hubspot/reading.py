"""Records as the wire tells them: properties, stamps, history and inline associations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.computed import Computed
from connectors.sandbox.hubspot.errors import invalid, not_found
from connectors.sandbox.hubspot.history import CALCULATED, Version
from connectors.sandbox.hubspot.paging import first_id
from connectors.sandbox.hubspot.parties import Batch, Listing
from connectors.sandbox.hubspot.records import ARCHIVED, LIVING
from connectors.sandbox.hubspot.stamps import wire_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.records import Records
    from connectors.sandbox.hubspot.state import State

MAX_PAGE, MAX_PAGE_WITH_HISTORY = 100, 50
MAX_INPUTS = 100
_INLINE = 100
# How deep the history of one property goes.
_VERSIONS = 20


class Reader:
    """Reads of one portal's records. The caller holds the lock."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.computed = Computed(state)

    def getter(self, one: ObjectType, name: str) -> Callable[[int], str | None]:
        """What a property of a row is: worked out, or stored."""
        found = self.computed.getter(one.name, name)
        if found is not None:
            return found
        records = self._state.records(one)
        return lambda row: records.value(row, name)

    def view(
        self,
        one: ObjectType,
        properties: Sequence[str],
        history: Sequence[str] = (),
        associations: Sequence[str] = (),
    ) -> Callable[[int], dict[str, Any]]:
        """A function from a row to its wire form. Unknown names are passed over; none means the defaults."""
        state, records = self._state, self._state.records(one)
        known = state.schema.properties[one.name]
        always = (one.created_property, one.modified_property, "hs_object_id")
        names = sorted({*(name for name in (properties or one.defaults) if name in known), *always})
        computed = [
            (name, get) for name in names if (get := self.computed.getter(one.name, name)) is not None
        ]
        stored = [(name, records.columns.get(name)) for name in names if name not in dict(computed)]
        nothing = dict.fromkeys(names)
        past = [name for name in dict.fromkeys(history) if name in known]
        towards = [state.schema.find_type(alias) for alias in associations]

        def tell(row: int) -> dict[str, Any]:
            values: dict[str, str | None] = dict(nothing)
            for name, column in stored:
                if column is not None:
                    values[name] = column[row]
            for name, get in computed:
                values[name] = get(row)
            told = self._frame(records, row, values)
            if past:
                told["propertiesWithHistory"] = {name: self._history(one, row, name) for name in past}
            if towards:
                self._associations(one, row, towards, told)
            return told

        return tell

    @staticmethod
    def _frame(records: Records, row: int, values: dict[str, str | None]) -> dict[str, Any]:
        told: dict[str, Any] = {
            "id": str(records.ids[row]),
            "properties": values,
            "createdAt": wire_stamp(records.created[row]),
            "updatedAt": wire_stamp(records.modified[row]),
            "archived": records.state[row] == ARCHIVED,
        }
        if records.state[row] == ARCHIVED:
            told["archivedAt"] = wire_stamp(records.archived_at[row])
        return told

    def _history(self, one: ObjectType, row: int, name: str) -> list[dict[str, Any]]:
        records = self._state.records(one)
        found = self._state.schema.find(one.name, name)
        if self.computed.getter(one.name, name) is not None or (found is not None and found.read_only):
            value = self.getter(one, name)(row)
            versions = [] if value is None else [Version(value, records.modified[row], CALCULATED)]
        else:
            versions = records.history.versions(row, name, records.value(row, name), records.created[row])
        return [_version(version) for version in versions[:_VERSIONS]]

    def _associations(
        self, one: ObjectType, row: int, towards: Sequence[ObjectType], told: dict[str, Any]
    ) -> None:
        """Inline associations: the type by its name, once for each kind, so that a primary one is there twice."""
        found: dict[str, dict[str, Any]] = {}
        for other in towards:
            rows = self._inline(one, self._state.records(one).ids[row], other)
            if rows:
                found[other.name] = {"results": rows[:_INLINE]}
                if len(rows) > _INLINE:
                    found[other.name]["paging"] = {"next": {"after": rows[_INLINE]["id"]}}
        if found:
            told["associations"] = found

    def _inline(self, one: ObjectType, record_id: int, other: ObjectType) -> list[Any]:
        state, there = self._state, self._state.records(other)
        names = state.kinds.names(one, other)
        return [
            {"id": str(target), "type": names[kind]}
            for target, kinds in sorted(state.links.of(one.name, other.name, record_id).items())
            if there.state[there.row_of(target)] == LIVING
            for kind in kinds
        ]

    # What the API offers.

    def page(  # the parameters of the request
        self,
        one: ObjectType,
        *,
        limit: int,
        after: str | None,
        archived: bool,
        properties: Sequence[str],
        history: Sequence[str],
        associations: Sequence[str],
    ) -> Listing:
        """One page by id."""
        most = MAX_PAGE_WITH_HISTORY if history else MAX_PAGE
        if not 1 <= limit <= most:
            raise invalid(f"limit must be between 1 and {most}" if limit < 1 else _too_long(limit, most))
        first = first_id(after)
        records = self._state.records(one)
        tell = self.view(one, properties, history, associations)
        results: list[dict[str, Any]] = []
        for row in records.page(first, self._state.now(), archived=archived):
            if len(results) == limit:
                return Listing(results, str(records.ids[row]))
            results.append(tell(row))
        return Listing(results)

    def find(
        self, one: ObjectType, record_id: str, id_property: str | None = None, *, archived: bool = False
    ) -> int | None:
        """The row of a record by id or by a unique property."""
        records, now = self._state.records(one), self._state.now()
        if id_property is None or id_property == "hs_object_id":
            return records.find_archived(record_id, now) if archived else records.find(record_id)
        self.check_unique(one, id_property)
        wanted = ARCHIVED if archived else LIVING
        rows = records.with_value(id_property, record_id)
        return next((row for row in sorted(rows) if records.state[row] == wanted), None)

    def check_unique(self, one: ObjectType, name: str) -> None:
        """Refuse a property that is no key."""
        found = self._state.schema.find(one.name, name)
        if found is None:
            raise invalid(f'Property "{name}" does not exist')
        if not found.unique:
            raise invalid(
                f'Property "{name}" of {one.singular.upper()} is not unique and cannot be an idProperty'
            )

    def get(  # the parameters of the request
        self,
        one: ObjectType,
        record_id: str,
        *,
        archived: bool,
        properties: Sequence[str],
        history: Sequence[str],
        associations: Sequence[str],
        id_property: str | None,
    ) -> dict[str, Any]:
        """One record; the old id of a merged one gives the winner."""
        row = self.find(one, record_id, id_property, archived=archived)
        if row is None and id_property is None and not archived:
            row = self._state.records(one).winner(record_id)
        if row is None:
            raise not_found(record_id)
        return self.view(one, properties, history, associations)(row)

    def batch(  # the parameters of the request
        self,
        one: ObjectType,
        inputs: Sequence[Mapping[str, Any]],
        *,
        properties: Sequence[str],
        history: Sequence[str],
        id_property: str | None,
        archived: bool,
    ) -> Batch:
        """Records by id, in the order asked for; the missing ones are one error."""
        check_inputs(inputs, MAX_PAGE_WITH_HISTORY if history else MAX_INPUTS, history=bool(history))
        if id_property is not None and id_property != "hs_object_id":
            self.check_unique(one, id_property)
        tell = self.view(one, properties, history)
        results, missing = [], []
        for record_id in dict.fromkeys(str(each.get("id", "")) for each in inputs):
            row = self.find(one, record_id, id_property, archived=archived)
            if row is None:
                missing.append(record_id)
            else:
                results.append(tell(row))
        return Batch(results, [missing_error(one, missing)] if missing else [])


def check_size(inputs: Sequence[Any], most: int, *, history: bool = False) -> None:
    """Refuse a batch that is too long, in HubSpot's words."""
    if len(inputs) > most:
        what = "a batch request for property histories" if history else "a batch"
        raise invalid(
            f"The maximum number of inputs supported in {what} is {most}. "
            "Please reduce the number of items and try again"
        )


def check_inputs(inputs: Sequence[Any], most: int, *, history: bool = False) -> None:
    """Refuse a batch that is too long, or whose inputs are no objects."""
    check_size(inputs, most, history=history)
    if not all(isinstance(each, dict) for each in inputs):
        raise invalid("Invalid input JSON: every input must be an object")


def missing_error(one: ObjectType, ids: Iterable[str], traces: Sequence[str] = ()) -> dict[str, Any]:
    """The entry for ids that do not exist, with the trace ids of those inputs that had one."""
    context = {"ids": list(ids)} | ({"objectWriteTraceId": list(traces)} if traces else {})
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {one.singular.upper()} objects, they may be deleted or not exist. "
        "Check that ids are valid.",
        "context": context,
        "errors": [],
        "links": {},
    }


def _too_long(limit: int, most: int) -> str:
    return f"The requested page size {limit} is above the maximum of {most}"


def _version(version: Version) -> dict[str, Any]:
    return {
        "value": version.value,
        "timestamp": wire_stamp(version.at),
        "sourceType": version.origin.source_type,
        "sourceId": version.origin.source_id,
        "sourceLabel": version.origin.source_label,
        "updatedByUserId": version.origin.user_id,
    }
