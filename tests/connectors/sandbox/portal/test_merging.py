"""Merged records: the loser's id leads to the winner, but not everywhere."""

from __future__ import annotations

import pytest

from connectors.sandbox.hubspot.errors import HubSpotError


@pytest.fixture
def merged(portal, app, make, hands):
    """A winner and the loser that was merged into it."""
    winner = make("companies", name="Winner", phone="1")
    loser = make("companies", name="Loser", phone="2", city="Lund")
    hands.later(minutes=1)
    portal.merge(app, "companies", winner, loser)
    return winner, loser


def test_the_winner_takes_what_it_lacks(portal, merged):
    """And remembers who was merged into it, with a new stamp."""
    winner, loser = merged
    told = portal.get("companies", winner, properties=["name", "phone", "city", "hs_merged_object_ids"])
    assert (
        told["properties"]
        | {
            "name": "Winner",
            "phone": "1",
            "city": "Lund",
            "hs_merged_object_ids": loser,
        }
        == told["properties"]
    )
    assert told["updatedAt"] == "2018-01-01T12:01:00Z"


def test_the_old_id_leads_to_the_winner(portal, app, merged):
    """For one record, read or written."""
    winner, loser = merged
    assert portal.get("companies", loser)["id"] == winner
    assert portal.update_one(app, "companies", loser, {"phone": "3"})["id"] == winner


def test_a_batch_knows_nothing_of_old_ids(portal, app, merged):
    """An update passes them over without a word; a read tells them as missing."""
    winner, loser = merged
    inputs = [{"id": one, "properties": {"phone": "9"}} for one in (loser, winner)]
    batch = portal.update(app, "companies", inputs)
    assert ([one["id"] for one in batch.results], batch.errors) == ([winner], [])
    assert portal.read_batch("companies", [{"id": loser}]).errors[0]["context"] == {"ids": [loser]}


def test_the_loser_is_nowhere(portal, merged):
    """Neither living nor archived."""
    _, loser = merged
    for archived in (False, True):
        page = portal.list_records("companies", limit=100, archived=archived)
        assert loser not in {one["id"] for one in page.results}
    assert portal.search("companies", {"query": "Loser"}).total == 0


def test_deals_move_to_the_winner(portal, app, make):
    """As primary ones, without a new stamp."""
    winner, loser = make("companies", name="Winner"), make("companies", name="Loser")
    deal = make("deals", dealname="x", dealstage="184920131")
    portal.associate_default(app, "deals", "companies", [{"from": {"id": deal}, "to": {"id": loser}}])
    before = portal.get("deals", deal)["updatedAt"]
    portal.merge(app, "companies", winner, loser)
    found = portal.record_associations("deals", deal, "companies").results
    assert [
        (str(one["toObjectId"]), [kind["typeId"] for kind in one["associationTypes"]]) for one in found
    ] == [(winner, [5, 341])]
    assert portal.get("deals", deal)["updatedAt"] == before


def test_merges_can_follow_each_other(portal, app, merged, make):
    """The last winner answers for all."""
    winner, loser = merged
    last = make("companies", name="Last")
    told = portal.merge(app, "companies", last, winner)
    assert told["properties"]["hs_merged_object_ids"] == f"{loser};{winner}"
    assert portal.get("companies", loser)["id"] == last


def test_what_cannot_be_merged(portal, app, merged, ids):
    """A record with itself, one that is gone, and records of types that HubSpot does not merge."""
    winner, loser = merged
    with pytest.raises(HubSpotError, match="with itself"):
        portal.merge(app, "companies", winner, winner)
    with pytest.raises(HubSpotError) as caught:
        portal.merge(app, "companies", winner, loser)
    assert caught.value.status == 404
    with pytest.raises(HubSpotError, match="Line Items cannot be merged"):
        portal.merge(app, "line_items", *ids("line_items", 2))
