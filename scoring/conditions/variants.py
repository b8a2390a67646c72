"""Which rules hold for each record, where teams or pipelines have their own; and functions of rows, applied to each."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from config.rules import folded
from scoring.arithmetic.columns import coded
from scoring.arithmetic.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from config.rules import Rules

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Variants:
    """The rules of some records: `codes` tells the place in `rules` of each record's; None where all have the first."""

    rules: tuple[Rules, ...]
    codes: Ints | None = None

    def each(self, value: Callable[[Rules], float]) -> Any:
        """A number of the rules: one for each record, or a single one where all have the same rules."""
        values = np.array([value(rules) for rules in self.rules])
        return values[0] if self.codes is None else values[self.codes]

    def masks(self, rows: int) -> Iterator[tuple[Rules, Flags]]:
        """Each variant that some of the records have, and which."""
        for place, rules in enumerate(self.rules):
            mask = np.ones(rows, dtype=np.bool_) if self.codes is None else self.codes == place
            if mask.any() or self.codes is None:
                yield rules, mask

    def apply(self, make: Callable[[Rules, pa.Array | None], Made]) -> Made:
        """What a function of rows makes of all records: it is called with the rules and rows of each variant.

        Rows are None for all of them, where all have the same rules. What it makes may hold arrays, whose last axis
        is the records, and dataclasses of them.
        """
        if self.codes is None:
            return make(self.rules[0], None)
        present = [place for place in range(len(self.rules)) if (self.codes == place).any()] or [0]
        rows = [np.flatnonzero(self.codes == place) for place in present]
        parts = [make(self.rules[place], pa.array(found)) for place, found in zip(present, rows, strict=True)]
        joined: Made = _joined(parts, np.argsort(np.concatenate(rows), kind="stable"))
        return joined


def account_variants(accounts: pa.Table, rules: Rules) -> Variants:
    """The rules of each account: its owner's team's."""
    return _variants(rules, {"teams": accounts["team"]} if rules.teams else {})


def deal_variants(deals: pa.Table, rules: Rules) -> Variants:
    """The rules of each deal: its pipeline's, else its owner's team's."""
    kinds = {"pipelines": "pipeline", "teams": "team"}
    return _variants(rules, {kind: deals[name] for kind, name in kinds.items() if getattr(rules, kind)})


def _variants(rules: Rules, names: dict[str, pa.ChunkedArray]) -> Variants:
    """`names` are texts per record by the section that they may stand in, the one that goes before the others first."""
    if not names:
        return Variants((rules,))
    keys = list(rules.variants)
    found = np.zeros(len(next(iter(names.values()))), dtype=np.int64)
    for kind, column in names.items():
        texts, codes = coded(column)
        places = [keys.index(key) + 1 if (key := (kind, folded(text))) in keys else 0 for text in texts]
        found = np.where(found == 0, np.array([*places, 0])[codes], found)
    return Variants((rules, *rules.variants.values()), found)


def _joined(parts: Sequence[Any], order: Ints) -> Any:
    """Parts of records as one, in the order of the records."""
    first = parts[0]
    if isinstance(first, str | int):  # the name of an item, the scale of a card: the same in all
        return first
    if isinstance(first, np.ndarray):
        return np.concatenate(parts, axis=-1)[..., order]
    if isinstance(first, Texts):
        return _joined_texts(parts, order)
    if is_dataclass(first):
        made = {
            field.name: _joined([getattr(part, field.name) for part in parts], order)
            for field in fields(first)
        }
        return replace(first, **made)  # type: ignore[type-var]  # an instance, not a class
    if isinstance(first, list | tuple):
        return type(first)(_joined(list(found), order) for found in zip(*parts, strict=True))
    raise TypeError(f"{type(first).__name__} cannot be put together from rows")


def _joined_texts(parts: Sequence[Texts], order: Ints) -> Texts:
    table: list[str] = []
    codes = []
    for part in parts:
        codes.append(np.where(part.codes < 0, -1, part.codes + len(table)))
        table += part.table
    return Texts(table, np.concatenate(codes)[order])
