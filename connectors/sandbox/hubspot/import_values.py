"""Cells of an imported file as property values: what people write in spreadsheets, or the error HubSpot gives it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from connectors.sandbox.hubspot.labels import all_owners, owner_name
from connectors.sandbox.hubspot.stamps import milliseconds, parse_stamp, wire_stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.sandbox.hubspot.portal import Portal

# The places of year, month and day among three numbers.
_ORDERS = {"MONTH_DAY_YEAR": (2, 0, 1), "DAY_MONTH_YEAR": (2, 1, 0), "YEAR_MONTH_DAY": (0, 1, 2)}
_DATE = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_EPOCH = re.compile(r"-?\d{10,14}")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_BOOLEANS = {"true": "true", "yes": "true", "1": "true", "false": "false", "no": "false", "0": "false"}


class BadCell(ValueError):  # noqa: N818  # it becomes one error of the import, not a refused request
    """A cell that a property does not take: HubSpot's error type for it, and what it says."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type, self.message = error_type, message


@dataclass(slots=True)
class Cells:
    """Reads the cells of one column. Columns repeat values, so each is read once."""

    definition: Mapping[str, Any]
    date_format: str
    zone: ZoneInfo
    choices: Mapping[str, Sequence[str]]
    _known: dict[str, str | BadCell] = field(default_factory=dict)

    @classmethod
    def of(cls, portal: Portal, definition: Mapping[str, Any], date_format: str) -> Cells:
        """The reader for a property."""
        choices = (
            _owners(portal) if definition.get("referencedObjectType") == "OWNER" else _options(definition)
        )
        return cls(definition, date_format, ZoneInfo(portal.timezone), choices)

    def value(self, cell: str) -> str:
        """The property's value. Raises `BadCell`."""
        found = self._known.get(cell)
        if found is None:
            try:
                found = self._read(cell.strip() if self.definition["type"] != "string" else cell)
            except BadCell as bad:
                found = bad
            self._known[cell] = found
        if isinstance(found, BadCell):
            raise found
        return found

    def _read(self, cell: str) -> str:
        if self.definition.get("modificationMetadata", {}).get("readOnlyValue"):
            raise BadCell("FAILED_VALIDATION", f"{self.definition['name']} cannot be set: it is read-only")
        kind = self.definition["type"]
        if kind in {"date", "datetime"}:
            return self._moment(cell)
        if kind == "number":
            return _number(cell)
        if kind == "bool":
            return _one(_BOOLEANS, cell, "INVALID_ENUMERATION_OPTION")
        return self._chosen(cell) if kind == "enumeration" else cell

    def _moment(self, cell: str) -> str:
        moment = self._parsed(cell)
        if moment is None:
            message = f"{cell!r} is not a date of the format {self.date_format}"
            raise BadCell("COULD_NOT_PARSE_DATE", message)
        if self.definition["type"] == "date":
            return moment.date().isoformat()
        return wire_stamp(milliseconds(moment.astimezone(UTC)))

    def _parsed(self, cell: str) -> datetime | None:
        """A day in the import's format, at a time or at midnight in the portal's zone; or ISO 8601 with a time."""
        match = _DATE.fullmatch(cell)
        if match:
            year, month, day = (int(match[place + 1]) for place in _ORDERS[self.date_format])
            hour, minute, second = (int(match[place] or 0) for place in (4, 5, 6))
            try:
                return datetime(year, month, day, hour, minute, second, tzinfo=self.zone)
            except ValueError:
                return None
        if "T" not in cell and not _EPOCH.fullmatch(cell):
            return None
        stamp = parse_stamp(cell)
        return None if stamp is None else datetime.fromtimestamp(stamp / 1000, UTC)

    def _chosen(self, cell: str) -> str:
        """An option's value by value or label, in any letter case; several are parted by semicolons."""
        several = self.definition.get("fieldType") == "checkbox"
        parts = [part.strip() for part in cell.split(";") if part.strip()] if several else [cell]
        return ";".join(self._choice(part) for part in parts)

    def _choice(self, part: str) -> str:
        found = self.choices.get(part.lower(), ())
        owner = self.definition.get("referencedObjectType") == "OWNER"
        if not found:
            raise BadCell(
                "COULD_NOT_FIND_OWNER" if owner else "INVALID_ENUMERATION_OPTION",
                f"{part!r} is not a valid {'owner' if owner else 'option'} of {self.definition['name']}",
            )
        if len(set(found)) > 1:
            message = f"{part!r} means several {'owners' if owner else 'options'}"
            raise BadCell("MULTIPLE_OWNERS_FOUND" if owner else "AMBIGUOUS_ENUMERATION_OPTION", message)
        return found[0]


def _number(cell: str) -> str:
    plain = cell.replace(",", "") if _THOUSANDS.fullmatch(cell) else cell
    if not _NUMBER.fullmatch(plain):
        raise BadCell("COULD_NOT_PARSE_NUMBER", f"{cell!r} is not a number")
    return plain


def _one(known: Mapping[str, str], cell: str, error_type: str) -> str:
    found = known.get(cell.lower())
    if found is None:
        raise BadCell(error_type, f"{cell!r} is not a valid option")
    return found


def _options(definition: Mapping[str, Any]) -> dict[str, list[str]]:
    """Values by value and by label, in lower case. A value wins over a label that reads the same."""
    options = definition.get("options") or ()
    choices: dict[str, list[str]] = {}
    for option in options:
        choices.setdefault(option["label"].lower(), []).append(option["value"])
    return choices | {option["value"].lower(): [option["value"]] for option in options}


def _owners(portal: Portal) -> dict[str, list[str]]:
    """Owner ids by id, e-mail and full name, in lower case."""
    choices: dict[str, list[str]] = {}
    for one in all_owners(portal):
        if not one["archived"]:
            for key in (one["id"], one["email"], owner_name(one)):
                choices.setdefault(key.lower(), []).append(one["id"])
    return choices
