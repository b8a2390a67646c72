"""Records that became part of others, in the history, and what of a person's word they handed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sync.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Inheritance:
    """An override that a record has from one that was merged into it: column → value, dates as ISO text."""

    object: str
    loser: str
    winner: str
    word: Mapping[str, Any]


class Merges:
    """The merges of all connections; `now` gives UTC without a zone."""

    def __init__(self, engine: sa.Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def winners(self, connection: str, object_name: str) -> dict[str, str]:
        """Loser to last winner, of all merges known."""
        table = tables.merge.c
        query = sa.select(table.loser, table.winner).where(
            table.connection == connection, table.object == object_name
        )
        with self._engine.connect() as db:
            return {row.loser: row.winner for row in db.execute(query)}

    def keep(
        self,
        connection: str,
        object_name: str,
        winners: Mapping[str, str],
        words: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Write merges down, with the words that losers hand on; a winner that lost in turn leads on to the last."""
        table = tables.merge
        mine = sa.and_(table.c.connection == connection, table.c.object == object_name)
        with self._engine.begin() as db:
            for loser, winner in winners.items():
                db.execute(table.update().where(mine, table.c.winner == loser).values(winner=winner))
                db.execute(table.delete().where(mine, table.c.loser == loser))
                db.execute(
                    table.insert().values(
                        connection=connection,
                        object=object_name,
                        loser=loser,
                        winner=winner,
                        at=self._now(),
                        # SQL's null, not JSON's: what is handed on is asked for by it.
                        inherited=dict(words[loser]) if loser in words else sa.null(),
                    )
                )

    def inheritances(self, connection: str) -> list[Inheritance]:
        """The words handed on that still hold."""
        table = tables.merge.c
        query = (
            sa.select(table.object, table.loser, table.winner, table.inherited)
            .where(table.connection == connection, table.inherited.is_not(None))
            .order_by(table.at, table.loser)
        )
        with self._engine.connect() as db:
            return [Inheritance(*row) for row in db.execute(query)]

    def spend(self, connection: str, inheritances: list[Inheritance]) -> None:
        """Forget words handed on: a person has said another since, or their day is over."""
        table = tables.merge
        with self._engine.begin() as db:
            for one in inheritances:
                db.execute(
                    table.update()
                    .where(
                        table.c.connection == connection,
                        table.c.object == one.object,
                        table.c.loser == one.loser,
                    )
                    .values(inherited=sa.null())
                )

    def move_tasks(self, connection: str, object_name: str, winners: Mapping[str, str]) -> None:
        """Let the tasks made for merged records count as made for the records that they became part of.

        Their keys stay: the CRM has them under these.
        """
        table = tables.task
        # Ids are one object's own: a deal may have that of a company.
        about = sa.or_(table.c.object == object_name, table.c.object.is_(None))
        with self._engine.begin() as db:
            for loser, winner in winners.items():
                mine = table.update().where(table.c.connection == connection)
                db.execute(mine.where(table.c.record_id == loser, about).values(record_id=winner))
                if object_name == "account":
                    db.execute(mine.where(table.c.account_id == loser).values(account_id=winner))
