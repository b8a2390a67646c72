"""Turn the opportunities of one bucket into one row of numbers per account, and one per open deal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self

import duckdb

from config.records import RECORDS

if TYPE_CHECKING:
    import pyarrow as pa

    from config.rules import Rules

# `account`, `opportunity`, `owner` and `stage`, each a pyarrow Table or Dataset with (some) columns of its
# canonical record; a column that is absent counts as null in every row. Owner and stage are whole each time.
Tables = Mapping[str, Any]

_EPOCH = date(1970, 1, 1)

_VIEWS = files("scoring").joinpath("features.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Features:
    """One bucket: `accounts` has one row per account, `deals` one per open deal, both sorted by id.

    Money is in cents, days count from 1970-01-01. `cut_…` is what was known one horizon before today. `deals`
    also holds closed deals that still carry a tag of ours (`closed` is true), so that it can be taken off.
    """

    accounts: pa.Table
    deals: pa.Table


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def extract(tables: Tables, horizon: int, rules: Rules, today: date) -> Features:
    """The features of one bucket. `horizon` is in days: the book's (`Book.horizon`)."""
    del rules  # line items will come from a table that the rules name
    with Reader(today) as reader:
        return reader.features(tables, horizon)


class Reader:
    """Reads buckets one after another through one embedded database.

    It runs on one thread, so that nothing depends on the machine, and holds no data of its own.
    """

    def __init__(self, today: date) -> None:
        self._today = day_number(today)
        self._database = duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})
        self._columns: dict[str, frozenset[str] | None] = {}
        self._database.execute(f"CREATE MACRO today() AS {self._today:d}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def features(self, tables: Tables, horizon: int) -> Features:
        """One row per account, and one per open deal."""
        self._open(tables, horizon)
        accounts = self._database.sql("FROM account_features ORDER BY id").to_arrow_table()
        deals = self._database.sql("FROM deal_features ORDER BY id").to_arrow_table()
        return Features(accounts, deals)

    def cycles(self, tables: Tables) -> dict[int, int]:
        """How many deals were won after how many days."""
        self._open(tables, 0)
        return dict(self._database.sql("FROM cycle ORDER BY days").fetchall())

    def _open(self, tables: Tables, horizon: int) -> None:
        first = not self._columns
        self._database.execute(f"CREATE OR REPLACE MACRO cut() AS {self._today - horizon:d}")
        for name in ("account", "opportunity", "owner", "stage"):
            given = tables.get(name)
            present = None if given is None else frozenset(given.schema.names)
            if given is not None:
                self._database.register(f"given_{name}", given)
            if first or self._columns[name] != present:
                self._database.execute(f"CREATE OR REPLACE VIEW {name} AS {_canonical(name, present)}")
                self._columns[name] = present
        if first:
            self._database.execute(_VIEWS)


_SQL_TYPES = {
    "string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE",
    "decimal128(18, 2)": "DECIMAL(18, 2)", "timestamp[ms, tz=UTC]": "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip


def _canonical(name: str, present: frozenset[str] | None) -> str:
    """Every canonical column of an object: as given, or null in every row."""
    columns = ", ".join(
        f'"{column.name}"' if present is not None and column.name in present
        else f'CAST(NULL AS {_SQL_TYPES[str(column.type)]}) AS "{column.name}"'
        for column in RECORDS[name]
    )  # fmt: skip
    rows = f"FROM given_{name}" if present is not None else "WHERE false"
    once = " QUALIFY row_number() OVER (PARTITION BY name ORDER BY id) = 1" if name == "stage" else ""
    return f"SELECT {columns} {rows}{once}"
