"""Whose book each record is ranked in, and where the tiers of that book begin and end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.arithmetic.columns import coded, taken, whole
from scoring.conditions.variants import account_variants, deal_variants

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from config.rules import Rules
    from config.sections.tiers import Tiers
    from scoring.reading.features import Features

    Ints = NDArray[np.int64]

NEVER = 101
EVERYBODY = "*"  # stands for all of a book's owners, for one that the book does not know
_WITHIN = "|"  # between a variant with tiers of its own and the name of a book within it


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """The lowest score of each tier; 101 where nothing in the book reaches it."""

    A: int = NEVER
    B: int = NEVER
    C: int = NEVER


def cutoffs(scores: NDArray[np.int64], tiers: Tiers) -> Cutoffs:
    """The cut-offs of one book, from how often each score from 0 to 100 occurs in it; or those that the rules fix.

    A record's place is the mean place of those that tie with it, counted from 0: so the best of five is in the
    top 15 %, and a large tie is in or out as a whole.
    """
    if tiers.cut_offs is not None:
        return Cutoffs(tiers.cut_offs.A.enter, tiers.cut_offs.B.enter, tiers.cut_offs.C.enter)
    size = int(scores.sum())
    above = np.cumsum(scores[::-1])[::-1] - scores
    place = above + (scores - 1) / 2

    def lowest(share: float) -> int:
        fits = np.flatnonzero((scores > 0) & (100 * place < share * size))
        return int(fits[0]) if len(fits) else NEVER

    a = max(lowest(tiers.A), math.ceil(tiers.a_at_least))
    return Cutoffs(a, min(lowest(tiers.A + tiers.B), a), min(lowest(tiers.A + tiers.B + tiers.C), a))


def leaving(found: Cutoffs, tiers: Tiers) -> Cutoffs:
    """The scores under which a record that has a tier may fall from it."""
    fixed = tiers.cut_offs
    given = (None, None, None) if fixed is None else (fixed.A.leave, fixed.B.leave, fixed.C.leave)
    enter = (found.A, found.B, found.C)
    return Cutoffs(*(
        begin - tiers.exit_margin if leave is None else leave for begin, leave in zip(enter, given, strict=True)
    ))  # fmt: skip


def books(object_name: str, features: Features, rules: Rules) -> pa.ChunkedArray:
    """The name of the book in which each account or deal is ranked: its owner's, if nothing else is said.

    Records whose team or pipeline has `tiers:` of its own are ranked among themselves.
    """
    variants = (
        account_variants(features.accounts, rules)
        if object_name == "account"
        else deal_variants(features.deals, rules)
    )
    if variants.codes is None:
        return _within(object_name, features, rules.tiers)
    names = pa.nulls(len(variants.codes), pa.string())
    for own, mask in variants.masks(len(variants.codes)):
        found = pc.fill_null(_within(object_name, features, own.tiers), "")
        named = pc.binary_join_element_wise(pa.scalar(_prefix(own, rules)), found, "")
        names = pc.if_else(pa.array(mask), named.combine_chunks(), names)
    return pa.chunked_array([names])


def _within(object_name: str, features: Features, tiers: Tiers) -> pa.ChunkedArray:
    """Whose book each record is in, by the tiers that it has."""
    records = features.accounts if object_name == "account" else features.deals
    by = "company" if tiers.cut_offs is not None else tiers.by
    if by == "company":
        return pa.chunked_array([taken([EVERYBODY], np.zeros(records.num_rows, dtype=np.int64))])
    if by == "territory" and object_name == "opportunity":
        rows = whole(records, "account_row")
        return features.accounts["territory"].take(pa.array(rows, mask=rows < 0))
    return records["owner_id" if by == "owner" else by]


def _prefix(own: Rules, rules: Rules) -> str:
    """What tells the books of a variant with tiers of its own from the company's."""
    if own.tiers == rules.tiers:
        return ""
    return next(f"{kind} {name}{_WITHIN}" for (kind, name), found in rules.variants.items() if found is own)


def tiers_of(rules: Rules) -> Mapping[str, Tiers]:
    """The tiers of each prefix of books' names; the company's have none."""
    return {"": rules.tiers} | {_prefix(own, rules): own.tiers for own in rules.variants.values()}


def prefix_of(book: str, prefixes: Mapping[str, Tiers]) -> str:
    """The variant that a book belongs to."""
    first = book.partition(_WITHIN)[0] + _WITHIN
    return first if first in prefixes else ""


def begins(
    object_name: str, features: Features, rules: Rules, known: Mapping[str, Cutoffs]
) -> tuple[Ints, Ints]:
    """Per tier but the last (rows) and record (columns): the lowest score to enter it, and to stay in it."""
    names, codes = coded(books(object_name, features, rules))
    tiers = tiers_of(rules)
    enter, leave = [], []
    for name in (*names, ""):
        prefix = prefix_of(name, tiers)
        found = known.get(name) or known.get(prefix + EVERYBODY, Cutoffs())
        enter.append(_row(found))
        leave.append(_row(leaving(found, tiers[prefix])))
    return np.array(enter, dtype=np.int64).T[:, codes], np.array(leave, dtype=np.int64).T[:, codes]


def _row(found: Cutoffs) -> tuple[int, int, int]:
    return found.A, found.B, found.C
