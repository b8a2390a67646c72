"""The words for what each item of a priority saw: `closes 14 Mar`, `good margin`, `95k`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from config.outputs import LEVELS
from scoring.arithmetic.columns import coded, numbers, whole
from scoring.arithmetic.points import on_curve
from scoring.arithmetic.texts import Texts, bands, chosen, dates, each, money, one, plain
from scoring.conditions.inputs import level
from scoring.growing import growth
from scoring.winning import deals, win

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from config.rules import Rules
    from config.sections.showing import Shown
    from scoring.arithmetic.points import Sum
    from scoring.value import Scored

    Floats = NDArray[np.float64]

_LONGEST_STAGE = 40
_PACES = (20, 50)  # of the points that a pace may give
_PACE_WORDS = ("few deals this old close soon", "some deals this old close soon", "deals this old close soon")
# Why growth potential is what it is, by the item of the card that weighs most: if it raised, if it lowered.
GROWTH_DRIVERS = {
    "base": ("", ""),
    "trend": (", spend rising", ", spend falling"),
    "outlook": (", a start to build on", ", a start that is hard to keep up"),
    "quiet": ("", ", gone quiet"),
    "pipeline": (", large open deals", ""),
    "promise": (", growth plan", ""),
    "kept": (", plan kept", ", plan not kept"),
    "headroom": (", below its peers", ", above its peers"),
    "products": (", products not yet bought", ""),
    "business": (", its own business grows", ", its own business shrinks"),
    "fit": (", like your best customers", ", unlike your best customers"),
}

# Why the chance of winning is what it is, where an item moved it by so many points: if it raised, if it lowered. A
# chance always adds, so that what lowered it stands behind a "but".
_TELLING = 5
_WIN_DRIVERS = {
    "level": ("", ""),
    "record": ("won here before", "lost here before"),
    "like_deals": ("like deals often won", "like deals often lost"),
    "age": ("deals this old often won", "deals this old often lost"),
    "roundness": ("a quoted amount", "a round amount"),
    "idle": ("moving", "not moving"),
    "touches": ("much contact", "little contact"),
    "past_revenue": ("a good customer", "no customer yet"),
}


def deal_items(scored: Scored, rules: Rules, today: int) -> list[Texts]:
    """One text per deal for each of `scoring.winning.deals.Deals.items`; no text for what the rules hide."""
    found = scored.deals
    texts = {
        item: _shown(getattr(rules.show, name), by_value, by_band)
        for item, (name, by_value, by_band) in _deal_texts(scored, rules, today).items()
    }
    texts |= dict(zip(found.boosts.items, found.boosts.texts, strict=True)) | {
        "limit": _limit(found.priority)
    }
    return [texts[item] for item in found.items]


def _deal_texts(
    scored: Scored, rules: Rules, today: int
) -> dict[str, tuple[str, Callable[[], Texts], Callable[[], Texts]]]:
    """By item: what `show:` calls it, and what a reason says of it by value and by band."""
    table, found = scored.features.deals, scored.deals

    def until(column: str) -> Floats:
        return numbers(table, column) - today

    def since(column: str, *words: str) -> Texts:
        return _bands(-until(column), (30, 90), words)

    def pain() -> Texts:
        return one("pain named", table.num_rows)

    def need_case() -> Texts:
        return one("open case shows a need", table.num_rows)

    closing = ("was to close by now", "closes soon", "closes within months", "closes later")
    return {
        "close_date": (
            "close_date",
            lambda: _when(table, "close_day", today, "closes {}", "was to close {}"),
            lambda: _bands(until("close_day"), (0, 31, 91), closing),
        ),
        "pushed": (
            "pushes",
            lambda: each(whole(table, "pushes"), _pushed),
            lambda: bands(numbers(table, "pushes"), (3,), ("pushed", "pushed often")),
        ),
        "idle": (
            "idle",
            lambda: dates(numbers(table, "moved_day"), today, "no movement since {}"),
            lambda: since("moved_day", "moved lately", "no movement lately", "no movement for long"),
        ),
        "pace": (
            "age",
            lambda: _pace(table, found, rules, today),
            lambda: _bands(on_curve(found.pace, rules.priority.pace), _PACES, _PACE_WORDS),
        ),
        "chance": (
            "chance",
            lambda: _chance(table, found),
            lambda: bands(
                found.chance.astype(np.float64), (34, 67), ("low chance", "fair chance", "good chance")
            ),
        ),
        "margin": ("margin", lambda: _margin(found), lambda: _margin_band(found)),
        "amount": (
            "amount",
            lambda: money(numbers(table, "cents"), "{}"),
            lambda: bands(found.size, (34, 67), ("small deal", "mid-sized deal", "large deal")),
        ),
        "need_by": (
            "need_by",
            lambda: _when(table, "need_day", today, "needed by {}", "needed since {}"),
            lambda: _bands(until("need_day"), (0, 31), ("overdue need", "needed soon", "needed later")),
        ),
        "pain": ("pain", pain, pain),
        "need_case": ("need_case", need_case, need_case),
    }


def _bands(values: Floats, bounds: Sequence[float], words: Sequence[str]) -> Texts:
    """A word for the size of each value; none where it is unknown."""
    found = bands(np.nan_to_num(values), bounds, words)
    return Texts(found.table, np.where(np.isnan(values), -1, found.codes))


def _chance(table: pa.Table, found: deals.Deals) -> Texts:
    """`stage Proposal, like deals won`: the stage, and what moved its chance most."""
    stages, codes = coded(table["stage"])
    said = [*(f"stage {plain(stage, _LONGEST_STAGE)}" for stage in stages), "chance of winning"]
    points = found.win.points * (np.array(win.ITEMS[1:]) != "level")[:, None]
    strongest = np.argmax(np.abs(points), axis=0)
    moved = points[strongest, np.arange(points.shape[1])]
    driver = np.where(
        moved >= _TELLING, 2 * strongest + 1, np.where(moved <= -_TELLING, 2 * strongest + 2, 0)
    )
    drivers = [
        "",
        *(
            between + word
            for item in win.ITEMS[1:]
            for between, word in zip((", ", ", but "), _WIN_DRIVERS[item], strict=True)
        ),
    ]
    places = np.where(codes < 0, len(stages), codes) * len(drivers) + driver
    return Texts([stage + word for stage in said for word in drivers], places)


def _pace(table: pa.Table, found: deals.Deals, rules: Rules, today: int) -> Texts:
    """`deals this old close soon (since 2 Nov)`: what adds or does not is the age, not that it is still open."""
    worth = np.nan_to_num(on_curve(found.pace, rules.priority.pace))
    made = numbers(table, "created_day")
    few, some, many = (dates(made, today, f"{words} (since {{}})") for words in _PACE_WORDS)
    return chosen(worth < _PACES[0], few, chosen(worth < _PACES[1], some, many))


def _when(table: pa.Table, name: str, today: int, ahead: str, past: str) -> Texts:
    """A date in one pattern if it is today or later, in another if it has passed."""
    days = numbers(table, name)
    return chosen(days >= today, dates(days, today, ahead), dates(days, today, past))


def _pushed(times: int) -> str:
    return "pushed once" if times == 1 else f"pushed {times} times"


def _shown(show: Shown, by_value: Callable[[], Texts], by_band: Callable[[], Texts]) -> Texts:
    """The text that the rules let a reason show."""
    if show == "hide":
        return Texts([], np.full(len(by_band().codes), -1))
    return by_value() if show == "value" else by_band()


def _margin(found: deals.Deals) -> Texts:
    by_margin = ~np.isnan(found.margin)
    percent = np.rint(np.nan_to_num(np.where(by_margin, found.margin, found.discount))).astype(np.int64)
    return chosen(
        by_margin,
        each(percent, lambda number: f"margin {number} %"),
        each(percent, lambda number: f"discount {number} %"),
    )


def _margin_band(found: deals.Deals) -> Texts:
    profit = np.nan_to_num(found.profit)
    return chosen(
        ~np.isnan(found.margin),
        bands(profit, (34, 67), ("thin margin", "fair margin", "good margin")),
        bands(profit, (34, 60), ("deep discount", "some discount", "near list price")),
    )


def _limit(score: Sum) -> Texts:
    """What kept a score within 0 to 100."""
    over = score.parts[-1]
    return chosen(over < 0, one("100 at most", len(over)), one("0 at least", len(over)))


def account_items(scored: Scored, rules: Rules) -> list[Texts]:
    """One text per account for each of `scoring.value.Scored.items`."""
    words = ("low expected spend", "medium expected spend", "high expected spend")
    levels = [f"growth potential {name}" for name in LEVELS]
    spend = _shown(
        rules.show.expected_spend,
        lambda: money(scored.expected, "expected spend {}"),
        lambda: bands(scored.rank.astype(np.float64), (34, 67), words),
    )
    grows = _shown(
        rules.show.growth, lambda: _growth(scored, rules), lambda: Texts(levels, level(scored, rules))
    )
    texts = [spend, grows, *scored.boosts.texts]
    return [*texts, _limit(scored.value)] if scored.boosts.items else texts


def _growth(scored: Scored, rules: Rules) -> Texts:
    """`growth potential High, spend rising`: the level and what most speaks for it (for Medium: either way)."""
    points, levels = scored.growth.card.points, level(scored, rules)
    lean = np.array([1, 0, -1])[levels]
    weights = np.where(lean == 0, np.abs(points), points * lean)
    if rules.show.growth_plan == "hide":
        weights[[growth.ITEMS.index(item) - 1 for item in ("promise", "kept")]] = 0
    # One item after the other: to look for the largest of a short column is slow.
    rows, strongest = np.arange(points.shape[1]), np.zeros(points.shape[1], dtype=np.int64)
    for place in range(1, len(weights)):
        strongest = np.where(weights[place] > weights[strongest, rows], place, strongest)
    item = np.where(weights[strongest, rows] > 0, strongest + 1, 0)
    raised = np.where(points[strongest, rows] > 0, 0, 1)
    table = [
        f"growth potential {name}{GROWTH_DRIVERS[driver][sign]}"
        for name in LEVELS
        for driver in growth.ITEMS
        for sign in (0, 1)
    ]
    return Texts(table, (levels * len(growth.ITEMS) + item) * 2 + raised)
