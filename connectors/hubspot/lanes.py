"""Which records share a batch: full ones, and never two records of one parent in two batches at once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Group = list[int]


def lanes(parents: Sequence[str | None], size: int) -> list[list[Group]]:
    """Places of the records, in batches of at most `size`, in lanes: batches of one lane follow each other.

    Records of a parent stand in one batch. Only a parent with more records than a batch takes has a lane of
    several; two batches that change one parent's records at the same time would lock each other out (423).
    """
    groups = _groups(parents)
    long = [[group[start : start + size] for start in range(0, len(group), size)] for group in groups]
    crowded = [batches for batches in long if len(batches) > 1]
    return crowded + [[batch] for batch in _packed([one[0] for one in long if len(one) == 1], size)]


def _groups(parents: Sequence[str | None]) -> list[Group]:
    """Places by parent; a record without a parent is alone."""
    families: dict[str, Group] = defaultdict(list)
    alone: list[Group] = []
    for place, parent in enumerate(parents):
        if parent is None:
            alone.append([place])
        else:
            families[parent].append(place)
    return [*families.values(), *alone]


def _packed(groups: Sequence[Group], size: int) -> Iterator[Group]:
    """The groups in as few batches as first-fit by falling length makes: full, but for the last one or two."""
    stacks: dict[int, list[Group]] = defaultdict(list)
    for group in reversed(groups):
        stacks[len(group)].append(group)
    left = len(groups)
    while left:
        batch: Group = []
        for length in sorted(stacks, reverse=True):
            while stacks[length] and len(batch) + length <= size:
                batch += stacks[length].pop()
                left -= 1
        yield batch
