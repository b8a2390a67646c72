"""The command that stays: the service."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.cli.options import SETTINGS, Machine, SettingsFile, app, leave, talking


@app.command(epilog="Example: foretag worker --settings /etc/foretag/foretag.yaml")
def worker(
    settings: SettingsFile = SETTINGS,
    connections: Annotated[
        list[str] | None,
        typer.Option("--connection", "-c", help="Only this connection; may be repeated. Default: all."),
    ] = None,
    machine: Machine = False,
) -> None:
    """Work by the schedules, until told to stop.

    Begins what is due on each connection, several at once, each run as a process of its own. Several workers may share
    a history in PostgreSQL: each piece of work is done by one of them. SIGTERM: runs finish or park what they are
    sending, and go on at the next start. The settings are read again when their file changes. Says how it is on
    /healthz, /readyz and /metrics.
    """
    from sync.commands.working import work

    with talking(machine) as talk:
        leave(work(talk, settings, tuple(connections or ())))
