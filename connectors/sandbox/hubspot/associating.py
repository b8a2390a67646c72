"""Associations as the API reads, makes and breaks them, many at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.association_types import AssociationType
from connectors.sandbox.hubspot.errors import HubSpotError, invalid, not_found
from connectors.sandbox.hubspot.linking import Linker
from connectors.sandbox.hubspot.paging import first_id
from connectors.sandbox.hubspot.parties import Batch, Listing
from connectors.sandbox.hubspot.reading import check_inputs, check_size
from connectors.sandbox.hubspot.records import LIVING, number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.parties import Caller
    from connectors.sandbox.hubspot.state import State

MAX_READ, MAX_WRITE, MAX_ARCHIVE = 1_000, 2_000, 100
PAGE, MAX_PAGE = 500, 500
_FIRST_LABEL_ID = 101


class Associating:
    """The associations API of one portal. The caller holds the lock."""

    def __init__(self, state: State) -> None:
        self._state, self._linker = state, Linker(state)
        self._next_label = _FIRST_LABEL_ID
        # Whether a batch read tells records without associations as errors (207), as portals do, or leaves them out.
        self.tells_missing = True

    def read(self, start: ObjectType, end: ObjectType, inputs: Sequence[Mapping[str, Any]]) -> Batch:
        """What records are associated with, each to its page."""
        check_inputs(inputs, MAX_READ)
        results, errors = [], []
        kinds = _Told(self._state, start, end)
        for each in inputs:
            record_id = str(each.get("id", ""))
            rows, following = self._page(kinds, start, end, record_id, each.get("after"), PAGE)
            if rows:
                told: dict[str, Any] = {"from": {"id": record_id}, "to": rows}
                if following is not None:
                    told["paging"] = {"next": {"after": following}}
                results.append(told)
            elif self.tells_missing:
                errors.append(_none(start, end, record_id))
        return Batch(results, errors)

    def of_record(
        self, start: ObjectType, record_id: str, end: ObjectType, *, limit: int, after: str | None
    ) -> Listing:
        """One record's associations."""
        if not 1 <= limit <= MAX_PAGE:
            raise invalid(f"limit must be between 1 and {MAX_PAGE}")
        if self._state.records(start).find(record_id) is None:
            raise not_found(record_id)
        return Listing(*self._page(_Told(self._state, start, end), start, end, record_id, after, limit))

    def _page(  # the parameters of the request
        self, kinds: _Told, start: ObjectType, end: ObjectType, record_id: str, after: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        row = self._state.records(start).find(record_id)
        if row is None:
            return [], None
        links = self._state.links.of(start.name, end.name, self._state.records(start).ids[row])
        there = self._state.records(end)
        first = first_id(after)
        ids = sorted(one for one in links if one >= first and there.state[there.row_of(one)] == LIVING)
        rows = [{"toObjectId": one, "associationTypes": kinds[links[one]]} for one in ids[:limit]]
        return rows, str(ids[limit]) if len(ids) > limit else None

    def labels(self, start: ObjectType, end: ObjectType) -> list[dict[str, Any]]:
        """The kinds from one object type to another."""
        return [one.wire() for one in self._state.kinds.between(start.name, end.name).values()]

    def names(self, start: ObjectType, end: ObjectType) -> dict[int, str]:
        """v3's name of each kind, by number."""
        return self._state.kinds.names(start, end)

    def create_label(
        self, start: ObjectType, end: ObjectType, body: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """A new label of the portal's own, both ways: `{"label", "name", "inverseLabel"?}`."""
        if not body.get("label") or not body.get("name"):
            raise invalid("Invalid input JSON. Some required fields were not set: [label, name]")
        there, back = (
            self._next_label,
            self._next_label + (0 if start is end and not body.get("inverseLabel") else 1),
        )
        self._next_label += 2
        label = str(body["label"])
        inverse = str(body.get("inverseLabel") or label)
        self._state.kinds.add(start.name, end.name, AssociationType(there, back, label, "USER_DEFINED"))
        if back != there:
            self._state.kinds.add(end.name, start.name, AssociationType(back, there, inverse, "USER_DEFINED"))
        return [self._state.kinds.between(start.name, end.name)[there].wire()]

    def update_label(self, start: ObjectType, end: ObjectType, body: Mapping[str, Any]) -> None:
        """Another text for a label of the portal's own; the way back keeps its own unless that is given too."""
        found = self._own_label(start, end, int(body["associationTypeId"]))
        kinds, inverse = self._state.kinds, found.inverse
        kinds.add(start.name, end.name, replace(found, label=str(body["label"])))
        if inverse != found.type_id and body.get("inverseLabel"):
            back = kinds.between(end.name, start.name)[inverse]
            kinds.add(end.name, start.name, replace(back, label=str(body["inverseLabel"])))

    def remove_label(self, start: ObjectType, end: ObjectType, type_id: str) -> None:
        """Take a label of the portal's own away, off every pair that has it."""
        found = self._own_label(start, end, number_of(type_id) or 0)
        for one, other in self._state.links.pairs(start.name, end.name, found.type_id):
            self._linker.unlink(start.name, one, end.name, other, [found.type_id])
        self._state.kinds.remove(start.name, end.name, found)

    def _own_label(self, start: ObjectType, end: ObjectType, type_id: int) -> AssociationType:
        found = self._state.kinds.between(start.name, end.name).get(type_id)
        if found is None or found.category != "USER_DEFINED":
            raise invalid(f"{type_id} is not a label of this portal's own")
        return found

    # Writes.

    def create(
        self, caller: Caller, start: ObjectType, end: ObjectType, inputs: Sequence[Mapping[str, Any]]
    ) -> Batch:
        """Labelled associations."""

        def make(each: Mapping[str, Any]) -> dict[str, Any]:
            one, other = self._ends(start, end, each)
            kinds = self._linker.kinds_of(start, end, each.get("types") or [])
            self._linker.link(start.name, one, end.name, other, kinds)
            known = self._state.kinds.between(start.name, end.name)
            return {
                "fromObjectTypeId": start.type_id,
                "fromObjectId": one,
                "toObjectTypeId": end.type_id,
                "toObjectId": other,
                "labels": [label for kind in kinds if (label := known[kind].label) is not None],
            }

        return self._each(caller, start, inputs, make)

    def create_default(
        self, caller: Caller, start: ObjectType, end: ObjectType, inputs: Sequence[Mapping[str, Any]]
    ) -> Batch:
        """Associations of the kind that has no label."""
        kind = self._linker.default_kind(start, end)

        def make(each: Mapping[str, Any]) -> dict[str, Any]:
            one, other = self._ends(start, end, each)
            self._linker.link(start.name, one, end.name, other, [kind])
            return {
                "from": {"id": str(one)},
                "to": {"id": str(other)},
                "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind},
            }

        return self._each(caller, start, inputs, make)

    def _each(
        self,
        caller: Caller,
        start: ObjectType,
        inputs: Sequence[Mapping[str, Any]],
        make: Callable[[Mapping[str, Any]], dict[str, Any]],
    ) -> Batch:
        check_inputs(inputs, MAX_WRITE)
        results, errors, ids = [], [], []
        for each in inputs:
            try:
                results.append(make(each))
                ids.append(int(_id(each, "from")))
            except HubSpotError as error:
                errors.append(error.entry({"ids": [_id(each, "from")]}))
        self._state.note(caller, "associate", start, ids, (), len(results))
        return Batch(results, errors)

    def _ends(self, start: ObjectType, end: ObjectType, each: Mapping[str, Any]) -> tuple[int, int]:
        return self._linker.record_id(start, _id(each, "from")), self._linker.record_id(end, _id(each, "to"))

    def archive(
        self, caller: Caller, start: ObjectType, end: ObjectType, inputs: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take all kinds away between records and their `to` (one or a list)."""
        check_size({_id(each, "from"): None for each in inputs}.keys(), MAX_ARCHIVE)  # type: ignore[arg-type]
        gone = []
        for each in inputs:
            targets = each.get("to") or []
            one = number_of(_id(each, "from"))
            for target in targets if isinstance(targets, list) else [targets]:
                other = number_of(str(target.get("id", "")))
                if one is not None and other is not None:
                    gone += [one] if self._linker.unlink(start.name, one, end.name, other) else []
        self._state.note(caller, "disassociate", start, gone, (), len(gone))

    def archive_labels(
        self, caller: Caller, start: ObjectType, end: ObjectType, inputs: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take the named kinds away."""
        check_inputs(inputs, MAX_WRITE)
        gone = []
        for each in inputs:
            kinds = self._linker.kinds_of(start, end, each.get("types") or [])
            one, other = number_of(_id(each, "from")), number_of(_id(each, "to"))
            if one is not None and other is not None:
                gone += [one] if self._linker.unlink(start.name, one, end.name, other, kinds) else []
        self._state.note(caller, "disassociate", start, gone, (), len(gone))


class _Told(dict[tuple[int, ...], list[dict[str, Any]]]):
    """The wire forms of sets of kinds, each made once for a request."""

    def __init__(self, state: State, start: ObjectType, end: ObjectType) -> None:
        super().__init__()
        self._known = state.kinds.between(start.name, end.name)

    def __missing__(self, kinds: tuple[int, ...]) -> list[dict[str, Any]]:
        self[kinds] = [self._known[kind].wire() for kind in kinds]
        return self[kinds]


def _id(each: Mapping[str, Any], end: str) -> str:
    found = each.get(end)
    return str(found.get("id", "")) if isinstance(found, dict) else str(found or "")


def _none(start: ObjectType, end: ObjectType, record_id: str) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {end.singular} is associated with {start.singular} {record_id}.",
        "context": {
            "fromObjectId": [record_id],
            "fromObjectType": [start.singular],
            "toObjectType": [end.singular],
        },
        "errors": [],
        "links": {},
    }
