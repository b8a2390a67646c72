"""Plan, keep a plan, and do what it says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from config.problems import ConfigProblem
from config.rules import load_rules
from sync.commands.ending import confirm, end, tell_chosen
from sync.pipeline import apply_plan, preview
from sync.pipeline import run as run_pipeline
from sync.store.side_tables import side_tables
from sync.workplace import opened_job
from sync.writing.plan import OBJECTS, Plan
from sync.writing.plan_file import PlanHeader, mismatches, read_plan, write_plan
from sync.writing.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from config.crms import Crm
    from sync.job import Job
    from sync.report import Report
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


def plan(
    talk: Talk, settings: Path, connection: str | None, output: Path | None, selection: Selection = EVERYTHING
) -> int:
    """Show what would change; keep it in a file if asked."""
    with talk.progress() as tell, opened_job(settings, connection, tell) as job:
        talk.banner(job.connector.org(), job.name)
        report, planned = preview(job, selection)
        if output is not None:
            write_plan(output, planned, _header(job, report))
    tell_chosen(talk, report, selection, job.crm)
    _show_plan(talk, planned, job.crm)
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
    with talk.progress() as tell, opened_job(settings, connection, tell, max_changes) as job:
        org = job.connector.org()
        talk.banner(org, job.name)
        differing = mismatches(
            header, connection=job.name, org_id=org.id, rules=job.rules.digest, outputs=job.connection.outputs
        )
        if differing:
            raise ConfigProblem(*differing)
        talk.say(f"Plan of {header.today}: " + job.crm.counted(header.planned))
        if not yes and talk.is_interactive:
            confirm(talk, "Write this?")
        report = apply_plan(job, kept)
    return end(talk, report, job.crm)


def run(talk: Talk, settings: Path, connection: str | None, max_changes: int | None) -> int:
    """One pass of the pipeline."""
    with talk.progress() as tell, opened_job(settings, connection, tell, max_changes) as job:
        talk.banner(job.connector.org(), job.name)
        report = run_pipeline(job)
    if report.mode == "preview":
        talk.say(
            "This connection is in preview: look at `foretag plan -o FILE`, then `foretag apply FILE`.",
            "yellow",
        )
    return end(talk, report, job.crm)


def _header(job: Job, report: Report) -> PlanHeader:
    org = job.connector.org()
    return PlanHeader(
        connection=job.name,
        org_id=org.id,
        org_name=org.name,
        production=org.production,
        rules=job.rules.digest,
        outputs=job.connection.outputs,
        today=report.today,
        run=report.run,
        planned=report.planned,
        book=report.book,
    )


def _show_plan(talk: Talk, planned: Plan, crm: Crm) -> None:
    """Counts by tier move, then the records themselves, most telling first."""
    for name in OBJECTS:
        table = planned.changes[name]
        moves = Counter(_moves(table))
        talk.table(
            f"{crm.nouns[name].many.capitalize()}: {table.num_rows:,} to write",
            ("tier now", "tier then", "count"),
            [(old or "none", new or "none", count) for (old, new), count in sorted(moves.items(), key=str)],
            right=("count",),
        )
        talk.table(
            "",
            ("name", "tier", "score", "why"),
            [
                (row["name"], row["foretag_tier"], row["foretag_score"], row["foretag_reason"])
                for row in table.sort_by([("foretag_tier", "ascending"), ("foretag_score", "descending")])
                .slice(0, 10)
                .to_pylist()
            ],
            right=("score",),
        )
    talk.table(
        f"Tasks: {planned.tasks.num_rows:,} to make",
        ("due", "subject"),
        [(row["due"], row["subject"]) for row in planned.tasks.slice(0, 10).to_pylist()],
    )


def _moves(table: pa.Table) -> list[tuple[str | None, str | None]]:
    return [
        (row["old_foretag_tier"], row["foretag_tier"] if "foretag_tier" not in row["clear"] else None)
        if row["foretag_tier"] is not None or "foretag_tier" in row["clear"]
        else (row["old_foretag_tier"], row["old_foretag_tier"])
        for row in table.select(["foretag_tier", "old_foretag_tier", "clear"]).to_pylist()
    ]
