"""What people have put into the CRM about the deals: stages, dates, amounts, margins, pains and needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.sandbox.datasets.planted.days import to_month_end
from connectors.sandbox.datasets.planted.deals import Deals, usual_days

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from connectors.sandbox.datasets.planted.companies import Flags, Floats
    from connectors.sandbox.datasets.planted.days import Days
    from connectors.sandbox.datasets.planted.people import People

STAGES = ("Prospecting", "Engaging", "Closed Won", "Closed Lost")
PAINS = (
    "Downtime costs them orders",
    "An audit found gaps",
    "Old system runs out of support",
    "Manual readings",
)
_PROSPECTING, _ENGAGING, _WON, _LOST = range(4)
_PUSH = 40  # days by which a date is moved


@dataclass(frozen=True, slots=True)
class Shown:
    """One row per deal in the CRM. NaN (and -1 for `pain`, `need_by` where not `needed`) is an empty field."""

    stage: NDArray[np.int8]
    moved: Days
    amount: NDArray[np.float64]
    first_amount: NDArray[np.float64]
    closes: Days
    first_closes: Days
    margin: NDArray[np.float64]
    quoted: Flags
    pain: NDArray[np.int8]
    need_by: Days
    needed: Flags


def shown(rng: np.random.Generator, staff: People, known: Deals) -> Shown:
    """What a rep would know and enter by today of deals that began before it."""
    count, is_open = known.count, known.open
    length = np.maximum(known.decided - known.begun, 1)
    progress = np.minimum(-known.begun / length, 1) + rng.normal(0, 0.08, count).astype(np.float32)
    stage, moved = _stages(known, is_open, progress, length)
    # A buyer who means it asks for a quote in the second half; some get one early.
    means_it = _chance(1.2 * known.engaged + 0.8 * known.won - 0.4)
    quoted = ~is_open & known.won | (progress > 0.5) & (rng.random(count) < means_it)
    guess = _guessed(rng, known.amount)
    first_closes = _hoped(rng, known)
    closes = np.where(is_open, _moved(rng, staff, known, first_closes, progress), known.decided)
    needed = np.where(known.deadline, rng.random(count) < 0.7, rng.random(count) < 0.03)
    margin = 100 * (1 - known.cost / np.maximum(known.amount, 1))
    return Shown(
        stage, moved,
        np.where(quoted, np.round(known.amount.astype(np.float64), 2), guess), guess,
        closes.astype(np.int32), first_closes,
        np.where(rng.random(count) < 0.35, np.round(margin.astype(np.float64), 1), np.nan),
        quoted, _pains(rng, known), _needs(rng, known), needed,
    )  # fmt: skip


def _chance(odds: Any) -> Any:
    return 1 / (1 + np.exp(-odds))


def _stages(known: Deals, is_open: Flags, progress: Any, length: Any) -> tuple[NDArray[np.int8], Days]:
    """The stage, and the day of the move to it; reps move a deal on when a third of the way is done."""
    begins = (known.begun + 0.3 * length).astype(np.int32)
    engaging = progress > 0.3
    under_way = np.where(engaging, _ENGAGING, _PROSPECTING)
    stage = np.where(is_open, under_way, np.where(known.won, _WON, _LOST)).astype(np.int8)
    moved = np.where(is_open, np.where(engaging, np.minimum(begins, -1), known.begun), known.decided)
    return stage, moved.astype(np.int32)


def _guessed(rng: np.random.Generator, amount: Floats) -> NDArray[np.float64]:
    """The rep's first guess, in round thousands, or five thousands where it is large; never under one thousand."""
    about = amount * np.exp(rng.normal(0, 0.3, len(amount)))
    step = np.where(about > 40_000, 5_000, np.where(about > 4_000, 1_000, 500))
    guess: NDArray[np.float64] = np.maximum(np.rint(about / step), 1) * step
    return guess


def _hoped(rng: np.random.Generator, known: Deals) -> Days:
    """The first close date: how long such a sale usually takes, with hope; often the end of a month."""
    hope = np.exp(rng.normal(-0.1, 0.3, known.count)) * np.where(known.renewal, 0.5, 1.0)
    first = (known.begun + np.maximum(usual_days(known.amount) * hope, 7)).astype(np.int32)
    found: Days = np.where(rng.random(known.count) < 0.4, to_month_end(first), first).astype(np.int32)
    return found


def _moved(rng: np.random.Generator, staff: People, known: Deals, first: Days, progress: Any) -> Days:
    """The close date of an open deal: named by a buyer who is nearly there, else moved each time it has passed."""
    count = known.count
    late = np.maximum(-first, 0)
    times = -(-late // _PUSH)
    careless = rng.random(count) < np.clip(0.22 - 0.08 * staff.care[known.owner], 0.03, 0.6)
    forgot = known.forgotten | careless
    times = np.where(forgot, np.maximum(times - rng.geometric(0.5, count), 0), times)
    moved = first + _PUSH * times
    told = (progress > 0.6) & (rng.random(count) < np.where(known.won, 0.75, 0.3)) & ~known.forgotten
    spread = np.maximum(0.15 * (known.decided + 10), 4)
    named = known.decided + rng.standard_normal(count) * spread
    found: Days = np.where(told, named, moved).astype(np.int32)
    return found


def _pains(rng: np.random.Generator, known: Deals) -> NDArray[np.int8]:
    """What hurts the customer, written down for half of the engaged buyers, and out of hope for some others."""
    hurts = rng.random(known.count) < np.where(known.engaged > 0.5, 0.5, 0.12)
    return np.where(hurts, rng.integers(0, len(PAINS), known.count), -1).astype(np.int8)


def _needs(rng: np.random.Generator, known: Deals) -> Days:
    """The day by which the customer must have it: soon after the decision; a mere hope lies anywhere."""
    real = known.decided + rng.integers(3, 25, known.count)
    hope = known.begun + rng.integers(30, 200, known.count)
    return np.where(known.deadline, real, hope).astype(np.int32)
