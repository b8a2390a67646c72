"""Salesforce: `connect` makes the connector of one org."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from connectors.salesforce.api import Api
from connectors.salesforce.auth import SignIn
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.statuses import SALESFORCE
from connectors.tokens import MemoryTokens, TokenStore
from connectors.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from random import Random

    from config.settings import SalesforceConnection

__all__ = ["MemoryTokens", "SalesforceConnector", "TokenStore", "connect"]


def connect(  # noqa: PLR0913  # time and chance are arguments
    name: str,
    connection: SalesforceConnection,
    mapping: Mapping[str, Mapping[str, str]],
    *,
    tokens: TokenStore,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    rng: Random,
    bulk_threshold: int = 2000,
    worker: str = "",
    before_send: Callable[[], None] = lambda: None,
    monotonic: Callable[[], float] = time.monotonic,  # noqa: ARG001  # Salesforce has no rates; every CRM's signature
) -> SalesforceConnector:
    """The connector of a connection. Nothing is sent before the first call.

    Args:
        name: the connection's name, for messages and for its kept token.
        connection: where, and with which credentials.
        mapping: object -> canonical column -> field path, laid over `fields.DEFAULTS`.
        tokens: keeps a rotated refresh token, durably, before it is used.
        clock: the time (UTC), for signing an assertion only; cursors use Salesforce's.
        sleep: waits some seconds.
        rng: for the jitter of waits.
        bulk_threshold: from how many rows on the Bulk API is used.
        before_send: called before each request leaves; it may raise, and nothing is sent then.
        monotonic: seconds of the clock that `sleep` sleeps by; not needed here.
        worker: when these are an administrator's credentials: the username of the worker to set up.
    """
    transport = Transport(
        name,
        connection.url,
        SALESFORCE,
        timeouts=(connection.connect_timeout, connection.read_timeout),
        sleep=sleep,
        rng=rng,
        ca_file=connection.ca_file,
        before_send=before_send,
    )
    transport.authoriser = SignIn(name, connection, transport, tokens, clock)
    api = Api(transport, connection.api_version)
    return SalesforceConnector(
        api, mapping, bulk_threshold=bulk_threshold, worker=worker, reserve=connection.limits.api_reserve
    )
