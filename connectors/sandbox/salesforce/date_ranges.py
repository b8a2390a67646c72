"""SOQL's relative dates, such as LAST_N_DAYS:30, as half-open ranges of days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

Range = tuple[date, date]


def _months(day: date, months: int) -> date:
    """The first of the month, so many months later."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _week(day: date) -> date:
    # Weeks begin on Sunday in the org's locale (en_US).
    return day - timedelta((day.weekday() + 1) % 7)


def _day_span(today: date, first: int, last: int) -> Range:
    return today + timedelta(first), today + timedelta(last + 1)


def _unit_start(unit: str, today: date, steps: int) -> date:
    """Start of the unit that lies so many steps from the current one."""
    if unit == "WEEK":
        return _week(today) + timedelta(7 * steps)
    if unit == "MONTH":
        return _months(today, steps)
    if unit == "QUARTER":
        return _months(date(today.year, (today.month - 1) // 3 * 3 + 1, 1), 3 * steps)
    return date(today.year + steps, 1, 1)


def _span(unit: str, first: int, last: int) -> Callable[[date], Range]:
    return lambda today: (_unit_start(unit, today, first), _unit_start(unit, today, last + 1))


_FIXED: dict[str, Callable[[date], Range]] = {
    "YESTERDAY": lambda today: _day_span(today, -1, -1),
    "TODAY": lambda today: _day_span(today, 0, 0),
    "TOMORROW": lambda today: _day_span(today, 1, 1),
    "LAST_90_DAYS": lambda today: _day_span(today, -90, 0),
    "NEXT_90_DAYS": lambda today: _day_span(today, 1, 90),
}
for _unit in ("WEEK", "MONTH", "QUARTER", "YEAR"):
    for _word, _steps in (("LAST", -1), ("THIS", 0), ("NEXT", 1)):
        _FIXED[f"{_word}_{_unit}"] = _span(_unit, _steps, _steps)
        # The fiscal year is the calendar year in this org.
        if _unit in {"QUARTER", "YEAR"}:
            _FIXED[f"{_word}_FISCAL_{_unit}"] = _span(_unit, _steps, _steps)


def date_range(name: str, today: date) -> Range | None:
    """First day and the day after the last of a named range; None if there is no such name."""
    word, _, number = name.partition(":")
    if not number:
        fixed = _FIXED.get(word)
        return fixed(today) if fixed else None
    try:
        return _counted(word, int(number), today)
    except (OverflowError, ValueError):
        return None


def _counted(word: str, count: int, today: date) -> Range | None:
    if word in {"LAST_N_DAYS", "NEXT_N_DAYS"}:
        return _day_span(today, -count, 0) if word == "LAST_N_DAYS" else _day_span(today, 1, count)
    if word == "N_DAYS_AGO":
        return _day_span(today, -count, -count)
    direction, _, rest = word.partition("_N_")
    unit = rest.removesuffix("_AGO").removeprefix("FISCAL_").removesuffix("S")
    if direction == "N" or unit not in {"WEEK", "MONTH", "QUARTER", "YEAR"}:
        return _ago(word, count, today)
    if direction == "LAST":
        return _span(unit, -count, -1)(today)
    return _span(unit, 1, count)(today) if direction == "NEXT" else None


def _ago(word: str, count: int, today: date) -> Range | None:
    unit = word.removeprefix("N_").removesuffix("_AGO").removeprefix("FISCAL_").removesuffix("S")
    if not word.endswith("_AGO") or unit not in {"WEEK", "MONTH", "QUARTER", "YEAR"}:
        return None
    return _span(unit, -count, -count)(today)
