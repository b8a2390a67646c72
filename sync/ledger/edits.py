"""Values of ours that somebody else changed, in the history: since when, and until when they are respected."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sync.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date


@dataclass(frozen=True, slots=True)
class Edit:
    """One value of ours that another one stands in for. `until`: respected to this day; None: not at all.

    `value` is a digest of theirs, by which a second change is told from the first.
    """

    object: str
    record_id: str
    field: str
    seen_on: date
    until: date | None
    value: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Object, record and field."""
        return self.object, self.record_id, self.field

    def respected(self, today: date) -> bool:
        """Whether theirs is still left there."""
        return self.until is not None and today <= self.until


class Edits:
    """The edits of all connections."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of(self, connection: str) -> list[Edit]:
        """All that stand now, those that are respected no longer but not yet put right among them."""
        columns = tables.edit.c
        query = (
            sa.select(
                columns.object,
                columns.record_id,
                columns.field,
                columns.seen_on,
                columns.until,
                columns.value,
            )
            .where(columns.connection == connection)
            .order_by(columns.object, columns.record_id, columns.field)
        )
        with self._engine.connect() as db:
            return [Edit(*row) for row in db.execute(query)]

    def keep(self, connection: str, seen: Collection[Edit], over: Iterable[tuple[str, str, str]]) -> None:
        """Write down what was seen, and forget what is over: given up by its writer, put right, or agreed with."""
        rows = [{"connection": connection, **asdict(edit)} for edit in seen]
        gone = [
            {"an_object": object_name, "a_record": record_id, "a_field": field}
            for object_name, record_id, field in [*(edit.key for edit in seen), *over]
        ]
        table = tables.edit
        which = sa.and_(
            table.c.connection == connection,
            table.c.object == sa.bindparam("an_object"),
            table.c.record_id == sa.bindparam("a_record"),
            table.c.field == sa.bindparam("a_field"),
        )
        with self._engine.begin() as db:
            if gone:
                db.execute(table.delete().where(which), gone)
            if rows:
                db.execute(table.insert(), rows)

    def in_doubt(self, connection: str, object_name: str) -> list[tuple[str, int]]:
        """The batches (run, number) of which nobody knows all that they wrote: not confirmed, or found open."""
        batch, run = tables.batch.c, tables.run.c
        query = (
            sa.select(batch.run, batch.number)
            .join(tables.run, run.id == batch.run)
            .where(
                run.connection == connection,
                batch.object == object_name,
                sa.or_(batch.state != "finished", batch.unknown > 0),
            )
        )
        with self._engine.connect() as db:
            return [(row.run, row.number) for row in db.execute(query)]

    def move(self, connection: str, object_name: str, winners: dict[str, str]) -> None:
        """Hand the edits of merged records on to the record that each became part of, where it has none itself."""
        edits = [edit for edit in self.of(connection) if edit.object == object_name]
        taken = {edit.key for edit in edits}
        moved, over = [], []
        for edit in edits:
            if edit.record_id not in winners:
                continue
            over.append(edit.key)
            heir = Edit(
                edit.object, winners[edit.record_id], edit.field, edit.seen_on, edit.until, edit.value
            )
            if heir.key not in taken:
                taken.add(heir.key)
                moved.append(heir)
        self.keep(connection, moved, over)

    def forget(self, connection: str, object_name: str, record_ids: Collection[str]) -> None:
        """Forget the edits of records that are gone."""
        edits = [
            edit.key
            for edit in self.of(connection)
            if edit.object == object_name and edit.record_id in record_ids
        ]
        self.keep(connection, (), edits)
