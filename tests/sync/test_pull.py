"""Pulling into the mirror: each record once, and the cursor never past what is not there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from sync.ledger import Ledger
from sync.pull import Pulled, gathered, pull
from sync.store.mirror import Mirror
from tests.contract.conftest import World
from tests.crms import people_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS = {"account": ("id", "name", "annual_revenue", "modified_at")}


class Installation:
    """A mirror and a ledger beside a CRM."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.ledger = Ledger.open(folder / "state", lambda: datetime(2026, 1, 1, tzinfo=UTC))
        self.mirror = Mirror(folder / "mirror")

    def pull(self, *more: str) -> Pulled:
        """One pull of the accounts, with more columns if need be."""
        columns = {"account": (*COLUMNS["account"], *more)}
        connector = self.world.connect()
        return pull("main", connector, self.ledger, self.mirror, columns, lambda *_: None)

    def ids(self) -> list[str]:
        """The ids held, each as often as it is held."""
        return sorted(self.mirror.read("account", ("id",))["id"].to_pylist())


@pytest.fixture
def installation(make_sandbox, tmp_path) -> Iterator[Installation]:
    """Nothing pulled yet."""
    made = Installation(World(people_of(make_sandbox(), tmp_path)), tmp_path)
    yield made
    made.ledger.close()


def test_rows_that_come_twice_in_a_first_load_are_held_once(installation):
    """A query that takes too long in mid-result is asked again in halves, from its beginning."""
    faults = installation.world.sandbox.faults
    faults.add([
        {"kind": "short_pages", "rows": 7},
        {"kind": "query_timeout", "match": r"/query/\w+", "after": 1},
    ])  # fmt: skip
    assert installation.pull().read["account"] == 40
    assert faults.listing()[1]["acted"] == 1
    ids = installation.ids()
    assert len(ids) == len(set(ids)) == 40


def test_a_new_column_does_not_cost_a_record_that_cannot_be_read_now(installation):
    """Everything is read anew; the row held of an unreadable record stays, without the new column."""
    installation.pull()
    first = installation.ids()[0]
    poison = {"kind": "poison", "object": "Account", "what": "nan", "field": "AnnualRevenue", "id": first}
    installation.world.sandbox.faults.add([poison])
    pulled = installation.pull("industry")
    assert [item.record_id for item in pulled.set_aside] == [first]
    assert len(installation.ids()) == 40
    rows = {
        row["id"]: row for row in installation.mirror.read("account", ("id", "name", "industry")).to_pylist()
    }
    assert rows[first]["name"]
    assert rows[first]["industry"] is None


def test_a_record_without_an_id_holds_the_cursor_and_costs_no_row(installation):
    """Whoever it is keeps the row held; nothing is taken for read that was not."""
    installation.pull()
    before = installation.ledger.cursor("main", "account")
    poison = {"kind": "poison", "object": "Account", "what": "missing_id", "id": installation.ids()[0]}
    installation.world.sandbox.faults.add([poison])
    installation.world.advance(3600)
    installation.pull("industry")
    assert installation.ledger.cursor("main", "account") == before
    assert len(installation.ids()) == 40


def test_each_moved_deal_gets_its_own_account(make_sandbox, tmp_path, monkeypatch):
    """In whatever order the CRM tells of them."""
    world = World(people_of(make_sandbox(crm="hubspot"), tmp_path))
    installation = Installation(world, tmp_path)
    columns = {"opportunity": ("id", "account_id", "modified_at")}

    def pulled() -> dict[str, str]:
        connector = world.connect()
        relinked = connector.relinked
        monkeypatch.setattr(connector, "relinked", lambda *asked: relinked(*asked)[::-1])
        pull("main", connector, installation.ledger, installation.mirror, columns, lambda *_: None)
        rows = installation.mirror.read("opportunity", ("id", "account_id")).to_pylist()
        return {row["id"]: row["account_id"] for row in rows}

    before = pulled()
    world.advance(7200)
    deals = [deal for deal, account in before.items() if account][:3]
    accounts = [row["id"] for row in world.people.rows("account")]
    moved = {
        deal: next(account for account in accounts[place:] if account != before[deal])
        for place, deal in enumerate(deals)
    }
    world.people.edit(
        "opportunity", *({"id": deal, "account_id": account} for deal, account in moved.items())
    )
    assert pulled() == before | moved
    installation.ledger.close()


def test_small_pages_are_taken_in_together():
    """However many pages the CRM cuts a change into, none is lost and few tables are made of them."""
    pages = [pa.table({"id": [str(number)]}) for number in range(7)]
    tables = list(gathered(pages, 3))
    assert [table.num_rows for table in tables] == [3, 3, 1]
    assert pa.concat_tables(tables)["id"].to_pylist() == [str(number) for number in range(7)]
    assert list(gathered([], 3)) == []
