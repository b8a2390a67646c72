"""The database of the history: a file in the state folder, or a PostgreSQL that several machines share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from config.problems import ConfigProblem, Problem
from config.sections.history import VERIFYING, is_local
from sync.ledger.refusals import tell_failures

if TYPE_CHECKING:
    from pathlib import Path

    from config.sections.history import History

# A run writes from a few threads, one after the other; ten workers of two runs each stay far below a server's 100.
POOL = {"pool_size": 2, "max_overflow": 3, "pool_timeout": 30, "pool_recycle": 900, "pool_pre_ping": True}
# A machine that vanished is noticed within half a minute, not after the hours that TCP would wait.
LINE = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "foretag",
    # Encrypted by TLS alone, whose certificates are checked.
    "gssencmode": "disable",
    # Prepared statements do not outlive a transaction where a pooler stands between.
    "prepare_threshold": None,
}
# Every statement is short. One that sleeps in a transaction must not hold up its successor.
PATIENCE = (
    "SET statement_timeout = '60s'; SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'"
)
# As in a file: an intent is on the disk before its effect, however careless the server is otherwise.
CARE = (
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)


def embedded(state: Path) -> sa.Engine:
    """A file in the state folder, which is made (0700) if need be."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    # In a folder that was there before, at least the file is private.
    (state / "history.sqlite").touch(mode=0o600)
    # What is written down may be content: it must not be in an error's words.
    engine = sa.create_engine(f"sqlite:///{state / 'history.sqlite'}", hide_parameters=True)
    tell_failures(engine)
    event.listen(engine, "connect", _pragmas)
    return engine


def shared(history: History) -> sa.Engine:
    """The PostgreSQL that the settings name; nothing is asked of it yet."""
    try:
        url = sa.make_url(history.url).set(drivername="postgresql+psycopg")
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigProblem(
            Problem(
                "no address of a database", where="history.url", fix="postgresql://USER@HOST:5432/DATABASE"
            )
        ) from None
    engine = sa.create_engine(url, connect_args={**LINE, **_tls(url)}, hide_parameters=True, **POOL)
    tell_failures(engine)

    def with_password(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
        # Read for each line anew, so that it can be replaced; the address never holds it.
        if history.password is not None:
            try:
                parameters["password"] = history.password.read().get_secret_value()
            except ValueError as error:
                raise ConfigProblem(Problem(str(error), where="history.password")) from None

    event.listen(engine, "do_connect", with_password)
    event.listen(engine, "connect", _settle_in)
    return engine


def _tls(url: sa.URL) -> dict[str, str]:
    """Beyond this machine the server proves who it is, by the authorities that CRMs are trusted by, or by its own."""
    if is_local(url.host or _first(url.query.get("host")) or os.environ.get("PGHOST", "")):
        return {}
    tls = {"sslmode": VERIFYING[0]}
    if "PGSSLROOTCERT" not in os.environ:
        # Late: most histories lie in a file.
        import certifi  # noqa: PLC0415  # late on purpose

        tls["sslrootcert"] = certifi.where()
    return {name: value for name, value in tls.items() if name not in url.query}


def _first(value: str | tuple[str, ...] | None) -> str:
    return (value or "") if not isinstance(value, tuple) else value[0]


def _settle_in(connection: Any, _record: Any) -> None:
    from sync.ledger.words import WordsDumper  # noqa: PLC0415  # late on purpose: most histories lie in a file

    connection.adapters.register_dumper(str, WordsDumper)
    with connection.cursor() as cursor:
        cursor.execute(f"{PATIENCE}; {CARE}")
    connection.commit()


def _pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # WAL with synchronous=NORMAL may lose the last commits at a power cut; an intent must not be lost.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA busy_timeout = 10000")
    cursor.close()
