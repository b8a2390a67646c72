"""`files:` of the rules file: promises, quotas, territories and capacities as CSV files next to the rules."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from config.files.documents import did_you_mean
from config.language.units import written_as
from config.problems import Problem
from config.sections.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from config.files.documents import Document

FileName = Annotated[str, Field(min_length=1, max_length=1000)]

LONGEST_FILE = 1 << 26
MOST_PROBLEMS = 20  # of one file
_DELIMITERS = ",;\t"
_AMOUNT = re.compile(r"\d{1,14}(?:\.\d{1,2})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_COUNT = re.compile(r"\d{1,9}")
_LINE_END = re.compile(r"\r\n|\r|\n")


class Files(Strict):
    """CSV files, by paths relative to the rules file; their first line names the columns.

    Accounts are named by their id in the CRM or their exact name, owners by id or name; days as 2026-12-31.
    """

    commitments: FileName | None = Field(
        default=None, description="growth plans: account, amount (per year), by, and made_on if known"
    )
    quotas: FileName | None = Field(
        default=None, description="owner, amount, start, end; takes the place of the CRM's quotas"
    )
    territories: FileName | None = Field(default=None, description="territory, owner: who works which")
    capacities: FileName | None = Field(
        default=None, description="owner, accounts: how many accounts each can look after"
    )


Who = Literal["account", "owner"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a file: how its cells are read, and whether they may be empty."""

    read: Callable[[str], Any]
    optional: bool = False

    def value(self, text: str) -> Any:
        """What a cell says; None where it is empty and may be. Raises `ValueError` in the user's words."""
        if not text and not self.optional:
            raise ValueError("is empty")
        return self.read(text) if text else None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns of one kind of file, the column that names somebody of the CRM, and the columns that are unique."""

    cells: Mapping[str, Cell]
    who: Who
    once: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """What a file says, row by row: values by column, with the line and the column of who is named."""

    path: Path
    rows: tuple[dict[str, Any], ...]
    places: tuple[tuple[int, int], ...]


def _text(cell: str) -> str:
    if not cell.isprintable():
        raise ValueError("holds a line break or another character that cannot be seen")
    return cell


def _amount(cell: str) -> Decimal:
    if not _AMOUNT.fullmatch(cell):
        raise ValueError(
            f'"{cell}" is no amount; {written_as(cell) or "write a bare number, such as 12500.50"}'
        )
    return Decimal(cell)


def _count(cell: str) -> int:
    if not _COUNT.fullmatch(cell):
        raise ValueError(f'"{cell}" is no whole number; write it bare, such as 120')
    return int(cell)


def _day(cell: str) -> date:
    try:
        found = date.fromisoformat(cell) if _DAY.fullmatch(cell) else None
    except ValueError:
        raise ValueError(f'"{cell}" is a day that no calendar has') from None
    if found is None:
        raise ValueError(f'"{cell}" is no day; write it as year-month-day, such as 2026-12-31')
    return found


SHEETS: dict[str, Sheet] = {
    "commitments": Sheet(
        {
            "account": Cell(_text),
            "amount": Cell(_amount),
            "by": Cell(_day),
            "made_on": Cell(_day, optional=True),
        },
        "account",
        ("account", "by"),
    ),
    "quotas": Sheet(
        {"owner": Cell(_text), "amount": Cell(_amount), "start": Cell(_day), "end": Cell(_day)},
        "owner",
        ("owner", "start", "end"),
    ),
    "territories": Sheet({"territory": Cell(_text), "owner": Cell(_text)}, "owner", ("territory", "owner")),
    "capacities": Sheet({"owner": Cell(_text), "accounts": Cell(_count)}, "owner", ("owner",)),
}

# Days that must not come before another of the same row.
_IN_ORDER = {"quotas": ("start", "end"), "commitments": ("made_on", "by")}


def read_side_files(document: Document) -> tuple[dict[str, Rows], list[Problem]]:
    """What the files that a rules file names say, and all that is wrong with them.

    Problems of a file come as `file:line:column`; the first `MOST_PROBLEMS` of each are told.
    """
    given = document.data.get("files")
    found: dict[str, Rows] = {}
    problems: list[Problem] = []
    for kind in SHEETS if isinstance(given, dict) else ():
        name = given.get(kind)
        if isinstance(name, str):
            place = document.place(("files", kind))
            reader = _Reader(place.path.parent / name, kind)
            found[kind] = reader.rows()
            if reader.missing:
                message = f"files.{kind}: {reader.missing}"
                problems.append(
                    Problem(message, str(place.path), place.line, place.column, fix="correct the path")
                )
            problems += reader.told()
    return found, problems


class _Reader:
    """Reads one file and collects what is wrong with it."""

    def __init__(self, path: Path, kind: str) -> None:
        self._path, self._sheet, self._kind = path, SHEETS[kind], kind
        self._problems: list[Problem] = []
        self.missing = ""

    def rows(self) -> Rows:
        """All rows without a fault."""
        found = list(self._good(self._content()))
        return Rows(self._path, tuple(row for row, _ in found), tuple(place for _, place in found))

    def told(self) -> list[Problem]:
        """The first problems, and how many more there are."""
        more = len(self._problems) - MOST_PROBLEMS
        rest = [Problem(f"{more} more problems of this kind", str(self._path))] if more > 0 else []
        return self._problems[:MOST_PROBLEMS] + rest

    def _content(self) -> str:
        try:
            with self._path.open("rb") as stream:
                content = stream.read(LONGEST_FILE + 1)  # a device has no size, and no end
        except OSError as error:
            self.missing = f"{self._path} cannot be read: {error.strerror}"
            return ""
        except ValueError:
            self.missing = f"{str(self._path)!r} is no name of a file"
            return ""
        if len(content) > LONGEST_FILE:
            self.missing = f"{self._path} is longer than {LONGEST_FILE:,} bytes"
            return ""
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._problem(f"is not UTF-8 text (byte {error.start})", fix="save it as CSV UTF-8")
            return ""

    def _good(self, content: str) -> Iterator[tuple[dict[str, Any], tuple[int, int]]]:
        lines = _LINE_END.split(content)
        head = next((line for line in lines if line.strip()), "")
        delimiter = max(_DELIMITERS, key=head.count)
        reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
        columns: list[str] | None = None
        seen: dict[tuple[Any, ...], int] = {}
        try:
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                starts = _starts(lines[reader.line_num - 1], delimiter)
                if columns is None:
                    columns = self._header(cells, reader.line_num, starts)
                    if not columns:
                        return
                    continue
                row = self._row(columns, [cell.strip() for cell in cells], reader.line_num, starts)
                if row is not None and self._once(row, reader.line_num, seen):
                    who = columns.index(self._sheet.who)
                    yield row, (reader.line_num, _at(starts, who))
        except csv.Error as error:
            self._problem(
                f"is not CSV: {error}",
                reader.line_num,
                1,
                "look at the quotes of this line and the one before",
            )
        if columns is None and content:
            self._problem("is empty", fix=f"begin with a line {','.join(self._sheet.cells)}")

    def _header(self, cells: list[str], line: int, starts: list[int]) -> list[str]:
        names = [cell.strip().lower().replace(" ", "_") for cell in cells]
        known = list(self._sheet.cells)
        for place, name in enumerate(names):
            if name not in known:
                self._problem(f'unknown column "{name}"', line, _at(starts, place), did_you_mean(name, known))
            elif names.index(name) < place:
                self._problem(
                    f'the column "{name}" stands twice', line, _at(starts, place), "keep one of the two"
                )
        for name, cell in self._sheet.cells.items():
            if name not in names and not cell.optional:
                self._problem(
                    f'the column "{name}" is missing', line, 1, f"the first line is {','.join(known)}"
                )
        return [] if self._problems else names

    def _row(
        self, columns: list[str], cells: list[str], line: int, starts: list[int]
    ) -> dict[str, Any] | None:
        if len(cells) != len(columns):
            self._problem(
                f"cells: {len(cells)} here, {len(columns)} in the first line",
                line,
                1,
                "a comma too many or too few",
            )
            return None
        row, good = {}, True
        for place, (name, text) in enumerate(zip(columns, cells, strict=True)):
            try:
                row[name] = self._sheet.cells[name].value(text)
            except ValueError as error:
                self._problem(f"{name}: {error}", line, _at(starts, place))
                good = False
        return row if good and self._in_order(row, line, columns, starts) else None

    def _in_order(self, row: dict[str, Any], line: int, columns: list[str], starts: list[int]) -> bool:
        first, last = _IN_ORDER.get(self._kind, ("", ""))
        if row.get(first) is None or row.get(last) is None or row[first] <= row[last]:
            return True
        self._problem(
            f"{last}: {row[last]} is before {first}, {row[first]}", line, _at(starts, columns.index(last))
        )
        return False

    def _once(self, row: dict[str, Any], line: int, seen: dict[tuple[Any, ...], int]) -> bool:
        key = tuple(row[name] for name in self._sheet.once)
        if seen.setdefault(key, line) == line:
            return True
        self._problem(
            f"{' and '.join(self._sheet.once)} as in line {seen[key]}", line, 1, "keep one of the two"
        )
        return False

    def _problem(
        self, message: str, line: int | None = None, column: int | None = None, fix: str = ""
    ) -> None:
        self._problems.append(Problem(message, str(self._path), line, column, fix=fix))


def _starts(line: str, delimiter: str) -> list[int]:
    """The columns, from 1, at which the cells of a line begin."""
    starts, quoted = [1], False
    for place, character in enumerate(line, 2):
        if character == '"':
            quoted = not quoted
        elif character == delimiter and not quoted:
            starts.append(place)
    return starts


def _at(starts: list[int], place: int) -> int:
    return starts[place] if place < len(starts) else 1
