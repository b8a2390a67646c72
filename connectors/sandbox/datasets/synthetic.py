"""A generator of books of any size: columns by numpy, no loop over rows, the same for the same seed."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.datasets.book import ACCOUNTS, OPPORTUNITIES, OWNERS, PRODUCTS, Book, table

DESCRIPTION = """Generated. Few accounts make most of the business (a gamma-distributed rate of deals per account),
amounts are log-normal around the list price, and one truth is planted: an account's hidden quality raises both its
chance to win and its amounts, and a quarter of it shows in its industry. Nothing else predicts an outcome."""

_TODAY = np.datetime64("2026-01-01")
_DAYS = 1460  # four years of history
_INDUSTRIES = (
    "Finance",
    "Healthcare",
    "Manufacturing",
    "Retail",
    "Services",
    "Technology",
    "Telecommunications",
    "Utilities",
)
_COUNTRIES = ("United States", "Germany", "United Kingdom", "Sweden", "France", "Japan")
_STAGES = ("Prospecting", "Engaging", "Closed Won", "Closed Lost")
_PRICES = (550.0, 1096.0, 3393.0, 4821.0, 26768.0)


def synthetic(accounts: int, opportunities: int, seed: int) -> Book:
    """A book with so many accounts and opportunities; one owner for each 200 accounts (at least 5, at most 2,000)."""
    rng = np.random.default_rng(seed)
    reps = int(np.clip(accounts // 200, 5, 2000))
    industry = rng.integers(0, len(_INDUSTRIES), accounts, dtype=np.int8)
    quality = 0.25 * (industry / (len(_INDUSTRIES) - 1) - 0.5) + rng.normal(0, 0.5, accounts)
    owner = rng.integers(0, reps, accounts)
    born = rng.integers(0, _DAYS, accounts)
    return Book(
        name=f"synthetic:{accounts}:{opportunities}:{seed}",
        today=date(2026, 1, 1),
        description=DESCRIPTION,
        owners=table(
            OWNERS,
            {
                "name": [f"Rep {number:04}" for number in range(reps)],
                "manager": pa.array(
                    [None if number % 10 == 0 else number - number % 10 for number in range(reps)], pa.int64()
                ),
                "team": [("North", "East", "South", "West")[number % 4] for number in range(reps)],
                "title": [
                    "Sales Manager" if number % 10 == 0 else "Sales Representative" for number in range(reps)
                ],
            },
        ),
        accounts=_accounts(rng, industry, owner, born),
        products=table(
            PRODUCTS,
            {
                "name": [f"Product {letter}" for letter in "ABCDE"],
                "family": ["Hardware"] * 5,
                "price": list(_PRICES),
            },
        ),
        opportunities=_opportunities(rng, opportunities, quality, owner, born),
        history=False,
    )


def _words(words: tuple[str, ...], codes: Any) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int8()), pa.array(words)).cast(pa.string())


def _numbered(word: str, count: int) -> Any:
    return pc.binary_join_element_wise(
        word, pc.utf8_lpad(pa.array(np.arange(count)).cast(pa.string()), 7, "0"), " "
    )


def _moments(days_ago: Any, rng: np.random.Generator) -> Any:
    within = rng.integers(0, 86_400_000, len(days_ago)).astype("timedelta64[ms]")
    return (_TODAY - days_ago.astype("timedelta64[D]")).astype("datetime64[ms]") + within


def _accounts(rng: np.random.Generator, industry: Any, owner: Any, born: Any) -> pa.Table:
    count = len(industry)
    parent = rng.integers(0, count, count)
    employees = np.exp(rng.normal(5, 1.5, count)).astype(np.int64) + 1
    created = _moments(born + 1, rng)
    return table(
        ACCOUNTS,
        {
            "name": _numbered("Account", count),
            "owner": owner,
            # Only ever upwards in the list, so that no company owns itself in a circle.
            "parent": pa.array(parent, mask=(rng.random(count) > 0.05) | (parent >= np.arange(count))),
            "type": _words(("Prospect", "Customer - Direct"), (rng.random(count) < 0.7).astype(np.int8)),
            "industry": _words(_INDUSTRIES, industry),
            "country": _words(_COUNTRIES, rng.integers(0, len(_COUNTRIES), count, dtype=np.int8)),
            "employees": employees,
            "annual_revenue": np.round(employees * np.exp(rng.normal(11, 0.5, count))),
            "year_started": pa.array(2020 - rng.integers(0, 80, count)).cast(pa.string()),
            "created_at": created,
            "modified_at": created + (rng.random(count) * (born * 86_400_000.0)).astype("timedelta64[ms]"),
        },
    )


def _opportunities(rng: np.random.Generator, count: int, quality: Any, owner: Any, born: Any) -> pa.Table:
    rate = rng.gamma(0.6, 1.0, len(quality)) + 1e-9
    shares = np.cumsum(rate / rate.sum())
    account = np.minimum(np.searchsorted(shares, rng.random(count)), len(quality) - 1)
    age = (rng.random(count) * (born[account] + 1)).astype(np.int64) + 1
    cycle = np.clip(rng.gamma(2.0, 30.0, count), 1, 400).astype(np.int64)
    closed = cycle < age
    won = closed & (rng.random(count) < 1 / (1 + np.exp(-(2 * quality[account] - 0.2))))
    stage = np.where(won, 2, np.where(closed, 3, (rng.random(count) < 0.6).astype(np.int64))).astype(np.int8)
    product = rng.integers(0, len(_PRICES), count)
    amount = np.array(_PRICES)[product] * np.exp(0.5 * quality[account] + rng.normal(0, 0.4, count))
    created = _moments(age, rng)
    changed = np.where(closed, _moments(np.maximum(age - cycle, 1), rng), created)
    changed = np.maximum(changed, created)
    return table(
        OPPORTUNITIES,
        {
            "name": _numbered("Deal", count),
            "account": account,
            "owner": owner[account],
            "product": product,
            "stage": _words(_STAGES, stage),
            "type": _words(("New Business", "Existing Business"), (account % 2).astype(np.int8)),
            "amount": np.round(amount, 2),
            "close_date": np.where(
                closed, changed.astype("datetime64[D]"), _TODAY - (age - cycle).astype("timedelta64[D]")
            ),
            "created_at": created,
            "stage_changed_at": changed,
            "modified_at": changed,
        },
    )
