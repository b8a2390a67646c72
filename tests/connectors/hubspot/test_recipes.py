"""Canonical columns that are more than one property: what a deal does not say itself, its stage or the portal says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import responses

from connectors.hubspot.owners import owner_cells, read_owners
from connectors.hubspot.plans import Facts, Plan
from connectors.hubspot.records import Cells
from connectors.hubspot.schema import Schema
from connectors.hubspot.stages import stage_cells, stages
from tests.connectors.hubspot.callers import Played

STAMP = "2026-11-22T10:00:00.000Z"


def pipeline(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A pipeline with stages."""
    return {"id": "p", "label": "Sales", "displayOrder": 0, "stages": list(found), **more}


def stage(name: str, **metadata: str) -> dict[str, Any]:
    """A stage; what it means is told by its metadata, as texts."""
    return {"id": name, "label": name.title(), "displayOrder": 0, "metadata": metadata, "updatedAt": STAMP}


PIPELINES = {
    "deals": [
        pipeline(
            stage("new", probability="0.2", isClosed="false"),
            stage("won", probability="1.0", isClosed="true"),
            stage("lost", probability="0.0", isClosed="true"),
        ),
        # An older portal's: only the chance tells that a deal is over; and one that is as good as won, and open.
        pipeline(
            stage("renewed", probability="1.0"),
            stage("sure", probability="1.0", isClosed="false"),
            stage("parked", probability="0.5", isClosed="true"),
        ),
    ],
    "tickets": [pipeline(stage("waiting", ticketState="OPEN"), stage("solved", ticketState="CLOSED"))],
}
OWNERS = [{"id": "9", "teams": [{"id": "31", "name": "North", "primary": True}]}]
HS_OBJECTS = {
    "opportunity": "deals",
    "case": "tickets",
    "line_item": "line_items",
    "quota": "goal_targets",
    "call": "calls",
    "email": "emails",
    "meeting": "meetings",
}


def made(
    object_name: str,
    column: str,
    properties: dict[str, Any],
    *,
    described: dict[str, dict[str, Any]] | None = None,
    mapping: dict[str, str] | None = None,
    currencies: tuple[str, ...] = (),
    timezone: str = "UTC",
) -> Any:
    """What a record with these properties has in a column, in a portal that has just these properties."""
    hs_object = HS_OBJECTS[object_name]
    known = [
        {"name": name, "label": name, "type": "string", **(described or {}).get(name, {})}
        for name in ("hs_object_id", "hs_lastmodifieddate", *properties)
    ]
    account = {"companyCurrency": "EUR", "additionalCurrencies": list(currencies), "timeZone": timezone}
    played = Played({
        f"GET properties/{hs_object}": lambda _: (200, {"results": known}),
        f"GET pipelines/{hs_object}": lambda _: (200, {"results": PIPELINES[hs_object]}),
        "GET owners/": lambda _: (200, {"results": OWNERS}),
        "GET details": lambda _: (200, account),
    })  # fmt: skip
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        played.register(mock)
        api = played.api()
        schema = Schema(api, {object_name: mapping or {}})
        plan = Plan(schema, Facts(api), object_name, ["id", "modified_at", column])
        record = {"id": "512", "updatedAt": STAMP, "properties": properties}
        page = plan.page(Cells.of_records([record], plan.properties), {})
    assert page.set_aside == ()
    (row,) = page.table.to_pylist()
    assert (row["id"], row["modified_at"]) == ("512", datetime.fromisoformat(STAMP))
    return row[column]


@pytest.mark.parametrize(
    ("name", "label", "closed", "won", "chance"),
    [
        ("new", "New", False, False, 20.0),
        ("won", "Won", True, True, 100.0),
        ("lost", "Lost", True, False, 0.0),
        ("renewed", "Renewed", True, True, 100.0),
        ("sure", "Sure", False, False, 100.0),
        ("parked", "Parked", True, False, 50.0),
        ("gone", "gone", None, None, None),
    ],
)
def test_the_stage_tells_what_the_deal_does_not(name, label, closed, won, chance) -> None:
    """Of whichever pipeline; of a stage that is gone nothing is known."""
    deal = {
        "dealstage": name,
        "hs_is_closed": None,
        "hs_is_closed_won": None,
        "hs_deal_stage_probability": None,
    }
    assert made("opportunity", "stage", deal) == label
    assert made("opportunity", "is_closed", deal) is closed
    assert made("opportunity", "is_won", deal) is won
    assert made("opportunity", "probability", deal) == chance


@pytest.mark.parametrize(
    ("column", "name", "own", "value"),
    [
        ("is_closed", "hs_is_closed", "false", False),
        ("is_won", "hs_is_closed_won", "false", False),
        ("probability", "hs_deal_stage_probability", "0.35", 35.0),
        ("probability", "hs_deal_stage_probability", "0.90000000000000002220446", 90.0),
        # No chance at all, but a number that somebody's import put there.
        ("probability", "hs_deal_stage_probability", "35", 100.0),
        ("probability", "hs_deal_stage_probability", "soon", 100.0),
    ],
)
def test_what_the_deal_tells_goes_first_if_it_makes_sense(column, name, own, value) -> None:
    """A deal may have a chance of its own in its stage."""
    assert made("opportunity", column, {"dealstage": "won", name: own}) == value


@pytest.mark.parametrize(
    ("properties", "entered"),
    [
        ({"hs_v2_date_entered_current_stage": "2026-05-01T00:00:00Z", "hs_v2_date_entered_won": STAMP}, 5),
        ({"hs_v2_date_entered_won": "2026-04-01T00:00:00Z", "hs_v2_date_entered_new": STAMP}, 4),
        ({"hs_v2_date_entered_new": STAMP}, None),
    ],
)
def test_a_stage_was_entered_when_the_portal_says_so(properties, entered) -> None:
    """Older portals tell it of each stage, and not of the current one."""
    found = made("opportunity", "stage_changed_at", {"dealstage": "won", **properties})
    assert found == (entered and datetime(2026, entered, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("currencies", "code", "converted", "amount"),
    [
        (("USD",), "USD", "80", Decimal(80)),
        (("USD",), "USD", None, None),
        (("USD",), "EUR", None, Decimal(100)),
        (("USD",), None, None, Decimal(100)),
        ((), None, "80", Decimal(100)),
    ],
)
def test_sums_are_in_the_portals_own_currency(currencies, code, converted, amount) -> None:
    """What HubSpot has not converted counts if it was in that currency anyway."""
    deal = {"amount": "100", "deal_currency_code": code, "amount_in_home_currency": converted}
    assert made("opportunity", "amount", deal, currencies=currencies) == amount
    assert made("opportunity", "currency", deal, currencies=currencies) == "EUR"


@pytest.mark.parametrize(
    ("yearly", "monthly", "value"),
    [
        ("500", "100", Decimal(500)),
        (None, "100.5", Decimal(1206)),
        ("n/a", "100", Decimal(1200)),
        (None, None, None),
    ],
)
def test_recurring_revenue_is_told_by_the_year_or_by_the_month(yearly, monthly, value) -> None:
    """Twelve months make a year."""
    assert made("opportunity", "recurring_revenue", {"hs_arr": yearly, "hs_mrr": monthly}) == value


@pytest.mark.parametrize(
    ("object_name", "column", "properties", "value"),
    [
        ("line_item", "cost", {"hs_cost_of_goods_sold": "2.5", "quantity": "4"}, Decimal(10)),
        ("line_item", "cost", {"hs_cost_of_goods_sold": "2.5", "quantity": None}, None),
        ("quota", "team", {"hs_assignee_team_id": "31"}, "North"),
        ("case", "is_closed", {"hs_pipeline_stage": "solved", "hs_is_closed": None}, True),
        ("case", "is_closed", {"hs_pipeline_stage": "waiting", "hs_is_closed": None}, False),
        ("case", "is_closed", {"hs_pipeline_stage": "waiting", "hs_is_closed": "true"}, True),
    ],
)
def test_other_records_are_told_in_full(object_name, column, properties, value) -> None:
    """The cost of all pieces, the name of a team, the state of a ticket's stage."""
    assert made(object_name, column, properties) == value


def test_a_mapped_column_is_the_property_as_it_stands() -> None:
    """Whoever maps a column by hand means that property and no recipe."""
    deal = {"my_flag": "true", "dealstage": "new", "amount": "7", "amount_in_home_currency": "9"}
    assert made("opportunity", "is_won", deal, mapping={"is_won": "my_flag"}) is True
    mapped = made("opportunity", "amount", deal, mapping={"amount": "amount"}, currencies=("USD",))
    assert mapped == Decimal(7)


def test_options_are_told_by_their_labels_and_fractions_as_percent() -> None:
    """As a rep sees them."""
    options = [{"value": "newbusiness", "label": "New business"}, {"value": "b", "label": "B"}]
    described = {"dealtype": {"options": options}, "my_margin": {"numberDisplayHint": "percentage"}}
    deal = {"dealtype": "newbusiness;b;c", "my_margin": "0.125"}
    assert made("opportunity", "type", deal, described=described) == "New business;B;c"
    assert made("opportunity", "margin", deal, described=described, mapping={"margin": "my_margin"}) == 12.5


def test_stages_are_listed_in_the_order_of_their_pipelines() -> None:
    """An archived one is inactive, and so are those of an archived pipeline."""
    late = {**stage("late", probability="0.9"), "displayOrder": 2}
    dropped = {**stage("dropped"), "archived": True, "displayOrder": 1}
    second = pipeline(late, dropped, stage("early"), displayOrder=1)
    first = pipeline(stage("old", probability="7"), archived=True)
    cells = stage_cells(stages([second, first]))
    assert cells["id"] == ["old", "early", "dropped", "late"]
    assert [int(place or "") for place in cells["position"]] == sorted(
        int(p or "") for p in cells["position"]
    )
    assert cells["active"] == ["false", "true", "false", "true"]
    # Chances lie between none and certain.
    assert cells["probability"] == [None, None, None, "90.0"]


def test_an_owner_belongs_to_his_primary_team() -> None:
    """Else to the first; and who has no name is known by his address."""
    teams = [{"id": "1", "name": "South", "primary": False}, {"id": "2", "name": "North", "primary": True}]
    owners = [
        {"id": "1", "firstName": "Ada", "lastName": " ", "archived": False, "teams": teams},
        {"id": "2", "email": "b@portal.example", "archived": True, "teams": teams[:1]},
        {"id": "3", "lastName": "Cole", "archived": False},
    ]
    cells = owner_cells(owners)
    assert cells["name"] == ["Ada", "b@portal.example", "Cole"]
    assert cells["team"] == ["North", "South", None]
    assert cells["active"] == ["true", "false", "true"]


def test_an_owner_in_both_lists_works() -> None:
    """Who was archived and came back may be told twice."""
    lists = {True: [[{"id": 1}, {"id": "2"}]], False: [[{"id": "2"}]]}
    sdk = SimpleNamespace(owners=lambda *, archived: lists[archived])
    found = {str(owner["id"]): owner["archived"] for owner in read_owners(SimpleNamespace(sdk=sdk))}  # type: ignore[arg-type]  # the lists alone are read
    assert found == {"1": True, "2": False}


@pytest.mark.parametrize(
    ("object_name", "state", "value", "took_place"),
    [
        ("call", "hs_call_status", "COMPLETED", True),
        ("call", "hs_call_status", None, True),
        ("call", "hs_call_status", "NO_ANSWER", False),
        ("call", "hs_call_status", "QUEUED", False),
        ("email", "hs_email_status", "SENT", True),
        ("email", "hs_email_status", "BOUNCED", False),
        ("meeting", "hs_meeting_outcome", "SCHEDULED", True),
        ("meeting", "hs_meeting_outcome", "COMPLETED", True),
        ("meeting", "hs_meeting_outcome", "NO_SHOW", False),
        ("meeting", "hs_meeting_outcome", "RESCHEDULED", False),
    ],
)
def test_a_contact_has_a_day_unless_its_state_says_that_nobody_was_reached(
    object_name, state, value, took_place
) -> None:
    """One without a state was logged by hand."""
    found = made(object_name, "day", {"hs_timestamp": "2026-01-20T12:00:00Z", state: value})
    assert found == (date(2026, 1, 20) if took_place else None)


def test_the_day_of_a_contact_is_one_of_the_portals_zone() -> None:
    """Two in the morning in UTC is the evening before in Chicago."""
    late = {"hs_timestamp": "2026-01-20T02:00:00Z"}
    assert made("call", "day", late, timezone="America/Chicago") == date(2026, 1, 19)


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Australia/Sydney"])
@pytest.mark.parametrize(
    ("column", "moment", "day"),
    [
        ("start", "2026-01-01T00:00:00Z", date(2026, 1, 1)),
        ("end", "2026-02-01T00:00:00Z", date(2026, 1, 31)),
        ("end", "2026-01-31T23:59:59.999Z", date(2026, 1, 31)),
        ("end", "2026-01-31T23:59:59Z", date(2026, 1, 31)),
    ],
)
def test_a_goal_between_midnights_of_utc_is_a_period_of_days(column, moment, day, timezone) -> None:
    """In whatever zone the portal is, and whether its end is its last moment or the first one after it."""
    name = f"hs_{column}_datetime"
    assert made("quota", column, {name: moment}, timezone=timezone) == day


@pytest.mark.parametrize(
    ("column", "moment", "day"),
    [
        ("start", "2025-12-31T13:00:00Z", date(2026, 1, 1)),
        ("end", "2026-01-31T13:00:00Z", date(2026, 1, 31)),
        ("end", "2026-01-31T12:59:59.999Z", date(2026, 1, 31)),
    ],
)
def test_a_goal_between_midnights_of_the_portal_is_one_too(column, moment, day) -> None:
    """Sydney is eleven hours ahead in summer."""
    assert made("quota", column, {f"hs_{column}_datetime": moment}, timezone="Australia/Sydney") == day


@pytest.mark.parametrize(("kind", "amount"), [("sales_quota", 5000), (None, 5000), ("calls_made", None)])
def test_a_goal_of_calls_is_no_quota(kind, amount) -> None:
    """Its target is a number of calls."""
    assert made("quota", "amount", {"hs_target_amount": "5000", "hs_goal_type": kind}) == amount


def test_a_pipeline_is_known_by_its_label() -> None:
    """As people call it; one that is gone keeps its id."""
    assert made("opportunity", "pipeline", {"pipeline": "p", "dealstage": "new"}) == "Sales"
    assert made("opportunity", "pipeline", {"pipeline": "gone", "dealstage": "new"}) == "gone"
