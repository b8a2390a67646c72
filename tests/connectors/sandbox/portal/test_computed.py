"""What HubSpot works out: stages, sums over deals and line items, activities, currencies."""

from __future__ import annotations

import pytest

PRIMARY = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}]


@pytest.fixture
def won(portal, app, make):
    """Give a company a won deal of an amount, closed on a day: `won(company, "100", "2017-12-01")`."""

    def deal(company: str, amount: str, closed: str) -> str:
        properties = {"dealname": "x", "dealstage": "closedwon", "amount": amount, "closedate": closed}
        body = {"properties": properties, "associations": [{"to": {"id": company}, "types": PRIMARY}]}
        return portal.create_one(app, "deals", body)["id"]

    return deal


@pytest.mark.parametrize(
    ("stage", "closed", "is_won", "lost", "probability"),
    [
        ("184920131", "false", "false", "false", "0.1"),
        ("closedwon", "true", "true", "false", "1"),
        ("closedlost", "true", "false", "true", "0"),
    ],
)
def test_a_deals_stage_says_how_it_stands(portal, make, stage, closed, is_won, lost, probability):
    """By its pipeline's metadata, not by its name."""
    deal = make("deals", dealname="x", dealstage=stage, amount="200")
    names = [
        "hs_is_closed",
        "hs_is_closed_won",
        "hs_is_closed_lost",
        "hs_deal_stage_probability",
        "hs_projected_amount",
    ]
    told = portal.get("deals", deal, properties=names)["properties"]
    assert [told[name] for name in names[:4]] == [closed, is_won, lost, probability]
    assert float(told["hs_projected_amount"]) == 200 * float(probability)


def test_probabilities_can_be_long(portal, app, make, value):
    """To the last digit of the machine's number, as portals send them."""
    pipeline = portal.pipelines("deals")[0]["id"]
    portal.update_stage(app, "deals", pipeline, "184920131", {"metadata": {"probability": 0.9}})
    deal = make("deals", dealname="x", dealstage="184920131")
    told = value("deals", deal, "hs_deal_stage_probability_shadow")
    assert told == "0.90000000000000002220446049250313080847263336181640625"
    assert value("deals", deal, "hs_deal_stage_probability") == "0.9"


def test_stages_leave_stamps(portal, app, hands, make, value):
    """Entered, exited, and how long it was there; the present one too."""
    deal = make("deals", dealname="x", dealstage="184920131")
    moved = hands.later(days=2)
    portal.update_one(app, "deals", deal, {"dealstage": "184920132"})
    assert value("deals", deal, "hs_v2_date_entered_184920131") == "2018-01-01T12:00:00Z"
    assert value("deals", deal, "hs_v2_date_exited_184920131") == moved
    assert value("deals", deal, "hs_v2_latest_time_in_184920131") == str(2 * 86_400_000)
    assert value("deals", deal, "hs_v2_date_entered_184920132") == moved
    assert value("deals", deal, "hs_v2_date_entered_current_stage") == moved
    assert value("deals", deal, "hs_v2_date_exited_184920132") is None


def test_loaded_deals_have_such_stamps_too(portal, dataset):
    """From the book's own history."""
    deals = dataset.tables["deals"]
    row = deals.columns["dealstage"].index("closedwon")
    names = [
        "hs_v2_date_entered_current_stage",
        "hs_v2_date_entered_184920132",
        "hs_v2_date_exited_184920132",
    ]
    told = portal.get("deals", str(deals.ids[row]), properties=names)
    assert told["properties"][names[0]] == told["properties"][names[2]] == told["updatedAt"]
    assert told["properties"][names[1]] == told["createdAt"]


def test_closing_a_deal_dates_it(portal, app, hands, make, value):
    """Unless the date is said, or it is closed already."""
    deal = make("deals", dealname="x", dealstage="184920131", closedate="2019-01-01")
    closed = hands.later(days=3)
    portal.update_one(app, "deals", deal, {"dealstage": "closedwon"})
    assert value("deals", deal, "closedate") == closed
    assert value("deals", deal, "days_to_close") == "3"
    hands.later(days=1)
    portal.update_one(app, "deals", deal, {"dealstage": "closedlost"})
    assert value("deals", deal, "closedate") == closed
    portal.update_one(app, "deals", deal, {"dealstage": "184920131"})
    portal.update_one(app, "deals", deal, {"dealstage": "closedwon", "closedate": "2018-01-03"})
    assert value("deals", deal, "closedate") == "2018-01-03T00:00:00Z"


def test_companies_sum_up_their_deals(portal, app, make, won, value):
    """Won ones make the revenue; the most recent one has its own properties."""
    company = make("companies", name="Acme")
    assert [value("companies", company, name) for name in ("num_associated_deals", "total_revenue")] == [
        "0",
        None,
    ]
    won(company, "100.50", "2018-02-01")
    won(company, "50", "2018-03-01")
    open_deal = portal.create_one(
        app,
        "deals",
        {
            "properties": {"dealname": "x", "dealstage": "184920131", "amount": "7"},
            "associations": [{"to": {"id": company}, "types": PRIMARY}],
        },
    )["id"]
    told = {
        name: value("companies", company, name)
        for name in (
            "num_associated_deals", "hs_num_open_deals", "total_revenue", "recent_deal_amount",
            "recent_deal_close_date", "first_deal_created_date", "days_to_close",
        )
    }  # fmt: skip
    assert told == {
        "num_associated_deals": "3",
        "hs_num_open_deals": "1",
        "total_revenue": "150.5",
        "recent_deal_amount": "50",
        "recent_deal_close_date": "2018-03-01T00:00:00Z",
        "first_deal_created_date": "2018-01-01T12:00:00Z",
        "days_to_close": "30",
    }
    portal.archive(app, "deals", [open_deal])
    assert value("companies", company, "num_associated_deals") == "2"


def test_a_deals_change_stamps_its_company(portal, app, hands, make, won):
    """If what the company sums up changed, and only then."""
    company = make("companies", name="Acme")
    deal = won(company, "100", "2018-02-01")
    hands.later(minutes=1)
    portal.update_one(app, "deals", deal, {"dealname": "y"})
    assert portal.get("companies", company)["updatedAt"] == "2018-01-01T12:00:00Z"
    now = hands.later(minutes=1)
    portal.update_one(app, "deals", deal, {"amount": "101"})
    assert portal.get("companies", company)["updatedAt"] == now


def test_line_items_make_what_recurs(portal, app, make, value):
    """By frequency and term, whatever the deal's amount; a deal without line items has none."""
    deal = make("deals", dealname="x", dealstage="184920131", amount="1")
    assert [value("deals", deal, name) for name in ("hs_arr", "hs_tcv")] == [None, None]
    for properties in (
        {"name": "Seat", "price": "10", "quantity": "5", "recurringbillingfrequency": "monthly",
         "hs_recurring_billing_period": "P24M", "hs_cost_of_goods_sold": "4"},
        {"name": "Set-up", "price": "300"},
    ):  # fmt: skip
        item = portal.create_one(
            app,
            "line_items",
            {
                "properties": properties,
                "associations": [
                    {
                        "to": {"id": deal},
                        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 20}],
                    }
                ],
            },
        )["id"]
    names = ("hs_mrr", "hs_arr", "hs_acv", "hs_tcv", "hs_num_of_associated_line_items")
    assert [value("deals", deal, name) for name in names] == ["50", "600", "900", "1500", "2"]
    assert [value("line_items", item, name) for name in ("amount", "hs_arr", "hs_margin")] == [
        "300",
        None,
        None,
    ]


def test_discounts_come_off(make, value):
    """In percent, then per unit."""
    item = make("line_items", name="x", price="100", quantity="3", hs_discount_percentage="10", discount="5")
    assert value("line_items", item, "amount") == "255"


def test_amounts_come_home(portal, make, value):
    """By the portal's rates; with one currency there is nothing to convert."""
    deal = make("deals", dealname="x", dealstage="184920131", amount="100")
    names = ("amount_in_home_currency", "hs_exchange_rate", "deal_currency_code")
    assert [value("deals", deal, name) for name in names] == ["100", None, None]
    portal.use_currencies("SEK", {"EUR": 11.25})
    foreign = make("deals", dealname="x", dealstage="184920131", amount="100", deal_currency_code="EUR")
    assert [value("deals", foreign, name) for name in names] == ["1125", "11.25", "EUR"]
    assert [value("deals", deal, name) for name in names] == ["100", "1.0", "SEK"]
    assert portal.account_details()["additionalCurrencies"] == ["EUR"]


def test_activities_are_the_last_and_the_next(portal, app, hands, make, value):
    """A task counts when it is done; until then it is what comes next, or overdue."""
    company = make("companies", name="Acme")
    to_company = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 192}]
    body = {
        "properties": {"hs_timestamp": "2018-01-05"},
        "associations": [{"to": {"id": company}, "types": to_company}],
    }
    task = portal.create_one(app, "tasks", body)["id"]
    names = ("notes_last_updated", "notes_next_activity_date", "num_notes", "hs_number_of_overdue_tasks")
    assert [value("companies", company, name) for name in names] == [None, "2018-01-05T00:00:00Z", "0", "0"]
    done = hands.later(days=6)
    assert [value("companies", company, name) for name in names] == [None, None, "0", "1"]
    portal.update_one(app, "tasks", task, {"hs_task_status": "COMPLETED"})
    assert [value("companies", company, name) for name in names] == [done, None, "1", "0"]
    assert [value("tasks", task, name) for name in ("hs_task_is_completed", "hs_task_completion_date")] == [
        "1",
        done,
    ]


def test_a_logged_call_is_a_contact(portal, app, make, value):
    """Others are told as activities only."""
    company = make("companies", name="Acme")
    for kind, number, at in (("calls", 182, "2017-12-01"), ("notes", 190, "2017-12-20")):
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number}]
        body = {"properties": {"hs_timestamp": at}, "associations": [{"to": {"id": company}, "types": types}]}
        portal.create_one(app, kind, body)
    assert value("companies", company, "notes_last_contacted") == "2017-12-01T00:00:00Z"
    assert value("companies", company, "notes_last_updated") == "2017-12-20T00:00:00Z"


def test_owners_bring_their_team(portal, make, value):
    """And a stamp of when they took over."""
    owner = portal.owners(limit=1).results[0]
    company = make("companies", name="Acme", hubspot_owner_id=owner["id"])
    assert value("companies", company, "hubspot_team_id") == owner["teams"][0]["id"]
    assert value("companies", company, "hubspot_owner_assigneddate") == "2018-01-01T12:00:00Z"


def test_tickets_close_by_their_stage(portal, app, hands, make, value):
    """With a stamp, which goes when they are opened again."""
    ticket = make("tickets", subject="x", hs_pipeline_stage="1")
    assert value("tickets", ticket, "hs_is_closed") == "false"
    now = hands.later(hours=1)
    portal.update_one(app, "tickets", ticket, {"hs_pipeline_stage": "4"})
    assert [value("tickets", ticket, name) for name in ("hs_is_closed", "closed_date")] == ["true", now]
    portal.update_one(app, "tickets", ticket, {"hs_pipeline_stage": "2"})
    assert [value("tickets", ticket, name) for name in ("hs_is_closed", "closed_date")] == ["false", None]
