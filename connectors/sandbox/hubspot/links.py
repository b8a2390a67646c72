"""Which records are associated with which, in both directions, with the numbers of the associations' kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kinds = tuple[int, ...]
_NONE: Mapping[int, Kinds] = {}


class Links:
    """Associations of all object types. Kinds are told in ascending order; the way back is the caller's."""

    def __init__(self) -> None:
        self._ways: dict[tuple[str, str], dict[int, dict[int, Kinds]]] = {}

    def load(self, start: str, end: str, pairs: Iterable[tuple[int, int]], kinds: Kinds) -> None:
        """Take many new associations of the same kinds in, one way."""
        way = self._ways.setdefault((start, end), {})
        for one, other in pairs:
            found = way.get(one)
            if found is None:
                way[one] = {other: kinds}
            else:
                found[other] = kinds

    def of(self, start: str, end: str, record_id: int) -> Mapping[int, Kinds]:
        """What a record is associated with, by id."""
        way = self._ways.get((start, end))
        return _NONE if way is None else way.get(record_id, _NONE)

    def kinds(self, start: str, end: str, one: int, other: int) -> Kinds:
        """The kinds from one record to the other."""
        return self.of(start, end, one).get(other, ())

    def set(self, start: str, end: str, one: int, other: int, kinds: Iterable[int]) -> None:
        """Replace the kinds from one record to the other; none means that they are not associated."""
        sorted_kinds = tuple(sorted(set(kinds)))
        way = self._ways.setdefault((start, end), {})
        if sorted_kinds:
            way.setdefault(one, {})[other] = sorted_kinds
        elif one in way:
            way[one].pop(other, None)
            if not way[one]:
                del way[one]

    def pairs(self, start: str, end: str, kind: int) -> list[tuple[int, int]]:
        """All pairs that are associated in this way."""
        way = self._ways.get((start, end), {})
        return [(one, other) for one, found in way.items() for other, kinds in found.items() if kind in kinds]

    def ends(self, start: str, record_id: int) -> list[tuple[str, dict[int, Kinds]]]:
        """Everything that a record is associated with, by object type."""
        return [
            (end, dict(way[record_id]))
            for (begin, end), way in self._ways.items()
            if begin == start and record_id in way
        ]
