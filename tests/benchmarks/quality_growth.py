"""How well growth potential tells, of customers in their first months, who will grow, next to the naive trend.

A book is cut at its "today", and growth is the yearly rate of spend in the twelve months after it, divided by the rate
until then, with the book's mean rate added to both; who grows is the top tenth. The naive trend is spend in the
second half of an account's months, divided by that in the first half, in the same way. Nothing is fitted to what comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from config.rules import Rules
from scoring import read_book, tag
from tests.benchmarks.growing_books import KINDS, young_book
from tests.benchmarks.measuring import Figure, show
from tests.benchmarks.quality_purchases import EPOCH, MADE_UP, cdnow, tables
from tests.benchmarks.ranking import auc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tests.benchmarks.purchase_books import Purchases

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

YEAR = 365
MONTH = 30  # days that a rate is taken over, at least
SEEDS = 3
CHANCE = 0.5
CDNOW_YEAR = date(1997, 6, 30)  # the last day after which twelve months are known


@dataclass(frozen=True, slots=True)
class Grown:
    """One book's customers: scores as of its today, spend and days until then, what came, and the naive trend."""

    growth: Floats
    likely: Floats
    spend: Floats
    age: Floats
    ahead: Floats
    naive: Floats

    @property
    def rate(self) -> Floats:
        """Spend a year so far."""
        return self.spend / np.maximum(self.age, MONTH) * YEAR

    def top(self) -> Flags:
        """The top tenth by growth."""
        grown = _over(self.ahead, self.rate)
        top: Flags = grown >= np.quantile(grown, 0.9)
        return top

    def thirds(self) -> list[Flags]:
        """Customers by spend so far, the smallest third first."""
        cuts = np.quantile(self.spend, [1 / 3, 2 / 3])
        place = np.searchsorted(cuts, self.spend, side="left")
        return [place == third for third in range(3)]


def _over(after: Floats, before: Floats) -> Floats:
    """After ÷ before, the mean before added to both."""
    grown: Floats = (after + before.mean()) / (before + before.mean())
    return grown


def grown(book: Purchases) -> Grown:
    """Score a book as of its today, and look at what came in its horizon."""
    today, rules = EPOCH + timedelta(days=int(book.today) + MADE_UP), Rules()
    found, (part,) = read_book([tables(book)], rules, today)
    scored = tag(part, found, None, rules, today).scored
    size = int(book.customer.max()) + 1
    known = book.day <= book.today
    customers = np.unique(book.customer[known])
    first = np.full(size, book.today)
    np.minimum.at(first, book.customer, book.day)
    late = book.day > (first[book.customer] + book.today) / 2

    def spent(which: Flags) -> Floats:
        total: Floats = np.bincount(book.customer[which], book.cents[which] / 100, size)[customers]
        return total

    return Grown(
        scored.growth.card.score.astype(np.float64), scored.likelihood.chance,
        spent(known), (book.today - first)[customers].astype(np.float64),
        spent(~known & (book.day <= book.today + book.horizon)) * YEAR / book.horizon,
        _over(spent(known & late), spent(known & ~late)),
    )  # fmt: skip


def first_months(book: Grown) -> tuple[float, float, list[float]]:
    """AUC of the top tenth by growth: of growth potential, of the naive trend, and of the first within each third."""
    top = book.top()
    thirds = [auc(book.growth[among], top[among]) for among in book.thirds()]
    return auc(book.growth, top), auc(book.naive, top), thirds


def cells(book: Grown) -> Iterator[tuple[str, Flags]]:
    """The four cells of likelihood half and potential half."""
    likely, grows = book.likely > np.median(book.likely), book.growth > np.median(book.growth)
    for likely_name, likely_half in (("likely", likely), ("unlikely", ~likely)):
        for grows_name, grows_half in (("high potential", grows), ("low potential", ~grows)):
            yield f"{likely_name}, {grows_name}", likely_half & grows_half


def print_first_months(title: str, books: list[Grown], goals: bool) -> None:  # noqa: FBT001  # a switch of a table
    """The mean over the books."""
    found = [first_months(book) for book in books]
    ours, naive = (float(np.mean([one[place] for one in found])) for place in (0, 1))
    show(f"{title}: growers, growth potential", Figure("AUC", ours, naive if goals else None, least=True))
    show(f"{title}: growers, naive trend", Figure("AUC", naive))
    for place, name in enumerate(("smallest", "middle", "largest")):
        third = float(np.mean([one[2][place] for one in found]))
        show(f"{title}: among the {name} third", Figure("AUC", third, CHANCE if goals else None, least=True))


def print_cells(title: str, book: Grown) -> None:
    """How many of each cell bought again, and spent at a higher rate than before."""
    for name, among in cells(book):
        show(
            f"{title}: {name}, {int(among.sum())} customers",
            Figure("bought, %", 100 * float((book.ahead[among] > 0).mean())),
            Figure("grew, %", 100 * float((book.ahead[among] > book.rate[among]).mean())),
        )


def main() -> None:
    """CDNOW, and books of many kinds."""
    print_first_months("CDNOW", [grown(cdnow(CDNOW_YEAR, YEAR))], goals=True)
    print_cells("CDNOW", grown(cdnow()))
    for kind in KINDS:
        books = [grown(young_book(kind, seed)) for seed in range(SEEDS)]
        print_first_months(kind, books, goals=True)
        print_cells(kind, books[0])


if __name__ == "__main__":
    main()
