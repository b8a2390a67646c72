"""How an account usually buys: how often, whether it has gone quiet, and whether it is one of the large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import numbers, whole
from scoring.arithmetic.counts import fifth_of, money_bin
from scoring.buying.histories import history

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_LEAST_QUIET = 30  # days: whoever buys daily is not quiet after two


def usual_gap(accounts: pa.Table, book: Book) -> Floats:
    """Days between an account's purchases, drawn towards the book's as if by one gap; NaN without a purchase."""
    return history(accounts, 0).usual_gap(book.gap)


def large(accounts: pa.Table, book: Book) -> Flags:
    """Among the fifth of customers that spent most."""
    fifth = fifth_of(money_bin(whole(accounts, "spend")), book.spend_fifths)
    among: Flags = (whole(accounts, "purchases") > 0) & (fifth == 5)
    return among


def quiet(accounts: pa.Table, book: Book, rules: Rules, today: int) -> Flags:
    """Bought at least twice, and not for longer than the account's usual gap allows."""
    purchases, last_day = numbers(accounts, "purchases"), numbers(accounts, "last_day")
    gap = usual_gap(accounts, book)
    return (purchases >= 2) & (today - last_day > np.maximum(rules.alerts.quiet_after * gap, _LEAST_QUIET))
