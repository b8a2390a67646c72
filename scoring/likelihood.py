"""Likelihood to buy: a points card on past purchases, live deals and like accounts, in log-odds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.columns import flags, looked_up, numbers, whole
from scoring.counts import money_bin
from scoring.features import day_number
from scoring.points import Card, in_bands

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.deals import BestDeals

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

ITEMS = ("base", "recency", "rhythm", "purchases", "value", "deal", "momentum", "similar")


def usual_gap(purchases: Floats, first_day: Floats, last_day: Floats, book: Book) -> Floats:
    """Days between an account's purchases, drawn towards the book's as if by one gap; NaN without a purchase."""
    gaps = (last_day - first_day + book.gap) / np.maximum(purchases, 1)
    return np.where(purchases > 0, np.maximum(gaps, 1.0), np.nan)


def history_points(accounts: pa.Table, book: Book, rules: Rules, today: date) -> Ints:
    """Points of recency, rhythm, purchases and value, as of today; all `none` for an account without a purchase."""
    purchases, spend = numbers(accounts, "purchases"), whole(accounts, "spend")
    last_day = numbers(accounts, "last_day")
    return _history(accounts, purchases, last_day, spend, book.spend_fifths, day_number(today), book, rules)


def earlier_points(accounts: pa.Table, book: Book, rules: Rules, today: date) -> Ints:
    """The sum of a card's points as it stood one horizon ago, from what was known then."""
    purchases, spend = numbers(accounts, "cut_purchases"), whole(accounts, "cut_spend")
    last_day, cut = numbers(accounts, "cut_last_day"), day_number(today) - book.horizon
    history = _history(accounts, purchases, last_day, spend, book.cut_fifths, cut, book, rules)
    # How good an open deal looked then is not known any more; that there was one is.
    deal = in_bands(np.where(flags(accounts, "cut_open"), 50.0, np.nan), rules.likelihood.deal)
    points: Ints = history.sum(axis=0) + deal
    return points


def _history(
    accounts: pa.Table, purchases: Floats, last_day: Floats, spend: Ints,
    fifths: tuple[int, ...], day: int, book: Book, rules: Rules,
) -> Ints:  # fmt: skip
    card = rules.likelihood
    gap = usual_gap(purchases, numbers(accounts, "first_day"), last_day, book)
    fifth = np.where(purchases > 0, fifth_of(money_bin(spend), fifths).astype(np.float64), np.nan)
    points = [
        in_bands((day - last_day) / gap, card.recency),
        in_bands(book.horizon / gap, card.rhythm),
        in_bands(np.where(purchases > 0, purchases, np.nan), card.purchases),
        in_bands(fifth, card.value),
    ]
    return np.stack(points)


def fifth_of(bins: Ints, fifths: tuple[int, ...]) -> Ints:
    """The fifth of the book, 1 to 5, that a bin of money falls in."""
    return np.searchsorted(np.array(fifths, dtype=np.int64), bins, side="right").astype(np.int64) + 1


def likelihood(accounts: pa.Table, best: BestDeals, book: Book, rules: Rules, today: date) -> Card:
    """The chance of a purchase within the horizon, for customers and prospects; its items are `ITEMS`."""
    card = rules.likelihood
    customer = whole(accounts, "purchases") > 0
    similar = looked_up(accounts["peer"], {peer: found.buys for peer, found in book.peers.items()}, 0.0)
    points = np.vstack(
        [
            history_points(accounts, book, rules, today),
            in_bands(best.chance, card.deal),
            in_bands(best.idle / book.cycle, card.momentum),
            np.where(customer, 0, np.clip(similar, -card.similar, card.similar)).astype(np.int64),
        ]
    )
    base = np.where(customer, book.customer_base, book.prospect_base)
    return Card(base, points)
