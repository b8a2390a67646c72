"""Dates, money and sizes as reps read them: one table of texts and a code per row, so that nothing loops over rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import taken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

_EPOCH = date(1970, 1, 1)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = ("", "k", "M", "bn")
_NEAR = 182  # days within which a day and month say which year is meant


@dataclass(frozen=True, slots=True)
class Texts:
    """One text per row, as a place in a table; a negative code is no text."""

    table: Sequence[str]
    codes: Ints

    def array(self) -> pa.Array:
        """The texts themselves."""
        return taken(self.table, self.codes)


def each(values: Ints, text: Callable[[int], str]) -> Texts:
    """A text for each distinct integer."""
    distinct, codes = np.unique(values, return_inverse=True)
    return Texts([text(value) for value in distinct.tolist()], codes.astype(np.int64))


def one(text: str, rows: int) -> Texts:
    """The same text in every row."""
    return Texts([text], np.zeros(rows, dtype=np.int64))


def chosen(condition: NDArray[np.bool_], yes: Texts, no: Texts) -> Texts:
    """One text where a condition holds, another where it does not."""
    otherwise = np.where(no.codes < 0, -1, no.codes + len(yes.table))
    return Texts([*yes.table, *no.table], np.where(condition, yes.codes, otherwise))


def date_text(day_number: int, today: int, *, year: bool = False) -> str:
    """`14 Mar` where that is near enough to be plain, else (or if asked) `14 Mar 2027`."""
    day = _EPOCH + timedelta(days=day_number)
    short = f"{day.day} {_MONTHS[day.month - 1]}"
    return short if abs(day_number - today) <= _NEAR and not year else f"{short} {day.year}"


def dates(days: Floats, today: int, pattern: str) -> Texts:
    """Dates in a pattern such as `closes {}`; no text where there is no date."""
    known = ~np.isnan(days)
    found = each(
        np.where(known, np.nan_to_num(days), 0).astype(np.int64),
        lambda day: pattern.format(date_text(day, today)),
    )
    return Texts(found.table, np.where(known, found.codes, -1))


def money(cents: Floats, pattern: str) -> Texts:
    """Money to two or three digits: 950, 8.2k, 95k, 1.2M."""
    value = np.nan_to_num(np.maximum(cents, 0)) / 100
    unit = np.searchsorted(np.array([999.5, 999_500.0, 999_500_000.0]), value, side="right")
    scaled = value / np.array([1.0, 1e3, 1e6, 1e9])[unit]
    tenths = np.where((scaled < 9.95) & (unit > 0), np.rint(scaled * 10), np.rint(scaled) * 10).astype(
        np.int64
    )
    return each(unit * 10**13 + tenths, lambda key: pattern.format(_digits(*divmod(key, 10**13))))


def money_text(cents: float) -> str:
    """One amount, as `money` writes it."""
    return str(money(np.array([float(cents)]), "{}").table[0])


def _digits(unit: int, tenths: int) -> str:
    number, tenth = divmod(tenths, 10)
    return f"{number}.{tenth}{_UNITS[unit]}" if tenth else f"{number}{_UNITS[unit]}"


def bands(values: Floats, bounds: Sequence[float], words: Sequence[str]) -> Texts:
    """A word for the size of each value: `words` has one more than `bounds`."""
    return Texts(words, np.searchsorted(np.array(bounds), values, side="right").astype(np.int64))


def plain(text: str, longest: int) -> str:
    """A person's text on one line, cut with an ellipsis if it is too long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
