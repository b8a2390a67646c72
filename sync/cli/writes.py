"""The commands that plan and write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sync.cli.options import (
    SETTINGS,
    AsOf,
    ChangedBefore,
    ChangedSince,
    ConnectionName,
    Machine,
    MaxChanges,
    Only,
    Owners,
    Sample,
    SettingsFile,
    Where,
    app,
    leave,
    selected,
    talking,
)


@app.command(
    epilog="Example: foretag plan -o friday.plan --sample 50"
    "   ·   foretag plan --where 'tier == \"A\"' --only next_step"
    "   ·   foretag plan --rules new.yaml --html new.html"
)
def plan(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Keep the plan in this file: .csv, .xlsx, or Parquet."),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Show what these rules would do to the book, beside the present ones.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="With --rules: draw it on one page, in this file.")
    ] = None,
    only: Only = None,
    where: Where = None,
    owner: Owners = None,
    changed_since: ChangedSince = None,
    changed_before: ChangedBefore = None,
    sample: Sample = None,
    as_of: AsOf = None,
    machine: Machine = False,
) -> None:
    """Show what a run would change; write nothing.

    For chosen records alone with --where, --owner, --changed-since, --changed-before and --sample, for chosen fields
    with --only; scores and tiers are those of the whole book all the same.

    With --rules: who would move to another tier or segment under other rules, and why, before they are put to use.
    """
    from sync.commands.plans import compare
    from sync.commands.plans import plan as run_plan

    if rules is None and html is not None:
        raise typer.BadParameter("only with --rules", param_hint="--html")
    if rules is not None and output is not None:
        raise typer.BadParameter("not with --rules: put the rules to use first", param_hint="--output")
    with talking(machine) as talk:
        chosen = selected(only, where, owner, changed_since, changed_before, sample)
        if rules is not None:
            if as_of is not None or not chosen.whole:
                raise typer.BadParameter(
                    "not with --only, --where, --as-of and the like", param_hint="--rules"
                )
            leave(compare(talk, settings, connection, rules, html))
        leave(run_plan(talk, settings, connection, output, chosen, as_of and as_of.date()))


@app.command(epilog="Example: foretag apply friday.plan --max-changes 2000")
def apply(
    file: Annotated[Path, typer.Argument(help="A plan file.")],
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    max_changes: MaxChanges = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    machine: Machine = False,
) -> None:
    """Do exactly what a plan file says.

    Records that changed since the plan was made are left alone and listed as stale. Shows what the file says and
    asks. The first plan of the whole book ends a connection's preview: from then on `run` writes.
    """
    from sync.commands.plans import apply as run_apply

    with talking(machine) as talk:
        leave(run_apply(talk, settings, connection, file, max_changes=max_changes, yes=yes))


@app.command(epilog="Example: foretag run --json   ·   foretag run --full   ·   foretag run --only-tasks")
def run(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    max_changes: MaxChanges = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Read every record anew, not just what changed: formulas change without a stamp."
        ),
    ] = False,
    only_tasks: Annotated[
        bool, typer.Option("--only-tasks", help="Make and change tasks; write no field.")
    ] = False,
    without_tasks: Annotated[
        bool, typer.Option("--without-tasks", help="Write fields; leave tasks alone.")
    ] = False,
    zone: Annotated[
        str,
        typer.Option(
            metavar="ZONE",
            help="With --only-tasks: only those of owners in this time zone, as Europe/Stockholm.",
        ),
    ] = "",
    machine: Machine = False,
) -> None:
    """Plan and apply once: for a scheduler.

    Writes nothing while the connection is in preview. Scores are those of the whole book, whatever was read or is
    written.
    """
    from sync.commands.plans import run as run_once
    from sync.errand import Errand

    if only_tasks and (without_tasks or full):
        raise typer.BadParameter("not with --full, nor --without-tasks", param_hint="--only-tasks")
    if zone and not only_tasks:
        raise typer.BadParameter("only with --only-tasks", param_hint="--zone")
    with talking(machine) as talk:
        errand = Errand(full=full, only_tasks=only_tasks, without_tasks=without_tasks, zone=zone)
        leave(run_once(talk, settings, connection, max_changes, errand))


@app.command(epilog="Example: foretag reconcile    Once a week is enough.")
def reconcile(
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    machine: Machine = False,
) -> None:
    """Compare the local copy with the CRM, and mend it.

    Ids and times of change of all records are compared: what a run has missed, for whatever reason, is read now, and
    what is gone is taken out. Differences are listed by `foretag runs`. Nothing is written to the CRM; the next run
    scores with it.
    """
    from sync.commands.reconciling import reconcile as run_reconcile

    with talking(machine) as talk:
        leave(run_reconcile(talk, settings, connection))


@app.command(
    epilog="Example: foretag backfill --where 'tier == \"A\"' --rate 25% --window 22:00-06:00   ·   "
    "foretag backfill --resume"
)
def backfill(
    run_id: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="With --resume: which backfill.  [default: the latest]"),
    ] = None,
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    only: Only = None,
    where: Where = None,
    owner: Owners = None,
    changed_since: ChangedSince = None,
    changed_before: ChangedBefore = None,
    sample: Sample = None,
    as_of: AsOf = None,
    rate: Annotated[
        str,
        typer.Option(help="Records (200/s, 600/min), or a share of the API calls that are left (25%)."),
    ] = "",
    window: Annotated[
        str,
        typer.Option(metavar="HH:MM-HH:MM", help="Write within these hours of the org's time zone alone."),
    ] = "",
    max_changes: MaxChanges = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the quote; write nothing.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Take up one that was stopped, where it stopped.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    machine: Machine = False,
) -> None:
    """Bring chosen records up to the scores once, at a pace.

    Begins with a quote: records, those that hold it all already, API calls, minutes, share of the day's allowance.
    Your yes to it stands for --max-changes; with --yes the limits of the settings hold. It leaves the reserve to other
    integrations. Where it must stop, for the allowance, the window, a signal or a crash, it ends with 75 (or
    dies), and `--resume` does the rest of the same plan; records that changed meanwhile are skipped and listed.
    """
    from sync.commands.backfills import begin
    from sync.commands.backfills import resume as take_up
    from sync.runs.backfill import Terms

    with talking(machine) as talk:
        chosen = selected(only, where, owner, changed_since, changed_before, sample)
        terms = Terms.of(rate, window, max_changes)
        if resume:
            if as_of is not None or not chosen.whole or dry_run:
                raise typer.BadParameter("not with a choice of records, nor --dry-run", param_hint="--resume")
            leave(take_up(talk, settings, connection, run_id, terms, yes=yes))
        if run_id is not None:
            raise typer.BadParameter("only with --resume", param_hint="RUN")
        leave(
            begin(
                talk,
                settings,
                connection,
                chosen,
                terms,
                as_of=as_of and as_of.date(),
                max_changes=max_changes,
                dry_run=dry_run,
                yes=yes,
            )
        )


@app.command(
    epilog="Example: foretag undo 20261122-051527-1 --dry-run   ·   foretag undo 20261122-051527-1 --only tier"
)
def undo(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run, as `foretag runs` lists it.")],
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    only: Only = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would go back; write nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take it back without asking.")] = False,
    machine: Machine = False,
) -> None:
    """Take back what a run wrote.

    Old values go back where the CRM still holds the run's; what a person or a later run has changed since is left and
    listed. Tasks that the run made are deleted if nobody touched them. Runs then leave these fields alone until
    the rules change or `foretag resume`. An undo is a run, and can be undone. What the CRM's own automation did with
    our values it cannot take back. Works while paused.
    """
    from sync.commands.undo import undo as run_undo

    with talking(machine) as talk:
        leave(run_undo(talk, settings, connection, run_id, selected(only), dry_run=dry_run, yes=yes))


@app.command(epilog="Example: foretag retry 20261122-051527-1")
def retry(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run; `foretag runs` lists them.")],
    settings: SettingsFile = SETTINGS,
    connection: ConnectionName = None,
    max_changes: MaxChanges = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    machine: Machine = False,
) -> None:
    """Send again what was refused, once the cause is fixed.

    What the CRM refused is set aside until the record, or what is wanted of it, changes; this lifts that for the
    records and tasks of one run. Values are those of now.
    """
    from sync.commands.retries import retry as retry_run

    with talking(machine) as talk:
        leave(retry_run(talk, settings, connection, run, max_changes=max_changes, yes=yes))
