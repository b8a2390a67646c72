"""The B2B pipeline of a fictitious computer-hardware seller: 85 accounts, 35 agents, 8,800 opportunities."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from connectors.sandbox.datasets.book import ACCOUNTS, OPPORTUNITIES, OWNERS, PRODUCTS, Book, source, table
from connectors.sandbox.datasets.stamps import Days, at_work

DESCRIPTION = """A fictitious seller of computer hardware ("CRM Sales Opportunities", Maven Analytics, public domain).

As published, except: "technolgy" is technology, "Philipines" Philippines, "GTXPro" the product GTX Pro. Derived, as
the source has none and a CRM needs one:
- close date of an open deal: its engage date plus the median days to close of its product (so many lie in the past);
- engage date of a deal in Prospecting: spread evenly, by its id, over one such median before the last day of the set;
- amount of an open deal: the list price of its product; a lost deal is 0, as published;
- first snapshot of a deal in its history: list price and expected close date as for an open deal, not what it became;
- owner of an account: the agent with most deals there; type: Customer once a deal was won, else Prospect;
- times of day, and the creation of an account (the day before its first deal)."""

_STAGES = {"Won": "Closed Won", "Lost": "Closed Lost", "Engaging": "Engaging", "Prospecting": "Prospecting"}
_SPELLING = {"technolgy": "technology", "Philipines": "Philippines", "GTXPro": "GTX Pro"}
_LAST_DAY = np.datetime64("2017-12-31")
_NEVER = np.datetime64("NaT", "D")


def pipeline() -> Book:
    """The data set as a book; today is the day after its last event."""
    products, teams, accounts = (
        source(f"{name}.csv.gz").to_pylist() for name in ("products", "sales_teams", "accounts")
    )
    deals = source(
        "sales_pipeline.csv.gz",
        convert_options=csv.ConvertOptions(
            column_types={"engage_date": pa.string(), "close_date": pa.string(), "close_value": pa.float64()},
            strings_can_be_null=True,
        ),
    ).to_pydict()
    deals["product"] = [_SPELLING.get(name, name) for name in deals["product"]]
    names = [row["account"] for row in accounts]
    agents = _owners(teams)
    opportunities, engaged = _opportunities(deals, products, names, agents["name"])
    return Book(
        name="pipeline",
        today=date(2018, 1, 1),
        description=DESCRIPTION,
        owners=table(OWNERS, agents),
        accounts=table(ACCOUNTS, _accounts(accounts, deals, engaged, agents["name"])),
        products=table(
            PRODUCTS,
            {
                "name": [row["product"] for row in products],
                "family": [row["series"] for row in products],
                "price": [float(row["sales_price"]) for row in products],
            },
        ),
        opportunities=table(OPPORTUNITIES, opportunities),
    )


def _owners(teams: list[dict[str, Any]]) -> dict[str, list[Any]]:
    managers = list(dict.fromkeys(row["manager"] for row in teams))
    office = {row["manager"]: row["regional_office"] for row in teams}
    return {
        "name": [*managers, *(row["sales_agent"] for row in teams)],
        "manager": [*(None for _ in managers), *(managers.index(row["manager"]) for row in teams)],
        "team": [*(office[name] for name in managers), *(row["regional_office"] for row in teams)],
        "title": [*("Sales Manager" for _ in managers), *("Sales Agent" for _ in teams)],
    }


def _dates(texts: list[str | None]) -> Days:
    """DD-MM-YY as days; missing ones as NaT."""
    return np.array(
        [_NEVER if not text else np.datetime64(f"20{text[6:]}-{text[3:5]}-{text[:2]}") for text in texts]
    )


def _cycles(products: list[str], engaged: Days, closed: Days) -> dict[str, int]:
    """Median days from engage to close, by product."""
    known = ~np.isnat(closed)
    days = (closed - engaged).astype("timedelta64[D]").astype(np.int64)
    which = np.array(products)
    return {name: int(np.median(days[known & (which == name)])) for name in sorted(set(products))}


def _opportunities(
    deals: dict[str, list[Any]], products: list[dict[str, Any]], accounts: list[str], agents: list[str]
) -> tuple[dict[str, Any], Days]:
    engaged, closed = _dates(deals["engage_date"]), _dates(deals["close_date"])
    cycles = _cycles(deals["product"], engaged, closed)
    cycle = np.array([cycles[name] for name in deals["product"]])
    spread = np.array([int(key, 36) for key in deals["opportunity_id"]]) % cycle
    engaged = np.where(np.isnat(engaged), _LAST_DAY - spread.astype("timedelta64[D]"), engaged)
    due = np.where(np.isnat(closed), engaged + cycle.astype("timedelta64[D]"), closed)
    created = at_work(engaged, 1)
    # A deal closed on the day it began was closed after it began.
    ended = np.maximum(at_work(closed, 2), created + np.timedelta64(90, "m"))
    moved = np.where(np.isnat(closed), created, ended)
    prices = {row["product"]: float(row["sales_price"]) for row in products}
    numbers = {name: row for row, name in enumerate(prices)}
    return {
        "name": [
            f"{account or 'No account'} - {product} ({key})"
            for account, product, key in zip(
                deals["account"], deals["product"], deals["opportunity_id"], strict=True
            )
        ],
        "account": [accounts.index(name) if name else None for name in deals["account"]],
        "owner": [agents.index(name) for name in deals["sales_agent"]],
        "product": [numbers[name] for name in deals["product"]],
        "stage": [_STAGES[name] for name in deals["deal_stage"]],
        "amount": [
            prices[name] if value is None else value
            for name, value in zip(deals["product"], deals["close_value"], strict=True)
        ],
        "close_date": due,
        # What a rep would have entered at first: never what became of the deal later.
        "first_amount": [prices[name] for name in deals["product"]],
        "first_close_date": engaged + cycle.astype("timedelta64[D]"),
        "created_at": created,
        "stage_changed_at": moved,
        "modified_at": moved,
    }, engaged


def _accounts(
    rows: list[dict[str, Any]], deals: dict[str, list[Any]], engaged: Days, agents: list[str]
) -> dict[str, Any]:
    names = [row["account"] for row in rows]
    first: dict[str, Any] = {}
    sellers: dict[str, Counter[str]] = {name: Counter() for name in names}
    for name, agent, day in zip(deals["account"], deals["sales_agent"], engaged, strict=True):
        if name:
            first[name] = min(first.get(name, day), day)
            sellers[name][agent] += 1
    won = {name for name, stage in zip(deals["account"], deals["deal_stage"], strict=True) if stage == "Won"}
    created = at_work(np.array([first[name] - np.timedelta64(1, "D") for name in names]), 3)
    return {
        "name": names,
        "owner": [
            agents.index(min(sellers[name], key=lambda agent: (-sellers[name][agent], agent)))
            for name in names
        ],
        "parent": [names.index(row["subsidiary_of"]) if row["subsidiary_of"] else None for row in rows],
        "type": ["Customer - Direct" if name in won else "Prospect" for name in names],
        "industry": [_SPELLING.get(row["sector"], row["sector"]).capitalize() for row in rows],
        "country": [_SPELLING.get(row["office_location"], row["office_location"]) for row in rows],
        "employees": [row["employees"] for row in rows],
        "annual_revenue": [round(row["revenue"] * 1_000_000) for row in rows],
        "year_started": [str(row["year_established"]) for row in rows],
        "created_at": created,
        "modified_at": created,
    }
