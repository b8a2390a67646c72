"""When companies have work for us: how much in each quarter, and on which days deals begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.sandbox.datasets.planted.companies import INDUSTRIES, Companies, climbed
from connectors.sandbox.datasets.planted.days import AHEAD, PAST, QUARTER, YEAR, Days, in_year

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from connectors.sandbox.datasets.planted.promises import Intentions

_QUARTERS = PAST + AHEAD
_SWING = 0.45  # how much higher than the mean the best time of the year is


@dataclass(frozen=True, slots=True)
class Demand:
    """`rate` is the expected number of deals by account and quarter (float32; PAST quarters, then AHEAD)."""

    rate: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Deals that begin, sorted by account and day: those until yesterday and, of the truth only, those after."""

    account: NDArray[np.int64]
    begun: Days
    renewal: NDArray[np.bool_]


def demand(who: Companies, opportunities: int) -> Demand:
    """Work by quarter, scaled so that the past holds as many deals as wanted (without renewals)."""
    rate = np.empty((who.count, _QUARTERS), dtype=np.float32)
    for quarter in range(_QUARTERS):
        rate[:, quarter] = _level(who, (quarter - PAST) * QUARTER)
    # A request for more comes before orders, trouble before silence.
    rate[:, PAST] *= np.where(who.asks, 2.5, 1) * np.where(who.troubled, 0.6, 1)
    known = float(rate[:, :PAST].sum(dtype=np.float64))
    rate *= opportunities / known if known else 0
    return Demand(rate)


def _level(who: Companies, first: int) -> Any:
    """Relative work in the quarter that begins on a day: need, season, half of the growth, while the relation lasts."""
    middle = first + QUARTER // 2
    rows = slice(None)
    peaks = np.arange(len(INDUSTRIES)) * YEAR / len(INDUSTRIES)
    season = 1 + _SWING * np.cos(2 * np.pi * (in_year(np.array(middle)) - peaks) / YEAR)
    begun = np.clip((first + QUARTER - who.born) / QUARTER, 0, 1)
    lasts = np.clip((who.ends - first) / QUARTER, 0.04, 1)
    buying = np.where(who.role == 0, 1.0, 0.1) * np.where(who.opted_out, 0.3, 1.0)
    grown = np.exp(0.5 * np.clip(climbed(who, rows, middle), -3, 3))
    return who.need * buying * season[who.industry] * grown * begun * lasts


def beginnings(
    rng: np.random.Generator, who: Companies, work: Demand, meant: Intentions, opportunities: int
) -> Beginnings:
    """Exactly so many deals until yesterday, renewals among them, and what the year after today brings."""
    renewals, renewed = (
        np.concatenate(both)
        for both in zip(_renewals(rng, who, opportunities), _call_offs(rng, who, meant), strict=True)
    )
    wanted = opportunities - int((renewed < 0).sum())
    past, past_day = _drawn(rng, work.rate[:, :PAST], wanted, -PAST * QUARTER)
    scale = wanted / max(opportunities, 1)
    ahead, ahead_day = _drawn(
        rng,
        work.rate[:, PAST:],
        int(rng.poisson(scale * float(work.rate[:, PAST:].sum(dtype=np.float64)))),
        0,
    )
    account = np.concatenate([renewals, past, ahead])
    day = np.concatenate([renewed, _bursts(rng, past, past_day), ahead_day]).astype(np.int32)
    day = np.where(day < 0, np.clip(day, np.minimum(who.born[account], -1), -1), day).astype(np.int32)
    renewal = np.arange(len(account)) < len(renewals)
    order = np.lexsort((day, account))
    return Beginnings(account[order], day[order], renewal[order])


def _drawn(
    rng: np.random.Generator, rate: NDArray[np.float32], count: int, first: int
) -> tuple[NDArray[np.int64], Days]:
    """So many (account, day), independent of one another, sorted by account and quarter."""
    mass = np.cumsum(rate.ravel(), dtype=np.float64)
    if not count or mass[-1] <= 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
    # Gaps of a Poisson stream are exponential: sorted draws without sorting.
    steps = np.cumsum(rng.exponential(1, count + 1))
    cell = np.searchsorted(mass, steps[:-1] * (mass[-1] / steps[-1]))
    account, quarter = np.divmod(np.minimum(cell, len(mass) - 1), rate.shape[1])
    day = first + quarter * QUARTER + rng.integers(0, QUARTER, count)
    return account, day.astype(np.int32)


def _bursts(rng: np.random.Generator, account: NDArray[np.int64], day: Days) -> Days:
    """One deal in five begins within weeks of the account's deal before it."""
    follows = np.append(False, account[1:] == account[:-1])[: len(account)] & (rng.random(len(account)) < 0.2)
    before = np.roll(day, 1)
    soon = before + rng.exponential(30, len(day)).astype(np.int32)
    return np.where(follows & (soon < 0), soon, day).astype(np.int32)


def _renewals(
    rng: np.random.Generator, who: Companies, opportunities: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A deal each year for companies with a contract, as long as the relation lasts; at most a quarter of all."""
    years = PAST // 4 + 1
    with_contract = np.flatnonzero(who.contract & (who.role == 0))
    most = opportunities // (4 * years)
    rows = with_contract[:most]
    anniversary = rng.integers(0, YEAR, len(rows))
    day = anniversary[:, None] + (np.arange(years) - years + 1) * YEAR
    day += rng.integers(-14, 15, day.shape)
    account = np.repeat(rows, years)
    day = day.ravel()
    # The first year is the sale itself.
    lasts = (day > who.born[account] + YEAR) & (day < who.ends[account])
    return account[lasts], day[lasts]


def _call_offs(
    rng: np.random.Generator, who: Companies, meant: Intentions
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """An order each quarter of companies that write plans, as long as the relation lasts."""
    first = rng.integers(-PAST * QUARTER, (1 - PAST) * QUARTER, len(meant.account))
    day = (
        first[:, None] + np.arange(_QUARTERS) * QUARTER + rng.integers(-10, 11, (len(first), _QUARTERS))
    ).ravel()
    account = np.repeat(meant.account, _QUARTERS)
    lasts = (day > who.born[account] + 60) & (day < who.ends[account])
    return account[lasts], day[lasts]
