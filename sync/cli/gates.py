"""The commands by which an admin opens and shuts the way to the CRM."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.cli.options import SETTINGS, ConnectionName, Machine, SettingsFile, app, leave, talking

By = Annotated[
    str | None, typer.Option("--by", help="Who says so, for the history; default: this machine's user.")
]


@app.command(epilog='Example: foretag pause "new territories on Monday"')
def pause(
    reason: Annotated[str, typer.Argument(metavar="[REASON]", help="Why, for the history.")] = "",
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    by: By = None,
    machine: Machine = False,
) -> None:
    """Write nothing to the CRM until `foretag resume`.

    A run that is under way stops before it sends its next portion. Works while the CRM does not answer. `foretag undo`
    still works.
    """
    from sync.commands.gates import pause as run_pause

    with talking(machine) as talk:
        leave(run_pause(talk, settings, connection, reason, by))


@app.command(epilog="Example: foretag resume")
def resume(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    machine: Machine = False,
) -> None:
    """Write again after a pause, and what an undo took back.

    Says what else still keeps the connection from writing, if anything does.
    """
    from sync.commands.gates import resume as run_resume

    with talking(machine) as talk:
        leave(run_resume(talk, settings, connection))


@app.command(epilog="Example: foretag approve --by ann@example.com")
def approve(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    by: By = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Approve without asking.")] = False,
    machine: Machine = False,
) -> None:
    """Let changed rules be used, after a look at who would move.

    Once a connection is live, changed rules write nothing (exit code 75) until somebody approves them; who did is in
    the history. `approval: none` in the settings turns this off.
    """
    from sync.commands.gates import approve as run_approve

    with talking(machine) as talk:
        leave(run_approve(talk, settings, connection, by, yes=yes))


@app.command(epilog="Example: foretag forget 001000000000001AAA")
def forget(
    record: Annotated[
        str, typer.Argument(metavar="ID", help="Id of an account (company) or opportunity (deal).")
    ],
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    kind: Annotated[
        str | None, typer.Option("--object", help="What it is, where two records have the same id.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Erase without asking.")] = False,
    machine: Machine = False,
) -> None:
    """Erase a record from everything that Foretag keeps.

    With all that hangs on it; it does not come back.

    From the local copy, scores, old values, history and kept backfills, older files included. The CRM is left as it
    is: what was written there stays. Plan files of your own, and backups, are yours to erase.
    """
    from sync.commands.forgetting import forget as forget_record

    with talking(machine) as talk:
        leave(forget_record(talk, settings, connection, record, kind, yes=yes))
