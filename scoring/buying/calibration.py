"""Learn from the book's own past: the card's points, the base rates, and how the season differed a year before."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.columns import flags, whole
from scoring.arithmetic.counts import as_integers, count
from scoring.arithmetic.fitting import fitted_card
from scoring.arithmetic.points import TENTHS, band_of, in_bands, level_for
from scoring.buying.histories import YEAR, earlier, history
from scoring.buying.likelihood import (
    CARD,
    inputs_before,
    inputs_now,
    model_points,
    purchase_points,
)  # fmt: skip
from scoring.reading.features import day_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.arithmetic.counts import Summary
    from scoring.book import Book
    from scoring.buying.lessons import Buying
    from scoring.reading.features import Features

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_PRIOR_WEIGHT = 10  # accounts' worth of what would be expected without looking back
_PRIOR_PROSPECTS = 10  # percent
_CARD_WEIGHT = 50  # accounts' worth of the rules' points that each range starts with
_SEASON = 0.5  # by how much (in log-odds) seasons differ from year to year, usually
_MOST_BASE = 300  # points
_MOST_SEASON = 40  # points: four times the odds
_EXACT = 10_000  # chances are added up as integers of this part


def lessons(part: Features, book: Book, rules: Rules, today: date) -> Summary:
    """Second round: for each combination of the card's bands, as known one window ago, who bought in the window."""
    if rules.likelihood.points == "fixed":
        return {}
    accounts = part.accounts
    customer, bought = _since_the_cut(part)
    cells = np.zeros(accounts.num_rows, dtype=np.int64)
    for item, values in zip(CARD, inputs_before(accounts, book, today), strict=True):
        bands = getattr(rules.likelihood, item)
        cells = cells * (len(bands.points) + 1) + band_of(values, bands)
    return {"hits": count(cells[customer & bought]), "misses": count(cells[customer & ~bought])}


def _since_the_cut(part: Features) -> tuple[Flags, Flags]:
    """Who was a customer one window ago, and which accounts bought since."""
    before, now = (whole(part.accounts, name) for name in ("cut_purchase_days", "purchase_days"))
    return before > 0, now > before


def with_card(buying: Buying, found: Summary, rules: Rules) -> Buying:
    """With the points that the lessons teach, drawn towards those of the rules; without lessons as before."""
    hits, misses = (as_integers(found.get(name, {})) for name in ("hits", "misses"))
    cells = np.array(sorted({*hits, *misses}), dtype=np.int64)
    given = [getattr(rules.likelihood, item) for item in CARD]
    priors = [np.array([*bands.points, bands.none], dtype=np.int64) for bands in given]
    rows: list[Ints] = []
    rest = cells
    for prior in reversed(priors):
        rest, band = np.divmod(rest, len(prior))
        rows.insert(0, band)
    learned = fitted_card(np.array(rows), _at(cells, hits), _at(cells, misses), priors, weight=_CARD_WEIGHT)
    card = {item: tuple(points.tolist()) for item, points in zip(CARD, learned, strict=True)}
    return replace(buying, card=card if len(cells) else {})


def _at(cells: Ints, counts: Mapping[int, int]) -> Ints:
    return np.array([counts.get(cell, 0) for cell in cells.tolist()], dtype=np.int64)


def calibrate(part: Features, book: Book, rules: Rules, today: date) -> Summary:
    """Third round: points as they stood one window ago, and how many then bought within it; seasons as well."""
    accounts, window, now = part.accounts, book.buying.window, day_number(today)
    customer, bought = _since_the_cut(part)
    prospect = ~customer & flags(accounts, "cut_known")
    # How good an open deal looked then is not known any more; that there was one is.
    deal = in_bands(np.where(flags(accounts, "cut_open"), 50.0, np.nan), rules.likelihood.deal) * TENTHS
    then = earlier(accounts, "cut", now - window).chance(book.buying.model, window)
    points = purchase_points(inputs_before(accounts, book, today), then, book, rules).sum(axis=0) + deal
    today_chance = history(accounts, now).chance(book.buying.model, book.horizon)
    today_points = purchase_points(inputs_now(accounts, book, today), today_chance, book, rules).sum(axis=0)
    return {
        "customers": count(points[customer]),
        "prospects": count(points[prospect]),
        "today": count(today_points[today_chance > 0]),
        "totals": Counter({
            "customers": int((bought & customer).sum()), "prospects": int((bought & prospect).sum()),
            "foreseen": _sum(then), "foreseen_today": _sum(today_chance),
        }),
        **_seasons(part, book, now),
    }  # fmt: skip


def _sum(chances: Floats) -> int:
    return int(np.rint(chances * _EXACT).astype(np.int64).sum())


def _seasons(part: Features, book: Book, now: int) -> Summary:
    """What the model gave a year ago, for the window after it and for the window before, and who bought."""
    window, model = book.buying.window, book.buying.model
    if window > YEAR:
        return {}
    found: Summary = {}
    for when, day in (("season", now - YEAR), ("eve", now - YEAR - window)):
        chances = earlier(part.accounts, when, day).chance(model, window)
        again = flags(part.accounts, f"{when}_again")[chances > 0]
        found[when] = count(model_points(chances[chances > 0]).astype(np.int64))
        found[f"{when}_totals"] = Counter({"bought": int(again.sum()), "foreseen": _sum(chances)})
    return found


def with_bases(buying: Buying, found: Summary, horizon: int) -> Buying:
    """With the points at which the chances foretell, on the whole, what the last window brought."""
    totals = found["totals"]
    customers, prospects = as_integers(found["customers"]), as_integers(found["prospects"])
    if customers:
        base = _base(customers, _share(totals["customers"], totals["foreseen"], sum(customers.values())))
    else:  # nobody to look back on: as the model foresees
        today = as_integers(found["today"])
        base = _base(today, totals["foreseen_today"] / _EXACT / max(sum(today.values()), 1))
    return replace(
        buying,
        customer_base=base,
        prospect_base=_base(
            prospects, _prospects_share(totals["prospects"], prospects, horizon / buying.window)
        ),
        season=_season(found),
    )


def _share(bought: int, foreseen: int, size: int) -> float:
    """How many buy, 0 to 1, drawn towards what was foreseen."""
    expected = foreseen / _EXACT / max(size, 1)
    return (bought + _PRIOR_WEIGHT * expected) / (size + _PRIOR_WEIGHT)


def _prospects_share(bought: int, points: Mapping[int, int], windows: float) -> float:
    """How many prospects buy within the horizon, which is so many windows long."""
    share = (bought + _PRIOR_WEIGHT * _PRIOR_PROSPECTS / 100) / (sum(points.values()) + _PRIOR_WEIGHT)
    return float(1 - (1 - share) ** windows)


def _base(tenths: Mapping[int, int], wanted: float) -> int:
    """The lowest base at which the mean chance of these sums of tenths of points reaches the wanted one, 0 to 1."""
    return level_for(tenths or {0: 1}, 100 * wanted, _MOST_BASE, TENTHS)


def _season(found: Summary) -> int:
    """Points by which the coming window differs from the last, as the same ones did a year before.

    What the model could not foresee of either is compared, so that customers who merely left count for nothing;
    drawn towards no difference where few accounts speak.
    """
    off, doubt = [], 0.0
    for when in ("season", "eve"):
        points = as_integers(found.get(when, {}))
        size, totals = sum(points.values()), found.get(f"{when}_totals", Counter())
        if not size:
            return 0
        off.append(_base(points, _share(totals["bought"], totals["foreseen"], size)))
        doubt += 1 / (totals["bought"] + 0.5) + 1 / (size - totals["bought"] + 0.5)
    trusted = _SEASON**2 / (_SEASON**2 + doubt)
    return min(max(round((off[0] - off[1]) * trusted), -_MOST_SEASON), _MOST_SEASON)
