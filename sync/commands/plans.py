"""Plan, keep a plan, and do what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.problems import ConfigProblem, Problem
from config.rules import load_rules
from sync.commands.ending import confirm, end, tell_chosen
from sync.commands.past import tell_past
from sync.commands.plan_tables import show_plan
from sync.errand import USUAL, Errand
from sync.pipeline import apply_plan, preview
from sync.pipeline import run as run_pipeline
from sync.store.side_tables import side_tables
from sync.workplace import opened_job
from sync.writing.plan_file import PlanHeader, check_target, mismatches, read_plan, write_plan
from sync.writing.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sync.talk import Talk


def compare(talk: Talk, settings: Path, connection: str | None, rules: Path, page: Path | None) -> int:
    """Show what other rules would do to the whole book; draw it on a page if asked."""
    # Late: only this command needs pandas, and plotly if it draws.
    from sync.trial.tables import show  # noqa: PLC0415  # late on purpose
    from sync.trial.trying import try_rules  # noqa: PLC0415  # late on purpose

    other = load_rules(rules)
    with talk.progress() as tell, opened_job(settings, connection, tell) as job:
        talk.banner(job.connector.org(), job.name)
        report, found = try_rules(job, other)
        note = "" if job.tasks_on else "Tasks are off (`tasks:` in the settings): counted as if they were on."
        if page is not None:
            from sync.trial.page import write_page  # noqa: PLC0415  # late on purpose

            told = {"org": report.org, "old_rules": job.connection.rules.name, "new_rules": rules.name}
            write_page(page, found, other, job.crm, note=note, **told)
        show(talk, found, job.crm)
        talk.problems(side_tables(other, job.mirror).problems)
        if note:
            talk.say(note)
    talk.result(vars(report) | {"comparison": found.as_dict(), "page": None if page is None else str(page)})
    talk.say(report.last_line)
    if page is not None:
        talk.say(f"Drawn in {page}: open it in a browser. It names companies and owners: share it with care.")
    return report.exit_code


def plan(  # the options of the command
    talk: Talk,
    settings: Path,
    connection: str | None,
    output: Path | None,
    selection: Selection = EVERYTHING,
    as_of: date | None = None,
) -> int:
    """Show what would change, or would have on a past day; keep it in a file if asked."""
    if output is not None:
        check_target(output)
    with talk.progress() as tell, opened_job(settings, connection, tell) as job:
        talk.banner(job.connector.org(), job.name)
        report, planned = preview(job, selection, as_of, to_keep=output is not None)
        if output is not None:
            write_plan(output, planned, PlanHeader.of(job, report, planned, selection))
    tell_past(talk, report, job)
    tell_chosen(talk, report, selection, job.crm)
    show_plan(talk, planned, job.crm)
    talk.problems(side_tables(job.rules, job.mirror).problems)
    talk.result(vars(report) | {"file": None if output is None else str(output)})
    talk.say(report.last_line)
    if output is not None:
        talk.say(f"Kept in {output}. To do exactly this: foretag apply {output}")
    return report.exit_code


def apply(
    talk: Talk, settings: Path, connection: str | None, file: Path, *, max_changes: int | None, yes: bool
) -> int:
    """Do what a plan file says, if it was made for this org and these rules."""
    header, kept = read_plan(file)
    connection = connection or header.connection
    with talk.progress() as tell, opened_job(settings, connection, tell, max_changes) as job:
        org = job.connector.org()
        talk.banner(org, job.name)
        differing = mismatches(
            header, connection=job.name, org_id=org.id, rules=job.rules.digest, outputs=job.connection.outputs
        )
        if differing:
            raise ConfigProblem(*differing)
        for line in header.summary:
            talk.say(line)
        if not yes:
            question = "Write this to PRODUCTION?" if org.production else "Write this?"
            confirm(talk, question, production=org.production)
        report = apply_plan(job, kept, whole=not header.selection)
    return end(talk, report, job.crm)


def run(
    talk: Talk, settings: Path, connection: str | None, max_changes: int | None, errand: Errand = USUAL
) -> int:
    """One pass of the pipeline, or what a scheduler asks for of it."""
    with talk.progress() as tell, opened_job(settings, connection, tell, max_changes, errand) as job:
        talk.banner(job.connector.org(), job.name)
        if errand.only_tasks and not job.tasks_on:
            raise ConfigProblem(
                Problem(
                    "tasks are off", where=job.name, fix="set `tasks: true` in the settings, or let them be"
                )
            )
        report = run_pipeline(job)
    if report.mode == "preview":
        talk.say(
            "This connection is in preview: look at `foretag plan -o FILE`, then `foretag apply FILE`.",
            "yellow",
        )
    return end(talk, report, job.crm)
