"""Told to stop while replies are awaited: the connector lets go at once, whatever its threads wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connectors.hubspot.batches import Batches
from tests.connectors.test_in_flight import FOR_EVER, Told, told_soon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.contract.conftest import World


@pytest.fixture
def held_up(make_world: Callable[..., World]) -> Iterator[Callable[[str], World]]:
    """Make a portal of which some replies do not come."""
    world = make_world(data="synthetic:20:2500")

    def hold_up(match: str) -> World:
        world.sandbox.faults.add([{"kind": "latency", "seconds": FOR_EVER, "match": match}])
        return world

    yield hold_up
    world.sandbox.faults.remove()


def test_a_list_read_in_parts_is_let_go(held_up: Callable[[str], World]) -> None:
    """Its readers' replies are not waited for."""
    connector = held_up("GET .*/deals.*after=[0-9]*[1-9]").connect()
    with told_soon(seconds=1), pytest.raises(Told):
        list(connector.pull("opportunity", ["name"], None))


def test_links_are_let_go(held_up: Callable[[str], World]) -> None:
    """And so are the readers of the list behind them."""
    connector = held_up("POST .*/associations/.*").connect()
    with told_soon(seconds=1), pytest.raises(Told):
        list(connector.pull("opportunity", ["account_id"], None))


def test_a_write_is_let_go(held_up: Callable[[str], World]) -> None:
    """What became of it the next run asks."""
    connector: Any = held_up("POST .*/batch/update").connect()
    records = [{"id": str(number), "properties": {"dealname": "x"}} for number in range(1000)]
    with told_soon(), pytest.raises(Told):
        Batches(connector._api).update("deals", records)
