"""Which runs were taken back, and by which, in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sync.ledger import tables

if TYPE_CHECKING:
    from collections.abc import Mapping


class Undone:
    """The undos of all connections."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def by(self, run_id: str) -> str | None:
        """The undo that took all of a run back and was not taken back itself; None: the run stands."""
        query = (
            sa.select(tables.run)
            .where(tables.run.c.of == run_id, tables.run.c.command == "undo", tables.run.c.state == "done")
            .order_by(tables.run.c.started_at.desc(), tables.run.c.id.desc())
        )
        with self._engine.connect() as db:
            undos = [dict(row) for row in db.execute(query).mappings()]
        return next((row["id"] for row in undos if _whole(row) and self.by(row["id"]) is None), None)

    def times(self, row: Mapping[str, Any]) -> int:
        """How many undos a run is built of: 0 for one that is none, 1 for an undo, 2 for the undo of an undo."""
        count, of, command = 0, row["of"], row["command"]
        with self._engine.connect() as db:
            while command == "undo":
                count += 1
                found = db.execute(
                    sa.select(tables.run.c.of, tables.run.c.command).where(tables.run.c.id == of)
                ).one_or_none()
                of, command = (None, "") if found is None else found
        return count


def _whole(row: Mapping[str, Any]) -> bool:
    """Whether an undo was no mere look, and took back every field that it could: nothing is left for another."""
    report = row["report"] or {}
    failed = [*report.get("refused", {}).values(), *report.get("unknown", {}).values()]
    return report.get("mode") == "live" and not report.get("only") and not any(failed)
