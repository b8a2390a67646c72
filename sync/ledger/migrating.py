"""Bring a ledger's tables up to this version's, whatever version wrote them."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    import sqlalchemy as sa


# Known to every version that migrates: of those that start at once, one does it and the others wait.
_LOCK = 4_670_726_574  # any number, of nobody else's


def migrate(db: sa.Connection) -> None:
    """Run the migrations that are due, all or none. Raises `ConfigProblem` if a newer version was here."""
    if db.dialect.name == "sqlite":
        # Python's driver begins at the first row that is written, and lets tables be made before.
        db.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        db.exec_driver_sql("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
        db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    config = Config()
    config.set_main_option("script_location", str(files("sync.ledger") / "migrations"))
    current = MigrationContext.configure(db).get_current_revision()
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise ConfigProblem(
            Problem(
                "the history was written by a newer version of Foretag",
                where=db.engine.url.set(drivername=db.dialect.name).render_as_string(),
                fix="use that version, or another history",
            )
        )
    config.attributes["connection"] = db
    command.upgrade(config, "head")
