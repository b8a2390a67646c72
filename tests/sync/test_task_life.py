"""What becomes of tasks that we made: decided by history, local copy, rules, and how each task is now."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa

from config.records import schema
from connectors.contract import OUTCOME_SCHEMA, TASK_STATE_SCHEMA
from sync.ledger import Ledger
from sync.ledger.known_tasks import KNOWN_SCHEMA
from sync.writing.task_life import live_on
from sync.writing.task_refusals import note_refused, without_refused
from sync.writing.task_texts import content, gist
from sync.writing.tasks import due_tasks, task_key
from sync.writing.waiting import Waiting
from tests.sync.test_tasks import TODAY, WANTED, decide, known, want

WORDS = ("Call", "A 82 by best deal · closes 14 Mar +41 · good margin +22 · 95k +19")


class Desk:
    """The tasks in a CRM, which remembers what was asked for."""

    def __init__(self, *tasks):
        self.tasks = list(tasks)
        self.asked = []

    def our_tasks(self, ids):
        """As the connectors do."""
        self.asked += ids
        return pa.Table.from_pylist([one for one in self.tasks if one["id"] in ids], schema=TASK_STATE_SCHEMA)


def made(key="k", record="a", **more):
    """A task that we made, as the history knows it."""
    return {
        "key": key, "rule": "close it", "object": "opportunity", "record_id": record, "account_id": "x",
        "period": "2026-03", "owner_id": "rep", "state": "done", "crm_id": f"id of {key}", "content": content(*WORDS),
        "gist": gist(*WORDS), "due": TODAY, "created_on": TODAY, **more,
    }  # fmt: skip


def copied(key="k", **more):
    """The same in the local copy."""
    return {
        "id": f"id of {key}",
        "key": key,
        "owner_id": "rep",
        "is_closed": False,
        "modified_at": NOON,
        **more,
    }


def now(key="k", **more):
    """The same in the CRM, as it is now."""
    return {
        "id": f"id of {key}", "key": key, "subject": WORDS[0], "description": WORDS[1], "owner_id": "rep",
        "due": TODAY, "begun": False, "is_closed": False, **more,
    }  # fmt: skip


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAME = {**want("a"), "subject": WORDS[0], "description": WORDS[1]}
OTHER = {**SAME, "subject": "Visit"}


def live(wanted=(), held=(), kept=(), desk=None):
    """What becomes of tasks: the changes, what was seen, what waits."""
    return live_on(
        pa.Table.from_pylist(list(wanted), schema=WANTED),
        pa.Table.from_pylist(list(held), schema=schema("task")),
        pa.Table.from_pylist(list(kept), schema=KNOWN_SCHEMA),
        desk or Desk(now()),
        {"rep": True, "other": True, "gone": False},
        TODAY,
    )


def actions(life):
    """What is to be done with each task."""
    return {row["key"]: row["action"] for row in life.changes}


def test_what_is_wanted_as_it_stands_costs_nothing():
    """No look, no change."""
    desk = Desk(now())
    life = live([SAME], [copied()], [made()], desk)
    assert (life.changes, life.seen, desk.asked) == ([], [], [])


def test_new_figures_and_weaker_reasons_are_no_news():
    """Only the head and the two strongest reasons count, without their points."""
    calm = {
        **SAME,
        "description": "A 85 by best deal · good margin +33 · closes 14 Mar +30 · quiet since May +3",
    }
    assert live([calm], [copied()], [made()]).changes == []
    moved = {**SAME, "description": WORDS[1].replace("14 Mar", "21 Mar")}
    assert actions(live([moved], [copied()], [made()])) == {"k": "reword"}


def test_an_untouched_task_gets_the_new_words_and_keeps_its_day():
    """The change says what stands there now, for undo."""
    (row,) = live([{**OTHER, "due": date(2026, 4, 1)}], [copied()], [made()]).changes
    assert (row["action"], row["subject"], row["old_subject"], row.get("due")) == (
        "reword",
        "Visit",
        "Call",
        None,
    )


def test_whatever_a_rep_did_to_a_task_freezes_its_words():
    """Words, day or status; it is remembered, so that it is not looked at each night."""
    for touch in (
        {"subject": "Mine"},
        {"description": "Rang them."},
        {"due": date(2026, 3, 9)},
        {"begun": True},
    ):
        life = live([OTHER], [copied()], [made()], Desk(now(**touch)))
        assert (life.changes, life.seen) == ([], [("k", {"content": ""})]), touch
    desk = Desk()
    assert live([OTHER], [copied()], [made(content="")], desk).changes == desk.asked == []


def test_how_the_crm_sets_our_words_is_no_touch():
    """Line breaks and spaces are the CRM's affair."""
    life = live([OTHER], [copied()], [made()], Desk(now(description=WORDS[1].replace(" · ", "\n · "))))
    assert actions(life) == {"k": "reword"}


def test_what_we_were_writing_when_we_died_is_ours():
    """Old words and new ones are both known until the CRM has answered."""
    kept = made(content=f"{content(*WORDS)} {content('Visit', WORDS[1])}")
    third = {**OTHER, "subject": "Write"}
    for words in (WORDS[0], "Visit"):
        assert actions(live([third], [copied()], [kept], Desk(now(subject=words)))) == {"k": "reword"}
    # What is wanted stands there already: it only has to be known.
    life = live([OTHER], [copied()], [kept], Desk(now(subject="Visit")))
    assert life.changes == []
    assert life.seen[0][1]["content"] == content("Visit", WORDS[1])


def test_what_lapsed_untouched_is_deleted_and_what_was_touched_is_closed_with_the_reason():
    """A task that nobody began leaves no trace in anybody's statistics."""
    (row,) = live([], [copied()], [made()]).changes
    assert (row["action"], row["ended"], row["id"], row["crm_id"]) == ("delete", "lapsed", "a", "id of k")
    (row,) = live([], [copied()], [made()], Desk(now(begun=True))).changes
    assert (row["action"], row["ended"]) == ("close", "closed")
    assert row["comment"] == "Closed by Foretag on 2026-03-02: what it asked for no longer applies."


def test_a_task_follows_its_owner_touched_or_not():
    """Unless a person gave it to somebody else; to one who left it is not given, but listed."""
    moved = {**SAME, "owner_id": "other"}
    (row,) = live([moved], [copied()], [made(content="")]).changes
    assert (row["action"], row["owner_id"], row["old_owner_id"]) == ("reassign", "other", "rep")
    assert live([moved], [copied(owner_id="third")], [made()]).changes == []
    life = live([{**SAME, "owner_id": "gone"}], [copied()], [made()])
    assert (life.changes, [item.record_id for item in life.held_back]) == ([], ["a"])
    # Given to the new owner already, by us before we died or by a person: known, or the next owner would not get it.
    life = live([moved], [copied(owner_id="other")], [made()])
    assert (life.changes, life.seen) == ([], [("k", {"owner_id": "other"})])


def test_new_owner_and_new_words_are_one_change():
    """One call, one row."""
    (row,) = live([{**OTHER, "owner_id": "other"}], [copied()], [made()]).changes
    assert (row["action"], row["subject"], row["owner_id"]) == ("reassign", "Visit", "other")


def test_the_end_that_a_rep_made_is_noted_with_its_day():
    """Done: the day of its last change; thrown away: the day on which that is found."""
    life = live([SAME], [copied(is_closed=True)], [made()])
    ended = {"ended": "done", "ended_on": date(2026, 3, 1)}
    assert (life.changes, life.seen) == ([], [("k", {"state": "done", "crm_id": "id of k", **ended})])
    (seen,) = live([SAME], [], [made()], Desk()).seen
    assert seen[1] | {"state": "done"} == {
        "state": "done", "crm_id": "id of k", "ended": "deleted", "ended_on": TODAY,
    }  # fmt: skip


def test_a_copy_that_lost_a_task_is_not_believed():
    """Only the CRM says that it is gone."""
    assert live([SAME], [], [made()], Desk(now())).seen == []


def test_a_task_that_a_person_restored_lives_again():
    """Its end is taken back."""
    kept = made(ended="deleted", ended_on=TODAY)
    life = live([SAME], [copied()], [kept])
    assert life.seen == [("k", {"state": "done", "crm_id": "id of k", "ended": None, "ended_on": None})]


def test_of_two_tasks_that_a_merge_brought_together_the_elder_stays():
    """One record, one task of a rule on the desk."""
    elder = made("k", created_on=date(2026, 2, 20), period="2026-02")
    life = live([SAME], [copied(), copied("l")], [elder, made("l")], Desk(now(), now("l")))
    assert actions(life) == {"l": "delete"}
    # An elder that is done is no reason to take the younger away.
    life = live([SAME], [copied(is_closed=True), copied("l")], [elder, made("l")], Desk(now("l")))
    assert actions(life) == {}


def test_an_unconfirmed_task_that_is_there_was_made():
    """Its reply was lost: the local copy shows it."""
    life = live([SAME], [copied()], [made(state="unknown", crm_id=None)])
    assert life.seen[0][1]["state"] == "done"


def test_one_that_is_open_from_an_earlier_period_is_enough():
    """It is neither made again nor listed."""
    kept = known("a", period="2026-02", created_on=date(2026, 1, 5))
    there = {**copied(kept["key"]), "created_at": NOON}
    assert decide([want("a")], tasks=[there], known=[kept]) == ([], {})


def test_what_a_person_ended_cools_down_from_its_end():
    """What we took back, from when it was made."""
    old = known("a", period="2026-01", created_on=date(2026, 1, 5)) | {"ended_on": date(2026, 2, 20)}
    for ended in ("done", "deleted"):
        assert (
            "a person ended the same task on 2026-02-20"
            in decide([want("a")], known=[old | {"ended": ended}])[1]["a"]
        )
    for ended in ("lapsed", "closed", "undone"):
        assert decide([want("a")], known=[old | {"ended": ended}])[0] == ["a"]


def test_very_many_that_must_wait_are_counted():
    """The best are listed, owner by owner."""
    from config.sections.writing import TaskLimits

    wanted = pa.Table.from_pylist([want(f"{n:04d}", n) for n in range(150)], schema=WANTED)
    empty = pa.Table.from_pylist([], schema=schema("task")), KNOWN_SCHEMA.empty_table()
    due, waiting = due_tasks(wanted, *empty, {"rep": True}, TaskLimits(), TODAY, "UTC")
    assert due["id"].to_pylist() == ["0149", "0148", "0147"]
    assert (waiting[0].record_id, waiting[99].record_id) == ("0146", "0047")
    assert waiting[100].message.startswith("47 more of this owner's wait")
    assert len(waiting) == 101
    assert task_key("0149", "close it", "2026-03") == due["key"][0].as_py()


def test_what_was_refused_waits_until_something_else_is_wanted(tmp_path):
    """A deletion that became a completion is the same wish; other words are another; a retry lets it go on."""
    ledger = Ledger.open(tmp_path, lambda: datetime(2026, 3, 2, tzinfo=UTC))
    run = ledger.start_run("main", "run", TODAY, "digest")
    reword = {
        "crm_id": "1",
        "action": "reword",
        "subject": "Visit",
        "description": "",
        "owner_id": None,
        "ended": None,
    }
    delete = {"crm_id": "2", "action": "delete", "ended": "lapsed"}
    said = {"status": "refused", "code": "NO", "message": "not this one", "passing": False}
    outcomes = pa.Table.from_pylist([{**said, "id": "1"}, {**said, "id": "2"}], schema=OUTCOME_SCHEMA)
    note_refused(ledger, "main", run, [reword, {**delete, "action": "close", "ended": "closed"}], outcomes)
    still, items = without_refused(ledger, "main", [reword, delete])
    assert (still, [item.record_id for item in items]) == ([], ["1", "2"])
    other = {**reword, "subject": "Write"}
    assert without_refused(ledger, "main", [other])[0] == [other]
    Waiting("main", ledger, None).lift("task", ["1"])
    assert without_refused(ledger, "main", [reword, delete])[0] == [reword]
    done = pa.Table.from_pylist([{**said, "id": "2", "status": "done"}], schema=OUTCOME_SCHEMA)
    note_refused(ledger, "main", run, [delete], done)
    assert without_refused(ledger, "main", [delete])[0] == [delete]
    ledger.close()
