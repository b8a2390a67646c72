"""Rate limits: three rolling windows and a day, by the sandbox's clock, told in headers and in exact bodies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

DETAILS = "/account-info/v3/details"
MAX, REMAINING = "X-HubSpot-RateLimit-Max", "X-HubSpot-RateLimit-Remaining"
DAILY, DAILY_REMAINING = "X-HubSpot-RateLimit-Daily", "X-HubSpot-RateLimit-Daily-Remaining"


def statuses(api, calls, path=DETAILS):
    """How many of so many calls got which status."""
    found = [api.get(path).status_code for _ in range(calls)]
    return found.count(200), found.count(429)


@pytest.fixture
def sandbox(make_sandbox):
    """A portal whose clock stands still until it is moved, as calls take time."""
    moment = datetime(2026, 3, 2, 9, tzinfo=UTC)
    return make_sandbox(crm="hubspot", clock=lambda: moment)


def test_headers_count_down(sandbox, worker):
    """Maximum, what is left of ten seconds, and what is left of the day."""
    first, second = worker.get(DETAILS).headers, worker.get(DETAILS).headers

    assert (first[MAX], first[REMAINING], second[REMAINING]) == ("190", "189", "188")
    assert first["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert (first[DAILY], first[DAILY_REMAINING]) == ("625000", "624999")


def test_the_191st_call_of_ten_seconds_is_refused_until_the_window_rolls_on(sandbox, worker):
    """429 with the policy's name, and not counted itself."""
    assert statuses(worker, 192) == (190, 2)
    refused = worker.get(DETAILS)
    body = refused.json()
    assert body["status"] == "error"
    assert body["message"] == "You have reached your ten_secondly_rolling limit."
    assert (body["errorType"], body["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    assert {"correlationId", "requestId", "groupName"} <= set(body)
    assert (refused.headers[REMAINING], "Retry-After" in refused.headers) == ("0", False)

    sandbox.clock.advance(timedelta(seconds=9.9))
    assert worker.get(DETAILS).status_code == 429
    sandbox.clock.advance(timedelta(seconds=0.1))
    assert worker.get(DETAILS).status_code == 200
    assert sandbox.limits.used == 191


def test_calls_at_the_same_time_are_counted_one_by_one(sandbox, plain_client):
    """However many arrive at once, never more than the limit pass."""

    def some(_number):
        with plain_client(sandbox, sandbox.credentials.worker.token) as client:
            return statuses(client, 30)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(some, range(8)))

    assert [sum(kind) for kind in zip(*found, strict=True)] == [190, 50]


def test_each_app_has_its_own_burst(worker, api):
    """What one app used up does not hold up another."""
    assert statuses(worker, 191) == (190, 1)
    assert api.get(DETAILS).status_code == 200


def test_oauth_apps_have_110_and_no_day(sandbox, oauth):
    """Their headers tell no daily allowance, and their calls do not use it up."""
    api = oauth()
    headers = api.get(DETAILS).headers

    assert (headers[MAX], DAILY in headers, DAILY_REMAINING in headers) == ("110", False, False)
    assert statuses(api, 110) == (109, 1)
    assert sandbox.limits.used == 0

    sandbox.limits.change({"daily": 5, "use": 5})
    sandbox.clock.advance(timedelta(seconds=11))
    assert api.get(DETAILS).status_code == 200


def test_searches_have_five_a_second_for_the_whole_portal_and_tell_nothing(sandbox, worker, api):
    """Both apps share them; they are no part of the burst."""
    replies = [one.search("deals", limit=1) for one in (worker, worker, worker, api, api, api)]

    assert [reply.status_code for reply in replies] == [200] * 5 + [429]
    assert replies[-1].json()["message"] == "You have reached your secondly limit."
    assert replies[-1].json()["policyName"] == "SECONDLY"
    assert not [name for reply in replies for name in reply.headers if "ratelimit" in name.lower()]
    assert worker.get(DETAILS).headers[REMAINING] == "189"
    sandbox.clock.advance(timedelta(seconds=1))
    assert worker.search("deals", limit=1).status_code == 200


def test_associations_have_150_of_their_own(sandbox, worker):
    """Apart from the burst, unless that is switched."""
    path = "/crm/v4/associations/deals/companies/labels"

    assert worker.get(path).headers[MAX] == "150"
    assert statuses(worker, 150, path) == (149, 1)
    assert worker.get(DETAILS).headers[REMAINING] == "189"

    sandbox.clock.advance(timedelta(seconds=10))
    worker.post("/sandbox/limits", json={"associations_in_general": True})
    worker.get(path)
    assert worker.get(DETAILS).headers[REMAINING] == "188"


def test_the_daily_allowance_ends_at_midnight_of_the_portal(make_sandbox, plain_client):
    """All private apps share it; it begins anew at midnight of the account's zone, not after 24 hours."""
    moment = datetime(2026, 3, 2, 20, tzinfo=UTC)
    sandbox = make_sandbox(crm="hubspot", clock=lambda: moment, timezone="America/New_York")
    with plain_client(sandbox, sandbox.credentials.worker.token) as worker:
        worker.post("/sandbox/limits", json={"daily": 3, "use": 2})
        assert statuses(worker, 2) == (1, 1)
        refused = worker.get(DETAILS)
        assert refused.json()["message"] == "You have reached your daily limit."
        assert (refused.json()["policyName"], refused.headers[DAILY_REMAINING]) == ("DAILY", "0")

        sandbox.clock.set(datetime(2026, 3, 3, 4, 59, tzinfo=UTC))
        assert worker.get(DETAILS).status_code == 429
        sandbox.clock.set(datetime(2026, 3, 3, 5, 0, tzinfo=UTC))
        assert worker.get(DETAILS).status_code == 200
        usage = worker.get("/account-info/v3/api-usage/daily/private-apps").json()["results"][0]
        assert (usage["usageLimit"], usage["currentUsage"]) == (3, 2)
        assert usage["resetsAt"] == "2026-03-04T05:00:00.000Z"


def test_limits_can_be_switched(worker):
    """Maxima, none at all, and a `Retry-After` that HubSpot does not always send."""
    told = worker.post("/sandbox/limits", json={"general": 1, "search": None, "retry_after": True}).json()

    assert (told["general"], told["search"], told["retry_after"]) == (1, None, True)
    assert worker.get(DETAILS).headers[MAX] == "1"
    refused = worker.get(DETAILS)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
    assert [worker.search("deals", limit=1).status_code for _ in range(7)] == [200] * 7


def test_a_limit_that_does_not_exist_is_a_problem(worker):
    """400, with the names that there are."""
    reply = worker.post("/sandbox/limits", json={"maximum": 1})

    assert reply.status_code == 400
    assert "general" in reply.json()["problems"][0]


def test_unauthorized_calls_count_for_nobody(sandbox, worker, connect):
    """A stranger cannot use up the portal's day."""
    statuses(connect(), 3)

    assert sandbox.limits.used == 0
    assert [entry.counted for entry in sandbox.journal.requests()] == [False] * 3
