"""The same book in both CRMs: whatever rules ask of it, the same comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from sync.demo import set_up
from tests.crms import CRMS
from tests.invariants.conftest import World

# Rules that name everything that a CRM can tell.
RULES = """\
fields:
  account:
    territory: {salesforce: Territory__c, hubspot: territory}
    company_growth: {salesforce: Company_Growth__c, hubspot: company_growth}
    opted_out: {salesforce: Opted_Out__c, hubspot: opted_out}
  opportunity:
    margin: {salesforce: Margin__c, hubspot: margin}
    need_by: {salesforce: Need_By__c, hubspot: need_by}
    pain: {salesforce: Pain__c, hubspot: pain}
  line_item:
    cost: {salesforce: Cost__c}
boosts:
  - {name: called, on: account, when: days_since_call <= 60, points: 3, because: called}
  - {name: mailed, on: account, when: days_since_email <= 60, points: 2, because: mailed}
  - {name: met, on: account, when: days_since_meeting <= 60, points: 4, because: met}
  - {name: quota, on: account, when: owner_quota > 50000, points: 1, because: a large quota}
  - {name: items, on: opportunity, when: items_margin >= 20, points: 5, because: good items}
"""
TOLD = {
    "account": ("name", "foretag_tier", "foretag_score", "foretag_segment", "foretag_reason"),
    "opportunity": ("name", "foretag_tier", "foretag_score", "foretag_reason"),
}


@pytest.mark.long
def test_the_same_book_scores_alike_in_both(make_sandbox, tmp_path) -> None:
    """Scores, tiers, segments and reasons, after a run with all that rules may name; a second run changes nothing."""
    told: list[dict[str, Any]] = []
    for crm in CRMS:
        folder = tmp_path / crm
        folder.mkdir()
        world = World(make_sandbox(crm=crm, data="planted:60:400"), folder)
        world.use_rules(RULES)
        set_up(world.settings)
        with world.job() as job:
            assert job.connector.check(job.columns(), {}) == []
        assert {"quota", "case", "line_item", "call", "email", "meeting"} <= set(world.run().pulled)
        with world.job() as job:
            told.append(
                {
                    name: sorted(tuple(row.values()) for row in job.mirror.read(name, columns).to_pylist())
                    for name, columns in TOLD.items()
                }
            )
        again = world.run()
        assert again.planned == {"account": 0, "opportunity": 0, "task": 0}
        assert again.pulled["call"] == again.pulled["quota"] == 0
    assert told[0] == told[1]
    assert any("met" in str(row[-1]) for row in told[0]["account"])
