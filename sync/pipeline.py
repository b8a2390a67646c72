"""The way of the data, in one place: pull, score, plan, apply, record."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog

from config.outputs import OBJECTS
from config.problems import raise_if_any
from scoring import HERE
from sync.exit_codes import STATES
from sync.exits import exit_code
from sync.ledger import Item
from sync.logs import bound
from sync.merges import Follower
from sync.pull import Anew, pull
from sync.report import Report, last_line
from sync.retention import erase_expired
from sync.score import score
from sync.spending import Spending
from sync.stopping import cause
from sync.store.damage import damage_told
from sync.store.files import sweep_copies
from sync.store.form import mark
from sync.store.growth_plans import remember_plans
from sync.store.side_tables import side_tables
from sync.store.zones import zones_at_work
from sync.writing.apply import Applied, Applier
from sync.writing.as_of import viewed
from sync.writing.choosing import check_read
from sync.writing.edits import Edits
from sync.writing.gates import (
    check_gates,
    end_preview,
    held_words,
    holds,
    still_open,
    tasks_held,
    without_held,
)
from sync.writing.guards import check_guards
from sync.writing.keeping import kept
from sync.writing.plan import Plan
from sync.writing.scope import Scope
from sync.writing.selection import EVERYTHING, Selection
from sync.writing.stale import Overtaken
from sync.writing.task_plan import due, none_due, plan_tasks
from sync.writing.task_zones import in_zone
from sync.writing.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    import pyarrow as pa

    from config.rules import Rules
    from connectors.contract import FieldInfo, Org
    from sync.job import Job
    from sync.ledger import Lease
    from sync.writing.apply import Check

    Schemas = Mapping[str, Mapping[str, FieldInfo]]

log = structlog.get_logger(__name__)


def run(job: Job) -> Report:
    """One pass of the pipeline: bring the CRM up to what the scores say. In preview, plan only."""
    with recorded(job, job.errand.command) as pass_:
        selection = Selection(only=("task",)) if job.errand.only_tasks else EVERYTHING
        plan = pass_.plan(pass_.scope(selection))
        if pass_.live:
            pass_.guard(plan)
            pass_.apply(plan)
    return pass_.report


def preview(
    job: Job, selection: Selection = EVERYTHING, as_of: date | None = None, *, to_keep: bool = True
) -> tuple[Report, Plan]:
    """What a run would change, or would have on a past day; nothing is written.

    `to_keep`: with all that a plan file needs, which costs a second reading of the book.
    """
    with recorded(job, "plan") as pass_:
        pass_.report.mode = "preview"
        plan = pass_.plan(pass_.scope(selection), as_of)
        plan = kept(plan, job.mirror, job.rules) if to_keep else plan
    return pass_.report, plan


def apply_plan(job: Job, plan: Plan, *, whole: bool = True) -> Report:
    """Do what a kept plan says and nothing else; rows overtaken by events since are listed as stale.

    Only one that left nothing out (`whole`) ends the connection's preview.
    """
    with recorded(job, "apply") as pass_:
        carry_out(pass_, plan)
        if whole:
            end_preview(pass_)
    return pass_.report


def carry_out(pass_: Pass, plan: Plan, checks: Sequence[Check] = (), most: int | None = None) -> None:
    """Do what a kept plan says within a run, as `Pass.apply` does: `checks` come first, then what was overtaken."""
    pass_.report.mode = "live"
    overtaken = Overtaken.pulled(pass_)
    still = overtaken.left(plan)
    pass_.report.planned = still.sizes
    pass_.guard(still)
    pass_.apply(still, [*checks, overtaken], most)


@contextmanager
def recorded(job: Job, command: str, *, of: str | None = None) -> Iterator[Pass]:
    """A run in the history: begun, and ended with the truth about how (invariant I7).

    `of` names the run that it undoes, retries or resumes.
    """
    org = job.connector.org()
    with job.ledger.leases.hold(job.name) as lease:
        job.heartbeat.hold(lease)
        mark(job.place)
        sweep_copies(job.scratch)
        live = job.ledger.bind(job.name, org.id, org.name, live=org.bundled_sandbox)
        job.ledger.zones.keep_timezone(job.name, org.timezone)
        now = job.connector.server_time().astimezone(ZoneInfo(org.timezone))
        today = now.date()
        run_id = job.ledger.start_run(job.name, command, today, job.rules.digest, of=of)
        report = Report(
            run=run_id,
            command=command,
            org=org.name,
            production=org.production,
            today=str(today),
            mode="live" if live else "preview",
        )
        spending = Spending.of(job, run_id)
        error: BaseException | None = None
        try:
            with bound(run=run_id, command=command), damage_told(job.place):
                log.info("run.started", today=report.today, mode=report.mode, rules=job.rules.digest)
                yield Pass(job, org, lease, now, today, report, spending, live=live)
        except BaseException as caught:
            error = cause(caught)
            if error is caught:
                raise
            raise error from caught
        finally:
            spending.settle(report)
            _end(job, report, error)


def _end(job: Job, report: Report, error: BaseException | None) -> None:
    """Write down how a run ended."""
    report.exit_code = exit_code(error, incomplete=report.incomplete)
    report.last_line = last_line(report, error, job.crm)
    if error is not None:
        # What was done before goes with what ended it, to whoever tells it.
        error.add_note(report.last_line)
        vars(error)["report"] = vars(report)
    budget = job.connector.budget()
    job.ledger.standing.allowance(job.name, budget.left, budget.limit)
    job.ledger.finish_run(
        report.run, STATES[report.exit_code], report.exit_code, report.last_line, vars(report)
    )
    log.info("run.ended", run=report.run, command=report.command, **_told(report))


@dataclass(frozen=True)
class Pass:
    """One pass under way: the stages, each timed and counted into the report."""

    job: Job
    org: Org
    lease: Lease
    now: datetime
    today: date
    report: Report
    spending: Spending
    live: bool
    unreadable: dict[str, list[str]] = field(default_factory=dict)

    def pull(self) -> None:
        """Check, and bring the local copy up to date."""
        job, report = self.job, self.report
        with self.timed("check"):
            columns = job.columns()
            raise_if_any(job.connector.check(columns, {name: _names(job.written(name)) for name in OBJECTS}))
            schemas = {name: job.connector.schema(name) for name in columns}
            job.tags.keep_fields(_fields_behind(schemas, columns))
            job.tags.keep_labels(_labels(schemas))
        follower = Follower(job, self.today)
        with self.timed("pull"):
            tell = self.spending.watched(job.tell)
            cursors = Anew(job.ledger) if job.errand.full else job.ledger
            pulled = pull(
                job.name, job.connector, cursors, job.mirror, columns, tell, follower, job.forgotten
            )
            follower.hold_words()
        job.ledger.zones.keep(job.name, zones_at_work(job.mirror, self.org.timezone))
        with self.timed("retention"):
            erase_expired(job, job.ledger.forgetting.today())
        remember_plans(job.mirror, self.today)
        self.put_aside(pulled.set_aside)
        report.pulled, report.gone = dict(pulled.read), dict(pulled.gone)
        job.ledger.standing.pulled(job.name, report.run)
        log.info("run.pulled", set_aside=report.set_aside)

    def plan(self, scope: Scope | None = None, as_of: date | None = None) -> Plan:
        """Pull, score, and compare with what the CRM holds, within a scope (None: all that a run may).

        `as_of`: by the scores of a past day; such a plan has no tasks.
        """
        self.job.engine.check()
        self.pull()
        job, report, scope = self.job, self.report, scope or self.scope()
        with viewed(self, as_of) as book, self.timed("score"):
            stamp = f"{job.rules.digest}/{report.run}"
            edits = Edits.of(job, self.today)
            engine = HERE if book.past else job.engine  # nobody else sees the past
            scored = score(book.mirror, book.tags, job.rules, scope, book.today, stamp, edits, engine)
            self.note(edits, past=book.past)
        report.book, report.held = dict(scored.book), held_words(job, holds(job))
        report.asked = scope.selection.as_dict() | ({"zone": zone} if (zone := job.errand.zone) else {})
        report.chosen = scope.counted(scored.chosen, scored.book, job.crm)
        with self.timed("plan"):
            tasks, task_changes, held_back = none_due() if book.past else self.tasks(scored.tasks)
        everything = Plan(
            scored.changes,
            tasks,
            task_changes,
            tuple(held_back),
            scored.book,
            scored.keep_states,
            scored.states,
        )
        plan = scope.narrowed(self.waiting.plan(book.planned(everything)), scored.chosen)
        job.ledger.list_items(report.run, [*plan.held_back, *self._unknown_names()])
        report.planned = plan.sizes
        report.quarantined = sum(item.status == "quarantined" for item in plan.held_back)
        report.held_back = len(plan.held_back) - report.quarantined
        log.info("run.planned", book=report.book, planned=report.planned, held_back=report.held_back)
        return plan

    def put_aside(self, items: Sequence[Item]) -> None:
        """List records that could not be read."""
        self.job.ledger.list_items(self.report.run, items)
        self.report.set_aside += len(items)
        for item in items:
            self.unreadable.setdefault(item.object, []).append(item.record_id)

    def scope(self, selection: Selection = EVERYTHING) -> Scope:
        """All that a run may touch, narrowed to what one command was asked for."""
        job, written = self.job, {name: self.job.written(name) for name in OBJECTS}
        check_read(selection, job.rules)
        fields = without_held(job, selection.fields(written, job.crm))
        return Scope(fields, selection, self.org.timezone, selection.tasks(written, job.crm), written)

    @property
    def waiting(self) -> Waiting:
        """What was refused, and waits."""
        return Waiting(self.job.name, self.job.ledger, self.job.mirror)

    def note(self, edits: Edits, *, past: bool) -> None:
        """Write down what others changed of our values and what comes of it; a past day's scores settle nothing."""
        if not past:
            edits.keep()
            self.job.ledger.list_items(self.report.run, edits.news)
        self.report.respected = edits.respected

    def _unknown_names(self) -> list[Item]:
        """Rows of files next to the rules that name nobody whom the CRM knows."""
        problems = side_tables(self.job.rules, self.job.mirror).problems
        return [Item("file", "", "held_back", "UNKNOWN_NAME", str(problem)) for problem in problems]

    def guard(self, plan: Plan) -> None:
        """Stop before the first write where the way is shut or a limit would be crossed."""
        check_gates(self, plan)
        check_guards(self, plan)

    def apply(self, plan: Plan, checks: Sequence[Check] = (), most: int | None = None) -> Applied:
        """Write, and record what became of each change.

        `checks` see each portion, of `most` records at most, before it is sent.
        """
        job, report = self.job, self.report
        with self.timed("apply"):
            plan.keep_states(job.tags, plan.changes)
            applier = Applier(
                job.name,
                job.connector,
                job.ledger,
                job.mirror,
                job.journal,
                self.lease,
                report.run,
                self.today,
                job.tell,
                job.left_there,
                (still_open(self), *checks, self.spending),
                most,
            )
            applied = Applied()
            try:
                applier.apply(plan, applied)
            finally:
                report.done, report.refused, report.unknown = applied.done, applied.refused, applied.unknown
                report.unprocessed, report.stale = applied.unprocessed, report.stale + applied.stale
        return applied

    def tasks(self, wanted: pa.Table) -> tuple[pa.Table, pa.Table, list[Item]]:
        """The tasks to make, the changes of those there are, and those held back, with the reason."""
        if not self.job.tasks_on or tasks_held(self.job):
            return none_due()
        waiting = self.waiting.tasks(wanted)
        due, changes, held_back = plan_tasks(self, wanted)
        due, changes = in_zone(self.job.mirror, self.job.errand.zone, self.org.timezone, due, changes)
        return due, changes, [*held_back, *waiting]

    def due(self, wanted: pa.Table, rules: Rules) -> pa.Table:
        """The tasks that other rules would make, as if tasks were on: what they would ask of the reps."""
        return due(self, wanted, rules)[0]

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count a stage's seconds into the report."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = self.report.seconds.get(stage, 0.0) + time.perf_counter() - started
            self.report.seconds[stage] = round(spent, 3)
            log.info("run.stage", stage=stage, seconds=round(time.perf_counter() - started, 3))


def _told(report: Report) -> dict[str, Any]:
    """What of a report goes into its last line of the log: counts, no words."""
    names = ("exit_code", "mode", "done", "refused", "unknown", "stale", "set_aside", "api_calls")
    return {name: getattr(report, name) for name in names} | {
        "seconds": round(sum(report.seconds.values()), 3)
    }


def _fields_behind(schemas: Schemas, columns: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """The CRM's own name of each column that is read, by object, for what is said to people."""
    return {
        name: {column: schemas[name][column].name for column in wanted if column in schemas[name]}
        for name, wanted in columns.items()
    }


def _labels(schemas: Schemas) -> dict[str, str]:
    """What people call the field behind each `object.column`."""
    return {
        f"{name}.{column}": info.label
        for name, found in schemas.items()
        for column, info in found.items()
        if info.label
    }


def _names(fields: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(field.name for field in fields)
