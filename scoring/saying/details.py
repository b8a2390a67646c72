"""What each item of a score saw, in words, for one record: the right-hand column of `foretag explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.arithmetic.texts import date_text, money_text, plain
from scoring.buying.likelihood_details import likelihood_details
from scoring.growing.growth_details import growth_details
from scoring.reading.features import day_number
from scoring.winning.win_details import win_details

if TYPE_CHECKING:
    from scoring.tags import Tagged


def deal_details(tagged: Tagged, row: int) -> dict[str, str]:
    """What the items of a deal's priority saw, by `dimension:item`; an item that is missing saw nothing."""
    found, today = tagged.scored.deals, day_number(tagged.today)
    deal = tagged.scored.features.deals.slice(row, 1).to_pylist()[0]
    said = {"chance": f"{found.chance[row]} % chance of winning: see the items of win"}
    if not np.isnan(found.pace[row]):
        made = date_text(deal["created_day"], today, year=True)
        said["pace"] = f"open since {made}: {found.pace[row]:g} % of deals that old closed within 30 days"
    if deal["close_day"] is not None:
        said["close_date"] = f"close date {date_text(deal['close_day'], today, year=True)}"
    if deal["pushes"]:
        said["pushed"] = f"close date moved to a later month {deal['pushes']} times"
    if deal["moved_day"] is not None:
        said["idle"] = (
            f"last moved {date_text(deal['moved_day'], today, year=True)};"
            f" deals are usually won in {tagged.book.cycle} days"
        )
    said["margin"] = _margin(float(found.margin[row]), float(found.discount[row]), tagged)
    said["amount"] = _amount(deal["cents"])
    said |= _needs(deal, today)
    for item, texts in zip(found.boosts.items, found.boosts.texts, strict=True):
        if texts.codes[row] >= 0:
            said[item] = texts.table[texts.codes[row]]
    if found.priority.shares[-1, row]:
        said["limit"] = "no score is above 100, or below 0"
    return {f"priority:{item}": text for item, text in said.items()} | win_details(tagged, row)


def _needs(deal: dict[str, Any], today: int) -> dict[str, str]:
    said = {}
    if deal["need_day"] is not None:
        said["need_by"] = f"needed by {date_text(deal['need_day'], today, year=True)}"
    if deal["pain"]:
        said["pain"] = "a pain is filled in"
    if deal["need_case"]:
        said["need_case"] = "the account has an open case of a kind that shows a need"
    return said


def _amount(cents: int | None) -> str:
    if cents is None:
        return "not known: its weight is spread over the rest"
    return f"{money_text(cents)}, ranked among the book's open deals"


def _margin(margin: float, discount: float, tagged: Tagged) -> str:
    show = tagged.rules.show.margin
    if not np.isnan(margin):
        return (
            f"gross margin {margin:g} %"
            if show == "value"
            else "gross margin, from the deal, its line items or its product"
        )
    if not np.isnan(discount):
        return f"{discount:.0f} % under list price" if show == "value" else "discount from the list price"
    return "not known: its weight is spread over the rest"


def account_details(tagged: Tagged, row: int) -> dict[str, str]:
    """What the items of an account's scores saw, by `dimension:item`."""
    scored = tagged.scored
    said = likelihood_details(tagged, row) | growth_details(tagged, row)
    if scored.by_deal[row]:
        deal_row = int(scored.best.row[row])
        name = plain(scored.features.deals["name"][deal_row].as_py() or "the best deal", 80)
        return said | {item: f"{name}: {text}" for item, text in deal_details(tagged, deal_row).items()}
    expected = money_text(float(scored.expected[row]))
    said["priority:expected_spend"] = (
        f"{expected} within {tagged.book.horizon} days: rank {scored.rank[row]} of the book"
    )
    said["priority:growth"] = f"growth score {scored.growth.card.score[row]}"
    return said
