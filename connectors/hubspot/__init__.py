"""HubSpot: `connect` makes the connector of one portal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from connectors.hubspot.api import Api
from connectors.hubspot.auth import sign_in
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.rates import Lanes
from connectors.hubspot.statuses import HUBSPOT
from connectors.tokens import MemoryTokens, TokenStore
from connectors.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from random import Random

    from config.settings import HubSpotConnection

__all__ = ["HubSpotConnector", "MemoryTokens", "TokenStore", "connect"]


def connect(  # noqa: PLR0913  # time and chance are arguments
    name: str,
    connection: HubSpotConnection,
    mapping: Mapping[str, Mapping[str, str]],
    *,
    tokens: TokenStore,
    clock: Callable[[], datetime],  # noqa: ARG001  # cursors use HubSpot's; the signature is every CRM's
    sleep: Callable[[float], None],
    rng: Random,
    bulk_threshold: int = 500_000,
    worker: str = "",  # noqa: ARG001  # a portal's properties are everybody's: no user is set up
    before_send: Callable[[], None] = lambda: None,
    monotonic: Callable[[], float] = time.monotonic,
) -> HubSpotConnector:
    """The connector of a connection. Nothing is sent before the first call.

    Args:
        name: the connection's name, for messages and for its kept token.
        connection: where, with which credentials, and how fast.
        mapping: object -> canonical column -> property name, laid over `fields.DEFAULTS`.
        tokens: keeps a rotated refresh token, durably, before it is used.
        clock: the time (UTC); not needed here.
        sleep: waits some seconds.
        rng: for the jitter of waits.
        bulk_threshold: from how many rows on exports (first loads) and imports (writes) are used.
        worker: the username of the worker to set up; not needed here.
        before_send: called before each request leaves; it may raise, and nothing is sent then.
        monotonic: seconds of the clock that `sleep` sleeps by, to keep within HubSpot's rates.
    """
    transport = Transport(
        name,
        connection.url,
        HUBSPOT,
        timeouts=(connection.connect_timeout, connection.read_timeout),
        sleep=sleep,
        rng=rng,
        ca_file=connection.ca_file,
        before_send=before_send,
        limiter=Lanes(connection.rates, monotonic=monotonic, sleep=sleep),
    )
    transport.authoriser = sign_in(name, connection, transport, tokens)
    api = Api(transport, connection.api_version)
    return HubSpotConnector(
        api, mapping, bulk_threshold=bulk_threshold, reserve=connection.limits.api_reserve
    )
