"""How well scoring foresees purchases: CDNOW's customers, and books of many kinds, next to simple baselines.

Every book is cut at its "today": scoring sees what was bought until then, and what comes within the horizon is
foretold. Nothing is fitted to what comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from config.rules import Rules
from connectors.sandbox.datasets import load_book
from scoring import read_book, tag
from tests.benchmarks.measuring import Figure, show
from tests.benchmarks.purchase_books import KINDS, Purchases, made
from tests.benchmarks.ranking import auc, quintiles, rank_correlation, top_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EPOCH = date(1970, 1, 1)
MADE_UP = 9_000  # the day number on which books that are made up begin
SEEDS = 3
WAYS = ("fixed", "from_book")
COMPARED = ("RFM sum", *WAYS)
LEAST_AUC = 0.002  # what propensity may be under the best baseline


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One book's customers: scores by name, and who bought within the horizon (`again`) for how many cents."""

    scores: dict[str, Floats]
    expected: dict[str, Floats]
    again: NDArray[np.bool_]
    spent: Floats


def cdnow(cut: date = date(1997, 9, 30), horizon: int = 273) -> Purchases:
    """All 23,570 customers of CDNOW; by default 39 weeks are known and the next 39 to be foreseen."""
    bought = load_book("cdnow").opportunities
    day = bought["close_date"].cast(pa.int32()).to_numpy().astype(np.int64) - MADE_UP
    cents = np.rint(100 * bought["amount"].to_numpy()).astype(np.int64)
    return Purchases(bought["account"].to_numpy(), day, cents, (cut - EPOCH).days - MADE_UP, horizon)


def tables(bought: Purchases) -> dict[str, pa.Table]:
    """What a CRM knows today: customers as accounts, purchases as won opportunities."""
    known = bought.day <= bought.today
    customer, day = bought.customer[known], bought.day[known]
    days = pa.array((day + MADE_UP).astype(np.int32)).cast(pa.date32())
    ids = [f"{number:07}" for number in np.unique(customer).tolist()]
    deals = {
        "id": [f"d{number}" for number in range(len(day))],
        "account_id": [f"{number:07}" for number in customer.tolist()],
        "stage": pa.array(["Won"] * len(day)),
        "is_won": pa.array(np.ones(len(day), dtype=bool)),
        "is_closed": pa.array(np.ones(len(day), dtype=bool)),
        "amount": pa.array(bought.cents[known] / 100).cast(pa.decimal128(18, 2)),
        "close_date": days,
        "created_at": days.cast(pa.timestamp("ms", tz="UTC")),
    }
    return {"account": pa.table({"id": ids, "name": ids}), "opportunity": pa.table(deals)}


def scored(bought: Purchases, way: str) -> tuple[Floats, Floats, Floats]:
    """Chance in percent, likelihood as it is shown, expected spend; one of each per customer, sorted by id."""
    rules = Rules.model_validate({"likelihood": {"horizon": bought.horizon, "points": way}})
    today = EPOCH + timedelta(days=int(bought.today) + MADE_UP)
    book, (part,) = read_book([tables(bought)], rules, today)
    tagged = tag(part, book, None, rules, today)
    shown = tagged.accounts["foretag_likelihood"].to_numpy().astype(np.float64)
    return (
        tagged.scored.likelihood.chance,
        shown,
        tagged.accounts["expected_spend"].to_numpy().astype(np.float64),
    )


def foreseen(bought: Purchases) -> Foreseen:
    """Scores and baselines of one book, and what came."""
    known = bought.day <= bought.today
    ahead = ~known & (bought.day <= bought.today + bought.horizon)
    size = int(bought.customer.max()) + 1
    customers = np.unique(bought.customer[known])
    days = np.unique(np.stack([bought.customer[known], bought.day[known]]), axis=1)[0]
    often = np.bincount(days, minlength=size)[customers].astype(np.float64)
    money = np.bincount(bought.customer[known], bought.cents[known], size)[customers]
    last = np.full(size, -1)
    np.maximum.at(last, bought.customer[known], bought.day[known])
    recent = last[customers].astype(np.float64)
    base = {"recency only": recent, "frequency only": often, "spend only": money}
    base["RFM sum"] = quintiles(recent) + quintiles(often) + quintiles(money)
    scores, expected = dict(base), dict(base)
    for way in WAYS:
        scores[way], scores[f"{way}, as shown"], expected[way] = scored(bought, way)
    spent = np.bincount(bought.customer[ahead], bought.cents[ahead], size)[customers]
    again = np.bincount(bought.customer[ahead], minlength=size)[customers] > 0
    return Foreseen(scores, expected, again, spent)


def print_cdnow() -> None:
    """AUC of "buys again"; the top tenth's share of revenue and the rank correlation of expected spend."""
    found = foreseen(cdnow())
    buys = {name: auc(scores, found.again) for name, scores in found.scores.items()}
    baselines = [name for name in found.expected if name not in WAYS]
    for name, value in buys.items():
        goal = max(buys[base] for base in baselines) - LEAST_AUC if name == "from_book" else None
        show(f"CDNOW buys again: {name}", Figure("AUC", value, goal, least=True))
    tops = {name: top_share(scores, found.spent) for name, scores in found.expected.items()}
    for name, scores in found.expected.items():
        goal = max(tops[base] for base in baselines) if name in WAYS else None
        show(
            f"CDNOW expected spend: {name}",
            Figure("top tenth", tops[name], goal, least=True),
            Figure("Spearman", rank_correlation(scores, found.spent)),
        )
    print_calibration("CDNOW", [found])


def print_calibration(title: str, books: list[Foreseen]) -> None:
    """What was shown against what came, by the shown percent."""
    shown = np.concatenate([book.scores["from_book, as shown"] for book in books])
    again = np.concatenate([book.again for book in books])
    for low, high in ((0, 5), (5, 10), (10, 20), (20, 40), (40, 60), (60, 80), (80, 100)):
        among = (shown > low) & (shown <= high)
        if among.any():
            show(
                f"{title}: shown {low + 1}-{high} %, {int(among.sum())} customers",
                Figure("mean shown", float(shown[among].mean())),
                Figure("bought, %", 100 * float(again[among].mean())),
            )


def print_many_books() -> None:
    """The mean of several books of each kind: which card is better, and that no kind is worse than a baseline."""
    everything: list[Foreseen] = []
    for kind in KINDS:
        books = [foreseen(made(kind, seed)) for seed in range(SEEDS)]
        books = [book for book in books if 5 <= book.again.sum() <= len(book.again) - 5]
        everything += books
        show(f"AUC of buys again, books {kind}", *(Figure(name, _auc(books, name)) for name in COMPARED))
    for name in COMPARED:
        tops = _mean(top_share(book.expected[name], book.spent) for book in everything)
        show(f"all kinds of books: {name}", Figure("AUC", _auc(everything, name)), Figure("top tenth", tops))
    for name in WAYS:
        off = _mean(_off(book, name) for book in everything)
        show(f"all kinds of books: {name}, mean chance off by", Figure("log-odds", off))
    print_calibration("all kinds of books", everything)


def _auc(books: list[Foreseen], name: str) -> float:
    return _mean(auc(book.scores[name], book.again) for book in books)


def _mean(values: Any) -> float:
    return float(np.mean(list(values)))


def _off(book: Foreseen, way: str) -> float:
    """How far the mean chance is from what came."""
    foretold, came = book.scores[way].mean() / 100, book.again.mean()
    return float(abs(np.log(foretold / (1 - foretold)) - np.log(came / (1 - came))))


def main() -> None:
    """CDNOW, then the many books."""
    print_cdnow()
    print_many_books()


if __name__ == "__main__":
    main()
