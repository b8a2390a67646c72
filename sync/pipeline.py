"""The way of the data, in one place: pull, score, plan, apply, record."""

from __future__ import annotations

import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from config.crms import CRMS, Crm
from config.outputs import HUMAN_FIELDS, written
from config.problems import ConfigProblem, raise_if_any
from config.records import RECORDS
from connectors.contract import RetryLater
from sync.apply import Applied, Applier
from sync.damage import damage_told
from sync.exits import BUG, STATES, Guarded, exit_code
from sync.files import sweep_copies
from sync.ledger import Item
from sync.plan import OBJECTS, TASK_SCHEMA, Plan, still_holds
from sync.plan_history import remember_plans
from sync.pull import pull
from sync.score import score
from sync.side_tables import side_tables
from sync.stopping import cause
from sync.tasks import due_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from config.rules import Rules
    from config.settings import Connection
    from connectors.contract import Connector, FieldInfo, Org
    from sync.heartbeat import Heartbeat
    from sync.ledger import Lease, Ledger
    from sync.mirror import Mirror
    from sync.tags import TagStore

    Schemas = Mapping[str, Mapping[str, FieldInfo]]

# A guard for the first mistake, not a quota: whichever is larger.
DEFAULT_MAX_CHANGES = 500
DEFAULT_MAX_SHARE = 0.10
# Fewer unreadable records than this are single bad records, whatever share of a small book they are.
FEW_UNREADABLE = 20


@dataclass(frozen=True)
class Job:
    """Everything one run works with. `tell(what, done, total)` reports progress."""

    name: str
    connection: Connection
    rules: Rules
    connector: Connector
    ledger: Ledger
    heartbeat: Heartbeat
    mirror: Mirror
    tags: TagStore
    folder: Path
    tell: Callable[[str, int, int | None], None]
    max_changes: int | None = None

    def columns(self) -> dict[str, tuple[str, ...]]:
        """The canonical columns that a run pulls, by object: what the rules name, and what we hold there."""
        rules = self.rules
        wanted = {name: {*rules.needed_columns(name), "modified_at"} for name in rules.needed_objects}
        for name in OBJECTS:
            wanted[name] |= {"name"} | {field.name for field in self.written(name)}
            wanted[name] |= {field.name for field in HUMAN_FIELDS if name in field.objects}
        wanted["owner"] |= {"name", "active"}
        if self.tasks_on:
            wanted["task"] = {column.name for column in RECORDS["task"]}
        return {
            name: tuple(column.name for column in RECORDS[name] if column.name in names)
            for name, names in wanted.items()
        }

    def written(self, object_name: str) -> tuple[Any, ...]:
        """Our fields that a run writes on an object."""
        return written(object_name, self.connection.outputs)

    @property
    def crm(self) -> Crm:
        """Which CRM this is, for what is said to its people."""
        return CRMS[self.connection.crm]

    @property
    def tasks_on(self) -> bool:
        """Whether tasks are made: off until turned on, except on the bundled sandbox."""
        on = self.connection.tasks
        return self.connector.org().bundled_sandbox if on is None else on


@dataclass
class Report:
    """What a run did, as it is printed, kept in the history and given to machines."""

    run: str = ""
    command: str = ""
    org: str = ""
    production: bool = False
    today: str = ""
    mode: str = "live"
    pulled: dict[str, int] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    book: dict[str, int] = field(default_factory=dict)
    planned: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    unprocessed: int = 0
    stale: int = 0
    set_aside: int = 0
    held_back: int = 0
    api_calls: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    exit_code: int = 0
    last_line: str = ""

    @property
    def incomplete(self) -> bool:
        """Whether anything that should have been written was not, or could not be read."""
        return bool(sum(self.refused.values()) + sum(self.unknown.values()) + self.stale + self.set_aside)

    @property
    def writes(self) -> int:
        """How many records and tasks were written."""
        return sum(self.done.values())


def run(job: Job) -> Report:
    """One pass of the pipeline: bring the CRM up to what the scores say. In preview, plan only."""
    with recorded(job, "run") as pass_:
        plan = pass_.plan()
        if pass_.live:
            pass_.guard(plan)
            pass_.apply(plan)
    return pass_.report


def preview(job: Job) -> tuple[Report, Plan]:
    """What a run would change; nothing is written."""
    with recorded(job, "plan") as pass_:
        pass_.report.mode = "preview"
        plan = pass_.plan()
    return pass_.report, plan


def apply_plan(job: Job, kept: Plan) -> Report:
    """Do what a kept plan says and nothing else; rows overtaken by events since are listed as stale."""
    with recorded(job, "apply") as pass_:
        pass_.report.mode = "live"
        fresh = pass_.plan()
        still, stale = _still_valid(kept, fresh)
        job.ledger.list_items(pass_.report.run, stale)
        pass_.report.stale = len(stale)
        pass_.report.planned = _sizes(still)
        pass_.guard(still)
        pass_.apply(still)
        job.ledger.go_live(job.name)
    return pass_.report


@contextmanager
def recorded(job: Job, command: str) -> Iterator[Pass]:
    """A run in the history: begun, and ended with the truth about how (invariant I7)."""
    org = job.connector.org()
    with job.ledger.lease(job.name) as lease:
        job.heartbeat.hold(lease)
        sweep_copies(job.folder)
        live = job.ledger.bind(job.name, org.id, org.name, live=org.bundled_sandbox)
        today = job.connector.server_time().astimezone(ZoneInfo(org.timezone)).date()
        run_id = job.ledger.start_run(job.name, command, today, job.rules.digest)
        report = Report(
            run=run_id,
            command=command,
            org=org.name,
            production=org.production,
            today=str(today),
            mode="live" if live else "preview",
        )
        error: BaseException | None = None
        try:
            with damage_told(job.folder):
                yield Pass(job, org, lease, today, report, live=live)
        except BaseException as caught:
            error = cause(caught)
            if error is caught:
                raise
            raise error from caught
        finally:
            report.api_calls += job.connector.budget().calls
            report.exit_code = exit_code(error, incomplete=report.incomplete)
            report.last_line = last_line(report, error, job.crm)
            job.ledger.finish_run(
                run_id, STATES[report.exit_code], report.exit_code, report.last_line, vars(report)
            )


@dataclass(frozen=True)
class Pass:
    """One pass under way: the stages, each timed and counted into the report."""

    job: Job
    org: Org
    lease: Lease
    today: date
    report: Report
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
        with self.timed("pull"):
            pulled = pull(job.name, job.connector, job.ledger, job.mirror, columns, job.tell)
        remember_plans(job.mirror, self.today)
        job.ledger.list_items(report.run, pulled.set_aside)
        report.set_aside = len(pulled.set_aside)
        for item in pulled.set_aside:
            self.unreadable.setdefault(item.object, []).append(item.record_id)
        report.pulled, report.gone = dict(pulled.read), dict(pulled.gone)

    def plan(self) -> Plan:
        """Pull, score, and compare with what the CRM holds."""
        self.pull()
        job, report = self.job, self.report
        with self.timed("score"):
            stamp = f"{job.rules.digest}/{report.run}"
            scored = score(job.mirror, job.tags, job.rules, job.connection.outputs, self.today, stamp)
        with self.timed("plan"):
            tasks, held_back = self.tasks(scored.tasks, job.rules)
        report.book = dict(scored.book)
        job.ledger.list_items(report.run, [*held_back, *self._unknown_names()])
        report.held_back = len(held_back)
        plan = Plan(scored.changes, tasks, tuple(held_back), scored.book, scored.keep_states)
        report.planned = _sizes(plan)
        return plan

    def _unknown_names(self) -> list[Item]:
        """Rows of files next to the rules that name nobody whom the CRM knows."""
        problems = side_tables(self.job.rules, self.job.mirror).problems
        return [Item("file", "", "held_back", "UNKNOWN_NAME", str(problem)) for problem in problems]

    def guard(self, plan: Plan) -> None:
        """Stop before the first write where a limit would be crossed."""
        self._guard_reading()
        job, book = self.job, sum(plan.book.values())
        limit = job.max_changes or job.connection.limits.max_changes
        limit = limit or max(DEFAULT_MAX_CHANGES, int(DEFAULT_MAX_SHARE * book))
        if plan.records > limit:
            raise Guarded(
                f"{plan.records:,} records would change, the limit is {limit:,}: nothing was written; look at the"
                f" plan, then raise it for once with --max-changes {plan.records}"
            )
        budget = job.connector.budget()
        if (
            budget.limit
            and budget.left is not None
            and budget.left < budget.limit * job.connection.limits.api_reserve / 100
        ):
            raise RetryLater(
                f"{budget.left:,} of {budget.limit:,} API calls are left today, less than the reserve of"
                f" {job.connection.limits.api_reserve:g} % kept for other integrations: nothing was written",
                quota=True,
            )

    def _guard_reading(self) -> None:
        """Many unreadable records mean that something is wrong with the reading: scores would mislead."""
        share, mirror = self.job.connection.limits.max_unreadable, self.job.mirror
        for name, ids in self.unreadable.items():
            count = len(ids)
            # Those that were readable before are still held.
            held = mirror.read(name, ("id",), ids=pa.array(ids, pa.string())).num_rows
            records = mirror.count(name) + count - held
            if count >= FEW_UNREADABLE and count > records * share / 100:
                raise Guarded(
                    f"{count:,} of {records:,} {self.job.crm.nouns.get(name, name)} records cannot be read, more"
                    f" than the {share:g} % that `limits.max_unreadable` allows: nothing was written;"
                    f" `foretag runs {self.report.run}` names records and {self.job.crm.field.many}"
                )

    def apply(self, plan: Plan) -> Applied:
        """Write, and record what became of each change."""
        job, report = self.job, self.report
        with self.timed("apply"):
            plan.keep_states(job.tags)
            applier = Applier(
                job.name,
                job.connector,
                job.ledger,
                job.mirror,
                job.folder / "journal",
                self.lease,
                report.run,
                self.today,
                job.tell,
            )
            applied = Applied()
            try:
                applier.apply(plan, applied)
            finally:
                report.done, report.refused, report.unknown = applied.done, applied.refused, applied.unknown
                report.unprocessed = applied.unprocessed
        return applied

    def tasks(self, wanted: pa.Table, rules: Rules) -> tuple[pa.Table, list[Item]]:
        """Of the wanted tasks, those that are to be made, and those held back, with the reason."""
        return self.due(wanted, rules) if self.job.tasks_on else (TASK_SCHEMA.empty_table(), [])

    def due(self, wanted: pa.Table, rules: Rules) -> tuple[pa.Table, list[Item]]:
        """The same as if tasks were on: what they would ask of the reps is to be known before."""
        job = self.job
        owners = job.mirror.read("owner", ("id", "active"))
        active = dict(zip(owners["id"].to_pylist(), owners["active"].to_pylist(), strict=True))
        return due_tasks(
            wanted,
            job.mirror.read("task"),
            job.ledger.tasks(job.name),
            active,
            rules.task_limits,
            self.today,
            self.org.timezone,
        )

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count a stage's seconds into the report."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.report.seconds[stage] = round(time.perf_counter() - started, 3)


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


def _sizes(plan: Plan) -> dict[str, int]:
    return {name: table.num_rows for name, table in plan.changes.items()} | {"task": plan.tasks.num_rows}


def _still_valid(kept: Plan, fresh: Plan) -> tuple[Plan, list[Item]]:
    """The kept plan's rows that events have not overtaken, and the others as stale."""
    stale: list[Item] = []
    changes = {name: _split(name, table, fresh.changes[name], stale) for name, table in kept.changes.items()}
    keys = set(fresh.tasks["key"].to_pylist())
    still = [row for row in kept.tasks.to_pylist() if row["key"] in keys]
    stale += [
        Item("task", row["id"], "stale", row["rule"], "no longer due, or made since")
        for row in kept.tasks.to_pylist()
        if row["key"] not in keys
    ]
    tasks = pa.Table.from_pylist(still, schema=TASK_SCHEMA)
    return Plan(changes, tasks, kept.held_back, fresh.book, fresh.keep_states), stale


def _split(object_name: str, kept: pa.Table, fresh: pa.Table, stale: list[Item]) -> pa.Table:
    """The rows that still hold; the others are added to `stale`."""
    holds = still_holds(kept, fresh)
    stale += [
        Item(object_name, record_id, "stale", "OVERTAKEN", "the record changed after the plan was made")
        for record_id in kept.filter(pc.invert(holds))["id"].to_pylist()
    ]
    return kept.filter(holds)


def last_line(report: Report, error: BaseException | None, crm: Crm) -> str:
    """The one line that sums a run up, and is true."""
    if error is not None:
        before = f" Written before that: {crm.counted(report.done)}." if report.writes else ""
        if isinstance(error, ConfigProblem):
            return f"Stopped: {len(error.problems)} thing(s) to fix first.{before or ' Nothing was written.'}"
        return f"{_ending(error)}{before}{_not_done(report)}"
    if report.mode == "comparison":
        return f"Compared on {report.today}. Nothing was written.{_not_done(report)}"
    if report.mode == "preview":
        return f"Preview: would write {crm.counted(report.planned)}. Nothing was written.{_not_done(report)}"
    return f"Wrote {crm.counted(report.done)} in {report.api_calls} API calls.{_not_done(report)}"


def _ending(error: BaseException) -> str:
    """Why a run ended early; of a bug its kind and place alone, since a library's words may show content."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    if exit_code(error) != BUG:
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"Stopped by a bug in Foretag: {type(error).__name__}{place}."


def _not_done(report: Report) -> str:
    """What is on the run's list, by kind; empty if all is done."""
    counts = (
        (sum(report.refused.values()), "refused"),
        (sum(report.unknown.values()) - report.unprocessed, "sent, not confirmed"),
        (report.unprocessed, "not processed"),
        (report.stale, "stale"),
        (report.set_aside, "unreadable"),
    )
    return "".join(f" {count:,} {what}: see `foretag runs {report.run}`." for count, what in counts if count)
