"""The concurrent limit counts calls that take 20 seconds or more, and only while they are under way."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.clock import SandboxClock
from connectors.sandbox.salesforce.app import SalesforceSide
from connectors.sandbox.salesforce.long_calls import LongCalls, is_above_limit


def call():
    """An ASGI scope of one call."""
    path = "/services/data/v62.0/query"
    return {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}


async def refusals(long_calls, seconds, *, ended=False):
    """Whether a call is marked while so many others have been under way for so long, or have ended."""
    clock = SandboxClock(datetime(2026, 1, 5, tzinfo=UTC), lambda: 0.0)
    end, marked = asyncio.Event(), []

    async def app(scope, _receive, _send):
        marked.append(is_above_limit(scope))
        if len(marked) <= long_calls:
            await end.wait()

    limited = LongCalls(app, clock)
    tasks = [asyncio.ensure_future(limited(call(), None, None)) for _ in range(long_calls)]
    # Each task runs up to its wait.
    await asyncio.sleep(0)
    clock.advance(timedelta(seconds=seconds))
    if ended:
        end.set()
        await asyncio.gather(*tasks)
    await limited(call(), None, None)
    end.set()
    await asyncio.gather(*tasks)
    return marked[-1]


@pytest.mark.parametrize(
    ("long_calls", "seconds", "ended", "refused"),
    [(25, 20, False, True), (24, 20, False, False), (25, 19, False, False), (25, 20, True, False)],
)
def test_the_26th_call_is_refused_while_25_take_long(long_calls, seconds, ended, refused):
    """24, or 25 short ones, or 25 that have ended, leave room."""
    assert asyncio.run(refusals(long_calls, seconds, ended=ended)) is refused


def test_the_refusal_is_the_crms_own(sandbox):
    """REQUEST_LIMIT_EXCEEDED with 403, as when the day's calls are used up, but other words."""
    side = SalesforceSide(sandbox._app().app.crm.context)

    reply = side.refuse(call() | {"foretag.too_many_long_calls": True})

    assert reply.status_code == 403
    assert b"ConcurrentRequests (Concurrent API Requests) Limit exceeded" in reply.body
    assert b"REQUEST_LIMIT_EXCEEDED" in reply.body
