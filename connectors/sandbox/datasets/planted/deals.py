"""How the deals of a planted book really go: product, amount, engagement, outcome and the day of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.sandbox.datasets.planted.companies import INDUSTRIES, climbed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from connectors.sandbox.datasets.planted.companies import Companies, Flags, Floats
    from connectors.sandbox.datasets.planted.days import Days
    from connectors.sandbox.datasets.planted.demand import Beginnings
    from connectors.sandbox.datasets.planted.people import People
    from connectors.sandbox.datasets.planted.promises import Intentions

# Name, family, list price, cost in percent of the list price, usual quantity.
CATALOGUE = (
    ("Sensor Kit", "Hardware", 1_200, 48, 6),
    ("Gateway", "Hardware", 3_800, 45, 3),
    ("Edge Server", "Hardware", 14_500, 58, 1),
    ("Monitoring Plan", "Software", 6_000, 20, 1),
    ("Analytics Suite", "Software", 24_000, 15, 1),
    ("Installation", "Services", 7_500, 66, 1),
    ("Training Day", "Services", 2_400, 40, 2),
    ("Service Contract", "Services", 9_000, 42, 1),
)
SERVICE_CONTRACT = 7
_PRICE, _COST, _QUANTITY = (
    np.array([one[column] for one in CATALOGUE], dtype=np.float32) for column in (2, 3, 4)
)
_MEAN_DAYS, _TYPICAL_AMOUNT = 75, 15_000


@dataclass(frozen=True, slots=True)
class Deals:
    """One row per deal, sorted by account and the day it `begun`; what is said of days after today is truth only.

    `amount` is the price that is or would be agreed, `cost` ours; `engaged` the buyer's interest, about normal;
    `decided` the day of the outcome; `forgotten` deals are lost, and nobody has closed them in the CRM.
    """

    account: NDArray[np.int64]
    owner: NDArray[np.int64]
    product: NDArray[np.int8]
    renewal: Flags
    begun: Days
    quantity: Floats
    amount: Floats
    cost: Floats
    engaged: Floats
    decided: Days
    won: Flags
    forgotten: Flags
    existing: Flags
    deadline: Flags

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.account)

    @property
    def open(self) -> Flags:
        """Deals that the CRM holds as open today."""
        found: Flags = (self.begun < 0) & ((self.decided >= 0) | self.forgotten)
        return found

    def taken(self, rows: Any) -> Deals:
        """Some of the deals."""
        return Deals(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def usual_days(amount: Any) -> Any:
    """How long a sale of that size usually takes, in days."""
    return _MEAN_DAYS * (np.maximum(amount, 1) / _TYPICAL_AMOUNT) ** 0.12


def deals(
    rng: np.random.Generator, who: Companies, staff: People, meant: Intentions, start: Beginnings
) -> Deals:
    """Everything that happens to the deals that begin."""
    account, count = start.account, len(start.account)
    taste = rng.normal(0, 0.6, (len(INDUSTRIES), len(CATALOGUE)))
    product = _products(rng, taste, who.industry[account])
    product[start.renewal] = SERVICE_CONTRACT
    # Colleagues help out on one deal in twenty.
    owner = np.where(rng.random(count) < 0.05, rng.integers(3, staff.count, count), who.owner[account])
    engaged = rng.standard_normal(count, dtype=np.float32)
    deadline = (rng.random(count) < 0.2) & ~start.renewal
    known = np.append(False, account[1:] == account[:-1])[:count]
    odds = (
        -0.75 + 0.7 * who.fit[account] + 0.8 * taste[who.industry[account], product].astype(np.float32)
        + 0.7 * staff.skill[owner] + 0.8 * engaged + 0.4 * known + 0.3 * deadline + 2.2 * start.renewal
    )  # fmt: skip
    won = rng.random(count) * (1 + np.exp(-odds)) < 1
    quantity, amount, cost = _worth(rng, who, meant, start, product)
    decided = _decided(rng, who, start, won, engaged, amount)
    forgets = 0.05 * np.exp(-0.4 * staff.care[owner])
    forgotten = ~won & (decided < 0) & (start.begun > -600) & ~start.renewal & (rng.random(count) < forgets)
    return Deals(
        account, owner, product, start.renewal, start.begun, quantity, amount, cost, engaged, decided, won, forgotten,
        _existing(account, start.begun, decided, won, who.count), deadline,
    )  # fmt: skip


def _products(rng: np.random.Generator, taste: Any, industry: NDArray[np.int8]) -> NDArray[np.int8]:
    """A product for each deal, by the taste of its industry."""
    shares = np.exp(0.7 * taste)
    upto = (np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    drawn = rng.random(len(industry), dtype=np.float32)
    product = np.zeros(len(industry), dtype=np.int8)
    for place in range(len(CATALOGUE) - 1):
        product += drawn > upto[industry, place]
    return product


def _worth(
    rng: np.random.Generator, who: Companies, meant: Intentions, start: Beginnings, product: NDArray[np.int8]
) -> tuple[Floats, Floats, Floats]:
    """Quantity, amount and cost: larger customers order more at a time, and get more off."""
    account, count = start.account, len(start.account)
    size = who.scale[account] + 0.5 * np.clip(climbed(who, account, start.begun), -3, 3)
    size += np.where(start.renewal, 0.05, 0.5).astype(np.float32) * rng.standard_normal(
        count, dtype=np.float32
    )
    planned = np.flatnonzero(start.renewal & (meant.places(who.count)[account] >= 0))
    size[planned] += meant.lifted(meant.places(who.count)[account[planned]], start.begun[planned])
    ordered = _QUANTITY[product] * np.exp(size)
    # A contract is priced by its scope, everything else by the piece.
    quantity = np.where(start.renewal, np.maximum(ordered, 0.2), np.maximum(np.rint(ordered), 1))
    off = np.clip(
        0.2 * rng.random(count, dtype=np.float32) ** 2 + 0.05 * np.log(np.maximum(quantity, 1)), 0, 0.45
    )
    amount = np.round(_PRICE[product] * quantity * (1 - off), 2)
    dear = np.clip(1 + 0.12 * rng.standard_normal(count, dtype=np.float32), 0.6, 1.5)
    cost = np.round(_PRICE[product] * quantity * _COST[product] / 100 * dear, 2)
    return (
        np.maximum(np.rint(quantity), 1).astype(np.float32), amount.astype(np.float32), cost.astype(np.float32)
    )  # fmt: skip


def _decided(
    rng: np.random.Generator, who: Companies, start: Beginnings, won: Flags, engaged: Floats, amount: Floats
) -> Days:
    """The day of the outcome: the larger, the later; interest hastens; what is lost drags on."""
    count = len(won)
    pace = np.exp(-0.2 * engaged) * np.where(won, 1.0, 1.3) * np.where(start.renewal, 0.5, 1.0)
    takes = usual_days(amount) * pace * rng.standard_gamma(3, count, dtype=np.float32) / 3
    decided = start.begun + np.clip(takes, 2, 700).astype(np.int32)
    # Who asks for more is in a hurry; who is in trouble decides nothing now.
    coming = (decided >= 0) & (start.begun < 0)
    decided = np.where(coming & who.asks[start.account], decided * 0.6, decided)
    decided = np.where(coming & who.troubled[start.account], decided + rng.integers(20, 45, count), decided)
    found: Days = decided.astype(np.int32)
    return found


def _existing(account: NDArray[np.int64], begun: Days, decided: Days, won: Flags, accounts: int) -> Flags:
    """Whether the account had bought before the deal began."""
    first = np.full(accounts, np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(first, account[won], decided[won])
    existing: Flags = first[account] < begun
    return existing
