"""The kinds of associations between two object types: numbers that depend on the direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectors.sandbox.hubspot.object_types import ObjectType

PRIMARY = "Primary"

# from, to, type id, id of the way back, label there, label of the way back
_TABLE: tuple[tuple[str, str, int, int, str | None, str | None], ...] = (
    ("contacts", "companies", 279, 280, None, None),
    ("contacts", "companies", 1, 2, PRIMARY, PRIMARY),
    ("contacts", "contacts", 449, 449, None, None),
    ("contacts", "deals", 4, 3, None, None),
    ("contacts", "tickets", 15, 16, None, None),
    ("deals", "companies", 341, 342, None, None),
    ("deals", "companies", 5, 6, PRIMARY, PRIMARY),
    ("deals", "deals", 451, 451, None, None),
    ("deals", "tickets", 27, 28, None, None),
    ("deals", "line_items", 19, 20, None, None),
    ("deals", "quotes", 63, 64, None, None),
    ("quotes", "line_items", 67, 68, None, None),
    ("quotes", "contacts", 69, 70, None, None),
    ("quotes", "companies", 71, 72, None, None),
    ("leads", "contacts", 608, 609, None, None),
    ("leads", "companies", 610, 611, None, None),
    ("companies", "companies", 450, 450, None, None),
    ("companies", "companies", 13, 14, "Child Company", "Parent Company"),
    ("tickets", "companies", 339, 340, None, None),
    ("tickets", "companies", 26, 25, PRIMARY, PRIMARY),
    ("tickets", "tickets", 452, 452, None, None),
    ("tasks", "contacts", 204, 203, None, None),
    ("tasks", "companies", 192, 191, None, None),
    ("tasks", "deals", 216, 215, None, None),
    ("tasks", "tickets", 230, 229, None, None),
    ("notes", "contacts", 202, 201, None, None),
    ("notes", "companies", 190, 189, None, None),
    ("notes", "deals", 214, 213, None, None),
    ("notes", "tickets", 228, 227, None, None),
    ("calls", "contacts", 194, 193, None, None),
    ("calls", "companies", 182, 181, None, None),
    ("calls", "deals", 206, 205, None, None),
    ("calls", "tickets", 220, 219, None, None),
    ("emails", "contacts", 198, 197, None, None),
    ("emails", "companies", 186, 185, None, None),
    ("emails", "deals", 210, 209, None, None),
    ("emails", "tickets", 224, 223, None, None),
    ("meetings", "contacts", 200, 199, None, None),
    ("meetings", "companies", 188, 187, None, None),
    ("meetings", "deals", 212, 211, None, None),
    ("meetings", "tickets", 226, 225, None, None),
)
PARENT_TO_CHILD, CHILD_TO_PARENT = 13, 14


@dataclass(frozen=True, slots=True)
class AssociationType:
    """One direction of one kind of association."""

    type_id: int
    inverse: int
    label: str | None
    category: str = "HUBSPOT_DEFINED"

    def wire(self) -> dict[str, Any]:
        """As read associations and `labels` tell it."""
        return {"category": self.category, "typeId": self.type_id, "label": self.label}


class AssociationTypes:
    """All kinds, by direction."""

    def __init__(self) -> None:
        self._types: dict[tuple[str, str], dict[int, AssociationType]] = {}
        for start, end, type_id, inverse, label, label_back in _TABLE:
            self.add(start, end, AssociationType(type_id, inverse, label))
            self.add(end, start, AssociationType(inverse, type_id, label_back))

    def add(self, start: str, end: str, one: AssociationType) -> None:
        """Take a kind in."""
        self._types.setdefault((start, end), {})[one.type_id] = one

    def remove(self, start: str, end: str, one: AssociationType) -> None:
        """Forget a kind, both ways."""
        self._types[start, end].pop(one.type_id, None)
        self._types.get((end, start), {}).pop(one.inverse, None)

    def between(self, start: str, end: str) -> dict[int, AssociationType]:
        """The kinds from one object type to another, by number."""
        return self._types.get((start, end), {})

    def names(self, start: ObjectType, end: ObjectType) -> dict[int, str]:
        """v3's name of each kind, by number: the primary one has the plain name where there is one."""
        plain = f"{start.singular}_to_{end.singular}"
        kinds = self.between(start.name, end.name)
        has_primary = any(one.label == PRIMARY for one in kinds.values())
        return {number: plain + _suffix(one.label, has_primary=has_primary) for number, one in kinds.items()}

    def unlabelled(self, start: str, end: str) -> AssociationType | None:
        """The kind that every associated pair has."""
        return next((one for one in self.between(start, end).values() if one.label is None), None)

    def primary(self, start: str, end: str) -> AssociationType | None:
        """The kind of which a record has at most one: towards its main company."""
        ours = self.between(start, end).values() if end == "companies" else ()
        return next((one for one in ours if one.label == PRIMARY), None)


def _suffix(label: str | None, *, has_primary: bool) -> str:
    if label is None:
        return "_unlabeled" if has_primary else ""
    return "" if label == PRIMARY else f"_{label.lower().replace(' ', '_')}"
