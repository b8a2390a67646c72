"""What becomes of values of ours that somebody else changed: told from our own, reported, respected or put right."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from config.records import schema
from config.rules import Rules
from config.sections.edits import EDITABLE
from connectors.contract import RetryLater
from sync.commands.views import explain
from sync.ledger import Ledger
from sync.ledger.edits import Edit
from sync.store.journal import Journal
from sync.store.mirror import Mirror
from sync.store.place import Place
from sync.store.written import Written
from sync.talk import Talk
from sync.writing.edits import Edits
from tests.acceptance.conftest import BOTH_IN_TIME

DAY = timedelta(days=1)
ONE = pytest.mark.parametrize("crm", ["salesforce"])


@pytest.fixture
def edited(world):
    """A world after a run in which a person has given an account another tier; with that account's id."""
    world.run()
    world.people.let_in(("account", "foretag_tier"), ("account", "foretag_next_step"))
    account = next(
        row["id"] for row in world.people.rows("account", "foretag_tier") if row["foretag_tier"] == "D"
    )
    world.people.edit("account", {"id": account, "foretag_tier": "A"})
    return world, account


def _tier(world, account):
    return world.row("account", account, "foretag_tier")["foretag_tier"]


def _edits(world):
    with world.job() as job:
        return job.ledger.edits.of(job.name)


def _apart(world, account, capsys):
    capsys.readouterr()
    assert explain(Talk(machine=True), world.settings, None, account) == 0
    return json.loads(capsys.readouterr().out)["apart"]


def _news(world, report):
    with world.job() as job:
        return [(item.record_id, item.message) for item in job.ledger.items(report.run, "edited")]


@pytest.mark.long
@BOTH_IN_TIME
def test_another_persons_value_is_reported_once_and_stays_for_ninety_days(edited, capsys):
    """It is told in the run that sees it and by `explain`, counted in each, and put right when its time is over."""
    world, account = edited
    first = world.run()
    ((record_id, told),) = _news(world, first)
    assert (record_id, _tier(world, account), first.respected) == (account, "A", 1)
    assert "Tier was changed by somebody else, from D to A; it stays so until" in told
    assert "Left as others changed them: 1 of our values" in first.last_line
    (edit,) = _edits(world)
    (apart,) = _apart(world, account, capsys)
    assert apart == f"Tier is A in the CRM: somebody changed it, which is respected until {edit.until}."
    # The other fields of the record go on: its validity is renewed, and its tier is nobody's but theirs.
    world.sandbox.clock.advance(20 * DAY)
    second = world.run()
    assert second.done["account"] > 0
    assert (_news(world, second), _edits(world), _tier(world, account)) == ([], [edit], "A")
    world.sandbox.clock.advance(71 * DAY)
    third = world.run()
    assert _tier(world, account) == "D"
    assert "is put right now" in _news(world, third)[0][1]
    assert (world.run().respected, _edits(world)) == (0, [])
    assert _apart(world, account, capsys) == []


def test_rules_say_by_field_how_long_a_value_is_respected():
    """The worker's own marks, validity and stamp, are no opinions and have no number."""
    rules = Rules.model_validate({"edits": {"days": 30, "fields": {"tier": 0}}})
    assert (rules.edits.days_of("foretag_tier"), rules.edits.days_of("foretag_score")) == (0, 30)
    assert not {"foretag_valid_until", "foretag_stamp"} & set(EDITABLE)


@pytest.mark.long
@ONE
def test_another_change_begins_anew_an_override_goes_before_it_and_changing_it_back_ends_it(edited, capsys):
    """What stands is compared with what we wrote, not with what the scores want now."""
    world, account = edited
    world.run()
    ours = world.row("account", account, "foretag_next_step")
    world.sandbox.clock.advance(30 * DAY)
    world.people.edit("account", {"id": account, "foretag_tier": "B", "foretag_next_step": "Ask Zoe"})
    report = world.run()
    step, tier = _edits(world)
    assert {str(step.seen_on), str(tier.seen_on)} == {report.today}
    told = [message for _, message in _news(world, report)]
    # What a person writes is shown where they wrote it, not in lists.
    assert (len(told), any("Zoe" in message for message in told)) == (2, False)
    assert world.row("account", account, "foretag_next_step")["foretag_next_step"] == "Ask Zoe"
    world.people.edit("account", {"id": account, "foretag_override": "C"})
    assert (world.run().respected, _tier(world, account)) == (1, "C")
    (apart,) = _apart(world, account, capsys)
    assert apart.startswith("Suggested next step has other words in the CRM")
    world.people.edit("account", {"id": account, "foretag_next_step": ours["foretag_next_step"]})
    assert (world.run().respected, _edits(world)) == (0, [])


def test_scores_that_agree_for_a_while_end_nothing_while_theirs_is_to_be_respected(tmp_path):
    """And what they agree with afterwards counts as ours."""
    ledger = Ledger.open(tmp_path, lambda: datetime(2026, 11, 22, tzinfo=UTC))
    fields = {"account": {"foretag_tier": "Foretag_Tier__c"}}
    mirror = Mirror(tmp_path / "mirror")
    written = Written(Place.of(tmp_path / "written"), mirror, fields)
    stamp = datetime(2026, 11, 22, tzinfo=UTC)

    def held(tier):
        row = {"id": "1", "foretag_tier": tier, "modified_at": stamp}
        return pa.Table.from_pylist([row], schema=schema("account", ("id", "foretag_tier", "modified_at")))

    def looked_at(wanted, today, theirs="A"):
        rows = [
            {"id": "1", "foretag_tier": wanted, "foretag_reason": "x", "leave": False, "overridden": False}
        ]
        edits = Edits("demo", ledger, written, Journal(Place.of(tmp_path / "journal")), Rules(), today)
        edits.learn()
        said = edits.honoured("account", 0, pa.Table.from_pylist(rows), held(theirs))
        edits.keep()
        return said["foretag_tier"][0].as_py(), len(edits.news), len(ledger.edits.of("demo"))

    day = date(2026, 11, 22)
    mirror.load("account", ("id", "foretag_tier", "modified_at"), [held("D")])
    written.keep("account", pa.table({"id": ["1"]}), {})
    mirror.load("account", ("id", "foretag_tier", "modified_at"), [held("A")])
    assert looked_at("D", day) == ("A", 1, 1)
    assert looked_at("A", day + DAY) == ("A", 0, 1)
    assert looked_at("C", day + 90 * DAY) == ("A", 0, 1)
    assert looked_at("A", day + 91 * DAY) == ("A", 0, 0)
    assert looked_at("C", day + 92 * DAY) == ("C", 0, 0)
    ledger.close()


@pytest.mark.long
@ONE
def test_a_write_of_ours_without_an_answer_is_nobodys_edit(world):
    """The CRM did it and we do not know: the next run finds our own value, and takes it for ours."""
    world.run()
    deals = world.open_deals()[:20]
    world.people.edit("opportunity", *({"id": deal["id"], "amount": 900_000} for deal in deals))
    lost_reply = {"kind": "lost_reply", "match": world.people.writing(), "times": None}
    world.sandbox.faults.add([lost_reply])
    with pytest.raises(RetryLater):
        world.run()
    world.sandbox.faults.remove()
    # The scores want something else by now than what was sent.
    world.people.edit("opportunity", *({"id": deal["id"], "amount": 10} for deal in deals))
    report = world.run()
    assert report.done["opportunity"] > 0
    assert (_news(world, report), report.respected, _edits(world)) == ([], 0, [])


def test_a_field_read_from_elsewhere_is_nobodys_edit(tmp_path):
    """What stands in a field that is mapped anew, or was not written before, was never ours."""
    mirror = Mirror(tmp_path / "mirror")
    row = {"id": "1", "foretag_tier": "A", "modified_at": datetime(2026, 11, 22, tzinfo=UTC)}
    columns = ("id", "foretag_tier", "modified_at")
    mirror.load("account", columns, [pa.Table.from_pylist([row], schema=schema("account", columns))])
    done = pa.table({"id": ["1"]})

    def known(**fields):
        return Written(Place.of(tmp_path / "written"), mirror, {"account": fields})

    first = known(foretag_tier="Foretag_Tier__c")
    first.keep("account", done, {})
    assert first.read("account", 0).to_pylist() == [{"id": "1", "foretag_tier": "A"}]
    elsewhere = known(foretag_tier="Rank__c")
    assert elsewhere.read("account", 0).num_rows == 0
    elsewhere.keep("account", done, {})
    assert elsewhere.read("account", 0).num_rows == 1
    more = known(foretag_tier="Rank__c", foretag_score="Foretag_Score__c")
    assert more.read("account", 0).num_rows == 0


def test_a_merged_records_edits_go_to_the_one_that_it_became_part_of(tmp_path):
    """Which keeps its own where it has one."""
    ledger = Ledger.open(tmp_path, lambda: datetime(2026, 11, 22, tzinfo=UTC))
    day = date(2026, 11, 22)
    tier, score, own = (
        Edit("account", record, field, day, day + 90 * DAY, value)
        for record, field, value in (
            ("1", "foretag_tier", "x"),
            ("1", "foretag_score", "y"),
            ("2", "foretag_tier", "z"),
        )
    )
    ledger.edits.keep("demo", [tier, score, own], [])
    ledger.edits.move("demo", "account", {"1": "2"})
    assert ledger.edits.of("demo") == [replace(score, record_id="2"), own]
    ledger.close()
