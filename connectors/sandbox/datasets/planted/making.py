"""A planted book, from the world behind it to the tables that a CRM is filled with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.datasets import book as shape
from connectors.sandbox.datasets.book import Book, table
from connectors.sandbox.datasets.planted import shown
from connectors.sandbox.datasets.planted.activities import KINDS, activities
from connectors.sandbox.datasets.planted.cases import PRIORITIES, TYPES, cases
from connectors.sandbox.datasets.planted.companies import (
    COMPETITOR,
    COUNTRIES,
    INDUSTRIES,
    PARTNER,
    companies,
)
from connectors.sandbox.datasets.planted.days import TODAY, YEAR, dates, stamps
from connectors.sandbox.datasets.planted.deals import CATALOGUE, Deals, deals
from connectors.sandbox.datasets.planted.demand import beginnings, demand
from connectors.sandbox.datasets.planted.people import MANAGERS, TEAMS, TERRITORIES, desk, desks, people
from connectors.sandbox.datasets.planted.promises import Promises, Sales, intentions, promises
from connectors.sandbox.datasets.planted.truth import account_truth, commitment_truth, opportunity_truth

if TYPE_CHECKING:
    from connectors.sandbox.datasets.planted.companies import Companies
    from connectors.sandbox.datasets.planted.people import People

DESCRIPTION = """Generated, with everything that public data lacks: growth plans, margins, line items, cases, quotas,
activities, territories, partners, and the truth about what comes after today. How the world behind it works is told in
connectors/sandbox/datasets/planted."""


def planted(accounts: int, opportunities: int, seed: int) -> Book:
    """A book with so many accounts and opportunities; one owner for each 150 accounts."""
    # Each part draws from a stream of its own, so that one can change without the others.
    world = iter(np.random.default_rng([seed, part]) for part in range(16))
    staff = people(next(world), accounts)
    who = companies(next(world), accounts, staff)
    meant = intentions(next(world), who, opportunities)
    work = demand(who, opportunities)
    started = beginnings(next(world), who, work, meant, opportunities)
    done = deals(next(world), who, staff, meant, started)
    sales = Sales(done, accounts)
    plans = promises(next(world), who, meant, sales)
    known = done.taken(np.flatnonzero(done.begun < 0))
    made = _opportunities(shown.shown(next(world), staff, known), known)
    bought = np.zeros(accounts, dtype=np.bool_)
    bought[known.account[known.won & (known.decided < 0)]] = True
    return Book(
        name=f"planted:{accounts}:{opportunities}:{seed}",
        today=TODAY,
        description=DESCRIPTION,
        owners=_owners(staff),
        accounts=_accounts(next(world), who, plans, bought),
        products=table(shape.PRODUCTS, {
            "name": [one[0] for one in CATALOGUE], "family": [one[1] for one in CATALOGUE],
            "price": [float(one[2]) for one in CATALOGUE],
        }),
        opportunities=made,
        history=False,
        cases=_cases(next(world), who, known),
        line_items=_line_items(next(world), known, made),
        activities=_activities(next(world), staff, known),
        quotas=_quotas(next(world), staff, known),
        commitments=table(shape.COMMITMENTS, {
            "account": plans.account, "amount": plans.amount, "by": dates(plans.due), "made_on": dates(plans.made),
        }),
        territories=_territories(staff),
        capacities=_capacities(next(world), staff, accounts),
        truth={
            "account": account_truth(who, work, meant, done, sales),
            "opportunity": opportunity_truth(known),
            "commitment": commitment_truth(plans),
        },
    )  # fmt: skip


def words(known: tuple[str, ...], codes: Any) -> Any:
    """A column of few different texts; null where the code is negative."""
    column = pa.array(codes, pa.int8(), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(column, pa.array(known)).cast(pa.string())


def _numbered(word: str, count: int) -> Any:
    return pc.binary_join_element_wise(
        word, pc.utf8_lpad(pa.array(np.arange(count)).cast(pa.string()), 7, "0"), " "
    )


def _owners(staff: People) -> pa.Table:
    count = staff.count
    return table(shape.OWNERS, {
        "name": [f"Manager {row + 1}" if row < MANAGERS else f"Rep {row - MANAGERS:04}" for row in range(count)],
        "manager": pa.array(staff.manager, mask=staff.manager < 0),
        "team": words(TEAMS, staff.team),
        "title": ["Sales Manager"] * MANAGERS + ["Account Executive"] * (count - MANAGERS),
        "active": staff.active,
    })  # fmt: skip


def _accounts(rng: np.random.Generator, who: Companies, plans: Promises, bought: Any) -> pa.Table:
    count = who.count
    created = stamps(who.born, 3)
    # The latest plan of an account is the one in its fields: they are sorted by day.
    plan = np.full(count, -1)
    plan[plans.account] = np.arange(len(plans.account))
    planned = pa.array(plan, mask=plan < 0)
    role = np.select([who.role == PARTNER, who.role == COMPETITOR, bought], [2, 3, 1], 0)
    revenue = np.round(who.employees * np.exp(rng.normal(11.6, 0.5, count)), -3)
    return table(shape.ACCOUNTS, {
        "name": _numbered("Account", count),
        "owner": who.owner,
        "parent": pa.array(who.parent, mask=who.parent < 0),
        "type": words(("Prospect", "Customer - Direct", "Partner", "Competitor"), role),
        "industry": words(INDUSTRIES, who.industry),
        "country": words(tuple(one[0] for one in COUNTRIES), who.country),
        "employees": pa.array(who.employees, mask=rng.random(count) < 0.06),
        "annual_revenue": pa.array(revenue, mask=rng.random(count) < 0.3),
        "year_started": pa.array(2021 - rng.integers(0, 90, count)).cast(pa.string()),
        "territory": words(TERRITORIES, who.territory),
        # What a data provider says of their business: half of them are covered, none exactly.
        "company_growth": pa.array(
            np.round(100 * who.own_growth + rng.normal(0, 8, count), 1), mask=rng.random(count) < 0.5
        ),
        "opted_out": who.opted_out,
        "growth_plan": pa.array(plans.amount).take(planned),
        "growth_plan_by": dates(plans.due).take(planned),
        "created_at": created,
        "modified_at": np.maximum(created, stamps(-rng.integers(1, 400, count), 5)),
    })  # fmt: skip


def _opportunities(seen: shown.Shown, known: Deals) -> pa.Table:
    """What the CRM holds of the deals that began before today."""
    created, moved = stamps(known.begun, 1), stamps(seen.moved, 7)
    moved = np.maximum(moved, created)
    kind = np.where(known.renewal, 2, known.existing.astype(np.int8))
    return table(shape.OPPORTUNITIES, {
        "name": _numbered("Deal", known.count),
        "account": known.account,
        "owner": known.owner,
        "product": known.product,
        "stage": words(shown.STAGES, seen.stage),
        "type": words(("New Business", "Existing Business", "Existing Business"), kind),
        "pipeline": words(("New Business", "Customers", "Renewals"), kind),
        "amount": seen.amount,
        "quantity": known.quantity.astype(np.float64),
        "close_date": dates(seen.closes),
        "first_amount": seen.first_amount,
        "first_close_date": dates(seen.first_closes),
        "margin": pa.array(seen.margin, mask=np.isnan(seen.margin)),
        "need_by": dates(seen.need_by, ~seen.needed),
        "pain": words(shown.PAINS, seen.pain),
        "created_at": created,
        "stage_changed_at": moved,
        "modified_at": moved,
    })  # fmt: skip


def _line_items(rng: np.random.Generator, known: Deals, made: pa.Table) -> pa.Table:
    """One line for most of the deals that were quoted; its cost stands on four of five."""
    amount = made["amount"].to_numpy()
    rows = np.flatnonzero((np.abs(amount - known.amount) < 0.5) & (rng.random(known.count) < 0.7))
    at = stamps(np.maximum(known.begun[rows], np.minimum(known.decided[rows], -1) - 20), 9)
    return table(shape.LINE_ITEMS, {
        "opportunity": rows,
        "product": known.product[rows],
        "quantity": known.quantity[rows].astype(np.float64),
        "amount": amount[rows],
        "cost": pa.array(np.round(known.cost[rows].astype(np.float64), 2), mask=rng.random(len(rows)) < 0.2),
        "created_at": at,
        "modified_at": at,
    })  # fmt: skip


def _cases(rng: np.random.Generator, who: Companies, known: Deals) -> pa.Table:
    found = cases(rng, who, known)
    created, closed = stamps(found.made, 11), stamps(np.maximum(found.closed, found.made), 13)
    closed = np.maximum(closed, created)
    return table(shape.CASES, {
        "account": found.account,
        "owner": who.owner[found.account],
        "type": words(TYPES, found.type),
        "priority": words(PRIORITIES, found.priority),
        "created_at": created,
        "closed_at": pa.array(closed, mask=found.open),
        "modified_at": np.where(found.open, created, closed),
    })  # fmt: skip


def _activities(rng: np.random.Generator, staff: People, known: Deals) -> pa.Table:
    found = activities(rng, staff, known)
    at = stamps(found.day, 15)
    return table(shape.ACTIVITIES, {
        "kind": words(KINDS, found.kind),
        "account": known.account[found.deal],
        "opportunity": found.deal,
        "owner": known.owner[found.deal],
        "at": at,
        "modified_at": at,
    })  # fmt: skip


def _quotas(rng: np.random.Generator, staff: People, known: Deals) -> pa.Table:
    """This quarter's and the next one's for every rep who is there: a tenth more than last year's, and a rough hand."""
    won = known.won & (known.decided < 0) & (known.decided >= -YEAR)
    sold = np.bincount(known.owner[won], known.amount[won], staff.count)
    reps = np.flatnonzero(staff.active & (np.arange(staff.count) >= MANAGERS))
    asked = sold[reps] / 4 * 1.1 * rng.uniform(0.8, 1.3, len(reps))
    amount = np.maximum(np.round(asked / 5000), 2) * 5000
    begins = np.array(["2026-01-01", "2026-04-01"], dtype="datetime64[D]")
    ends = np.array(["2026-03-31", "2026-06-30"], dtype="datetime64[D]")
    return table(shape.QUOTAS, {
        "owner": np.repeat(reps, 2),
        "amount": np.repeat(amount, 2),
        "start": pa.array(np.tile(begins, len(reps))),
        "end": pa.array(np.tile(ends, len(reps))),
    })  # fmt: skip


def _territories(staff: People) -> pa.Table:
    """Who works which: the territories that a rep's desk serves."""
    reps = np.arange(MANAGERS, staff.count)
    territory, rep = np.divmod(np.arange(len(TERRITORIES) * len(reps)), len(reps))
    served = desk(staff, staff.team[reps[rep]], territory) == rep % desks(staff)
    return table(
        shape.TERRITORIES,
        {"territory": words(TERRITORIES, territory[served].astype(np.int8)), "owner": reps[rep[served]]},
    )


def _capacities(rng: np.random.Generator, staff: People, accounts: int) -> pa.Table:
    """How many accounts each rep can look after: about as many as there are for each, fewer of large companies."""
    reps = np.arange(MANAGERS, staff.count)
    usual = np.array([0.8, 1.0, 1.3])[staff.team[reps]] * max(accounts / len(reps), 1)
    able = np.ceil(usual * rng.uniform(0.8, 1.2, len(reps)))
    return table(shape.CAPACITIES, {"owner": reps, "accounts": able.astype(np.int64)})
