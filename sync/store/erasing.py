"""Take records out of all tables that are kept, for good: their rows, older files, and what logs say of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from config.outputs import OBJECTS
from sync.store.embedded import database

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sync.store.place import Place

    Ids = Mapping[str, Sequence[str]]

# Ids in one statement.
_AT_ONCE = 2_000
_HANGING = {"account": "account_id", "opportunity": "opportunity_id"}
# Of these the table goes with its account, deleted or not.
_PART_OF_ACCOUNT = ("commitment",)


@dataclass(frozen=True, slots=True)
class KeptTable:
    """A Delta table under the place of a connection. `about`: what its `id` column names, if it is such a record."""

    place: Place
    columns: tuple[str, ...]

    @property
    def about(self) -> str | None:
        """The object whose records it has rows of."""
        # `tags_account`, `changes_account`, `account_changes`.
        words = self.place.name.split("_")
        return next((name for name in OBJECTS if name in words), None)

    def conditions(self, object_name: str, *, hanging: bool) -> Iterator[tuple[str, str]]:
        """The column that names records of an object, and what else must be true of such a row."""
        if "object" in self.columns and "id" in self.columns:
            yield "id", f"object = '{object_name}'"
        elif self.about == object_name:
            yield "id", "TRUE"
        column = _HANGING[object_name]
        if column in self.columns and (hanging or self.place.name.startswith(_PART_OF_ACCOUNT)):
            yield column, "TRUE"


def kept_tables(place: Place) -> Iterator[KeptTable]:
    """All tables that are kept under a place."""
    for one in place.tables():
        table = one.table()
        if table is not None:
            yield KeptTable(one, tuple(field.name for field in table.schema().fields))


def rows_about(place: Place, records: Ids, *, hanging: bool) -> dict[str, int]:
    """How many rows of each table are about these records; `hanging`: or hang on them. Tables without are left out."""
    counts = {}
    for table in kept_tables(place):
        count = sum(_count(table, *one) for one in _wanted(table, records, hanging=hanging))
        if count:
            counts[table.place.below(place)] = count
    return counts


def deals_of(place: Place, accounts: Sequence[str]) -> list[str]:
    """The ids of all deals of these accounts that any table tells of."""
    found: set[str] = set()
    for table in kept_tables(place):
        parent = next((name for name in ("account_id", "parent_id") if name in table.columns), None)
        if table.about == "opportunity" and parent is not None:
            rows = table.place.existing_table().to_pyarrow_dataset().to_table(columns=["id", parent])
            asked = pa.table({"asked": pa.array(accounts, pa.string())})
            with database(rows=rows, wanted=asked) as db:
                # Names of our own tables.
                sql = f"SELECT DISTINCT id FROM rows WHERE {parent} IN (FROM wanted)"  # noqa: S608  # names of our own schema
                found |= {row[0] for row in db.sql(sql).fetchall()}
    return sorted(found)


def erase(place: Place, records: Ids, *, hanging: bool) -> None:
    """Take records out of all tables under a place, and, if `hanging`, whatever hangs on them.

    Older versions of these tables go too: nothing reads them, and they hold the rows. So they do where no row is found
    any more, since a crash may have come in between.
    """
    for table in kept_tables(place):
        wanted = list(_wanted(table, records, hanging=hanging))
        delta = table.place.existing_table()
        for column, ids, also in wanted:
            for start in range(0, len(ids), _AT_ONCE) if _count(table, column, ids, also) else ():
                named = ", ".join(_quoted(one) for one in ids[start : start + _AT_ONCE])
                table.place.fence()
                delta.delete(f"{column} IN ({named}) AND {also}")
        if wanted:
            forget_versions(table.place)


def forget_versions(place: Place) -> None:
    """Delete the files of a table's older versions, and the log entries that tell of them."""
    place.fence()
    place.existing_table().vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    # The log repeats the smallest and the largest values of each file.
    table = place.existing_table()
    table.alter.set_table_properties({"delta.logRetentionDuration": "interval 0 days"})
    table.create_checkpoint()
    table.cleanup_metadata()
    table.alter.set_table_properties({"delta.logRetentionDuration": "interval 30 days"})


def _wanted(table: KeptTable, records: Ids, *, hanging: bool) -> Iterator[tuple[str, Sequence[str], str]]:
    for object_name, ids in records.items():
        for column, also in table.conditions(object_name, hanging=hanging):
            yield column, ids, also


def _count(table: KeptTable, column: str, ids: Sequence[str], also: str) -> int:
    needed = [name for name in dict.fromkeys((column, "object")) if name in table.columns]
    rows = table.place.existing_table().to_pyarrow_dataset().to_table(columns=needed)
    asked = pa.table({"asked": pa.array(ids, pa.string())})
    with database(rows=rows, wanted=asked) as db:
        sql = f"SELECT count(*) FROM rows WHERE {column} IN (FROM wanted) AND {also}"  # noqa: S608  # names of our own schema
        (count,) = db.sql(sql).fetchall()[0]
    return int(count)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
