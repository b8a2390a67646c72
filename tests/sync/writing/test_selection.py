"""Which records and fields one command touches, and what becomes of those that it leaves alone."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from config.crms import CRMS
from config.outputs import OBJECTS, written
from config.problems import ConfigProblem
from config.rules import Rules
from sync.score import score, tagged_book
from sync.store.tags import TagStore
from sync.writing.choosing import Chooser, check_read
from sync.writing.plan import TASK_CHANGE_SCHEMA, TASK_SCHEMA, Plan
from sync.writing.sample import sampled
from sync.writing.scope import Scope
from sync.writing.selection import EVERYTHING, Selection, choose
from tests.sync.loading import loaded

TODAY = date(2026, 11, 22)
WRITTEN = {name: written(name, "basic") for name in OBJECTS}
RULES = Rules.model_validate({"priority": {"weights": {"soon": 1, "profitable": 0, "much": 99}}})


def _changed(day: int) -> datetime:
    """Half an hour before the end of a November day in New York."""
    return datetime(2026, 11, day + 1, 4, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory):
    """Six companies of three owners, two of whom are namesakes, each with a deal; the last deal is of nobody."""
    owners = ("ann", "ann", "bob", "bob", "bob2", None)
    accounts = [
        {
            "id": f"a{n}",
            "name": f"Company {n}",
            "owner_id": owners[n],
            "modified_at": _changed(10 + n),
            "industry": "Energy" if n % 2 else "Retail",
        }
        for n in range(6)
    ]
    deals = [
        {
            "id": f"d{n}", "name": f"Deal {n}", "account_id": f"a{n}" if n < 5 else None, "owner_id": owners[5 - n],
            "stage": "Proposal", "amount": Decimal(1000 * (n + 1)), "probability": 50.0, "is_closed": False,
            "is_won": False, "close_date": date(2026, 12, 1 + n), "modified_at": _changed(20),
        }
        for n in range(6)
    ]  # fmt: skip
    names = {"ann": "Ann Example", "bob": "Bob Twin", "bob2": "Bob Twin"}
    people = [{"id": one, "name": name, "active": True} for one, name in names.items()]
    return loaded(
        tmp_path_factory.mktemp("book") / "mirror", owner=people, account=accounts, opportunity=deals
    )


@pytest.fixture
def scored(mirror, tmp_path):
    """Score the book for a selection; times are those of New York."""

    def made(selection=EVERYTHING, rules=RULES):
        scope = Scope(
            selection.fields(WRITTEN, CRMS["salesforce"]), selection, "America/New_York", written=WRITTEN
        )
        return score(mirror, TagStore(tmp_path / "tags"), rules, scope, TODAY, "stamp")

    return made


@pytest.fixture(scope="module")
def chosen_ids(mirror, tmp_path_factory):
    """The ids of the records that options choose: `a0 a1 d0`; times are those of New York."""
    _, parts = tagged_book(mirror, TagStore(tmp_path_factory.mktemp("tags")), RULES, TODAY)
    (tagged,) = parts

    def chosen(**asked):
        chooser = Chooser.of(choose(**asked), mirror, "America/New_York")
        found = [chooser.ids(name, tagged, mirror.read(name, ("id", "modified_at"))) for name in OBJECTS]
        return " ".join(sorted(one for ids in found for one in ids.to_pylist()))

    return chosen


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ({}, "a0 a1 a2 a3 a4 a5 d0 d1 d2 d3 d4 d5"),
        # Names that accounts alone have bring the accounts' deals; those of deals choose deals alone.
        ({"where": 'industry == "energy"'}, "a1 a3 a5 d1 d3"),
        ({"where": "days_to_close > 11"}, "d3 d4 d5"),
        ({"where": 'account_industry == "Retail" and days_to_close > 11'}, "d4"),
        # Names that both have are asked of each.
        ({"where": "score is unknown"}, ""),
        ({"owners": ("Ann Example",)}, "a0 a1 d4 d5"),
        ({"owners": ("bob2", "ann example")}, "a0 a1 a4 d1 d4 d5"),
        ({"owners": ("nobody",)}, "a5 d0"),
        # From the first midnight on, up to but without the last one.
        ({"changed_since": date(2026, 11, 14)}, "a4 a5 d0 d1 d2 d3 d4 d5"),
        ({"changed_before": date(2026, 11, 14)}, "a0 a1 a2 a3"),
        ({"changed_since": date(2026, 11, 11), "changed_before": date(2026, 11, 13)}, "a1 a2"),
        ({"where": 'industry == "Energy"', "owners": ("ann",)}, "a1"),
    ],
)  # fmt: skip
def test_records_are_chosen(chosen_ids, asked, chosen):
    """By what they are, whose they are and when they changed; all of what is asked for must hold."""
    assert chosen_ids(**asked) == chosen


def test_chosen_records_get_what_they_would_get_with_all_others(scored):
    """Tiers are shares of the whole book: a filter changes who is written, never what."""
    everyone = {row["id"]: row for row in scored().changes["opportunity"].to_pylist()}
    found = scored(choose(where="days_to_close > 11", only=("opportunity",)))
    assert found.changes["account"].num_rows == 0
    some = found.changes["opportunity"].to_pylist()
    assert some == [everyone[one] for one in ("d3", "d4", "d5")]


@pytest.mark.parametrize(
    ("only", "fields"),
    [
        ("tier", {"account": ["foretag_tier"], "opportunity": ["foretag_tier"]}),
        ("Foretag_Segment__c", {"account": ["foretag_segment"], "opportunity": []}),
        ("deal.foretag_score", {"account": [], "opportunity": ["foretag_score"]}),
        ("companies", {"account": [field.name for field in WRITTEN["account"]], "opportunity": []}),
        ("task", {"account": [], "opportunity": []}),
    ],
)
def test_only_takes_the_words_of_people_and_of_the_crm(only, fields):
    """An object, a field, or a field of an object, with or without our prefix; tasks are made if they are named."""
    selection, crm = Selection(only=(only,)), CRMS["hubspot"]
    found = selection.fields(WRITTEN, crm)
    assert {name: [field.name for field in of_object] for name, of_object in found.items()} == fields
    assert selection.tasks(WRITTEN, crm) == (only == "task")
    assert EVERYTHING.tasks(WRITTEN, crm)


@pytest.mark.parametrize(
    "word", ["tyer", "deal.segment", "contact", "account.", "tasks.subject", "likelihood", "."]
)
def test_only_refuses_what_is_not_written(word):
    """A word that means nothing here is an error that lists what there is; so is a field that is not written."""
    with pytest.raises(
        ConfigProblem, match=r'^--only: ".*" is not written here; name an object \(companies, deals'
    ):
        Selection(only=("tier", word)).fields(WRITTEN, CRMS["hubspot"])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"where": 'tier = "A"'}, 'has a single "="; compare with =='),
        ({"where": 'tier == "E"'}, "tier is never 'E'"),
        ({"where": "score"}, "it gives no yes or no"),
        ({"where": "industri is known"}, 'unknown name "industri"; did you mean "industry"'),
        (
            {"where": 'days_to_close < 9 and industry == "Energy"'},
            '"industry": known of accounts alone, and others of opportunities; of an opportunity\'s account, write',
        ),
        ({"changed_since": TODAY, "changed_before": TODAY}, "no day is both 2026-11-22 or later and before"),
        ({"where": 'spend_last_year > "x"'}, "is a text, where a number is needed"),
        ({"where": 'owner == "Ann"'}, "choose an owner's records by --owner NAME"),
        ({"where": 'name == "Acme"'}, 'unknown name "name"; docs/inputs.md lists the names'),
        ({"where": ""}, "--where: is empty; leave it out"),
        ({"owners": (" ",)}, "--owner: is empty"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused_before_anything_is_read(asked, message):
    """In the user's words, with what to write instead."""
    with pytest.raises(ConfigProblem) as refused:
        choose(**asked)
    assert message in str(refused.value)


def test_an_owner_must_be_one_person(chosen_ids):
    """Namesakes are told apart by id, a stranger is compared with whom there is."""
    with pytest.raises(ConfigProblem, match='2 owners are called "bob twin"; give an id: bob, bob2'):
        chosen_ids(owners=("bob twin",))
    with pytest.raises(
        ConfigProblem, match='no owner is called "Ann" and none has this id; did you mean "Ann Ex'
    ):
        chosen_ids(owners=("Ann",))


def test_a_condition_on_what_is_not_read_is_refused():
    """What no rule reads is unknown of everybody: nobody would be chosen, and nobody would know why."""
    asked = choose(where='territory == "North"')
    with pytest.raises(
        ConfigProblem, match=r'"territory" is not known here: the rules do not read account.territory'
    ):
        check_read(asked, RULES)
    check_read(asked, Rules.model_validate({"tiers": {"by": "territory"}}))


def test_nobody_chosen_is_an_error_and_everybody_is_told():
    """A filter with a slip in it must not pass for a run with nothing to do."""
    scope = Scope(WRITTEN, choose(where='type == "Xyz"', owners=("Ann Example",)))
    book = {"account": 1200, "opportunity": 0}
    nobody = {name: pa.chunked_array([], pa.string()) for name in OBJECTS}
    with pytest.raises(ConfigProblem) as refused:
        scope.counted(nobody, book, CRMS["hubspot"])
    assert str(refused.value) == (
        """--where 'type == "Xyz"' --owner 'Ann Example': none of 1,200 companies and 0 deals is chosen;"""
        " choose by something else"
    )
    some = nobody | {"account": pa.chunked_array([["a"]])}
    assert scope.counted(some, book, CRMS["hubspot"]) == {"account": 1, "opportunity": 0}
    assert Scope(WRITTEN).counted(None, book, CRMS["hubspot"]) == {}


def _moves(number: int, old: str | None, new: str) -> list[dict]:
    return [
        {"id": f"{old}{new}{one}", "clear": [], "foretag_tier": new, "old_foretag_tier": old}
        for one in range(number)
    ]


def _changes(*rows) -> pa.Table:
    schema = [("id", pa.string()), ("clear", pa.list_(pa.string()))]
    tiers = [("foretag_tier", pa.string()), ("old_foretag_tier", pa.string())]
    return pa.Table.from_pylist([row for kind in rows for row in kind], schema=pa.schema(schema + tiers))


def test_a_sample_holds_every_kind_of_change_and_is_the_same_each_time():
    """Rare moves are in it, whatever the order of the plan; a larger one holds the smaller."""
    rows = [*_moves(500, "B", "C"), *_moves(2, "A", "D"), *_moves(90, None, "A")]
    plan = {"account": _changes(rows), "opportunity": _changes(_moves(3, "D", "A"))}
    found = sampled(plan, 12)
    kinds = Counter(one.rstrip("0123456789") for ids in found.values() for one in ids.to_pylist())
    assert kinds == {"BC": 3, "AD": 2, "NoneA": 4, "DA": 3}
    turned = {name: table.take(list(reversed(range(table.num_rows)))) for name, table in plan.items()}
    assert {name: set(ids.to_pylist()) for name, ids in sampled(turned, 12).items()} == {
        name: set(ids.to_pylist()) for name, ids in found.items()
    }
    larger = sampled(plan, 40)
    assert all(set(ids.to_pylist()) <= set(larger[name].to_pylist()) for name, ids in found.items())


def test_tasks_of_records_that_are_not_chosen_are_not_made():
    """Neither those of other records, nor those of a record left out of the sample; nor are they listed as held."""
    tasks = [{"key": one, "object": "account", "id": one} for one in ("BC0", "BC1", "AB0")]
    plan = Plan(
        {"account": _changes(_moves(2, "B", "C"), _moves(1, "A", "B"))},
        pa.Table.from_pylist(tasks, schema=TASK_SCHEMA), TASK_CHANGE_SCHEMA.empty_table(), (), {}, lambda *_: None,
    )  # fmt: skip
    chosen = {"account": pa.chunked_array([["BC0", "AB0"]])}
    assert Scope(WRITTEN).narrowed(plan, chosen).tasks["id"].to_pylist() == ["BC0", "AB0"]
    sample = Scope(WRITTEN, Selection(sample=2)).narrowed(plan, None)
    assert sample.records == 2
    assert set(sample.tasks["id"].to_pylist()) == set(sample.changes["account"]["id"].to_pylist())
    assert Scope(WRITTEN, tasks=False).narrowed(plan, None).tasks.num_rows == 0
    assert Scope(WRITTEN).narrowed(plan, None).tasks.num_rows == 3


def test_the_tag_state_stays_where_the_tag_stays(scored, tmp_path):
    """What keeps a tag calm is remembered of tags that the CRM holds, not of those that were left out of a plan."""
    tags = TagStore(tmp_path / "tags")
    first = scored()
    first.keep_states(tags, first.changes)
    before = _states(tags)
    turned = Rules.model_validate({"priority": {"weights": {"soon": 99, "profitable": 0, "much": 1}}})
    whole = scored(rules=turned)
    new = {(row["object"], row["id"]): row for states in whole.states for row in states.to_pylist()}
    assert any(before[key]["tier"] != new[key]["tier"] for key in before)
    for asked, moved in (
        ({"only": ("next_step",)}, ()),
        ({"owners": ("ann",)}, ("a0", "a1", "d4", "d5")),
        ({"only": ("account",)}, ("a0", "a1", "a2", "a3", "a4", "a5", "d4", "d5")),
    ):
        part = scored(choose(**asked), turned)
        part.keep_states(tags, part.changes)
        assert _states(tags) == {key: new[key] if key[1] in moved else row for key, row in before.items()}
    whole.keep_states(tags, whole.changes)
    assert _states(tags) == new


def test_a_record_first_left_out_has_no_tag_state(scored, tmp_path):
    """A first rollout in parts: who was not written yet is new when his turn comes."""
    tags = TagStore(tmp_path / "tags")
    part = scored(choose(owners=("ann",)))
    part.keep_states(tags, part.changes)
    assert sorted(record for _, record in _states(tags)) == ["a0", "a1", "d4", "d5"]


def _states(tags: TagStore) -> dict[tuple[str, str], dict]:
    return {(row["object"], row["id"]): row for row in tags.read("state").to_pylist()}
