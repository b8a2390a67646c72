"""What all commands share: the app, common options, and how whatever ends a command becomes words and an exit code."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from config.crms import NAMES
from sync.logs import LEVEL, Level
from sync.stopping import cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.talk import Talk
    from sync.writing.selection import Selection

app = typer.Typer(
    name="foretag",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="A worker beside your CRM: it decides who deserves a rep's time next, and writes the answer where"
    " reps already work.",
    epilog="Exit codes: 0 done · 1 bug · 2 fix your configuration · 3 done with refusals or unknowns"
    " · 4 stopped by a guard, or rule tests failed · 69 CRM unavailable · 75 parked, run again later · 130 Ctrl-C",
)


@app.callback()
def log_level(
    level: Annotated[
        Level | None,
        typer.Option(
            "--log-level", help="Say on stderr what is done: debug, info, warning, error.", envvar=LEVEL
        ),
    ] = None,
) -> None:
    """Applies to all commands."""
    if level is not None:
        os.environ[LEVEL] = level


SettingsFile = Annotated[
    Path, typer.Option("--settings", "-s", help="The settings file.", envvar="FORETAG_SETTINGS")
]
ConnectionName = Annotated[
    str | None, typer.Option("--connection", "-c", help="Which connection, if there are several.")
]
Machine = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, for machines.")]
CrmName = Annotated[str, typer.Option("--crm", help=f"Which CRM: {NAMES}.")]
MaxChanges = Annotated[int | None, typer.Option(min=1, help="Most records that may change, for this once.")]
SETTINGS = Path("foretag.yaml")

# Which records and fields, for plan, backfill and undo; `selected` makes one `Selection` of them.
Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Only this object (account, tasks), field (tier) or field of an object (account.tier); may be repeated.",
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        metavar="CONDITION",
        help="Only records for which a condition of the rules' language holds; accounts bring their opportunities.",
    ),
]
Owners = Annotated[
    list[str] | None,
    typer.Option("--owner", metavar="NAME", help="Only this owner's: a name or an id; may be repeated."),
]
Sample = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Only N of the records that would change, from every kind of change."
    ),
]
ChangedSince = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"], metavar="DAY", help="Only records last changed in the CRM on this day or later."
    ),
]
ChangedBefore = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"], metavar="DAY", help="Only records last changed in the CRM before this day."
    ),
]

AsOf = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        metavar="DAY",
        help="By the scores of a past day, from the CRM's own history; without tasks.",
    ),
]


def selected(
    only: list[str] | None = None,
    where: str | None = None,
    owners: list[str] | None = None,
    changed_since: datetime | None = None,
    changed_before: datetime | None = None,
    sample: int | None = None,
) -> Selection:
    """What these options choose. Raises `ConfigProblem`: call it within `talking`."""
    from sync.writing.selection import choose

    return choose(
        only=tuple(only or ()),
        where=where,
        owners=tuple(owners or ()),
        changed_since=changed_since and changed_since.date(),
        changed_before=changed_before and changed_before.date(),
        sample=sample,
    )


def leave(code: int) -> NoReturn:
    """End the command with this exit code."""
    raise typer.Exit(code)


@contextmanager
def talking(machine: bool) -> Iterator[Talk]:
    """Turns whatever ends a command into a clear message and the right exit code."""
    from sync.talk import Talk

    talk = Talk(machine=machine)
    try:
        yield talk
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError, SystemExit):
        # A reader that has seen enough, as `| head`, is no error; typer and rich end quietly.
        raise
    except BaseException as error:
        from sync.commands.ending import explain_error

        raise typer.Exit(explain_error(talk, cause(error))) from error
