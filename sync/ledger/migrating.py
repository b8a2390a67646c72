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


def migrate(db: sa.Connection) -> None:
    """Run the migrations that are due. Raises `ConfigProblem` if a newer version was here."""
    config = Config()
    config.set_main_option("script_location", str(files("sync.ledger") / "migrations"))
    current = MigrationContext.configure(db).get_current_revision()
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise ConfigProblem(
            Problem(
                "the history was written by a newer version of Foretag",
                where=str(db.engine.url),
                fix="use that version, or another state folder",
            )
        )
    config.attributes["connection"] = db
    command.upgrade(config, "head")
