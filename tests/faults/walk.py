"""A walk without a plan: people, admins, time and faults, one after the other, as chance will have it.

Every step has its own rules of what may be written; after each the invariants are looked at.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from config.problems import ConfigProblem
from connectors.contract import RetryLater, Truncated
from sync.exits import exit_code
from sync.forget import forget, kept_of
from sync.ledger.gates import TASKS
from sync.pipeline import apply_plan, preview, run
from sync.runs import backfill
from sync.runs.retry import retry
from sync.runs.undo import undo
from sync.stopping import Parked
from sync.writing.gates import holds, unapproved
from sync.writing.plan_file import PlanHeader, mismatches, read_plan, write_plan
from sync.writing.selection import EVERYTHING, Selection
from tests.faults.trips import Trip, bury, tripping
from tests.faults.wholeness import assert_only_ours
from tests.world import EVERY_RECORD, Crash

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    import pytest

    from connectors.sandbox.journal import WriteEntry
    from sync.job import Job
    from sync.report import Report
    from tests.crms.people import Fault
    from tests.world import World

    Written = tuple[str, str]
    Endings = tuple[type[BaseException], ...]

# How the rules change from time to time: whom tasks are for, what they say, how large the tiers are.
RULES = (
    EVERY_RECORD,
    EVERY_RECORD.replace('["A", "B", "C", "D"]', '["A", "B"]'),
    EVERY_RECORD.replace("Look at", "Visit"),
    EVERY_RECORD + "tiers: {A: 40, a_at_least: 0}\n",
    EVERY_RECORD + "edits: {days: 0}\n",
)
MEDDLED = (
    ("account", "foretag_tier"),
    ("account", "foretag_next_step"),
    ("opportunity", "foretag_tier"),
    ("opportunity", "foretag_score"),
)
# What an admin asks for; whoever is not there is not chosen.
CHOICES = (
    EVERYTHING,
    EVERYTHING,
    Selection(only=("tier",)),
    Selection(only=("opportunity",)),
    Selection(where='tier in ["A", "B"]'),
    Selection(sample=5),
)
# Endings that a person may expect: the way is shut, what was asked for cannot be done, the CRM is away.
SHUT = (Parked,)
REFUSED = (Parked, ConfigProblem)
BROKEN = (RetryLater, Truncated)
# A field of any name, as holds on tasks say.
ANY = TASKS[1]
UNDER_A_FAULT = 4  # one command in so many


@dataclass(frozen=True)
class Gates:
    """What was shut before a command, and which run was then the latest."""

    latest: str
    paused: bool
    unapproved: bool
    held: set[Written]


class Walk:
    """Where a walk stands: the world, what was done in it, and what may no longer be written."""

    def __init__(self, world: World, chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.chance, self.monkeypatch = world, chance, monkeypatch
        self.log: list[str] = []
        self.dead: set[str] = set()
        self.bin: list[tuple[str, str]] = []
        self.forgotten: dict[str, set[str]] = {"account": set(), "opportunity": set()}
        self.heirs: dict[str, str] = {}
        self.tasks: dict[str, tuple[str, str, str]] = {}
        self.rules = EVERY_RECORD
        self.plans = 0
        settings = world.settings.read_text()
        world.settings.write_text(settings.replace("    outputs:", "    approval: required\n    outputs:"))
        world.people.count_generously()
        world.people.let_in(*MEDDLED)
        world.use_rules(self.rules)
        self.approve()

    @property
    def steps(self) -> dict[Callable[[], object], int]:
        """What may happen, and how often beside the rest."""
        return {
            self.run: 8,
            self.time_goes_on: 6,
            self.deals_change: 6,
            self.deal_is_closed: 2,
            self.owner_changes: 2,
            self.override: 3,
            self.somebody_changes_ours: 3,
            self.rep_at_his_task: 4,
            self.account_is_merged: 1,
            self.record_is_deleted: 2,
            self.record_is_restored: 2,
            self.plan: 3,
            self.apply: 3,
            self.backfill: 3,
            self.resume_backfill: 2,
            self.undo: 5,
            self.retry: 2,
            self.pause: 1,
            self.resume: 2,
            self.rules_change: 2,
            self.approve: 3,
            self.forget: 1,
            self.refusals_end: 2,
            self.refusals_begin: 1,
        }

    def step(self) -> None:
        """Something happens."""
        (happens,) = self.chance.choices(list(self.steps), list(self.steps.values()))
        self.log.append(happens.__name__)
        happens()
        # What happens in the very second of our own write is told with the run after it.
        self.world.sandbox.clock.advance(timedelta(seconds=2))

    def note(self, what: object) -> None:
        """Say more of the last step."""
        self.log[-1] += f" {what}"

    # People.

    def one(self, object_name: str, *columns: str, **wanted: Any) -> dict[str, Any] | None:
        """Some record that is there."""
        rows = self.world.people.rows(object_name, *columns)
        rows = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
        return self.chance.choice(rows) if rows else None

    def edit(self, object_name: str, record: dict[str, Any] | None, **values: Any) -> None:
        """Somebody changes a record."""
        if record is None:
            return
        self.note(f"{object_name} {record['id']} {values}")
        # What refuses our changes may refuse theirs.
        with suppress(AssertionError) if self.world.sandbox.faults.listing() else nullcontext():
            self.world.people.edit(object_name, {"id": record["id"], **values})

    def time_goes_on(self) -> None:
        """Minutes, hours or days."""
        span = self.chance.choice(
            [timedelta(minutes=20), timedelta(hours=5), timedelta(days=1), timedelta(days=9)]
        )
        self.note(span)
        self.world.sandbox.clock.advance(span)

    def deals_change(self) -> None:
        """Amounts and close dates."""
        for _ in range(self.chance.randrange(1, 4)):
            deal = self.one("opportunity", "is_closed", is_closed=False)
            day = self.world.sandbox.today + timedelta(days=self.chance.randrange(-30, 200))
            self.edit("opportunity", deal, amount=self.chance.randrange(1_000, 900_000), close_date=day)

    def deal_is_closed(self) -> None:
        """Won or lost."""
        deal = self.one("opportunity", "is_closed", is_closed=False)
        if deal is not None:
            won = self.chance.random() < 0.5
            self.note(f"{deal['id']} {won}")
            self.world.close(deal, won=won)

    def owner_changes(self) -> None:
        """A record changes hands."""
        name = self.chance.choice(["account", "opportunity"])
        owners = sorted({row["owner_id"] for row in self.world.people.rows(name, "owner_id")} - {None})
        if owners:
            self.edit(name, self.one(name), owner_id=self.chance.choice(owners))

    def override(self) -> None:
        """A person's word, with a day; or it is taken back."""
        name = self.chance.choice(["account", "opportunity"])
        word = self.chance.choice(["A", "D", "Leave alone", None])
        day = self.world.sandbox.today + timedelta(days=self.chance.randrange(3, 60))
        self.edit(name, self.one(name), foretag_override=word, foretag_override_until=day if word else None)

    def somebody_changes_ours(self) -> None:
        """Another value in the place of ours."""
        name, field = self.chance.choice(MEDDLED)
        values: dict[str, list[Any]] = {
            "foretag_tier": ["A", "B", "C", "D", None],
            "foretag_next_step": ["Call their CFO", None],
            "foretag_score": [1, 99],
        }
        self.edit(name, self.one(name), **{field: self.chance.choice(values[field])})

    def rep_at_his_task(self) -> None:
        """Begun, done, reworded, thrown away."""
        rows = [
            row
            for row in self.world.people.rows("task", "key", "is_closed")
            if row["key"] and not row["is_closed"]
        ]
        if not rows:
            return
        task, people = self.chance.choice(rows), self.world.people
        what = self.chance.choice(["begun", "done", "reworded", "thrown away"])
        self.note(f"{what} {task['id']}")
        if what == "thrown away":
            people.delete("task", task["id"])
        else:
            new = {"begun": {"status": people.under_way}, "done": {"status": people.finished}}
            self.edit("task", task, **new.get(what, {"subject": "Mine"}))

    def account_is_merged(self) -> None:
        """Two become one, which may be new."""
        accounts = [row["id"] for row in self.world.people.rows("account")]
        if len(accounts) < 4:
            return
        first, second = self.chance.sample(accounts, 2)
        survivor = self.world.people.merge("account", first, second)
        self.note(f"{first} {second} -> {survivor}")
        for loser in {first, second} - {survivor}:
            self.heirs[loser] = survivor
            self.dead.add(loser)

    def record_is_deleted(self) -> None:
        """Into the bin, with what hangs on it."""
        name = self.chance.choice(["account", "opportunity", "opportunity"])
        rows = self.world.people.rows(name)
        if len(rows) < 4:
            return
        one = self.chance.choice(rows)["id"]
        self.note(f"{name} {one}")
        self.world.people.delete(name, one)
        self.bin.append((name, one))
        self.dead.add(one)

    def record_is_restored(self) -> None:
        """Out of the bin."""
        if self.bin:
            name, one = self.bin.pop(self.chance.randrange(len(self.bin)))
            self.note(f"{name} {one}")
            self.world.people.restore(name, one)
            self.dead.discard(one)

    # Admins and ops.

    def pause(self) -> None:
        """Nothing is to be written."""
        with self.world.job() as job:
            job.ledger.gates.pause(job.name, "Ann", "")

    def resume(self) -> None:
        """All may be written, what was undone too."""
        with self.world.job() as job:
            job.ledger.gates.unpause(job.name)
            job.ledger.gates.release(job.name)

    def rules_change(self) -> None:
        """Sales ops try something else."""
        number = self.chance.randrange(len(RULES))
        self.note(number)
        self.rules = RULES[number]
        self.world.use_rules(self.rules)

    def approve(self) -> None:
        """Somebody says yes to the rules as they are."""
        with self.world.job() as job:
            job.ledger.gates.approve(job.name, job.rules.digest, "Ann", "the walk")

    def forget(self) -> None:
        """A record is to be forgotten, with its deals."""
        name = self.chance.choice(["account", "opportunity"])
        rows = self.world.people.rows(name)
        if len(rows) < 5 or len(self.forgotten["account"]) + len(self.forgotten["opportunity"]) > 4:
            return
        one = self.chance.choice(rows)["id"]
        self.note(f"{name} {one}")
        with self.world.job() as job, suppress(ConfigProblem):
            kept = kept_of(job, one, name)
            forget(job, kept)
            for what, ids in kept.records.items():
                self.forgotten[what].update(ids)
                self.dead.update(ids)

    def refusals_begin(self) -> None:
        """The org refuses some of what we write, for a while."""
        people = self.world.people
        refuse = self.chance.choice([people.refuse_some, people.refuse_tasks])
        self.world.sandbox.faults.add([refuse("not this one")])

    def refusals_end(self) -> None:
        """The cause is mended."""
        self.world.sandbox.faults.remove()

    # Commands.

    def run(self) -> None:
        """A run, clean or not; if it came to its end, another one has nothing to do."""
        ended = self.command(run, SHUT)
        if ended is not None and not self.world.sandbox.faults.listing():
            with self.world.counting() as written:
                again = self.world.run()
            assert (written(), again.writes) == (0, 0), again.last_line
            self.assert_true_copy()

    def plan(self) -> None:
        """A plan is kept in a file."""
        choice = self.chance.choice(CHOICES)
        self.note(choice)

        def keep(job: Job) -> Report:
            report, planned = preview(job, choice)
            path = self.world.folder / f"{self.plans}.plan"
            write_plan(path, planned, PlanHeader.of(job, report, planned, choice))
            self.plans += 1
            return report

        position = self.world.sandbox.journal.position
        self.command(keep, REFUSED)
        assert not self.worker_wrote(position)

    def apply(self) -> None:
        """One of the files is done, perhaps not for the first time."""
        if not self.plans:
            return
        number = self.chance.randrange(max(0, self.plans - 3), self.plans)
        self.note(number)
        header, plan = read_plan(self.world.folder / f"{number}.plan")

        def do(job: Job) -> Report:
            fitting = {"org_id": job.connector.org().id, "outputs": job.connection.outputs}
            differing = mismatches(header, connection=job.name, rules=job.rules.digest, **fitting)
            if differing:
                raise ConfigProblem(*differing)
            return apply_plan(job, plan, whole=not header.selection)

        self.command(do, REFUSED)

    def backfill(self) -> None:
        """A backfill is quoted, and done as far as it comes."""
        choice = self.chance.choice(CHOICES)
        self.note(choice)
        self.command(lambda job: backfill.quote(job, choice)[0], REFUSED, faults=False)
        self.resume_backfill()

    def resume_backfill(self) -> None:
        """The latest one is taken up again."""
        self.command(lambda job: backfill.do(job, backfill.found(job), lambda _: None), REFUSED)

    def undo(self) -> None:
        """A run of the past is taken back, perhaps an undo."""
        row = self.some_run()
        choice = self.chance.choice(
            [EVERYTHING, EVERYTHING, Selection(only=("tier",)), Selection(only=("tasks",))]
        )
        self.note(f"{row['command']} {row['id']} {choice.only}")
        self.command(lambda job: undo(job, row["id"], choice), REFUSED)

    def retry(self) -> None:
        """What a run of the past did not get done."""
        row = self.some_run()
        self.note(row["id"])
        self.command(lambda job: retry(job, row["id"]), REFUSED)

    def some_run(self) -> dict[str, Any]:
        """A run of the history, rather a young one that wrote."""
        with self.world.job() as job:
            rows = job.ledger.runs(limit=30)
        telling = [row for row in rows if sum(((row["report"] or {}).get("done") or {}).values())][:4]
        return self.chance.choice(telling or rows) if rows else {"id": "none", "command": "none"}

    # What a command may do.

    @property
    def gates(self) -> Gates:
        """What is shut as things stand."""
        with self.world.job() as job:
            rows = job.ledger.runs(limit=1)
            return Gates(
                rows[0]["id"] if rows else "",
                job.ledger.gates.paused(job.name) is not None,
                unapproved(job),
                {self.in_the_crm(one.object, one.field) for one in holds(job)},
            )

    def command(
        self, do: Callable[[Job], Report], expected: Endings, *, faults: bool = True
    ) -> Report | None:
        """A command, now and then under a fault; its report if it came to its end and nothing went wrong."""
        position, gates = self.world.sandbox.journal.position, self.gates
        report, died = None, False
        fault = faults and self.chance.randrange(UNDER_A_FAULT) == 0
        endings: Endings = (*expected, *BROKEN) if fault else expected
        with ExitStack() as stack:
            trip = self.something_breaks(stack) if fault else Trip()
            try:
                with self.world.job() as job:
                    report = do(job)
            except Crash:
                died = True
                self.note(f"died before its effect {trip.at}, {trip.fatal}")
            except endings as error:
                self.note(f"ended: {error}")
        if died:
            bury(self.world)
        self.assert_told(gates, report, position, fault=fault)
        self.assert_no_task_twice()
        return None if fault else report

    def something_breaks(self, stack: ExitStack) -> Trip:
        """The process dies somewhere, somebody edits meanwhile, or calls fail."""
        people, faults = self.world.people, self.world.sandbox.faults
        breaks: dict[str, Fault] = {
            "lost reply": {"kind": "lost_reply", "match": people.writing()},
            "lost task": {"kind": "lost_reply", "match": people.making_tasks},
            "away": {"kind": "status", "status": 503, "times": None, "after": self.chance.randrange(20)},
            "used up": people.allowance_used_up(),
        }
        kind = self.chance.choice(["crash", "crash", "edits meanwhile", *breaks])
        self.note(f"[{kind}]")
        if kind in breaks:
            (number,) = faults.add([breaks[kind]])
            stack.callback(faults.remove, number)
            return Trip()
        trip = Trip(self.chance.randrange(1, 75), None if kind == "crash" else self.deals_change)
        stack.enter_context(tripping(self.monkeypatch, trip))
        return trip

    def in_the_crm(self, object_name: str, field: str) -> Written:
        """Object and field as the journal calls them; of tasks any field."""
        people = self.world.people
        return people.object_name(object_name), ANY if field == ANY else people.field_name(object_name, field)

    def worker_wrote(self, since: int) -> list[WriteEntry]:
        """What the worker wrote since a position of the journal."""
        worker = self.world.people.worker
        return [entry for entry in self.world.sandbox.journal.writes(since) if entry.user == worker]

    # The invariants.

    def assert_told(self, gates: Gates, report: Report | None, since: int, *, fault: bool) -> None:
        """I4, I7: the history tells the truth about a run; a command that is none wrote nothing."""
        wrote = self.worker_wrote(since)
        with self.world.job() as job:
            rows = job.ledger.runs(limit=1)
            if not rows or rows[0]["id"] == gates.latest:
                assert not wrote
                return
            (row,) = rows
            told: Counter[str] = Counter(item.status for item in job.ledger.items(row["id"]))
            batches = job.ledger.batches(row["id"])
        if row["state"] != "running":
            assert not any(batch["state"] == "intended" for batch in batches)
        self.assert_allowed(gates, row["command"], wrote)
        if report is None:
            return
        assert (row["id"], row["exit_code"]) == (report.run, exit_code(None, incomplete=report.incomplete))
        listed = {
            "refused": sum(report.refused.values()),
            "left": report.left,
            "stale": report.stale,
            "quarantined": report.quarantined,
        }
        assert {status: told[status] for status in listed} == listed
        if report.mode == "live" and not fault:
            assert sum(len(entry.ids) for entry in wrote) == report.writes, (wrote, report)

    def assert_allowed(self, gates: Gates, command: str, wrote: list[WriteEntry]) -> None:
        """I6: nothing through a shut gate, into a held field, or into what is gone; only our fields."""
        assert_only_ours(self.world)
        touched = {one for entry in wrote for one in entry.ids}
        assert not touched & self.dead, touched & self.dead
        if wrote and command != "undo":
            assert not gates.paused
            assert command == "apply" or not gates.unapproved
            wrote_into = {(entry.object, name) for entry in wrote for name in (*entry.fields, ANY)}
            assert not wrote_into & gates.held, wrote_into & gates.held

    def assert_no_task_twice(self) -> None:
        """I2: each new task is the only one of its record, rule and month, whatever was merged since."""
        columns = ("key", "account_id", "opportunity_id")
        rows = [row for row in self.world.people.rows("task", *columns, deleted=True) if row["key"]]
        assert len(rows) == len({row["key"] for row in rows})
        for row in rows:
            if row["id"] in self.tasks:
                continue
            of = "opportunity" if row["opportunity_id"] else "account"
            about = of, self.root(row[f"{of}_id"]), f"{self.world.sandbox.today:%Y-%m}"
            others = {(kind, self.root(one), month) for kind, one, month in self.tasks.values()}
            assert about not in others, about
            self.tasks[row["id"]] = about

    def root(self, record_id: str) -> str:
        """What a record has become."""
        while record_id in self.heirs:
            record_id = self.heirs[record_id]
        return record_id

    def assert_true_copy(self) -> None:
        """I5: the local copy holds each record, and of each what the CRM holds."""
        for name, columns in (
            ("account", ("owner_id", "foretag_tier", "foretag_score", "foretag_next_step")),
            ("opportunity", ("owner_id", "amount", "foretag_tier", "foretag_score", "account_id")),
        ):
            with self.world.job() as job:
                rows = job.mirror.read(name, ("id", *columns)).to_pylist()
            held = {row["id"]: {**row, "amount": float(row.get("amount") or 0)} for row in rows}
            there = {
                row["id"]: {**row, "amount": row.get("amount") or 0.0}
                for row in self.world.people.rows(name, *columns)
                if row["id"] not in self.forgotten[name]
            }
            assert held == there, [
                (held.get(one), there.get(one))
                for one in held.keys() | there.keys()
                if held.get(one) != there.get(one)
            ]

    # The end.

    def settle(self) -> None:
        """All gates open, nothing broken: two runs later nothing is left to do, and the scores stand in the CRM."""
        self.log.append("settle")
        self.refusals_end()
        self.resume()
        self.approve()
        self.world.run()
        with self.world.job() as job:
            runs = [row["id"] for row in job.ledger.runs(limit=1_000)]
            assert not any(row["state"] == "running" for row in job.ledger.runs(limit=1_000))
            for name in ("account", "opportunity", "task"):
                refused = job.ledger.quarantine.of(job.name, name)
                job.ledger.quarantine.lift(job.name, name, list(refused))
            assert not any(batch["state"] == "intended" for one in runs for batch in job.ledger.batches(one))
        self.run_whole()
        self.assert_scores_stand()

    def run_whole(self) -> None:
        """A run that does all, and one after it that has nothing to do."""
        report = self.world.run()
        assert report.exit_code == 0, report.last_line
        with self.world.counting() as written:
            self.world.run()
        assert written() == 0
        self.assert_true_copy()
        self.assert_no_task_twice()

    def assert_scores_stand(self) -> None:
        """I1: an installation that starts from nothing would change what is listed, or held, and nothing else."""
        excused = self.excused()
        plan = self.beginner().plan()
        rows = [row for table in plan.changes.values() for row in table.to_pylist()]
        # Tiers that have not fallen yet.
        rows = [row for row in rows if not (row["foretag_tier"] or "") > (row["old_foretag_tier"] or "")]
        wrong = {row["id"]: _told(row) for row in rows if row["id"] not in excused}
        assert not wrong, wrong

    def excused(self) -> set[str]:
        """The records with another's value that is respected, and those with the word of one merged into them."""
        with self.world.job() as job:
            edits = {edit.record_id for edit in job.ledger.edits.of(job.name)}
            heirs = {one.winner for one in job.ledger.merges.inheritances(job.name)}
        return edits | heirs

    def beginner(self) -> World:
        """Another installation, which knows nothing but what must not be read."""
        folder = self.world.folder / "beginner"
        folder.mkdir()
        other = type(self.world)(self.world.sandbox, folder)
        other.use_rules(self.rules)
        with other.job() as job:
            for name, ids in self.forgotten.items():
                job.ledger.forgetting.remember(job.name, name, sorted(ids))
        return other


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """What would change on a record, from what."""
    return {
        name: (row[f"old_{name}"], value)
        for name, value in row.items()
        if f"old_{name}" in row and (value is not None or name in row["clear"])
    }
