"""What the sandbox's pages show, in no CRM's words: the book by tier, and one account; one `Views` for each CRM."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from config.outputs import OUTPUT_FIELDS, OutputField

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

# Rows of one page of the book, and of a list on an account's page.
PAGE_ROWS = 100
LIST_ROWS = 50
# Columns of the book, in the order a rep reads them.
BOOK = (
    "foretag_tier",
    "foretag_score",
    "foretag_segment",
    "foretag_growth_potential",
    "foretag_reason",
    "foretag_next_step",
)
_STYLES = {
    "foretag_score": "number",
    "foretag_reason": "why",
    "foretag_next_step": "step",
}
_BY_NAME = {one.name: one for one in OUTPUT_FIELDS}


@dataclass(frozen=True, slots=True)
class Shown:
    """One column: the field that fills it, what stands above it, and how wide and aligned it is."""

    name: str
    label: str
    style: str = "short"
    tier: bool = False

    @property
    def number(self) -> bool:
        """Whether it is aligned as a number."""
        return self.style == "number"

    @classmethod
    def ours(cls, output: OutputField, name: str) -> Shown:
        """The column of one of our fields, by its name in the CRM."""
        return cls(name, output.label, _STYLES.get(output.name, "short"), tier=output.name == "foretag_tier")


def book_fields() -> tuple[OutputField, ...]:
    """Our fields in the book, in their order."""
    return tuple(_BY_NAME[name] for name in BOOK)


@dataclass(frozen=True, slots=True)
class Words:
    """What this CRM calls things."""

    account: str
    accounts: str


@dataclass(frozen=True, slots=True)
class BookRow:
    """One account in the book; `values` by the columns' names."""

    id: str
    name: str
    owner: str | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Book:
    """One page of the book: by tier and score where these fields exist (`scored`), by name before."""

    columns: Sequence[Shown]
    rows: Sequence[BookRow]
    total: int
    page: int
    scored: bool

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return page_count(self.total)


def page_count(total: int) -> int:
    """How many pages so many rows fill, at least one."""
    return max(-(-total // PAGE_ROWS), 1)


@dataclass(frozen=True, slots=True)
class Rows:
    """The beginning of a list, and how long it is altogether."""

    columns: Sequence[Shown]
    rows: Sequence[Mapping[str, Any]]
    total: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A list on an account's page. One that is not `always` there is left out while it is empty."""

    title: str
    found: Rows
    always: bool = False


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account; `verdict` by our fields' own names, None as long as the CRM has none of them."""

    name: str
    owner: str | None
    verdict: Mapping[str, Any] | None
    lists: Sequence[Listing]
    details: Sequence[tuple[str, Any]] = field(default=())


class Views(Protocol):
    """One CRM, looked at by a rep."""

    @property
    def name(self) -> str:
        """The name of the org or portal."""
        ...

    @property
    def words(self) -> Words:
        """What it calls things."""
        ...

    def now(self) -> datetime:
        """Its clock."""
        ...

    def book(self, tier: str, page: int) -> Book:
        """A page of the book (the last one if there are fewer), of one tier or all (empty)."""
        ...

    def account(self, record_id: str) -> AccountView | None:
        """One account, or None if there is none."""
        ...


# What tells only about a deal that is still open.
_VERDICT = frozenset({"Tier", "Score", "Why", "Suggested next step"})


def plain(columns: Sequence[Shown]) -> tuple[Shown, ...]:
    """The columns of closed deals: without our tags."""
    return tuple(column for column in columns if column.label not in _VERDICT)


def existing(columns: Sequence[Shown], visible: Collection[str]) -> tuple[Shown, ...]:
    """Those columns that the CRM has."""
    return tuple(column for column in columns if column.name in visible)
