"""What people decided against the scores, as `foretag overrides` and the book tell it."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from config.rules import Rules
from sync.book.overridden import by_owner, disagreement, overrides
from sync.commands.overrides import show_overrides
from sync.talk import Talk

TODAY = date(2026, 11, 22)


@pytest.fixture
def found(tmp_path):
    """Three overrides that stand, one that has ended; of two owners."""
    import pyarrow as pa

    from sync.store.mirror import Mirror
    from sync.store.tags import TagStore

    said = [
        ("1", "ann", "A", "D", 20, TODAY + timedelta(days=9)),
        ("2", "ann", "C", "B", 70, TODAY + timedelta(days=80)),
        ("3", "bob", "Leave alone", "B", 70, TODAY + timedelta(days=80)),
        ("4", "bob", "B", "B", 71, TODAY + timedelta(days=15)),
        ("5", "bob", "A", "B", 71, TODAY - timedelta(days=1)),
    ]
    mirror, tags = Mirror(tmp_path / "mirror"), TagStore(tmp_path / "tags")
    columns = ("id", "name", "foretag_override", "foretag_override_reason", "modified_at")
    held = [{"id": one, "name": f"Account {one}", "foretag_override": word} for one, _, word, *_ in said]
    from config.records import schema

    mirror.load("account", columns, [pa.Table.from_pylist(held, schema=schema("account", columns))])
    names = ("id", "owner_id", "score_tier", "foretag_score", "override_until")
    rows = [
        dict(zip(names, (one, owner, tier, score, until), strict=True))
        for one, owner, _, tier, score, until in said
    ]
    tags.keep("tags", {"account": [pa.Table.from_pylist(rows)]})
    return overrides(mirror, tags, Rules(), TODAY)


def test_how_often_and_how_far_the_score_would_have_it_otherwise(found):
    """Of words that are tiers; those that have ended still stand on their records and are told apart."""
    assert [(one.id, one.ended, one.ends_soon) for one in found] == [
        ("5", True, False),
        ("1", False, True),
        ("4", False, False),
        ("2", False, False),
        ("3", False, False),
    ]
    said = disagreement([one for one in found if not one.ended])
    assert said == {
        "compared": 3,
        "disagree": 2,
        "higher": 1,
        "lower": 1,
        "tiers_apart": 2.0,
        "tiers": {("A", "D"): 1, ("B", "B"): 1, ("C", "B"): 1},
    }


def test_in_whose_books_they_stand(found):
    """By name, where the settings allow it."""
    rows = by_owner([one for one in found if not one.ended], {"ann": "Ann"})
    assert [(row["owner"], row["overrides"], row["disagree"]) for row in rows] == [
        ("Ann", 2, 2),
        ("bob", 2, 0),
    ]


@pytest.mark.long
@pytest.mark.parametrize("crm", ["salesforce"])
def test_people_are_counted_and_named_only_where_the_settings_say_so(world, capsys):
    """The notice of an end stands on the record, too, two weeks before it."""
    world.run()
    accounts = world.people.rows("account", "owner_id")[:2]
    until = world.sandbox.today + timedelta(days=20)
    world.people.edit(
        "account",
        *({"id": row["id"], "foretag_override": "A", "foretag_override_until": until} for row in accounts),
    )
    world.run()
    before = world.row("account", accounts[0]["id"], "foretag_reason")["foretag_reason"]
    world.sandbox.clock.advance(timedelta(days=7))
    world.run()
    after = world.row("account", accounts[0]["id"], "foretag_reason", "foretag_alert")
    assert ("until" in before, "; ends" in after["foretag_reason"]) == (True, True)
    assert "override ends" in after["foretag_alert"]
    told = _listed(world, capsys)
    assert (told["standing"], told["end_soon"], "by_owner" in told) == (2, 2, False)
    assert not any("owner" in key for row in told["records"] for key in row)
    text = world.settings.read_text()
    world.settings.write_text(text.replace("    crm:", "    people: names\n    crm:", 1))
    told = _listed(world, capsys)
    assert sum(row["overrides"] for row in told["by_owner"]) == 2
    assert all(row["owner"] for row in told["records"])


def _listed(world, capsys):
    capsys.readouterr()
    assert show_overrides(Talk(machine=True), world.settings, None) == 0
    return json.loads(capsys.readouterr().out)
