"""A backfill: one-off, chosen, priced before it begins, kept to a pace, and taken up again wherever it stopped.

It is a quote and a plan file of its own, made by one run; other runs do what that file says, each as far as it comes.
What they did is in the CRM, so nothing needs to be remembered of how far they came.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from config.outputs import OBJECTS
from config.problems import ConfigProblem, Problem
from sync.ledger.backfills import COMMAND, Begun
from sync.pipeline import carry_out, recorded
from sync.runs.pace import Pace, Rate, Window
from sync.writing.gates import end_preview
from sync.writing.keeping import kept
from sync.writing.plan_file import PlanHeader, mismatches, read_plan, write_plan
from sync.writing.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from sync.job import Job
    from sync.pipeline import Pass
    from sync.report import Report
    from sync.store.place import Place
    from sync.writing.plan import Plan
    from sync.writing.scope import Scope

# Runs before, from whose writes one can tell how fast this CRM is; those of fewer records say little.
_TELLING_RECORDS = 1_000


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a backfill writes; `most` is how many records may change, `agreed` whether somebody said yes."""

    rate: str = ""
    window: str = ""
    most: int | None = None
    agreed: bool = False

    @classmethod
    def of(cls, rate: str, window: str, most: int | None = None) -> Terms:
        """What was asked for, checked. Raises `ConfigProblem`."""
        terms = cls(rate, window, most)
        _ = terms.speed, terms.hours
        return terms

    @property
    def speed(self) -> Rate:
        """The rate, read. Raises `ConfigProblem`."""
        return Rate.parse(self.rate) if self.rate else Rate()

    @property
    def hours(self) -> Window | None:
        """The window, read. Raises `ConfigProblem`."""
        return Window.parse(self.window) if self.window else None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a backfill would take. `equal` of the `chosen` records hold what is wanted already, where that is known.

    `calls` are the fewest that its writes take, `looking` those that look for changes before each portion; `left` of
    the day's `limit` are left to it, where the CRM tells.
    """

    chosen: dict[str, int]
    equal: dict[str, int]
    planned: dict[str, int]
    calls: int
    looking: int
    seconds: float
    left: int | None
    limit: int | None

    @property
    def records(self) -> int:
        """How many records would change."""
        return sum(count for name, count in self.planned.items() if name in OBJECTS)

    @property
    def share(self) -> float | None:
        """Which part of a day's allowance it takes, if the CRM tells of one."""
        return (self.calls + self.looking) / self.limit if self.limit else None

    def as_dict(self) -> dict[str, Any]:
        """For machines, and for the history."""
        return asdict(self) | {"minutes": round(self.seconds / 60, 1), "share": self.share}


@dataclass(frozen=True)
class Backfill:
    """A backfill that was quoted, called by the run that did so, with its plan as it was kept."""

    run: str
    terms: Terms
    header: PlanHeader
    plan: Plan


def quote(
    job: Job, selection: Selection = EVERYTHING, terms: Terms | None = None, as_of: date | None = None
) -> tuple[Report, Quote]:
    """Plan and price a backfill, by the scores of a past day if one is given, and keep it; nothing is written."""
    terms = terms or Terms()
    with recorded(job, COMMAND) as pass_:
        pass_.report.mode = "preview"
        scope = pass_.scope(selection)
        plan = pass_.plan(scope, as_of)
        told = _quoted(pass_, plan, scope, terms.speed)
        pass_.report.quote = told.as_dict()
        if plan.records or plan.tasks.num_rows:
            plan = kept(plan, job.mirror, job.rules)
            write_plan(
                path_of(job, pass_.report.run), plan, PlanHeader.of(job, pass_.report, plan, selection)
            )
            job.ledger.backfills.begin(pass_.report.run, asdict(terms))
    return pass_.report, told


def agree(job: Job, run: str, terms: Terms) -> None:
    """Write down on what terms somebody said yes to a backfill, for when it is taken up again."""
    job.ledger.backfills.begin(run, asdict(replace(terms, agreed=True)))


def drop(job: Job, run: str) -> None:
    """Forget a backfill's plan: it is done, or nobody wants it."""
    path_of(job, run).remove()


def found(job: Job, run: str | None = None) -> Backfill:
    """A backfill that can be begun, or taken up again; without a run, the latest. Raises `ConfigProblem`."""
    begun = job.ledger.backfills.find(job.name, run)
    if begun is None:
        what = (
            f'"{run}" is no backfill of {job.name}' if run else f"{job.name} has no backfill to take up again"
        )
        raise _unusable(what, "begin one with `foretag backfill`; `foretag runs` lists those there were")
    path = path_of(job, begun.run)
    if begun.done:
        raise _unusable(f"backfill {begun.run} is done", "begin a new one with `foretag backfill`")
    if not path.exists():
        raise _unusable(f"the plan of backfill {begun.run} is no longer kept", "begin a new one")
    header, plan = read_plan(path)
    _require_fit(job, begun, header)
    return Backfill(begun.run, Terms(**begun.options), header, plan)


def do(job: Job, backfill: Backfill, say: Callable[[str], None]) -> Report:
    """Write what a backfill's plan says, as far as time and allowance reach; what is done already is not repeated."""
    terms = backfill.terms
    job = replace(job, max_changes=terms.most or job.max_changes)
    with recorded(job, COMMAND, of=backfill.run) as pass_:
        pass_.report.mode = "live"
        pace = _pace(pass_, backfill, say)
        pace.require_window()
        _take_share(pass_, terms)
        carry_out(pass_, backfill.plan, [pace], terms.speed.portion)
        if not backfill.header.selection:
            end_preview(pass_)
    drop(job, backfill.run)
    return pass_.report


def path_of(job: Job, run: str) -> Place:
    """Where a backfill's plan is kept."""
    return job.place / "backfills" / f"{run}.plan"


def _require_fit(job: Job, begun: Begun, header: PlanHeader) -> None:
    """Raise `ConfigProblem` with all that differs between now and when the backfill was quoted."""
    org = job.connector.org()
    differing = mismatches(
        header, connection=job.name, org_id=org.id, rules=job.rules.digest, outputs=job.connection.outputs
    )
    if differing:
        raise ConfigProblem(
            *(
                replace(one, where=f"backfill {begun.run}", fix="begin a new one with `foretag backfill`")
                for one in differing
            )
        )


def _take_share(pass_: Pass, terms: Terms) -> None:
    """Keep to the share of the allowance that was asked for. Raises `ConfigProblem` where nobody knows what is left."""
    if terms.speed.share is None:
        return
    if pass_.spending.left is None:
        what = f"nobody tells how many API calls are left, so {terms.rate} of them is not known"
        raise ConfigProblem(
            Problem(
                what, where="--rate", fix="give records (200/s), or `limits.calls_per_run` in the settings"
            )
        )
    pass_.spending.take_share(terms.speed.share)


def _pace(pass_: Pass, backfill: Backfill, say: Callable[[str], None]) -> Pace:
    job = pass_.job
    total = backfill.plan.records + backfill.plan.tasks.num_rows
    return Pace(
        backfill.terms.speed,
        backfill.terms.hours,
        total,
        pass_.now,
        job.monotonic,
        job.sleep,
        job.heartbeat,
        lambda: pass_.spending.left,
        say,
    )


def _quoted(pass_: Pass, plan: Plan, scope: Scope, speed: Rate) -> Quote:
    job, report = pass_.job, pass_.report
    records = report.chosen or report.book
    chosen = {name: count for name, count in records.items() if scope.fields.get(name)}
    # Of a sample, the others differ too.
    equal = {
        name: count - plan.changes[name].num_rows
        for name, count in chosen.items()
        if scope.selection.sample is None
    }
    calls, seconds, portions = _writing(job, plan, speed)
    budget = job.connector.budget()
    return Quote(
        chosen,
        equal,
        plan.sizes,
        calls,
        (portions + 1) * len(report.pulled),
        seconds,
        pass_.spending.left,
        budget.limit,
    )


def _writing(job: Job, plan: Plan, speed: Rate) -> tuple[int, float, int]:
    """Calls, seconds and portions of a plan's writes."""
    calls, seconds, portions = 0, 0.0, 0
    for name, records in plan.sizes.items():
        size = records if name == "task" else min(job.connector.portion(records), speed.portion or records)
        for part in _parts(records, size):
            effort = job.connector.effort(name, part)
            calls, seconds, portions = calls + effort.calls, seconds + effort.seconds, portions + 1
    written = plan.records + plan.tasks.num_rows
    measured = _measured(job)
    if measured is not None:
        seconds = written / measured
    if speed.per_second is not None:
        seconds = max(seconds, written / speed.per_second)
    return calls, seconds, portions


def _parts(records: int, size: int) -> list[int]:
    return [min(size, records - start) for start in range(0, records, size)] if records else []


def _measured(job: Job) -> float | None:
    """Records a second, as the latest run that wrote many managed; None if none did."""
    for row in job.ledger.runs(job.name):
        told: Mapping[str, Any] = row["report"] or {}
        written, seconds = sum((told.get("done") or {}).values()), (told.get("seconds") or {}).get("apply")
        if written >= _TELLING_RECORDS and seconds:
            return float(written / seconds)
    return None


def _unusable(message: str, fix: str) -> ConfigProblem:
    return ConfigProblem(Problem(message, where="--resume", fix=fix))
