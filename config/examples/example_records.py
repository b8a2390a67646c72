"""The records of a rules test, as people write them: canonical columns, nested as the records belong together."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, create_model

from config.problems import Fault, Faulty
from config.records import RECORDS, SIDE_TABLES
from config.sections.cards import Number, Whole
from config.sections.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from config.records import Column

_UNITS = {"day": 1, "week": 7, "month": 30, "year": 365}
_DAY = re.compile(
    r"(?:in (?P<ahead>\d{1,5}) |(?P<ago>\d{1,5}) )(?P<unit>day|week|month|year)s?(?P<back> ago)?"
)


_FIRST, _LAST = date(1900, 1, 1), date(2199, 12, 31)  # days beyond count as unknown in scoring, too
_FARTHEST = timedelta(days=100 * 365)


def _day(value: Any) -> Any:
    found = _length(value) if isinstance(value, str) else value
    if isinstance(found, datetime) or not isinstance(found, date | timedelta):
        raise Faulty(Fault("must be a day", 'write 2026-11-22, today, "in 30 days" or "30 days ago"'))
    far = abs(found) > _FARTHEST if isinstance(found, timedelta) else not _FIRST <= found <= _LAST
    if far:
        raise Faulty(Fault(f"must be within a hundred years, from {_FIRST.year} to {_LAST.year}"))
    return found


def _length(text: str) -> timedelta | None:
    """The time from today that a text says; None if it says none."""
    if text == "today":
        return timedelta(0)
    found = _DAY.fullmatch(text)
    if found is None or bool(found["ahead"]) == bool(found["back"]):
        return None
    length = timedelta(days=_UNITS[found["unit"]] * int(found["ahead"] or found["ago"]))
    return length if found["ahead"] else -length


# A date, or a time from the test's today on; negative is ago. Months are 30 days.
Day = Annotated[
    date | timedelta,
    BeforeValidator(_day),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(\d{4}-\d{2}-\d{2}|today|in \d+ (day|week|month|year)s?|\d+ (day|week|month|year)s? ago)$",
            "description": 'a day: 2026-11-22, today, "in 30 days" or "30 days ago"',
            "examples": ["in 30 days", "30 days ago", "today"],
        }
    ),
]

MOST_ACCOUNTS = 10_000  # of a crowd

# Columns that a test does not write: ids are names, outputs are what is tested.
_NOT_WRITTEN = frozenset({"id", "name", "modified_at", "currency", "account_id", "opportunity_id", "key"})
_MOST = 10**14  # units of money, or things: far more than any record holds
_TYPES: tuple[tuple[Any, Any], ...] = (
    (pa.types.is_boolean, bool),
    (pa.types.is_integer, Annotated[Whole, Field(ge=-_MOST, le=_MOST)]),
    (pa.types.is_floating, Number),
    (pa.types.is_decimal, Annotated[Number, Field(ge=-_MOST, le=_MOST)]),
    (pa.types.is_temporal, Day),
    (pa.types.is_string, str),
)
HUMAN = frozenset({"override", "override_until", "override_reason", "growth_plan", "growth_plan_by"})


def written_as(column: str) -> str:
    """What a test calls a canonical column: owners and parents are named, and our own fields go without prefix."""
    return {"owner_id": "owner", "parent_id": "parent"}.get(column, column.removeprefix("foretag_"))


_CANONICAL = {written_as(name): name for name in ("owner_id", "parent_id")} | {
    name: f"foretag_{name}" for name in sorted(HUMAN)
}


def canonical(record: BaseModel) -> dict[str, Any]:
    """What a test says of a record, by canonical column; records that hang on it are not among them."""
    return {
        _CANONICAL.get(name, name): value
        for name in type(record).model_fields
        if (value := getattr(record, name)) is not None and not isinstance(value, tuple | dict)
    }


def _columns(columns: Iterable[Column]) -> Iterator[tuple[str, Any]]:
    for column in columns:
        name = written_as(column.name)
        ours = column.name.startswith("foretag_") and name not in HUMAN
        if column.name not in _NOT_WRITTEN and not ours:
            kind = next(kind for matches, kind in _TYPES if matches(column.type))
            yield name, (kind | None, Field(default=None, description=column.meaning))


def _record(name: str, columns: Iterable[Column], **more: Any) -> Any:
    """A model of the columns that a test may write, each of which may be left out."""
    return create_model(name, __base__=Strict, **(dict(_columns(columns)) | more))


def _several(kind: Any, description: str) -> Any:
    """A field that holds any number of such records."""
    return tuple[kind, ...], Field(default=(), description=description)


_Case = _record("Case", RECORDS["case"])
_LineItem = _record("LineItem", RECORDS["line_item"])
_Days = Annotated[tuple[Day, ...], Field(default=(), description="the days on which they took place")]
_Contacts: dict[str, Any] = dict.fromkeys(("calls", "emails", "meetings"), (_Days, ()))
_ITEMS = _several(_LineItem, "what is sold in it")

OpenDeal = _record("Deal", RECORDS["opportunity"], line_items=_ITEMS, **_Contacts)
ClosedDeal = _record(
    "Purchase",
    RECORDS["opportunity"],
    close_date=(Day, Field(description="the day it was closed; of several, the last")),
    times=(Annotated[Whole, Field(ge=1, le=1000)], Field(default=1, description="as many of them")),
    every=(
        Annotated[Whole, Field(ge=1, le=3650)],
        Field(default=30, description="days between several of them"),
    ),
    line_items=_ITEMS,
)
Commitment = _record("Commitment", SIDE_TABLES["commitment"])

_ACCOUNT: dict[str, Any] = {
    "purchases": _several(ClosedDeal, "deals that were won"),
    "lost": _several(ClosedDeal, "deals that were lost"),
    "cases": _several(_Case, "service requests"),
    "commitments": _several(Commitment, "what was promised"),
    **_Contacts,
}
Account = _record(
    "Account", RECORDS["account"], **_ACCOUNT,
    deals=(GenericAlias(dict, (str, OpenDeal)), Field(default={}, description="open deals, by name")),
)  # fmt: skip
Crowd = _record(
    "Crowd", RECORDS["account"], **_ACCOUNT,
    accounts=(Annotated[Whole, Field(ge=1, le=MOST_ACCOUNTS)], Field(default=40, description="how many of them")),
)  # fmt: skip
Owner = _record("Owner", RECORDS["owner"])
Quota = _record("Quota", RECORDS["quota"])
Territory = _record("Territory", SIDE_TABLES["territory"])
Capacity = _record("Capacity", SIDE_TABLES["capacity"])
