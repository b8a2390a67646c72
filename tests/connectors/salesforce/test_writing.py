"""What Salesforce's ways of writing have of their own: row locks, bulk jobs that end early, literals of its CSV."""

from __future__ import annotations

import pytest

from tests.contract.test_writing import WAYS, changes, held, statuses


@WAYS
def test_the_literal_that_means_empty_is_never_sent_as_text(bulk_threshold, world) -> None:
    """A reason that happens to read `#N/A` would empty the field in a CSV: refused, by us."""
    ids = sorted(held(world))[:20]
    reasons = ["fine"] * 20
    reasons[11] = "#N/A"
    table = changes(ids, foretag_reason=reasons)
    outcomes = world.connect(bulk_threshold=bulk_threshold).update("account", table)
    refused = {row["id"]: row["code"] for row in outcomes.to_pylist() if row["status"] == "refused"}
    assert refused == {ids[11]: "VALUE_NOT_SENDABLE"}
    assert list(statuses(outcomes).values()).count("done") == 19


def test_a_record_locked_for_ever_is_refused_in_the_end(world) -> None:
    """After five more attempts."""
    world.sandbox.faults.add([{"kind": "lock_rows", "percent": 100, "hold": None}])
    ids = sorted(held(world))[:2]
    outcomes = world.connect().update("account", changes(ids, foretag_score=[1, 2]))
    assert outcomes["code"].to_pylist() == ["UNABLE_TO_LOCK_ROW"] * 2
    assert set(statuses(outcomes).values()) == {"refused"}


@pytest.mark.parametrize("fault", ["job_failed", "job_aborted"])
def test_a_job_that_fails_half_way_still_has_an_outcome_for_each_record(fault, world) -> None:
    """What it left unprocessed gets a second job."""
    world.sandbox.faults.add([{"kind": fault, "share": 0.5}])
    ids = sorted(held(world))
    outcomes = world.connect(bulk_threshold=10).update("account", changes(ids, foretag_score=[7] * 40))
    assert set(statuses(outcomes).values()) == {"done"}
    assert {row["foretag_score"] for row in held(world).values()} == {7}


def test_what_an_aborted_job_leaves_twice_is_unknown(world) -> None:
    """An admin stopped it: it is listed, so that nobody takes it for done, and not tried again in other ways."""
    world.sandbox.faults.add([{"kind": "job_aborted", "share": 0.5, "times": 2}])
    ids = sorted(held(world))
    outcomes = world.connect(bulk_threshold=10).update("account", changes(ids, foretag_score=[7] * 40))
    found = statuses(outcomes)
    assert sorted(set(found.values())) == ["done", "unknown"]
    now = held(world)
    assert all(now[one]["foretag_score"] == 7 for one, status in found.items() if status == "done")


def test_a_record_that_fails_whole_jobs_is_parted_from_its_neighbours(monkeypatch, world) -> None:
    """Jobs are cut in halves around it, until a few records go by themselves; all others went in bulk."""
    monkeypatch.setattr("connectors.salesforce.updates.MOST_RECORDS", 5)
    ids = sorted(held(world))
    world.sandbox.faults.add([{"kind": "job_failed", "ids": [ids[21]], "share": 0, "times": None}])
    position = world.sandbox.journal.position
    outcomes = world.connect(bulk_threshold=4).update("account", changes(ids, foretag_score=[7] * 40))
    assert set(statuses(outcomes).values()) == {"done"}
    assert {row["foretag_score"] for row in held(world).values()} == {7}
    by_themselves = [one for one in world.requests(position) if "composite" in one]
    assert len(by_themselves) == 2


def test_jobs_that_fail_whatever_is_in_them_end_in_a_few_calls(monkeypatch, world) -> None:
    """Then the trouble is not a record's: what was not sent is said to be so."""
    monkeypatch.setattr("connectors.salesforce.updates.MOST_RECORDS", 5)
    world.sandbox.faults.add(
        [
            {"kind": "job_failed", "share": 0, "times": None},
            {"kind": "status", "match": "PATCH .*composite/sobjects", "status": 503, "times": None},
        ]
    )
    ids = sorted(held(world))
    outcomes = world.connect(bulk_threshold=4).update("account", changes(ids, foretag_score=[7] * 40))
    assert set(outcomes["code"].to_pylist()) == {"NOT_SENT"}
    assert sum("POST /services/data/v62.0/jobs/ingest" in line for line in world.requests()) == 4


def test_results_in_another_order_are_matched_by_id(world) -> None:
    """Salesforce promises no order."""
    world.sandbox.faults.add([{"kind": "shuffle_results"}])
    ids = sorted(held(world))
    tiers = ["A" if place % 2 else "Z" for place in range(40)]
    outcomes = world.connect(bulk_threshold=10).update("account", changes(ids, foretag_tier=tiers))
    found = statuses(outcomes)
    assert [found[one] for one in ids] == ["done" if tier == "A" else "refused" for tier in tiers]
