"""The command that stays: the service."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from sync.cli.options import SETTINGS, ConnectionName, Machine, SettingsFile, app, leave, talking


@app.command(epilog="Example: foretag worker --settings /etc/foretag/foretag.yaml")
def worker(
    settings: SettingsFile = SETTINGS,
    connections: Annotated[
        list[str] | None,
        typer.Option("--connection", "-c", help="Only this connection; may be repeated. Default: all."),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Say there how it is; default `service.listen` of the settings."
        ),
    ] = None,
    machine: Machine = False,
) -> None:
    """Work by the schedules, until told to stop.

    Begins what is due on each connection, several at once, each run as a process of its own. Several workers may share
    a history in PostgreSQL: each piece of work is done by one of them. SIGTERM: runs finish or park what they are
    sending, and go on at the next start. The settings are read again when their file changes. Says how it is on
    /healthz, /readyz and /metrics.
    """
    import signal

    # A reload that is asked for while we load is no reason to end: what we load is new.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from sync.commands.working import work

    with talking(machine) as talk:
        leave(work(talk, settings, tuple(connections or ()), listen))


@app.command(epilog='Example: foretag schedule --next 5    Example: foretag schedule --at "2026-12-24 08:00"')
def schedule(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"],
            metavar="MOMENT",
            help="From this moment on, by each connection's clock. Default: now.",
        ),
    ] = None,
    count: Annotated[
        int, typer.Option("--next", min=1, max=1000, metavar="N", help="So many times of each job.")
    ] = 3,
    machine: Machine = False,
) -> None:
    """List what is due when, and what became of it last.

    For each connection and job: its times, by which clock, the last time with its end, and the next ones as a worker
    would begin them, blackouts and spread counted. Needs no CRM and no worker.
    """
    from sync.commands.schedule import show_schedule

    with talking(machine) as talk:
        leave(show_schedule(talk, settings, connection, at, count))
