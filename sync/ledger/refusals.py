"""Why the database did not do what it was asked, as the one error that says whose matter it is: the admin's, or time's.

The text of a failure to connect is all there is of it; once a line stands, the server's own codes tell.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import event

from config.problems import ConfigProblem, Problem
from sync.ledger.away import HistoryAway

if TYPE_CHECKING:
    from sqlalchemy.engine import ExceptionContext

# Words of a failure to connect → what to do. Where the server speaks another language, it counts as away.
TO_FIX = (
    ("pg_hba.conf", "let this machine and user in, in the server's pg_hba.conf"),
    ("password authentication failed", "check the user in `history.url` and what lies in `history.password`"),
    ("no password supplied", "say in `history.password` where the password lies"),
    ('role "', "make the user: CREATE ROLE ... LOGIN; or name another one in `history.url`"),
    ('database "', "make it: CREATE DATABASE ... OWNER the user of `history.url`; or name another one"),
    ("certificate", "give the authority that signed the server's certificate: ?sslrootcert=PATH"),
    ("does not support SSL", "turn TLS on in the server (ssl = on)"),
    ("Peer authentication failed", "sign in by password: name a host in `history.url`"),
)
# For a user or a database; it names them as one does that is not there, and passes.
_NO_LINE_FREE = "too many connections"
# Before what is wrong, libpq names host and port, which are in the address.
_PLACE = re.compile(r"^(connection failed: )?(connection to server .+ failed: )?(FATAL: +)?")
# SQLSTATE → what to do.
CODES_TO_FIX = {
    "42501": "give the user of `history.url` the right to make tables in its schema and to use them",
    "3F000": "make the schema that the user's search_path names",
    "28P01": TO_FIX[1][1],
}
# What asking the history comes to while it cannot be used: whoever can wait asks again, whatever the reason.
NOT_NOW = (HistoryAway, ConfigProblem, sa.exc.SQLAlchemyError)
# Classes and codes of what passes: lines cut, no memory, disk or line left, shutting down, waiting too long.
PASSING = ("08", "53", "57P", "57014", "55P03", "25P03", "25006", "40001", "40P01", "58")


def tell_failures(engine: sa.Engine) -> None:
    """Raise what the database cannot do now as `HistoryAway`, and what an admin must put right as `ConfigProblem`."""
    sqlite = engine.dialect.name == "sqlite"
    where = engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=True)

    def tell(context: ExceptionContext) -> Exception | None:
        if context.is_pre_ping or not isinstance(context.sqlalchemy_exception, sa.exc.DBAPIError):
            return None
        if getattr(context.original_exception, "sqlstate", None) == "25006":
            # It became a mere copy of another one: the line leads nowhere any more.
            context.is_disconnect = True
        return _held_up(context, where) if sqlite else _error(context, where)

    event.listen(engine, "handle_error", tell)


def _error(context: ExceptionContext, where: str) -> Exception | None:
    # Late: most histories lie in a file.
    from psycopg import OperationalError  # noqa: PLC0415  # late on purpose

    error = context.original_exception
    code, said = getattr(error, "sqlstate", None), _first_line(error)
    unanswered = code is None and isinstance(error, OperationalError)
    refused = unanswered and _NO_LINE_FREE not in said
    fix = next((fix for words, fix in TO_FIX if refused and words in said), CODES_TO_FIX.get(code or ""))
    if fix is not None:
        return ConfigProblem(Problem(f"the history cannot be opened: {said}", where=where, fix=fix))
    if unanswered or context.is_disconnect or (code or "").startswith(PASSING):
        return HistoryAway(
            f"The history's database ({where}) is away: {said}. Nothing is lost: the next run takes up what is open."
        )
    return None


def _held_up(context: ExceptionContext, where: str) -> Exception | None:
    """A file is never away, but another process may sit on it; what is wrong with it is a matter of its machine."""
    if "database is locked" not in str(context.original_exception):
        return None
    return HistoryAway(f"The history ({where}) is held up by another process. Try again in a minute.")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return _PLACE.sub("", lines[0])
