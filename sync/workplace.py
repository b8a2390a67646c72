"""Open what a command works with: settings, rules, connector, history and local copy of one connection."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Any

from config.problems import ConfigProblem, Problem
from config.rules import load_rules
from config.sections.secret import Secret
from config.settings import AccessToken, ClientCredentials
from sync.errand import USUAL, Errand
from sync.heartbeat import Heartbeat
from sync.logs import bound, configure
from sync.opening import now, opened_ledger
from sync.store.damage import damage_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from config.rules import Rules
    from config.settings import Auth, Connection, Settings
    from connectors.contract import Connector
    from sync.job import Job
    from sync.ledger import Ledger
    from sync.talk import Tell

    Sleep = Callable[[float], None]


def chosen(settings: Settings, name: str | None, path: Path) -> tuple[str, Connection]:
    """The named connection, or the only one."""
    names = ", ".join(settings.connections)
    if name is None:
        if len(settings.connections) == 1:
            return next(iter(settings.connections.items()))
        raise ConfigProblem(
            Problem(
                f"there are several connections ({names})",
                where=str(path),
                fix="choose one with --connection",
            )
        )
    if name not in settings.connections:
        raise ConfigProblem(
            Problem(f'there is no connection "{name}"', where=str(path), fix=f"there are: {names}")
        )
    return name, settings.connections[name]


def connection_of(path: Path, run: str) -> str | None:
    """The connection whose run this was; None: the history does not know it."""
    with opened_ledger(path) as (_, ledger):
        row = ledger.run(run)
    return None if row is None else str(row["connection"])


def connect(name: str, connection: Connection, rules: Rules, ledger: Ledger) -> Connector:
    """The connector of a connection, signed in at its first call."""
    return _connect(name, connection, rules, ledger)


def connect_admin(name: str, connection: Connection, rules: Rules, ledger: Ledger, auth: Auth) -> Connector:
    """The same with an admin's credentials, to set up the user that the worker signs in as."""
    worker = connect(name, connection, rules, ledger).username
    return _connect(name, connection.model_copy(update={"auth": auth}), rules, ledger, worker=worker)


def _connect(
    name: str,
    connection: Connection,
    rules: Rules,
    ledger: Ledger,
    *,
    worker: str = "",
    sleep: Sleep = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    before_send: Callable[[], None] = lambda: None,
) -> Connector:
    configure()
    # A CRM's package goes by its name in the settings; only the chosen one's SDK is imported, they take long.
    crm: Any = import_module(f"connectors.{connection.crm}")
    connector: Connector = crm.connect(
        name,
        connection,
        rules.mapping(connection.crm),
        tokens=ledger.tokens,
        clock=now,
        sleep=sleep,
        monotonic=monotonic,
        rng=Random(),  # noqa: S311  # jitter, not secrets
        worker=worker,
        before_send=before_send,
    )
    return connector


_ADMIN_CREDENTIALS = {
    "salesforce": "set FORETAG_ADMIN_TOKEN, or FORETAG_ADMIN_CLIENT_ID and FORETAG_ADMIN_CLIENT_SECRET",
    "hubspot": "set FORETAG_ADMIN_TOKEN to a service key that may also write property definitions",
}


def admin_auth(connection: Connection) -> Auth:
    """The one-time admin credentials of the environment. Raises `ConfigProblem` if there are none."""
    if os.environ.get("FORETAG_ADMIN_TOKEN"):
        return AccessToken(grant="access_token", token=Secret(env="FORETAG_ADMIN_TOKEN"))  # a name
    if connection.crm == "salesforce" and os.environ.get("FORETAG_ADMIN_CLIENT_ID"):
        return ClientCredentials(
            client_id=Secret(env="FORETAG_ADMIN_CLIENT_ID"),
            client_secret=Secret(env="FORETAG_ADMIN_CLIENT_SECRET"),
        )
    raise ConfigProblem(
        Problem(
            "an admin's credentials are needed, for this once",
            fix=f"{_ADMIN_CREDENTIALS[connection.crm]};"
            " or let an admin make by hand what `foretag setup --print DIR` writes",
        )
    )


@contextmanager
def opened_job(
    path: Path,
    name: str | None,
    tell: Tell,
    max_changes: int | None = None,
    errand: Errand = USUAL,
    *,
    sleep: Sleep = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Job]:
    """Everything that one run of a connection works with; problems of both files come at once.

    `sleep` waits some seconds of the clock that `monotonic` reads.
    """
    # Late: the history alone needs no tables, and opens in a third of the time.
    from sync.engine import opened_engine  # noqa: PLC0415  # late on purpose
    from sync.job import Job  # noqa: PLC0415  # late on purpose
    from sync.store.form import require_known  # noqa: PLC0415  # late on purpose
    from sync.store.mirror import Mirror  # noqa: PLC0415  # late on purpose
    from sync.store.place import Place  # noqa: PLC0415  # late on purpose
    from sync.store.tags import TagStore  # noqa: PLC0415  # late on purpose

    with opened_ledger(path) as (settings, ledger), opened_engine(settings.engine) as engine:
        name, connection = chosen(settings, name, path)
        rules = load_rules(connection.rules)
        scratch = settings.state / name
        scratch.mkdir(mode=0o700, exist_ok=True)
        place = replace(
            Place.of_connection(settings.storage, settings.state, name), fence=ledger.fence.require
        )
        with damage_told(place):
            require_known(place)
        heartbeat = Heartbeat(ledger, now)
        job = Job(
            name=name,
            connection=connection,
            rules=rules,
            connector=_connect(
                name, connection, rules, ledger, sleep=sleep, monotonic=monotonic, before_send=heartbeat
            ),
            ledger=ledger,
            heartbeat=heartbeat,
            mirror=Mirror(place / "mirror"),
            tags=TagStore(place / "tags"),
            place=place,
            scratch=scratch,
            tell=tell,
            max_changes=max_changes,
            errand=errand,
            engine=engine,
            sleep=sleep,
            monotonic=monotonic,
        )
        with bound(connection=name), damage_told(place):
            yield job
