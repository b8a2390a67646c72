"""A book is the same business in HubSpot's shape as in Salesforce's."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from connectors.sandbox.datasets import load_book, load_dataset
from connectors.sandbox.datasets.hubspot import load_dataset as load_portal
from connectors.sandbox.datasets.hubspot_pipelines import STAGES
from connectors.sandbox.hubspot.portal import Portal

NAMES = ["pipeline", "cdnow_sample", "synthetic:300:1000:3"]


@pytest.fixture(scope="module", params=NAMES)
def both(request):
    """One book in both shapes."""
    book = load_book(request.param)
    return load_portal(book.name, book), load_dataset(book.name, book).tables


def test_every_deal_has_its_stage_amount_and_company(both):
    """By label, to the cent, by the company's name."""
    portal, tables = both
    deals, companies = portal.tables["deals"], portal.tables["companies"]
    names = dict(zip(companies.ids, companies.columns["name"], strict=True))
    links = portal.links[0]
    company = {one: names[other] for one, other in zip(links.from_ids, links.to_ids, strict=True)}
    labels = {stage_id: label for label, (stage_id, _, _) in STAGES.items()}
    accounts = dict(zip(*(tables["Account"][name].to_pylist() for name in ("Id", "Name")), strict=True))
    told = [
        (
            name,
            labels[stage],
            None if amount is None else float(amount),
            closes and closes[:10],
            company.get(one),
            product,
        )
        for one, name, stage, amount, closes, product in zip(
            deals.ids,
            *(deals.columns[name] for name in ("dealname", "dealstage", "amount", "closedate", "product")),
            strict=True,
        )
    ]
    rows = tables["Opportunity"]
    assert told == [
        (
            row["Name"],
            row["StageName"],
            row["Amount"],
            str(row["CloseDate"]),
            accounts.get(row["AccountId"]),
            row["Product__c"],
        )
        for row in rows.select(
            ["Name", "StageName", "Amount", "CloseDate", "AccountId", "Product__c"]
        ).to_pylist()
    ]


def test_stages_stand_for_the_same(both):
    """Probability in parts of one instead of percent."""
    portal, _ = both
    from connectors.sandbox.salesforce.objects import STAGES as THERE

    found = {
        one.label: (round(one.probability * 100), one.is_closed, one.is_won)
        for one in portal.pipelines["deals"][0].living()
    }
    assert found == {row[0]: row[1:4] for row in THERE}


def test_companies_hang_together_as_accounts_do(both):
    """Names, owners' names and parents."""
    portal, tables = both
    companies = portal.tables["companies"]
    names = dict(zip(companies.ids, companies.columns["name"], strict=True))
    parents = Counter(
        (names[one], names[other])
        for link in portal.links
        if link.kinds == (14, 450)
        for one, other in zip(link.from_ids, link.to_ids, strict=True)
    )
    owners = {one.id: f"{one.first_name} {one.last_name}".strip() for one in portal.owners}
    rows = tables["Account"].to_pylist()
    there = {row["Id"]: row["Name"] for row in rows}
    users = dict(zip(*(tables["User"][name].to_pylist() for name in ("Id", "Name")), strict=True))
    assert parents == Counter((row["Name"], there[row["ParentId"]]) for row in rows if row["ParentId"])
    assert [owners[one] for one in companies.columns["hubspot_owner_id"]] == [
        users[row["OwnerId"]] for row in rows
    ]
    assert len({one.email for one in portal.owners}) == len(portal.owners)


def test_every_value_is_one_that_the_portal_would_take(both):
    """Options, owners, stages, numbers and stamps: written back, nothing is refused."""
    portal_data, _ = both
    portal = Portal(portal_data, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for kind in ("companies", "deals", "products", "line_items"):
        writable = {
            one["name"] for one in portal.properties(kind) if not one["modificationMetadata"]["readOnlyValue"]
        }
        names = [name for name in portal_data.tables[kind].columns if name in writable]
        page = portal.list_records(kind, limit=100, properties=names).results
        inputs = [
            {"id": one["id"], "properties": {name: one["properties"][name] for name in names}} for one in page
        ]
        before = [one["properties"] for one in page]
        batch = portal.update(portal.person, kind, inputs)
        told = portal.read_batch(kind, [{"id": one["id"]} for one in page], properties=names).results
        stamped = "hs_lastmodifieddate"
        assert [one["properties"] | {stamped: ""} for one in told] == [one | {stamped: ""} for one in before]
        assert batch.errors == []


def test_line_items_are_worth_their_deals(both):
    """To the cent, each for a deal with a product."""
    data, _ = both
    portal = Portal(data, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    items = portal.list_records("line_items", limit=100, properties=["amount", "name"]).results
    for item in items:
        deal = portal.record_associations("line_items", item["id"], "deals").results[0]["toObjectId"]
        told = portal.get("deals", str(deal), properties=["amount", "product", "hs_tcv", "hs_arr"])[
            "properties"
        ]
        assert float(item["properties"]["amount"]) == float(told["amount"]) == float(told["hs_tcv"])
        assert item["properties"]["name"] == told["product"]
        assert told["hs_arr"] is None


def test_history_is_told_where_the_book_has_one():
    """The generator keeps none: only the present values, and since when."""
    portal = Portal(load_portal("synthetic:20:50"), lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for deal in portal.list_records("deals", limit=50, history=["dealstage", "amount"]).results:
        assert {name: len(past) for name, past in deal["propertiesWithHistory"].items()} == {
            "dealstage": 1,
            "amount": 1,
        }
