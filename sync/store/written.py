"""What we last wrote into each record, beside the local copy: what differs from it, somebody else has changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from config.sections.edits import EDITABLE
from sync.store.embedded import database
from sync.store.mirror import Mirror

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sync.store.place import Place

_PLACE = {"account": ("id",), "opportunity": ("id", "account_id")}


@dataclass(frozen=True)
class Written:
    """Delta tables like the local copy's, cut as it is: the records that we wrote, with all our fields as we left them.

    `fields` are the CRM's names of the columns that we write, by object: of a column that is another field now, or
    was not written then, nothing is known.
    """

    place: Place
    mirror: Mirror
    fields: Mapping[str, Mapping[str, str]]

    def columns(self, object_name: str) -> tuple[str, ...]:
        """Those of our fields that somebody may have an opinion of."""
        return tuple(name for name in EDITABLE if name in self.fields.get(object_name, {}))

    def read(self, object_name: str, bucket: int) -> pa.Table:
        """The values that we left in the records of a bucket: id and our columns; no row: nothing is known."""
        columns = ("id", *self.columns(object_name))
        if not self._fits(object_name):
            return self.mirror.read(object_name, columns, ids=pa.array([], pa.string()))
        return self._store.read(object_name, columns, bucket)

    def keep(self, object_name: str, done: pa.Table, others: Mapping[str, Collection[str]]) -> None:
        """Remember these records as the local copy holds them, now that we wrote them.

        `done` has id, and what was written of them: fields (null: left as it was) and `clear`. `others` are, by
        record, the fields that hold another's value: of these what we know stays, unless we wrote them just now.
        """
        if not done.num_rows:
            return
        if not self._fits(object_name):
            self._begin(object_name)
        columns = (*_PLACE[object_name], *self.columns(object_name), "modified_at")
        rows = self.mirror.read(object_name, columns, ids=done["id"])
        kept = _others_left_out(rows, self._store.read(object_name, columns, ids=done["id"]), done, others)
        self._store.append(object_name, kept)
        self._store.fold(object_name)

    def forget(self, object_name: str, ids: Collection[str], at: datetime) -> None:
        """Know nothing any more of records that were merged or are gone."""
        if self._fits(object_name):
            self._store.remove(object_name, sorted(ids), at)

    @property
    def _store(self) -> Mirror:
        return Mirror(self.place, like=self.mirror)

    def _fits(self, object_name: str) -> bool:
        """Whether there is a table that knows these fields and is cut as the local copy is."""
        known = self._known().get(object_name)
        return (
            known is not None
            and known == dict(self.fields.get(object_name, {}))
            and self._store.has(object_name)
            and self._store.buckets(object_name) == self.mirror.buckets(object_name)
        )

    def _begin(self, object_name: str) -> None:
        """Begin anew: what was known of other fields would be taken for what we wrote into these."""
        columns = (*_PLACE[object_name], *self.columns(object_name), "modified_at")
        self._store.load(object_name, columns, [])
        known = self._known() | {object_name: dict(self.fields.get(object_name, {}))}
        (self.place / "fields.json").write(json.dumps(known).encode())

    def _known(self) -> dict[str, dict[str, str]]:
        try:
            known = json.loads((self.place / "fields.json").read())
        except (FileNotFoundError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def _others_left_out(
    rows: pa.Table, before: pa.Table, done: pa.Table, others: Mapping[str, Collection[str]]
) -> pa.Table:
    """The rows, but for fields that hold another's value: of these what was known before."""
    ids = done["id"].to_pylist()
    edited = [{"id": one, "fields": list(others[one])} for one in ids if one in others]
    if not edited:
        return rows
    wrote = [name for name in rows.column_names if name in done.column_names and name in EDITABLE]
    values = [
        f"CASE WHEN list_contains(e.fields, '{name}') AND {_untouched(name, name in wrote)}"
        f" THEN b.{name} ELSE r.{name} END AS {name}"
        for name in rows.column_names
        if name in EDITABLE
    ]
    theirs = pa.Table.from_pylist(edited, pa.schema([("id", pa.string()), ("fields", pa.list_(pa.string()))]))
    with database(rows_now=rows, before=before, done=done, edited=theirs) as db:
        sql = f"""
            SELECT r.* REPLACE ({", ".join(values)}) FROM rows_now r JOIN done d USING (id)
            LEFT JOIN edited e USING (id) LEFT JOIN before b USING (id)
        """  # noqa: S608  # names from the schema, no values
        return db.sql(sql).to_arrow_table().cast(rows.schema)


def _untouched(name: str, in_table: bool) -> str:  # noqa: FBT001  # of this module
    return (
        f"d.{name} IS NULL AND NOT coalesce(list_contains(d.clear, '{name}'), FALSE)" if in_table else "TRUE"
    )
