"""The commands that show what is known: scores, the book, the history."""

from __future__ import annotations

from typing import Annotated

import typer

from sync.cli.options import SETTINGS, ConnectionName, Machine, SettingsFile, app, leave, talking


@app.command(epilog='Example: foretag explain "Acme Corporation"')
def explain(
    record: Annotated[
        str, typer.Argument(help="Name or id of an account (company), or id of an opportunity (deal).")
    ],
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    machine: Machine = False,
) -> None:
    """Show why a record has its score, point by point.

    As of the last `plan` or `run`.
    """
    from sync.commands.views import explain as run_explain

    with talking(machine) as talk:
        leave(run_explain(talk, settings, connection, record))


@app.command(epilog='Example: foretag book --owner "Ann Example"')
def book(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    owner: Annotated[str | None, typer.Option(help="Only this owner's book: a name or an id.")] = None,
    machine: Machine = False,
) -> None:
    """Show the book: who matters, and who looks after whom.

    Who spends most, most often, could grow; what hangs on whom. As of the last `plan` or `run`. Quotas, territories
    and capacities come from the CRM or from files beside the rules.
    """
    from sync.commands.views import book as show_book

    with talking(machine) as talk:
        leave(show_book(talk, settings, connection, owner))


@app.command(epilog="Example: foretag overrides --json")
def overrides(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    machine: Machine = False,
) -> None:
    """List what people decided against the scores.

    Overrides, and values of ours that they changed: how many, on which records, until when, and how often and how far
    the score would have it otherwise. Owners are named only where the settings say `people: names`. As of the last
    `plan` or `run`.
    """
    from sync.commands.overrides import show_overrides

    with talking(machine) as talk:
        leave(show_overrides(talk, settings, connection))


@app.command(epilog="Example: foretag runs 20261122-051527-1")
def runs(
    run_id: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Show this run and all it did not do.")
    ] = None,
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    machine: Machine = False,
) -> None:
    """List the latest runs, or tell all about one.

    With RUN: counts, refusals with reasons, what was sent and not confirmed.
    """
    from sync.history import runs as list_runs

    with talking(machine) as talk:
        leave(list_runs(talk, settings, connection, run_id))
