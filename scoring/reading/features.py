"""Turn the opportunities of one bucket into one row of numbers per account, and one per open deal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from threading import local
from typing import TYPE_CHECKING, Any, Self

import duckdb
import pyarrow as pa

from config.records import RECORDS, SIDE_TABLES, Column
from scoring.reading.past_deals import PastDeals, past_deals

if TYPE_CHECKING:
    from config.rules import Rules

# By name (those of `TABLES`), pyarrow Tables or Datasets with (some) columns of the canonical record; a column that
# is absent counts as null in every row, a table that is absent has no rows. What belongs to accounts or their
# deals is cut into buckets; owner, stage, quota, territory and capacity are whole each time.
Tables = Mapping[str, Any]

# A bucket: its tables, or what opens them where they are read.
Bucket = Tables | Callable[[], Tables]

# Sums over a family of companies, kept from a full run: of one bucket alone they cannot be had.
FAMILY = (
    Column("id", pa.string(), "id of the account"),
    Column("size", pa.int64(), "accounts of its family, itself included"),
    Column("year_spend", pa.int64(), "cents that the family spent in the last 365 days"),
    Column("open_value", pa.int64(), "cents of the family's open deals"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    **{name: RECORDS[name] for name in RECORDS if name != "task"},
    **SIDE_TABLES,
    "family": FAMILY,
}

_EPOCH = date(1970, 1, 1)


def _sql(name: str) -> str:
    return files("scoring.reading").joinpath(f"{name}.sql").read_text(encoding="utf-8")


_WORDS, _TIMES, _SUMS, _ACCOUNTS, _OPEN_DEALS = (
    _sql(name) for name in ("words", "times", "sums", "accounts", "open_deals")
)
# What is made of the canonical tables, in this order, and of which: made again for a bucket only if one of these is
# another one than before.
_DEALS = ("opportunity", "stage")
_MADE_OF = {
    "events": _DEALS,
    "contacts": ("call", "email", "meeting"),
    "cases": ("case",),
    "promises": ("account", "commitment", *_DEALS),
    "products": ("line_item", *_DEALS),
    "owners": ("owner", "quota", "capacity", "territory"),
}
_MAKING = {name: _sql(name) for name in _MADE_OF}

_CONTACTS = ("call", "email", "meeting")


@dataclass(frozen=True, slots=True)
class Features:
    """One bucket: `accounts` has one row per account, `deals` one per open deal, both sorted by id.

    Money is in cents, days count from 1970-01-01. `cut_…` is what was known one window before today
    (`Buying.window`). `deals` also holds closed deals that still carry a tag of ours (`closed` is true), so that it
    can be taken off.
    """

    accounts: pa.Table
    deals: pa.Table


def opened(bucket: Bucket) -> Tables:
    """The tables of a bucket."""
    return bucket() if callable(bucket) else bucket


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def extract(tables: Tables, horizon: int, rules: Rules, today: date) -> Features:
    """The features of one bucket. `horizon` is in days: the book's (`Book.horizon`)."""
    return Reader(rules, today).features(tables, horizon)


class Readers:
    """A reader for each thread that asks, and as long as that lives: nobody else may end what it is reading.

    It holds no data of its own: one that is pickled begins anew elsewhere.
    """

    def __init__(self, rules: Rules, today: date) -> None:
        self._made_from = (rules, today)
        self._of_thread = local()

    def __reduce__(self) -> tuple[type[Self], tuple[Rules, date]]:
        return type(self), self._made_from

    @property
    def mine(self) -> Reader:
        """This thread's own."""
        found: Reader | None = getattr(self._of_thread, "reader", None)
        if found is None:
            found = self._of_thread.reader = Reader(*self._made_from)
        return found


class Reader:
    """Reads buckets one after another through one embedded database, on one thread: nothing depends on the machine."""

    def __init__(self, rules: Rules, today: date) -> None:
        self._today = day_number(today)
        self._database = duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})
        self._given: dict[str, Any] = {}
        self._columns: dict[str, frozenset[str] | None] = {}
        self._old = set(_MAKING)
        self._database.execute(f"CREATE MACRO today() AS {self._today:d}")
        self._cut(0)
        self._every(chosen=False)
        for name, words in (("is_need", rules.needs.cases), ("is_urgent", rules.needs.urgent)):
            self._database.execute(f"CREATE MACRO {name}(word) AS {_one_of(words)}")

    def features(self, tables: Tables, horizon: int) -> Features:
        """One row per account, and one per open deal."""
        self._open(tables)
        self._cut(horizon)
        for name in (name for name in _MAKING if name in self._old):
            self._database.execute(_MAKING[name])
        self._old.clear()
        self._database.execute(_SUMS)
        accounts, deals = (self._database.sql(query).to_arrow_table() for query in (_ACCOUNTS, _OPEN_DEALS))
        return Features(accounts, deals)

    def every_deal(self) -> pa.Table:
        """`Features.deals` of the bucket that was read last, all closed ones included."""
        self._every(chosen=True)
        deals = self._database.sql(_OPEN_DEALS).to_arrow_table()
        self._every(chosen=False)
        return deals

    def past(self, rules: Rules, accounts: pa.Array, deals: pa.Array) -> PastDeals:
        """How the deals of the bucket that was read last ended, as counts, but for those of these ids."""
        for name, ids in (("accounts", accounts), ("deals", deals)):
            self._database.register(f"left_out_{name}", pa.table({"id": ids}))
        return past_deals(self._database, rules)

    def times(self, tables: Tables) -> dict[str, dict[int, int]]:
        """How many deals were won after how many days (`cycle`), and how many days ago (`purchase_age`)."""
        self._open(tables)
        found: dict[str, dict[int, int]] = {"cycle": {}, "purchase_age": {}}
        for what, days, deals in self._database.sql(_TIMES).fetchall():
            found[what][days] = deals
        return found

    def _every(self, *, chosen: bool) -> None:
        self._database.execute(f"CREATE OR REPLACE MACRO every_deal() AS {chosen}")

    def _cut(self, horizon: int) -> None:
        self._database.execute(f"CREATE OR REPLACE MACRO cut() AS {self._today - horizon:d}")

    def _open(self, tables: Tables) -> None:
        """Put these in the place of the tables before; what was made of others is old."""
        first = not self._columns
        for name in TABLES:
            given = tables.get(name)
            if first or given is not self._given[name]:
                self._replace(name, given)
                self._old |= {made for made, sources in _MADE_OF.items() if name in sources}
        read = any(tables.get(name) is not None for name in _CONTACTS)
        self._database.execute(f"CREATE OR REPLACE MACRO contacts_read() AS {read}")
        if first:
            self._database.execute(_WORDS)

    def _replace(self, name: str, given: Any) -> None:
        present = None if given is None else frozenset(given.schema.names)
        if given is not None:
            self._database.register(f"given_{name}", given)
        if name not in self._columns or self._columns[name] != present:
            self._database.execute(f'CREATE OR REPLACE VIEW "{name}" AS {_canonical(name, present)}')
        self._given[name], self._columns[name] = given, present


def _one_of(words: Sequence[str]) -> str:
    """Whether `word`, in any case, is one of these; false where it is null."""
    texts = ", ".join("'" + word.strip().lower().replace("'", "''") + "'" for word in words)
    return f"coalesce(lower(trim(word)) IN ({texts}), false)" if words else "false"


_SQL_TYPES = {
    "string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE",
    "decimal128(18, 2)": "DECIMAL(18, 2)", "timestamp[ms, tz=UTC]": "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip


def _canonical(name: str, present: frozenset[str] | None) -> str:
    """Every canonical column of an object: as given, or null in every row."""
    columns = ", ".join(
        f'"{column.name}"' if present is not None and column.name in present
        else f'CAST(NULL AS {_SQL_TYPES[str(column.type)]}) AS "{column.name}"'
        for column in TABLES[name]
    )  # fmt: skip
    rows = f"FROM given_{name}" if present is not None else "WHERE false"
    once = " QUALIFY row_number() OVER (PARTITION BY name ORDER BY id) = 1" if name == "stage" else ""
    return f"SELECT {columns} {rows}{once}"
