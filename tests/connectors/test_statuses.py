"""The status tables, row by row and for every CRM: each leads to its action, and nothing is made twice by it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
import responses

from connectors.contract import AuthProblem, ConfigProblem, RecordRefused, RetryLater
from connectors.hubspot.statuses import HUBSPOT
from connectors.salesforce.statuses import SALESFORCE
from connectors.statuses import Action, Dialect, Rule
from connectors.transport import LostReply, Transport
from tests.connectors.hubspot.test_statuses import reply_to as hubspot_reply
from tests.connectors.test_transport import Tokens
from tests.connectors.test_transport import reply_to as salesforce_reply

if TYPE_CHECKING:
    from collections.abc import Callable

ORIGIN = "https://crm.example"
URL = f"{ORIGIN}/things"
PLAYED: tuple[tuple[str, Dialect, Callable[[Rule], dict[str, Any]]], ...] = (
    ("salesforce", SALESFORCE, salesforce_reply),
    ("hubspot", HUBSPOT, hubspot_reply),
)
EXPECTED = {
    Action.RETRY: RetryLater,
    Action.REFRESH: AuthProblem,
    Action.REFUSE: RecordRefused,
    Action.FAIL: ConfigProblem,
    Action.PARK: RetryLater,
}
ROWS = [
    pytest.param(dialect, rule, reply, id=f"{crm}-{rule.status}-{rule.code}-{rule.text}")
    for crm, dialect, reply in PLAYED
    for rule in dialect.rules
]


def transport(dialect: Dialect) -> Transport:
    """A transport to a CRM that `responses` plays; its waits are not slept."""
    made = Transport("acme", ORIGIN, dialect, timeouts=(3.0, 7.0), sleep=lambda _: None, rng=random.Random(7))
    made.authoriser = Tokens()
    return made


@pytest.mark.parametrize(("dialect", "rule", "reply"), ROWS)
@responses.activate
def test_every_row_of_the_status_table_leads_to_its_action(dialect: Dialect, rule: Rule, reply: Any) -> None:
    """Each row is reachable, and ends in the error that is named after its action, with its message and fix."""
    responses.get(URL, **reply(rule))
    with pytest.raises(EXPECTED[rule.action]) as caught:
        transport(dialect).request("GET", URL)
    sent = len(responses.calls)
    assert rule.message in str(caught.value)
    assert rule.fix in str(caught.value)
    assert {Action.RETRY: sent > 2, Action.REFRESH: sent == 2}.get(rule.action, sent == 1)
    if isinstance(caught.value, RetryLater):
        assert caught.value.quota is (rule.action is Action.PARK)


@pytest.mark.parametrize(
    ("dialect", "rule", "reply"), [row for row in ROWS if row.values[1].action is Action.RETRY]
)
@responses.activate
def test_a_create_is_repeated_only_where_it_cannot_have_been_done(
    dialect: Dialect, rule: Rule, reply: Any
) -> None:
    """Without the caller's word, a POST is sent again only if the CRM turned it away at the door."""
    responses.post(URL, **reply(rule))
    with pytest.raises(RetryLater) as caught:
        transport(dialect).request("POST", URL)
    assert isinstance(caught.value, LostReply) is not rule.harmless
    assert (len(responses.calls) > 1) is rule.harmless
