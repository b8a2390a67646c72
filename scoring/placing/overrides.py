"""A person's word: it pins the tier until its day, says so in the reason, and gives notice of its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from config.outputs import LEAVE_ALONE
from scoring.arithmetic.columns import numbers
from scoring.arithmetic.texts import date_text, plain
from scoring.placing.state import WORDS, day_array, word_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.placing.state import Kept

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_LEAVE = WORDS.index(LEAVE_ALONE)
_LONGEST_REASON = 100


@dataclass(frozen=True, slots=True)
class Overrides:
    """Per row: the word (a place in WORDS, -1 for none), when it was first seen, until when, and what holds today."""

    word: Ints
    seen: Ints
    until: Ints
    active: Flags
    ending: Flags

    @property
    def days(self) -> pa.Array:
        """The last day of each word as a date, past ones too; null where none was said."""
        return day_array(np.where(self.word >= 0, self.until, -1))

    @property
    def leave(self) -> Flags:
        """A person said to leave the record alone."""
        left: Flags = self.active & (self.word == _LEAVE)
        return left

    @property
    def pinned(self) -> Flags:
        """A person gave the tier."""
        given: Flags = self.active & (self.word != _LEAVE)
        return given


def overrides(table: pa.Table, kept: Kept, rules: Rules, today: int) -> Overrides:
    """The words of people on accounts or deals. One without a date counts from when it was first seen."""
    word = word_places(table["override"])
    said = word >= 0
    seen = np.where(said & (kept.override == word) & (kept.override_seen >= 0), kept.override_seen, today)
    given = numbers(table, "override_until")
    until = np.where(np.isnan(given), seen + rules.overrides.days, np.nan_to_num(given)).astype(np.int64)
    active = said & (today <= until)
    ending = active & (until - today <= rules.overrides.notice_days)
    return Overrides(word, np.where(said, seen, -1), until, active, ending)


def sentences(table: pa.Table, found: Overrides, today: int) -> pa.Array:
    """`Set to B by a person until 14 Mar 2027: REASON`; null where no tier is pinned."""
    rows = np.flatnonzero(found.pinned)
    texts: list[str | None] = [None] * table.num_rows
    reasons = table["override_reason"].take(pa.array(rows)).to_pylist()
    for row, reason in zip(rows.tolist(), reasons, strict=True):
        until = date_text(int(found.until[row]), today, year=True)
        ends = "; ends" if found.ending[row] else " until"
        why = f": {plain(reason, _LONGEST_REASON)}" if reason and reason.strip() else ""
        texts[row] = f"Set to {WORDS[found.word[row]]} by a person{ends} {until}{why}"
    return pa.array(texts, pa.string())
