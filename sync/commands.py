"""What each command does, between the command line's options and the pipeline; each returns its exit code."""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from config.crms import CRMS
from config.problems import ConfigProblem, Problem, has_errors, raise_if_any
from config.rules import load_rules
from connectors.contract import ConnectorError
from sync.checking import all_problems
from sync.crm_check import crm_problems
from sync.exits import BUG, DONE, FIX_CONFIGURATION, Guarded, exit_code
from sync.explain import explain_record
from sync.pipeline import Report, apply_plan, preview
from sync.pipeline import run as run_pipeline
from sync.plan import OBJECTS, Plan
from sync.plan_file import PlanHeader, mismatches, read_plan, write_plan
from sync.rule_lines import RuleLines
from sync.side_tables import side_tables
from sync.stopping import LeaseLost, Parked
from sync.talk import quiet
from sync.waterfall import draw
from sync.workplace import admin_auth, chosen, connect, connect_admin, opened_job, opened_ledger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from config.crms import Crm
    from sync.pipeline import Job
    from sync.talk import Talk


def check(talk: Talk, settings: Path, connection: str | None) -> int:
    """Both files, the connection, permissions and fields: every problem at once."""
    in_files = all_problems(settings)
    raise_if_any(in_files)
    with opened_job(settings, connection, quiet) as job:
        talk.banner(job.connector.org(), job.name)
        written = {name: [field.name for field in job.written(name)] for name in OBJECTS}
        problems = [*in_files, *job.connector.check(job.columns(), written)]
        if not has_errors(problems):
            problems += crm_problems(job)
        budget = job.connector.budget()
        talk.result(
            {
                "problems": [problem.as_dict() for problem in problems],
                "org": job.connector.org().name,
                "api_calls_used": budget.used,
                "api_calls_limit": budget.limit,
            }
        )
        talk.problems(problems)
        if has_errors(problems):
            return FIX_CONFIGURATION
        words = "No errors" if problems else "All is well"
        talk.say(f"{words}: files, sign-in, permissions, {job.crm.field.many}.", "green")
        return DONE


def setup(talk: Talk, settings: Path, connection: str | None, *, yes: bool, print_to: Path | None) -> int:
    """Make what is missing in the CRM, or print it for an admin to make by hand."""
    with opened_ledger(settings) as (loaded, ledger):
        name, chosen_connection = chosen(loaded, connection, settings)
        rules = load_rules(chosen_connection.rules)
        outputs = chosen_connection.outputs
        if print_to is not None:
            connector = connect(name, chosen_connection, rules, ledger)
            return _print_setup(talk, connector.setup_files(outputs, rules.needed_objects), print_to)
        admin = connect_admin(name, chosen_connection, rules, ledger, admin_auth(chosen_connection))
        talk.banner(admin.org(), name)
        missing = admin.missing(outputs, rules.needed_objects)
        talk.table(
            "To be made",
            ("what", "name", "detail"),
            [(step.kind, step.name, step.detail) for step in missing],
        )
        if not missing:
            talk.say("Nothing is missing.", "green")
        elif not yes:
            _confirm(talk, "Make this?" if len(missing) == 1 else f"Make these {len(missing)}?")
        made = admin.ensure_fields(missing) if missing else []
        talk.result({"made": [asdict(step) for step in made], "org": admin.org().name})
        if made:
            talk.say(f"Made {len(made)} of {len(missing)}.", "green")
            talk.say(f"Next: {CRMS[chosen_connection.crm].showing}; `foretag check`; `foretag plan`.")
        return DONE


def compare(talk: Talk, settings: Path, connection: str | None, rules: Path, page: Path | None) -> int:
    """Show what other rules would do to the whole book; draw it on a page if asked."""
    # Late: only this command needs pandas, and plotly if it draws.
    from sync.trial import try_rules  # noqa: PLC0415  # late on purpose
    from sync.trial_tables import show  # noqa: PLC0415  # late on purpose

    other = load_rules(rules)
    with talk.progress() as tell, opened_job(settings, connection, tell) as job:
        talk.banner(job.connector.org(), job.name)
        report, found = try_rules(job, other)
        note = "" if job.tasks_on else "Tasks are off (`tasks:` in the settings): counted as if they were on."
        if page is not None:
            from sync.trial_page import write_page  # noqa: PLC0415  # late on purpose

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


def plan(talk: Talk, settings: Path, connection: str | None, output: Path | None) -> int:
    """Show what would change; keep it in a file if asked."""
    with talk.progress() as tell, opened_job(settings, connection, tell) as job:
        talk.banner(job.connector.org(), job.name)
        report, planned = preview(job)
        if output is not None:
            write_plan(output, planned, _header(job, report))
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
            _confirm(talk, "Write this?")
        report = apply_plan(job, kept)
    return _end(talk, report, job.crm)


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
    return _end(talk, report, job.crm)


def explain(talk: Talk, settings: Path, connection: str | None, record: str) -> int:
    """Where every point of a record's score came from, as of the last run."""
    with opened_job(settings, connection, quiet) as job:
        lines = RuleLines.read(job.connection.rules)
        explained = explain_record(job.mirror, job.tags, job.rules, lines, job.crm, record)
        talk.result(explained.as_dict())
        draw(explained, talk)
    return DONE


def book(talk: Talk, settings: Path, connection: str | None, owner: str | None) -> int:
    """The book as of the last run: who matters, what hangs on whom, who looks after whom."""
    # Late: only this command and comparisons need pandas.
    from sync.book_tables import MOST, show  # noqa: PLC0415  # late on purpose
    from sync.book_view import view_book  # noqa: PLC0415  # late on purpose

    with opened_job(settings, connection, quiet) as job:
        day = job.tags.day()
        if day is None:
            raise ConfigProblem(Problem("nothing was scored yet", fix="run `foretag plan` first"))
        view = view_book(job.mirror, job.tags, job.rules, day).of(owner)
        talk.result({"as_of": str(day)} | view.as_dict(MOST))
        show(talk, view, job.crm)
        talk.say(f"As of {day}, from the local copy; `foretag plan` brings it up to date.")
    return DONE


def explain_error(talk: Talk, error: BaseException) -> int:
    """Say what ended a command: what, where, what to do; the traceback only for our own bugs."""
    code = exit_code(error)
    problems = error.problems if isinstance(error, ConfigProblem) else ()
    talk.problems(problems)
    if isinstance(error, ConnectorError | Guarded | Parked | LeaseLost):
        talk.say(str(error), "red")
    elif isinstance(error, KeyboardInterrupt):
        talk.say("Interrupted; what was sent is recorded, the next run takes up what is open.", "yellow")
    elif code == BUG:
        talk.say(
            "This is a bug in Foretag, please report it (the last line may show a record's values: look first):",
            "red",
        )
        talk.say("".join(traceback.format_exception(error)))
    talk.result(
        {
            "error": type(error).__name__,
            # A library's words may show content, and what machines read is kept.
            "message": "a bug in Foretag" if code == BUG else str(error),
            "problems": [one.as_dict() for one in problems],
            "exit_code": code,
        }
    )
    return code


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


def _print_setup(talk: Talk, files: Mapping[str, str], folder: Path) -> int:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    talk.result({"files": sorted(files)})
    talk.say(f"Wrote {len(files)} files to {folder}; README.md there says how to make them.", "green")
    return DONE


def _confirm(talk: Talk, question: str) -> None:
    if not talk.is_interactive:
        raise ConfigProblem(Problem("nobody is there to answer", fix="repeat with --yes"))
    if not typer.confirm(question, err=True):
        raise Guarded("not confirmed: nothing was written")


def _end(talk: Talk, report: Report, crm: Crm) -> int:
    talk.result(vars(report))
    talk.table(
        "",
        ("", "planned", "written", "refused", "not confirmed"),
        [
            (
                noun.many,
                report.planned.get(name, 0),
                report.done.get(name, 0),
                report.refused.get(name, 0),
                report.unknown.get(name, 0),
            )
            for name, noun in crm.nouns.items()
        ],
        right=("planned", "written", "refused", "not confirmed"),
    )
    talk.say(report.last_line)
    return report.exit_code


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
