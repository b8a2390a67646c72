"""What stands around accounts and deals: cases, line items, contacts and quotas, from both CRMs alike."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from config.records import RECORDS
from tests.contract.conftest import World, pull
from tests.contract.small_book import small_book
from tests.contract.test_setup import FIELDS, WRITTEN

if TYPE_CHECKING:
    from collections.abc import Callable

# From one record on a CRM's way for large loads is taken; below so many its other one.
WAYS = (1, 100_000)
MAPPED = ("territory", "company_growth", "opted_out", "foretag_growth_plan", "foretag_growth_plan_by")
# As an admin's own fields are called in each CRM.
MAPPING = {
    "salesforce": {
        "account": {
            "territory": "Territory__c",
            "company_growth": "Company_Growth__c",
            "opted_out": "Opted_Out__c",
        },
        "opportunity": {"margin": "Margin__c", "need_by": "Need_By__c", "pain": "Pain__c"},
        "line_item": {"cost": "Cost__c"},
    },
    "hubspot": {
        "account": {"territory": "territory", "company_growth": "company_growth", "opted_out": "opted_out"},
        "opportunity": {"margin": "margin", "need_by": "need_by", "pain": "pain"},
    },
}


@pytest.fixture
def small_world(make_world: Callable[..., World]) -> World:
    """A world with the small book, set up."""
    made = make_world(data=small_book())
    made.set_up(*RECORDS)
    return made


class Reader:
    """Rows of a pull with names in the place of ids, so that both CRMs may be compared with the book."""

    def __init__(self, world: World, **options: Any) -> None:
        self.connector = world.connect(mapping=MAPPING[world.people.crm], **options)
        self.names: dict[str | None, str | None] = {None: None}
        for name in ("owner", "account", "opportunity"):
            self.names.update({row["id"]: row["name"] for row in pull(self.connector, name, ["name"]).rows})

    def __call__(self, object_name: str, *columns: str) -> set[tuple[Any, ...]]:
        """The rows' values of these columns."""
        pulled = pull(self.connector, object_name, columns)
        assert pulled.set_aside == []
        assert pulled.checkpoint.read == pulled.checkpoint.expected == len(pulled.rows)
        return {tuple(self._named(column, row[column]) for column in columns) for row in pulled.rows}

    def _named(self, column: str, value: Any) -> Any:
        return self.names[value] if column.endswith("_id") else value


def test_contacts_that_took_place_are_read_with_whom_about_what_and_when(small_world) -> None:
    """Also one of more than a year ago; a meeting that is to come has its day already."""
    for bulk_threshold in WAYS:
        read = Reader(small_world, bulk_threshold=bulk_threshold)
        told = ("account_id", "opportunity_id", "owner_id", "day")
        assert read("call", *told) == {
            ("Acme", "Pumps", "Ada Berg", date(2026, 1, 20)),
            ("Birch", None, "Bo Lind", date(2025, 1, 14)),
        }
        assert read("email", *told) == {("Birch", "Valves", "Bo Lind", date(2026, 1, 5))}
        assert read("meeting", *told) == {
            ("Acme", "Renewal", "Ada Berg", date(2026, 1, 12)),
            ("Birch", None, "Bo Lind", date(2026, 3, 3)),
        }


def test_cases_line_items_and_quotas_are_read_with_the_workers_rights(small_world) -> None:
    """Whatever it takes was granted by setup; a cost is had where the CRM has a place for it."""
    for bulk_threshold in WAYS:
        read = Reader(small_world, bulk_threshold=bulk_threshold)
        assert read("case", "account_id", "owner_id", "type", "priority", "is_closed") == {
            ("Acme", "Ada Berg", "Breakdown", "High", True),
            ("Acme", "Ada Berg", "Capacity", "Low", False),
            ("Birch", "Bo Lind", None, "Medium", False),
        }
        assert read("line_item", "opportunity_id", "product", "quantity", "amount", "cost") == {
            ("Pumps", "Pump", 2.0, Decimal(1000), Decimal(700)),
            ("Pumps", "Valve", 4.0, Decimal(500), None),
        }
        assert read("quota", "owner_id", "amount", "start", "end") == {
            ("Ada Berg", Decimal(90_000), date(2026, 1, 1), date(2026, 3, 31)),
            ("Bo Lind", Decimal(20_000), date(2026, 2, 1), date(2026, 2, 28)),
        }


def test_what_else_rules_may_ask_of_accounts_and_deals_is_read(small_world) -> None:
    """Percentages as percent, sales processes by their name, the last contact that took place."""
    for bulk_threshold in WAYS:
        read = Reader(small_world, bulk_threshold=bulk_threshold)
        growing = date(2026, 12, 31)
        # What people have not ticked is false in one CRM, and nothing in the other.
        assert {(*row[:3], row[3] or False, *row[4:]) for row in read("account", "name", *MAPPED)} == {
            ("Acme", "Nordics", 12.5, False, Decimal(50_000), growing),
            ("Birch", None, None, False, None, None),
            ("Cedar", "Nordics", -3.0, True, None, None),
        }
        assert read("account", "name", "last_activity_date") == {
            ("Acme", date(2026, 1, 20)), ("Birch", date(2026, 1, 5)), ("Cedar", None),
        }  # fmt: skip
        assert read("opportunity", "name", "pipeline", "margin", "need_by", "pain") == {
            ("Pumps", "New Business", 35.5, date(2026, 6, 30), "Leaks every week"),
            ("Valves", "New Business", None, None, None),
            ("Renewal", "Renewals", 60.0, None, None),
        }


def test_an_increment_of_contacts_holds_new_moved_and_deleted_ones(small_world) -> None:
    """Each by its own stamp, and only of its kind."""
    kinds, columns = ("call", "email", "meeting"), ["account_id", "day"]
    people, read = small_world.people, Reader(small_world)
    ids = {name: key for key, name in read.names.items()}
    small_world.advance(86_400)
    before = {name: pull(read.connector, name, columns) for name in kinds}
    small_world.advance(86_400)
    row = {"account_id": ids["Cedar"], "owner_id": ids["Ada Berg"], "day": date(2026, 2, 1)}
    made = {name: people.create(name, row)[0] for name in kinds}
    moved = {name: min(before[name].ids()) for name in kinds}
    for name in kinds:
        people.edit(name, {"id": moved[name], "day": date(2026, 1, 31)})
    for name in kinds:
        since, old, new = before[name].checkpoint.cursor, moved[name], made[name]
        fresh = {row["id"]: row for row in pull(read.connector, name, columns, since).rows}
        assert {key: row["day"] for key, row in fresh.items()} == {old: date(2026, 1, 31), new: row["day"]}
        assert fresh[new]["account_id"] == ids["Cedar"]
        people.delete(name, old)
        assert set(read.connector.deleted(name, since).ids) == {old}
        assert set(read.connector.ids(name).to_pylist()) == (before[name].ids() | {new}) - {old}


def test_a_contact_that_did_not_take_place_has_no_day(small_world) -> None:
    """Whether it never did, or was taken back after it had been read."""
    people, read = small_world.people, Reader(small_world)
    ids = {name: key for key, name in read.names.items()}
    small_world.advance(86_400)
    for name in ("call", "email"):
        before = pull(read.connector, name, ["day"])
        row = {"account_id": ids["Cedar"], "day": date(2026, 2, 1), "is_closed": False}
        (planned,) = people.create(name, row)
        people.edit(name, *({"id": one, "is_closed": False} for one in before.ids()))

        def days(name: str = name, since: str = before.checkpoint.cursor) -> dict[str, date | None]:
            return {row["id"]: row["day"] for row in pull(read.connector, name, ["day"], since).rows}

        assert days() == dict.fromkeys([planned, *before.ids()])
        people.edit(name, {"id": planned, "is_closed": True})
        assert days()[planned] == date(2026, 2, 1)


def test_rights_are_granted_for_what_rules_name_and_missed_only_there(make_world) -> None:
    """A run for other rules finds nothing to complain of; one that names cases, without the right, is warned."""
    world = make_world(data=small_book())
    admin, people = world.admin(), world.people
    admin.ensure_fields(admin.missing("basic"))
    people.keep_to_itself("case")
    assert world.connect().check(FIELDS, WRITTEN) == []
    cases = {"case": [column.name for column in RECORDS["case"]]}
    (problem,) = world.connect().check(FIELDS | cases, WRITTEN)
    assert problem.severity == "warning"
    assert people.reading_right("case") in str(problem)
    unseen = pull(world.connect(), "case", cases["case"])
    assert unseen.rows == []
    people.let_read("case")
    admin.ensure_fields(admin.missing("basic", ["case"]))
    assert admin.missing("basic", ["case"]) == []
    assert world.connect().check(FIELDS | cases, WRITTEN) == []
    # From where the blind pull left off, everything is read.
    assert len(pull(world.connect(), "case", cases["case"], unseen.checkpoint.cursor).rows) == 3
