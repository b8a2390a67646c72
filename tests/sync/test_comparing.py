"""What other rules would do is told record by record, owner by owner, and drawn on one page."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest

from config.crms import CRMS
from config.outputs import OBJECTS, written
from config.rules import Rules
from sync.score import score
from sync.store.tags import TagStore
from sync.trial.comparing import Comparison, Side, compare
from sync.trial.page import write_page
from sync.writing.scope import Scope
from tests.sync.loading import loaded

if TYPE_CHECKING:
    from sync.store.mirror import Mirror

TODAY = date(2026, 11, 22)
OWNERS = {"rep1": "Ann", "rep2": "Bob"}
# Rules under which only size counts, and nothing is held back.
BY_SIZE = Rules.model_validate({"priority": {"weights": {"soon": 1, "profitable": 0, "much": 99}}})


@pytest.fixture
def mirror(tmp_path) -> Mirror:
    """Twenty accounts of two owners, each with one open deal: the later it closes, the larger it is."""
    accounts = [
        {"id": f"a{n:02}", "name": f"Company {n}", "owner_id": f"rep{1 + n % 2}", "industry": "Retail"}
        for n in range(20)
    ]
    deals = [
        {
            "id": f"d{n:02}", "name": f"Deal {n}", "account_id": f"a{n:02}", "owner_id": f"rep{1 + n % 2}",
            "stage": "Proposal", "amount": Decimal(1000 * (n + 1)), "probability": 50.0, "is_closed": False,
            "is_won": False, "close_date": date.fromordinal(TODAY.toordinal() + 10 * n),
        }
        for n in range(20)
    ]  # fmt: skip
    # A closed deal that still holds a tag of ours is no part of the comparison.
    deals.append(deals[19] | {"id": "d99", "is_closed": True, "foretag_tier": "B"})
    owners = [{"id": one, "name": name, "active": True, "team": "North"} for one, name in OWNERS.items()]
    return loaded(tmp_path / "mirror", owner=owners, account=accounts, opportunity=deals)


def _compared(mirror: Mirror, tmp_path, old: Rules, new: Rules):
    tags = TagStore(tmp_path / "tags")
    return compare(Side(old, mirror), Side(new, mirror), tags, TODAY, lambda wanted, _: wanted)


def test_the_same_rules_move_nobody(mirror, tmp_path):
    """Everything lies on the diagonal, and the list of movers is empty."""
    found = _compared(mirror, tmp_path, Rules(), Rules())
    matrix = found.matrix("opportunity")
    assert matrix.to_numpy().sum() == 20
    assert matrix.to_numpy().trace() == 20
    assert found.moved("account").empty
    assert (found.tasks["old"] == found.tasks["new"]).all()


def test_a_connection_without_tasks_is_compared_too(mirror, tmp_path):
    """No task is due: the tables are empty, and the page leaves them out."""
    tags, page = TagStore(tmp_path / "tags"), tmp_path / "page.html"
    sides = Side(Rules(), mirror), Side(BY_SIZE, mirror)
    found = compare(*sides, tags, TODAY, lambda wanted, _: wanted.slice(0, 0))
    assert found.as_dict()["tasks"] == []
    write_page(page, found, BY_SIZE, CRMS["hubspot"], org="O", old_rules="a", new_rules="b")
    assert "New tasks by owner" not in page.read_text()


def test_records_move_from_row_to_column(mirror, tmp_path):
    """The soonest deal is A by the defaults, the largest by the new rules; the movers say so with both reasons."""
    found = _compared(mirror, tmp_path, Rules(), BY_SIZE)
    rows = found.moved("opportunity").set_index("id")
    largest = rows.loc["d19"]
    assert (largest["tier_old"], largest["tier_new"]) == ("D", "A")
    assert largest["owner"] == "Bob"
    assert "20k" in largest["reason_new"]
    first, second = rows.index[:2]
    assert {first, second} <= set(rows.index[rows["steps"].abs() == 3])
    assert found.matrix("opportunity").loc["D", "A"] == (rows["steps"] == 3).sum()


def test_owners_are_told_what_lies_in_tier_a_before_and_after(mirror, tmp_path):
    """Counts and money per owner add up to those of the records."""
    found = _compared(mirror, tmp_path, Rules(), BY_SIZE)
    owners, records = found.owners("opportunity").set_index("owner"), found.records["opportunity"]
    assert list(owners.index) == ["Ann", "Bob"]
    in_a = records[records["tier_new"] == "A"]
    assert owners["A_new"].sum() == len(in_a)
    assert owners["money_A_new"].sum() == in_a["money"].sum()
    assert owners["moved"].sum() == (records["tier_old"] != records["tier_new"]).sum()


@pytest.mark.parametrize(
    "calm",
    [
        {"tiers": {"dwell_days": 365}},
        {"tiers": {"cut_offs": {"A": {"enter": 60, "leave": 1}, "B": 40, "C": 20}}},
        {"teams": {"North": {"tiers": {"dwell_days": 365}}}},
    ],
)
def test_a_tier_that_falls_late_is_shown_where_it_will_settle(mirror, tmp_path, calm):
    """Neither days nor points, the company's or a team's, hide what the new rules mean for a deal that was A."""
    old, new = (
        Rules.model_validate(calm),
        Rules.model_validate(calm | {"priority": BY_SIZE.model_dump()["priority"]}),
    )
    tags = TagStore(tmp_path / "tags")
    scored = score(mirror, tags, old, Scope({name: written(name, "full") for name in OBJECTS}), TODAY, "")
    scored.keep_states(tags, scored.changes)
    found = compare(Side(old, mirror), Side(new, mirror), tags, TODAY, lambda wanted, _: wanted)
    assert found.moved("opportunity").set_index("id").loc["d00", ["tier_old", "steps"]].tolist() == ["A", -3]


def test_who_is_scored_by_one_side_alone_is_told(mirror, tmp_path):
    """A record that the new rules leave out, or take in, moves to or from "none"."""
    without = Rules.model_validate(
        {"exclude": [{"on": "opportunity", "when": "amount == 1000", "because": "small"}]}
    )
    there, back = (_compared(mirror, tmp_path, *sides) for sides in ((Rules(), without), (without, Rules())))
    assert there.moved("opportunity").set_index("id").loc["d00", "tier_new"] == "none"
    assert back.moved("opportunity").set_index("id").loc["d00", "tier_old"] == "none"


def test_a_score_or_a_segment_that_changes_alone_is_a_move():
    """The tier is not all that reps see; what is the same in all three is no move. The farthest come first."""
    rows = {
        "id": ["same", "score", "segment", "tier", "large"],
        "tier_old": ["B"] * 5, "tier_new": ["B", "B", "B", "A", "B"],
        "score_old": [50.0] * 5, "score_new": [50.0, 52.0, 50.0, 50.0, 48.0],
        "segment_old": ["Nurture"] * 5, "segment_new": ["Nurture", "Nurture", "Monitor", "Nurture", "Nurture"],
        "money": [1.0, 1.0, 1.0, 1.0, 2.0],
    }  # fmt: skip
    found = Comparison(TODAY, {"account": pd.DataFrame(rows)}, pd.DataFrame())
    assert found.moved("account")["id"].tolist() == ["tier", "large", "score", "segment"]


def test_the_page_needs_no_network_and_believes_no_name(mirror, tmp_path):
    """A company that is called like a script stays text; nothing is loaded from elsewhere; only its owner reads it."""
    evil = "</script><script>alert(1)</script>"
    rows = mirror.read("account", ids=pa.array(["a19"]))
    place = rows.schema.get_field_index("name")
    mirror.append("account", rows.set_column(place, "name", pa.array([evil])))
    page = tmp_path / "page.html"
    told = {"org": "Org & Sons", "old_rules": "rules.yaml", "new_rules": "new.yaml"}
    write_page(page, _compared(mirror, tmp_path, Rules(), BY_SIZE), BY_SIZE, CRMS["salesforce"], **told)
    text = page.read_text()
    assert page.stat().st_mode & 0o777 == 0o600
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in text
    assert evil not in text
    assert "default-src 'none'" in text
    assert "Org &amp; Sons" in text
    outside_of_plotly = re.sub(r"<script>.*?</script>", "", text, count=1, flags=re.DOTALL)
    assert not re.search(r"(?:src|href)=", outside_of_plotly)
    for words in (
        "Tiers, now and then",
        "Who moves where",
        "Segments, then",
        "Biggest movers: opportunities",
    ):
        assert words in text
