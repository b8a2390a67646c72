"""The guarantees of docs/guarantees.md, each against a CRM over HTTP that counts what it is told to do."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from config.crms import CRMS
from config.outputs import written as written_fields
from config.problems import ConfigProblem
from config.rules import Rules
from connectors.contract import RetryLater
from sync.exits import Guarded, exit_code
from tests.invariants.conftest import EVERY_RECORD

OURS = {
    name: tuple(field.name for field in written_fields(name, "full")) for name in ("account", "opportunity")
}
# Rules that say something in every section that makes records differ.
OWN = """\
boosts:
  - {name: ours, on: account, when: open_deals > 0 or purchases > 0, points: 30, because: a boost of ours}
  - {name: down, on: opportunity, when: amount > 1000, points: -7, because: large}
exclude:
  - {on: account, when: employees > 100, because: left out by us}
teams:
  North: {priority: {weights: {soon: 1, profitable: 1, much: 5}}, tiers: {by: company, A: 30}}
pipelines:
  Renewals: {needs: {pain: 20}}
"""


class Crash(BaseException):
    """The process dies: no `except Exception` hides it."""


# I1: each record's fields equal what the scores want.


def test_i1_after_a_run_the_crm_holds_what_the_scores_want(world):
    """An installation that starts from nothing finds nothing to change."""
    world.run()
    world.forget()
    plan = world.plan()
    assert plan.records == 0


@pytest.mark.long
def test_i1_holds_under_rules_of_ones_own_whatever_others_were_tried(world):
    """Boosts, exclusions and teams are as much the score as anything; trying other rules leaves nothing behind."""
    from config.rules import load_rules
    from sync.trial.trying import try_rules

    world.use_rules(OWN)
    report = world.run()
    held = world.people.rows("account", "foretag_reason")
    assert any("a boost of ours" in (row["foretag_reason"] or "") for row in held)
    assert any("left out by us" in (row["foretag_reason"] or "") for row in held)
    other = world.folder / "other.yaml"
    other.write_text("priority: {weights: {soon: 1, profitable: 0, much: 99}}\nread: [quota]\n")
    with world.counting() as written, world.job() as job:
        try_rules(job, load_rules(other))
    assert (written(), world.run().writes) == (0, 0)
    world.forget()
    assert (report.writes > 0, world.plan().records) == (True, 0)


def test_i1_holds_after_people_have_edited(world):
    """Whatever people change between runs, the next run brings the tags up to it."""
    world.run()
    chance = random.Random(7)
    deals = world.open_deals()
    for deal in chance.sample(deals, 12):
        world.people.edit(
            "opportunity",
            {
                "id": deal["id"],
                "amount": chance.randrange(1_000, 900_000),
                "close_date": world.sandbox.today + timedelta(days=chance.randrange(-40, 200)),
            },
        )
    won, lost = chance.sample(deals, 2)
    world.close(won, won=True)
    world.close(lost, won=False)
    report = world.run()
    assert report.writes > 0
    assert world.plan().records == 0
    # A rebuild may differ only in tiers that have not fallen yet, which say so if they were worth a write since.
    world.forget()
    rebuilt = [row for table in world.plan().changes.values() for row in table.to_pylist()]
    assert all(row["foretag_tier"] > row["old_foretag_tier"] and not row["clear"] for row in rebuilt)
    written = [row for row in rebuilt if row["old_foretag_stamp"].endswith(report.run)]
    assert all("tier held for now" in row["old_foretag_reason"] for row in written)
    moved = [
        row["foretag_score"] - row["old_foretag_score"] for row in rebuilt if row["foretag_score"] is not None
    ]
    assert all(abs(points) < Rules().writing.tolerance for points in moved)


def test_i1_a_closed_deal_holds_no_score(world):
    """What is over has no tier: the field is emptied, not left behind."""
    world.run()
    deal = next(deal for deal in world.open_deals("foretag_tier") if deal["foretag_tier"])
    world.close(deal, won=True)
    world.run()
    held = world.row("opportunity", deal["id"], *OURS["opportunity"])
    assert all(held[name] is None for name in OURS["opportunity"])


def test_i1_an_override_pins_the_tier(world):
    """A person's word wins and is never overwritten."""
    world.run()
    account = in_tier(world, "D")[0]
    world.people.edit(
        "account",
        {"id": account, "foretag_override": "A", "foretag_override_reason": "knows the CEO"},
    )
    world.run()
    held = world.row("account", account, "foretag_tier", "foretag_override", "foretag_reason")
    assert (held["foretag_tier"], held["foretag_override"]) == ("A", "A")
    assert "knows the CEO" in held["foretag_reason"]


def in_tier(world, tier):
    """The ids of the accounts of a tier."""
    return [row["id"] for row in world.people.rows("account", "foretag_tier") if row["foretag_tier"] == tier]


def test_i1_an_edit_of_our_own_field_is_respected_or_put_right(world):
    """Whoever changes a tier by hand keeps it for a while, and it is listed; unless the rules say otherwise."""
    world.run()
    world.people.let_in(("account", "foretag_tier"))
    account = in_tier(world, "D")[0]
    world.people.edit("account", {"id": account, "foretag_tier": "A"})
    report = world.run()
    assert (report.writes, report.respected) == (0, 1)
    with world.job() as job:
        (listed,) = job.ledger.items(report.run, "edited")
    assert (listed.record_id, world.row("account", account, "foretag_tier")["foretag_tier"]) == (account, "A")
    world.use_rules("edits: {days: 0}")
    assert world.run().done["account"] == 1
    assert world.row("account", account, "foretag_tier")["foretag_tier"] == "D"


def test_i1_a_tier_falls_only_after_its_dwell_time(world):
    """The kept tag state is part of what the scores say: a fall is held for a week, and told."""
    world.run()
    best = set(in_tier(world, "A"))
    world.close(*(deal for deal in world.open_deals("account_id") if deal["account_id"] in best), won=False)
    world.run()
    held = _held_for_now(world)
    assert held
    assert held <= best
    world.sandbox.clock.advance(timedelta(days=8))
    world.run()
    assert not held & _held_for_now(world)


def _held_for_now(world):
    rows = world.people.rows("account", "foretag_tier", "foretag_reason")
    top = (row for row in rows if row["foretag_tier"] == "A")
    return {row["id"] for row in top if "tier held for now" in row["foretag_reason"]}


def test_i1_who_is_left_alone_keeps_what_was_there(world):
    """Leave alone means that nothing of ours is written to the record, whatever happens around it."""
    world.run()
    deals = world.open_deals("account_id", "foretag_tier")
    account = next(deal["account_id"] for deal in deals if deal["account_id"] and deal["foretag_tier"])
    before = world.row("account", account, *OURS["account"])
    assert before["foretag_tier"]
    world.people.edit("account", {"id": account, "foretag_override": "Leave alone"})
    world.close(*(deal for deal in deals if deal["account_id"] == account), won=False)
    world.sandbox.clock.advance(timedelta(days=20))
    assert world.run().writes > 0
    assert world.row("account", account, *OURS["account"]) == before


def test_i1_validity_is_renewed_before_it_ends(world):
    """A worker that runs keeps every score valid, changed or not."""
    world.run()
    world.sandbox.clock.advance(timedelta(days=10))
    today = world.run().today
    for name in ("account", "opportunity"):
        rows = world.people.rows(name, "foretag_tier", "foretag_valid_until")
        valid = [str(row["foretag_valid_until"]) for row in rows if row["foretag_tier"]]
        assert valid
        assert min(valid) > today


# I2: never two tasks for one record, rule and period.


def _keys(world):
    """The keys of all tasks ever made; no record has two of one subject, whatever their keys."""
    rows = world.people.rows("task", "key", "account_id", "opportunity_id", "subject", deleted=True)
    tasks = [row for row in rows if row["key"] is not None]
    about = {(row["opportunity_id"] or row["account_id"], row["subject"]) for row in tasks}
    assert len(about) == len(tasks)
    return [row["key"] for row in tasks]


def test_i2_tasks_are_made_once(world):
    """Runs, lost history and the next day: each key stands once."""
    world.use_rules(EVERY_RECORD)
    report = world.run()
    assert report.done["task"] == len(_keys(world)) > 0
    world.run()
    world.forget()
    world.run()
    world.sandbox.clock.advance(timedelta(days=1))
    world.run()
    keys = _keys(world)
    assert len(keys) == len(set(keys))


def test_i2_a_deleted_task_is_not_made_again(world):
    """A rep deletes a task; it stays deleted, even for an installation that has lost its history."""
    world.use_rules(EVERY_RECORD)
    world.run()
    made = len(_keys(world))
    task = next(row["id"] for row in world.people.rows("task", "key") if row["key"] is not None)
    world.people.delete("task", task)
    world.run()
    world.forget()
    world.run()
    assert len(_keys(world)) == made


def test_i2_a_lost_reply_does_not_double_a_task(world):
    """The CRM made the tasks, then the connection was cut: they are looked up before any repeat."""
    world.use_rules(EVERY_RECORD)
    world.sandbox.faults.add([{"kind": "lost_reply", "match": world.people.making_tasks}])
    report = world.run()
    keys = _keys(world)
    assert len(keys) == len(set(keys)) == report.done["task"] > 0
    assert report.unknown.get("task", 0) == 0


def test_i2_a_crash_after_the_send_does_not_double_a_task(world, monkeypatch):
    """The keys were written down before; the next run finds the tasks in the CRM."""
    world.use_rules(EVERY_RECORD)
    with world.job() as job:
        send = type(job.connector).upsert_tasks

        def send_and_die(self, tasks):
            send(self, tasks)
            raise Crash

        monkeypatch.setattr(type(job.connector), "upsert_tasks", send_and_die)
        from sync.pipeline import run

        with pytest.raises(Crash):
            run(job)
        (row, *_) = job.ledger.runs()
        written_down = set(job.ledger.our_tasks.of_run(job.name, row["id"])["key"].to_pylist())
    monkeypatch.undo()
    made = _keys(world)
    assert set(made) == written_down != set()
    world.run()
    keys = _keys(world)
    assert len(keys) == len(set(keys))
    assert set(made) <= set(keys)


# I3: an immediate second run writes nothing.


def test_i3_an_immediate_second_run_writes_nothing(world):
    """Counted by the CRM, not by us."""
    assert world.run().writes > 0
    with world.counting() as written:
        report = world.run()
    assert (written(), report.writes) == (0, 0)


def test_i3_holds_while_the_crm_does_not_show_our_writes_yet(world):
    """What we wrote is known at once, though queries still show the old values."""
    world.use_rules(EVERY_RECORD)
    world.sandbox.faults.add([{"kind": "late_commit", "seconds": 300}])
    assert world.run().writes > 0
    with world.counting() as written:
        report = world.run()
    assert (written(), report.writes) == (0, 0)


def test_i3_holds_in_bulk(make_world):
    """Above the bulk threshold too."""
    world = make_world(data="synthetic:2500:6000")
    assert world.run().done["account"] == 2500
    with world.counting() as written:
        world.run()
    assert written() == 0


def test_i3_the_next_day_writes_at_most_a_twentieth_and_the_renewals_due(make_world):
    """Nothing changed but the date: only what time itself moved is written."""
    world = make_world(data="pipeline")
    first = world.run()
    world.sandbox.clock.advance(timedelta(days=1))
    plan = world.plan()
    book = sum(first.book.values())
    renewals = sum(
        (row["foretag_valid_until"] is not None)
        for table in plan.changes.values()
        for row in table.to_pylist()
    )
    assert plan.records - renewals <= 0.05 * book
    assert renewals <= 0.12 * book


# I4: everything refused or unknown is on a list.


def test_i4_refused_records_are_listed_and_the_others_done(world):
    """A validation rule of the org refuses some records; each is on the list with the CRM's words."""
    world.sandbox.faults.add([world.people.refuse_some("not this one")])
    report = world.run()
    assert report.exit_code == 3
    refused = report.refused["account"]
    assert 0 < refused < report.planned["account"]
    with world.job() as job:
        items = job.ledger.items(report.run, "refused")
    assert len(items) == refused
    assert all("not this one" in item.message for item in items)
    tagged = {row["id"] for row in world.people.rows("account", "foretag_tier") if row["foretag_tier"]}
    assert tagged.isdisjoint(item.record_id for item in items)
    assert len(tagged) + refused >= report.planned["account"]


def test_i4_a_batch_without_an_answer_is_listed_as_unconfirmed(world):
    """The CRM goes away for good in mid-write: what was sent is on the list, and the next run finishes it."""
    world.sandbox.faults.add(
        [{"kind": "status", "status": 503, "match": world.people.writing(), "times": None}]
    )
    with pytest.raises(RetryLater):
        world.run()
    world.sandbox.faults.remove()
    with world.job() as job:
        (row, *_) = job.ledger.runs()
        batches = job.ledger.batches(row["id"])
        items = job.ledger.items(row["id"], "unknown")
    assert row["exit_code"] == 69
    assert sum(batch["unknown"] for batch in batches) > 0 or items
    world.run()
    world.forget()
    assert world.plan().records == 0


# I5: a cursor never passes a change that is not in the mirror.


def _same(world):
    with world.job() as job:
        held = {
            row["id"]: row["amount"] for row in job.mirror.read("opportunity", ("id", "amount")).to_pylist()
        }
    there = {row["id"]: row["amount"] for row in world.people.rows("opportunity", "amount")}
    assert {key: None if value is None else float(value) for key, value in held.items()} == there


def test_i5_a_late_commit_is_not_missed(world):
    """A change whose stamp lies before the cursor, but which became visible after it, is still pulled."""
    world.run()
    deals = world.people.object_name("opportunity")
    world.sandbox.faults.add([{"kind": "late_commit", "object": deals, "seconds": 120}])
    world.people.edit("opportunity", {"id": world.open_deals()[0]["id"], "amount": 777_777})
    world.sandbox.faults.remove()
    world.sandbox.clock.advance(timedelta(seconds=60))
    world.run()
    world.sandbox.clock.advance(timedelta(seconds=120))
    world.run()
    _same(world)


def test_i5_a_crash_between_mirror_and_cursor_loses_nothing(world, monkeypatch):
    """The cursor moves last: what it has not passed is pulled again."""
    world.run()
    deals = world.open_deals()[:5]
    world.people.edit(
        "opportunity", *({"id": deal["id"], "amount": 5_000 + n} for n, deal in enumerate(deals))
    )
    with world.job() as job:
        from sync.ledger import Ledger
        from sync.pipeline import run

        def die(*_):
            raise Crash

        monkeypatch.setattr(Ledger, "keep_cursor", die)
        with pytest.raises(Crash):
            run(job)
    monkeypatch.undo()
    world.run()
    _same(world)


def test_i5_a_crash_before_the_mirror_leaves_the_cursor_behind(world, monkeypatch):
    """What was read and never kept is read again, however much later than the overlap."""
    world.run()
    world.people.edit("opportunity", {"id": world.open_deals()[0]["id"], "amount": 123_456})
    world.sandbox.clock.advance(timedelta(hours=1))
    with world.job() as job:
        from sync.pipeline import run
        from sync.store.mirror import Mirror

        append = Mirror.append

        def die(mirror, object_name, page):
            if object_name == "opportunity":
                raise Crash
            append(mirror, object_name, page)

        monkeypatch.setattr(Mirror, "append", die)
        with pytest.raises(Crash):
            run(job)
    monkeypatch.undo()
    world.sandbox.clock.advance(timedelta(hours=1))
    world.run()
    _same(world)


def test_i5_deletions_and_merges_are_followed(world):
    """A deleted or merged record leaves the copy, and nothing is written to it."""
    world.run()
    first, second, *_ = (row["id"] for row in world.people.rows("account"))
    deals = world.people.rows("opportunity", "account_id")
    deal = next(row["id"] for row in deals if row["account_id"] not in (first, second))
    moved = {row["id"] for row in deals if row["account_id"] in (first, second)}
    world.people.delete("opportunity", deal)
    survivor = world.people.merge("account", first, second)
    # What is gone in the very second of our own write is only noticed by the run after: CRMs tell whole seconds.
    world.sandbox.clock.advance(timedelta(seconds=1))
    position = world.sandbox.journal.position
    world.run()
    _same(world)
    with world.job() as job:
        accounts = set(job.mirror.read("account", ("id",))["id"].to_pylist())
        held = job.mirror.read("opportunity", ("id", "account_id")).to_pylist()
    gone = {first, second} - {survivor}
    assert survivor in accounts
    assert not gone & accounts
    assert moved
    assert {row["account_id"] for row in held if row["id"] in moved} == {survivor}
    assert not any({deal, *gone} & set(entry.ids) for entry in world.sandbox.journal.writes(position))


def test_i5_a_deal_that_moves_to_another_account_is_followed(world):
    """Also where a CRM does not stamp a deal for its links."""
    world.run()
    world.sandbox.clock.advance(timedelta(hours=2))
    # A deal that is over: an open one the first run has written, so that it comes again by its stamp.
    deals = world.people.rows("opportunity", "is_closed", "account_id")
    deal = next(deal for deal in deals if deal["is_closed"] and deal["account_id"])
    other = next(row["id"] for row in world.people.rows("account") if row["id"] != deal["account_id"])
    world.people.edit("opportunity", {"id": deal["id"], "account_id": other})
    world.run()
    with world.job() as job:
        held = job.mirror.read("opportunity", ("id", "account_id")).to_pylist()
    assert {row["id"]: row["account_id"] for row in held}[deal["id"]] == other


# I6: no write outside the configured fields, objects and limits.


def test_i6_only_our_fields_are_written(world):
    """The CRM's own journal names every field that the worker ever wrote."""
    people, position = world.people, world.sandbox.journal.position
    world.run()
    entries = [entry for entry in world.sandbox.journal.writes(position) if entry.user == people.worker]
    ours = {people.object_name(name): fields for name, fields in people.ours.items()}
    assert {entry.object for entry in entries} == set(ours)
    making, changing = people.operations
    for entry in entries:
        assert set(entry.fields) <= ours[entry.object], entry.object
        assert entry.operation == (making if entry.object == people.object_name("task") else changing)


def test_i6_too_many_changes_stop_the_run_before_its_first_write(world):
    """The limit is checked on the whole plan, not on the way."""
    with world.counting() as written, pytest.raises(Guarded, match="nothing was written"):
        world.run(max_changes=3)
    assert written() == 0


def test_i6_the_reserve_for_other_integrations_is_kept(world):
    """Less API calls left than the reserve: the run parks before its first write."""
    text = world.settings.read_text().replace("api_reserve: 0", "api_reserve: 50")
    world.settings.write_text(text)
    world.people.use_up()
    with world.counting() as written, pytest.raises((RetryLater, ConfigProblem)) as caught:
        world.run()
    assert written() == 0
    assert exit_code(caught.value) == 75


def test_i6_a_lost_field_stops_the_run_before_its_first_write(world):
    """An output that can no longer be written is found before anything is sent."""
    world.sandbox.faults.add([tier_frozen(world.people)])
    field = world.people.field_name("account", "foretag_tier")
    with world.counting() as written, pytest.raises(ConfigProblem, match=field):
        world.run()
    assert written() == 0


def tier_frozen(people):
    """The fault that nobody may write the tier of accounts any more."""
    return people.freeze("account", "foretag_tier")


def silent(people):
    """The fault that no records can be read."""
    return {"kind": "status", "match": people.reading, "times": None}


def used_up(people):
    """The fault that no records may be read any more today."""
    return people.allowance_used_up(match=people.reading)


# I7: exit code and last line tell the truth.


def _kept(world):
    with world.job() as job:
        return job.ledger.runs()[0]


def test_i7_a_clean_run_says_what_the_crm_counted(world):
    """The numbers of the last line are the CRM's numbers."""
    position = world.sandbox.journal.position
    report = world.run()
    assert report.exit_code == 0
    crm = CRMS[world.people.crm]
    written = {
        name: sum(
            len(entry.ids) for entry in world.sandbox.journal.writes(position) if entry.object == api_name
        )
        for name, api_name in ((name, world.people.object_name(name)) for name in crm.nouns)
    }
    assert report.done == written
    told = [f"{count:,} {crm.nouns[name].many}" for name, count in written.items()]
    assert report.last_line.startswith(f"Wrote {', '.join(told)} in ")


@pytest.mark.parametrize(
    ("fault", "error", "code", "state", "words"),
    [
        (silent, RetryLater, 69, "failed", "503"),
        (used_up, RetryLater, 75, "parked", "allowance"),
        (tier_frozen, ConfigProblem, 2, "failed", "to fix first"),
    ],
)
def test_i7_a_run_that_failed_says_so(world, fault, error, code, state, words):
    """In the history too: code, state and words of what happened."""
    world.run()
    world.people.edit("opportunity", {"id": world.open_deals()[0]["id"], "amount": 1})
    with world.job() as job:
        from sync.pipeline import run

        job.connector.org()
        job.connector.server_time()
        world.sandbox.faults.add([fault(world.people)])
        with pytest.raises(error) as caught:
            run(job)
    world.sandbox.faults.remove()
    kept = _kept(world)
    assert (exit_code(caught.value), kept["exit_code"], kept["state"]) == (code, code, state)
    assert words in kept["last_line"]


def test_i7_a_run_with_refusals_is_not_called_clean(world):
    """Exit 3, and the last line counts them."""
    world.sandbox.faults.add([world.people.refuse_some("no")])
    report = world.run()
    assert (report.exit_code, _kept(world)["exit_code"]) == (3, 3)
    assert f"{report.refused['account']:,} refused: see `foretag runs {report.run}`" in report.last_line


@pytest.mark.parametrize(
    ("timezone", "days"), [("Pacific/Kiritimati", 1), ("Pacific/Pago_Pago", 0), ("GMT", 0)]
)
def test_today_is_the_date_in_the_orgs_time_zone(make_world, timezone, days):
    """Not the date of this machine, nor of Greenwich: at 11 in London it is tomorrow on Kiritimati."""
    world = make_world(timezone=timezone)
    world.sandbox.clock.advance(timedelta(hours=3))
    assert world.run().today == str(world.sandbox.today + timedelta(days=days))
