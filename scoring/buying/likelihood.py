"""Likelihood to buy: a points card and the fitted buying pattern on past purchases, live deals and like accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from config.sections.cards import Bands
from scoring.arithmetic.columns import looked_up, numbers, whole
from scoring.arithmetic.counts import fifth_of, money_bin
from scoring.arithmetic.points import DOUBLE, TENTHS, Card, in_bands
from scoring.buying.histories import WEEK, earlier, history
from scoring.buying.lessons import MOST_POINTS
from scoring.reading.features import day_number

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from config.sections.likelihood import Likelihood
    from scoring.book import Book
    from scoring.buying.histories import History
    from scoring.winning.deals import BestDeals

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

# What past purchases say: four items by the card, one by the model.
CARD = ("recency", "rhythm", "purchases", "value")
PURCHASES = (*CARD, "history")
ITEMS = ("base", "season", *PURCHASES, "deal", "momentum", "similar")


def card_inputs(past: History, fifth: Ints, horizon: int, gap: float) -> tuple[Floats, ...]:
    """What the items of `CARD` look at; NaN where there is no purchase. `gap` is the book's usual one, in days."""
    own = past.usual_gap(gap)
    return (
        (past.day - past.last) / own,
        horizon / own,
        np.where(past.customer, past.purchases, np.nan),
        np.where(past.customer, fifth.astype(np.float64), np.nan),
    )


def inputs_now(accounts: pa.Table, book: Book, today: date) -> tuple[Floats, ...]:
    """What the card looks at today."""
    fifth = fifth_of(money_bin(whole(accounts, "spend")), book.spend_fifths)
    return card_inputs(history(accounts, day_number(today)), fifth, book.horizon, book.gap)


def inputs_before(accounts: pa.Table, book: Book, today: date) -> tuple[Floats, ...]:
    """What the card would have looked at one window ago, with that window to foresee."""
    window = book.buying.window
    fifth = fifth_of(money_bin(whole(accounts, "cut_spend")), book.cut_fifths)
    past = earlier(accounts, "cut", day_number(today) - window)
    return card_inputs(past, fifth, window, book.buying.cut_gap)


def effective_card(book: Book, rules: Rules) -> Likelihood:
    """The rules' card, with the points that the book taught where it was asked."""
    learned = {}
    for item, points in book.buying.card.items():
        given: Bands = getattr(rules.likelihood, item)
        ranges = [key for key in given.root if key != "none"]
        if len(points) == len(ranges) + 1:  # a kept book may be older than the rules
            learned[item] = Bands(dict(zip([*ranges, "none"], points, strict=True)))
    return rules.likelihood.model_copy(update=learned)


def purchase_points(inputs: tuple[Floats, ...], chance: Floats, book: Book, rules: Rules) -> Ints:
    """Tenths of points of the items `PURCHASES`, one column per account.

    Where there is a history, card and model share: each counts for its part of the log-odds. `chance` is the model's,
    0 to 1; without a history (0) the card alone speaks, by its points for `none`.
    """
    card = effective_card(book, rules)
    share = np.where(chance > 0, rules.likelihood.buying_pattern / 100, 0.0)
    rows = [in_bands(values, getattr(card, item)) for item, values in zip(CARD, inputs, strict=True)]
    by_card = np.rint(np.stack(rows) * (TENTHS * (1 - share)))
    by_model = np.rint(share * (model_points(chance) - TENTHS * book.buying.centre))
    return np.vstack([by_card, by_model]).astype(np.int64)


def model_points(chance: Floats) -> Floats:
    """Tenths of points for chances from 0 to 1, within bounds; 0 for no chance at all."""
    sure = np.clip(chance, 1e-9, 1 - 1e-9)
    points = np.clip(DOUBLE * np.log2(sure / (1 - sure)), -MOST_POINTS, MOST_POINTS)
    return np.where(chance > 0, np.rint(TENTHS * points), 0.0)


def likelihood(accounts: pa.Table, best: BestDeals, book: Book, rules: Rules, today: date) -> Card:
    """The chance of a purchase within the horizon, for customers and prospects; its items are `ITEMS`."""
    card, buying = rules.likelihood, book.buying
    past = history(accounts, day_number(today))
    chance = past.chance(buying.model, book.horizon)
    similar = looked_up(accounts["peer"], {peer: found.buys for peer, found in book.peers.items()}, 0.0)
    like = np.where(past.customer, 0, np.clip(similar, -card.similar, card.similar)).astype(np.int64)
    points = np.vstack(
        [
            np.where(past.customer, buying.season, 0) * TENTHS,
            purchase_points(inputs_now(accounts, book, today), chance, book, rules),
            in_bands(best.chance, card.deal) * TENTHS,
            in_bands(best.idle / book.cycle, card.momentum) * TENTHS,
            like * TENTHS,
        ]
    )
    base = np.where(past.customer, buying.customer_base, buying.prospect_base) * TENTHS
    return Card(base, points, TENTHS)


def expected_days(likely: Card, accounts: pa.Table, book: Book, today: date) -> Floats:
    """Days with a purchase to expect within the horizon: the likelihood times how many there are if there is one."""
    past, model = history(accounts, day_number(today)), book.buying.model
    weeks = book.horizon / WEEK
    expected = model.expected_purchases(*past.x_t, weeks)
    often = expected / np.maximum(model.chance(*past.x_t, weeks), 1e-9)
    return likely.chance / 100 * np.where(past.customer, np.clip(often, 1.0, book.horizon), 1.0)


def purchase_value(accounts: pa.Table, book: Book) -> Floats:
    """Cents of the next purchase: the account's own mean and the book's; the book's without a purchase."""
    days = numbers(accounts, "purchase_days")
    mean = whole(accounts, "spend") / np.maximum(days, 1)
    return np.where(days > 0, book.buying.model.expected_value(days, mean), book.basket)
