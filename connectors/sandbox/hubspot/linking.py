"""Making and breaking associations: their kinds' rules, and one main company for each record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.association_types import CHILD_TO_PARENT, PARENT_TO_CHILD
from connectors.sandbox.hubspot.errors import HubSpotError, invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.state import State


class Linker:
    """Changes the associations of one portal. The caller holds the lock."""

    def __init__(self, state: State) -> None:
        self._state = state

    def record_id(self, one: ObjectType, text: Any) -> int:
        """The number of a living record; else HubSpot's complaint."""
        row = self._state.records(one).find(str(text))
        if row is None:
            raise invalid(
                "One or more associations are invalid",
                context={
                    "INVALID_OBJECT_IDS": [f"{one.singular.upper()}={text} is not valid"],
                    "objectId": [str(text)],
                    "objectType": [one.singular.upper()],
                },
            )
        return self._state.records(one).ids[row]

    def kinds_of(self, start: ObjectType, end: ObjectType, types: Sequence[Mapping[str, Any]]) -> list[int]:
        """The numbers in a body's `types`, each of which must go from one object type to the other."""
        known = self._state.kinds.between(start.name, end.name)
        found = [_number(one.get("associationTypeId")) for one in types]
        categories = [str(one.get("associationCategory", "HUBSPOT_DEFINED")) for one in types]
        wrong = [
            f"{category}={number}"
            for number, category in zip(found, categories, strict=True)
            if number not in known or known[number].category != category
        ]
        if wrong or not found:
            ends = f"from {start.singular.upper()} to {end.singular.upper()}"
            raise _no_such_kinds(wrong or ["an empty list"], ends)
        return found

    def inline(
        self, one: ObjectType, associations: Sequence[Mapping[str, Any]]
    ) -> list[tuple[ObjectType, int, list[int]]]:
        """What a new record is to be associated with, checked: object type, id and kinds.

        A kind's number tells the other type. Raises HubSpotError.
        """
        wanted = []
        for each in associations:
            types = each.get("types") or []
            end = self._end(one, types)
            wanted.append(
                (end, self.record_id(end, (each.get("to") or {}).get("id")), self.kinds_of(one, end, types))
            )
        return wanted

    def _end(self, one: ObjectType, types: Sequence[Mapping[str, Any]]) -> ObjectType:
        if not types:
            raise invalid("Invalid input JSON: an association needs at least one type")
        number = _number(types[0].get("associationTypeId"))
        for other in self._state.schema.types.values():
            if number in self._state.kinds.between(one.name, other.name):
                return other
        category = types[0].get("associationCategory", "HUBSPOT_DEFINED")
        raise _no_such_kinds([f"{category}={number}"], f"from {one.singular.upper()}")

    def default_kind(self, start: ObjectType, end: ObjectType) -> int:
        """The kind of an association that nobody named."""
        found = self._state.kinds.unlabelled(start.name, end.name)
        if found is None:
            raise invalid(f"No default association type exists between {start.type_id} and {end.type_id}")
        return found.type_id

    def link(self, start: str, one: int, end: str, other: int, kinds: Iterable[int]) -> None:
        """Associate two records, besides what associates them already."""
        known = self._state.kinds
        if known.primary(start, end) is None and known.primary(end, start) is not None:
            back = [known.between(start, end)[kind].inverse for kind in kinds]
            self.link(end, other, start, one, back)
            return
        wanted = {*kinds, *self._state.links.kinds(start, end, one, other)}
        unlabelled = known.unlabelled(start, end)
        if unlabelled is not None:
            wanted.add(unlabelled.type_id)
        wanted |= self._as_primary(start, one, end, other, wanted)
        if CHILD_TO_PARENT in wanted and start == end == "companies":
            self._only(start, one, end, other, CHILD_TO_PARENT)
        if PARENT_TO_CHILD in wanted and start == end == "companies":
            self._only(end, other, start, one, CHILD_TO_PARENT)
        self._set(start, one, end, other, wanted)

    def _as_primary(self, start: str, one: int, end: str, other: int, wanted: set[int]) -> set[int]:
        """A record's first company is its main one; a new main company takes the place of the old."""
        kind = self._state.kinds.primary(start, end)
        if kind is None:
            return set()
        others = self._state.links.of(start, end, one)
        held = any(kind.type_id in kinds for target, kinds in others.items() if target != other)
        if kind.type_id not in wanted and held:
            return set()
        self._only(start, one, end, other, kind.type_id)
        return {kind.type_id}

    def _only(self, start: str, one: int, end: str, other: int, kind: int) -> None:
        """Take a kind away from everything else that a record is associated with."""
        for target, kinds in list(self._state.links.of(start, end, one).items()):
            if target != other and kind in kinds:
                self._set(start, one, end, target, set(kinds) - {kind})

    def _set(self, start: str, one: int, end: str, other: int, kinds: set[int]) -> None:
        known = self._state.kinds.between(start, end)
        self._state.links.set(start, end, one, other, kinds)
        self._state.links.set(end, start, other, one, {known[kind].inverse for kind in kinds})

    def unlink(self, start: str, one: int, end: str, other: int, kinds: Iterable[int] | None = None) -> bool:
        """Take kinds away between two records (None: all); tells whether there was anything to take."""
        held = self._state.links.kinds(start, end, one, other)
        gone = set(held) if kinds is None else set(kinds) & set(held)
        unlabelled = self._state.kinds.unlabelled(start, end)
        # Without its unlabelled kind a pair is not associated at all.
        if unlabelled is not None and unlabelled.type_id in gone:
            gone = set(held)
        self._set(start, one, end, other, set(held) - gone)
        return bool(gone)

    def move(self, type_name: str, loser: int, winner: int) -> None:
        """Give all that a record is associated with to another of its type, which keeps its own main company."""
        for end, targets in self._state.links.ends(type_name, loser):
            kind = self._state.kinds.primary(type_name, end)
            held = {each for kinds in self._state.links.of(type_name, end, winner).values() for each in kinds}
            second = {kind.type_id} & held if kind is not None else set()
            for target, kinds in targets.items():
                self.unlink(type_name, loser, end, target)
                if not (end == type_name and target == winner):
                    self.link(type_name, winner, end, target, set(kinds) - second)


def _no_such_kinds(specs: Sequence[str], ends: str) -> HubSpotError:
    return invalid(
        "One or more associations are invalid",
        context={
            "associationSpec": list(specs),
            "INVALID_ASSOCIATION_TYPE_ID": [
                f"{spec} is not a valid association definition id {ends}" for spec in specs
            ],
        },
    )


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise HubSpotError("VALIDATION_ERROR", f"Invalid input JSON: {value} is not a number") from None
