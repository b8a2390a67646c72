"""What nobody can know today: who grows, who buys next and for how much, how open deals end, which plans are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from connectors.sandbox.datasets.planted.companies import climbed
from connectors.sandbox.datasets.planted.days import AHEAD, PAST, QUARTER, YEAR, dates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from connectors.sandbox.datasets.planted.companies import Companies
    from connectors.sandbox.datasets.planted.deals import Deals
    from connectors.sandbox.datasets.planted.demand import Demand
    from connectors.sandbox.datasets.planted.promises import Intentions, Promises, Sales

GROWS = 1.25  # times the spend of the year before, as planted
_WON, _RENEWED = 0.36, 0.6  # what of a usual deal is won, and of a renewal, in the worth of a usual deal


def growth(who: Companies, work: Demand, meant: Intentions) -> NDArray[np.float64]:
    """Spend to expect in the next year ÷ spend that was to be expected in the last one; 0 where the relation has ended.

    It is what was planted, without the luck of single deals; a year that a company entered late counts as a whole.
    """
    rows = slice(None)
    year = np.zeros((2, who.count))
    present = np.zeros(who.count)
    for quarter in range(PAST - AHEAD, PAST + AHEAD):
        middle = (quarter - PAST) * QUARTER + QUARTER // 2
        value = np.exp(0.5 * np.clip(climbed(who, rows, middle), -3, 3))
        there = np.clip((middle + QUARTER // 2 - who.born) / QUARTER, 0, 1)
        year[int(quarter >= PAST)] += value * (
            work.rate[:, quarter] * _WON + there * _regular(who, meant, middle)
        )
        if quarter < PAST:
            present += there
    last = year[0] * AHEAD / np.maximum(present, 0.05)
    return np.where(who.ends > 0, np.divide(year[1], last, out=np.ones(who.count), where=last > 0), 0.0)


def _regular(who: Companies, meant: Intentions, day: int) -> NDArray[np.float64]:
    """Orders that come by themselves in the quarter around a day, in usual deals: contracts and call-offs."""
    found = np.where(who.contract & (who.role == 0), _RENEWED / 4, 0.0)
    found[meant.account] = _RENEWED * np.exp(meant.lifted(np.arange(len(meant.account)), np.array(day)))
    return found * (who.ends > day)


def account_truth(who: Companies, work: Demand, meant: Intentions, done: Deals, sales: Sales) -> pa.Table:
    """By row of accounts: growth, who grows, who buys next (null: not within a year), and what two years brought."""
    rows, today = np.arange(who.count), np.full(who.count, -1)
    ratio = growth(who, work, meant)
    nearest = np.full(who.count, YEAR, dtype=np.int32)
    coming = done.won & (done.decided >= 0)
    np.minimum.at(nearest, done.account[coming], done.decided[coming])
    return pa.table(
        {
            "growth": ratio.round(4),
            "grows": ratio >= GROWS,
            "alive": who.ends > 0,
            "next_purchase": dates(nearest, nearest >= YEAR),
            "spend_last_year": sales.won(rows, today - YEAR, today).round(2),
            "spend_next_year": sales.won(rows, today, today + YEAR).round(2),
        }
    )


def opportunity_truth(known: Deals) -> pa.Table:
    """By row of opportunities: won, the amount agreed, and when it closes (null: nobody ever closes it)."""
    return pa.table(
        {
            "won": known.won,
            "amount": np.round(known.amount.astype(np.float64), 2),
            "closes": dates(known.decided, known.forgotten),
        }
    )


def commitment_truth(plans: Promises) -> Any:
    """By row of commitments: what was or will be won in the year before they fall due, and whether that kept them."""
    return pa.table({"reached": plans.reached.round(2), "kept": plans.kept})
