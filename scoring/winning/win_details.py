"""What each item of a deal's chance of winning saw, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.counts import fifth_of, money_bin
from scoring.arithmetic.texts import date_text, money_text
from scoring.reading.features import Features, day_number
from scoring.reading.past_deals import cell_of
from scoring.reading.roundness import roundness
from scoring.winning import win
from scoring.winning.deal_history import age_of
from scoring.winning.like_deals import level_points

if TYPE_CHECKING:
    from scoring.tags import Tagged


def win_details(tagged: Tagged, row: int) -> dict[str, str]:
    """What the items of a deal's chance of winning saw."""
    scored, book, today = tagged.scored, tagged.book, day_number(tagged.today)
    deals, found = scored.features.deals, scored.deals.win
    deal = deals.slice(row, 1).to_pylist()[0]
    stage = deal["probability"]
    said = {
        "base": f"the CRM's chance for stage {deal['stage'] or 'unknown'}: {stage} %"
        if stage is not None
        else f"{book.win_percent} % of this book's closed deals were won; the CRM gives no chance",
    }
    history = book.history
    if history.level:
        said["level"] = "brings the chances of all open deals to what such deals of this book came to"
    if deal["created_day"] is not None and history.lasting.points:
        said["age"] = (
            f"open since {date_text(deal['created_day'], today, year=True)}: how deals that old ended"
        )
    if deal["account_row"] >= 0:
        account = scored.features.accounts.slice(deal["account_row"], 1).to_pylist()[0]
        said["record"] = f"the account's earlier deals: {account['purchases']} of {account['closed']} won"
        if account["purchases"]:
            fifth = fifth_of(money_bin(np.array([account["spend"]])), book.spend_fifths)[0]
            said["past_revenue"] = f"{money_text(account['spend'])} so far: fifth {fifth} of 5"
    if found.points[win.ITEMS.index("like_deals") - 1, row]:
        said["like_deals"] = _like(tagged, row)
    if deal["cents"] is not None:
        said["roundness"] = _roundness(deal["cents"], tagged)
    if deal["moved_day"] is not None and deal["moved_day"] > (deal["created_day"] or today):
        moved, made = (date_text(deal[name], today, year=True) for name in ("moved_day", "created_day"))
        said["idle"] = f"last moved {moved}, open since {made}"
    if deal["touches"] is not None and history.touches_each_day:
        usual = age_of(deals.slice(row, 1), today)[0] * history.touches_each_day
        said["touches"] = f"{deal['touches']} contacts; usual for its age: {usual:.1f}"
    return {f"win:{item}": text for item, text in said.items()}


def _like(tagged: Tagged, row: int) -> str:
    """How deals alike ended, by level: `owner +4, product -12`."""
    features = tagged.scored.features
    one = Features(features.accounts, features.deals.slice(row, 1))
    points = {
        level: int(level_points(one, level, effects)[0])
        for level, effects in tagged.book.history.like.items()
    }
    said = ", ".join(
        f"{' and '.join(level.split())} {number:+d}" for level, number in points.items() if number
    )
    return f"how deals alike ended, in points: {said}"


def _roundness(cents: int, tagged: Tagged) -> str:
    amount = np.array([float(cents)])
    if np.isin(cell_of(amount), np.array(tagged.book.history.list_prices))[0]:
        return f"{money_text(cents)}: an amount that many deals share, no quote yet"
    return f"{money_text(cents)}: a multiple of {100 * roundness(amount)[0]:.2g} % of itself; a round guess is no quote"
