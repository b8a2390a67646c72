"""What each item of a score saw, in words, for one record: the right-hand column of `foretag explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.columns import numbers, whole
from scoring.counts import money_bin
from scoring.features import day_number
from scoring.growth import basket
from scoring.likelihood import fifth_of, usual_gap
from scoring.texts import date_text, money, plain

if TYPE_CHECKING:
    from scoring.tags import Tagged


def deal_details(tagged: Tagged, row: int) -> dict[str, str]:
    """What the items of a deal's priority saw, by `dimension:item`; an item that is missing saw nothing."""
    found, today = tagged.scored.deals, day_number(tagged.today)
    deal = tagged.scored.features.deals.slice(row, 1).to_pylist()[0]
    said = {
        "chance": f"{found.chance[row]} % chance of winning, from stage {deal['stage'] or 'unknown'} and earlier deals"
    }
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
    if deal["need_day"] is not None:
        said["need_by"] = f"needed by {date_text(deal['need_day'], today, year=True)}"
    if deal["pain"]:
        said["pain"] = "a pain is filled in"
    if found.priority.shares[-1, row]:
        said["limit"] = "no score is above 100"
    return {f"priority:{item}": text for item, text in said.items()}


def _amount(cents: int | None) -> str:
    if cents is None:
        return "not known: its weight is spread over the rest"
    return f"{_money(cents)}, ranked among the book's open deals"


def _margin(margin: float, discount: float, tagged: Tagged) -> str:
    show = tagged.rules.show.margin
    if not np.isnan(margin):
        return (
            f"gross margin {margin:g} %" if show == "value" else "gross margin, from the deal or its product"
        )
    if not np.isnan(discount):
        return f"{discount:.0f} % under list price" if show == "value" else "discount from the list price"
    return "not known: its weight is spread over the rest"


def account_details(tagged: Tagged, row: int) -> dict[str, str]:
    """What the items of an account's scores saw, by `dimension:item`."""
    scored = tagged.scored
    said = _likelihood(tagged, row) | _growth(tagged, row)
    if scored.by_deal[row]:
        deal_row = int(scored.best.row[row])
        name = plain(scored.features.deals["name"][deal_row].as_py() or "the best deal", 80)
        return said | {item: f"{name}: {text}" for item, text in deal_details(tagged, deal_row).items()}
    expected = _money(float(scored.expected[row]))
    said["priority:expected_spend"] = (
        f"{expected} within {tagged.book.horizon} days: rank {scored.rank[row]} of the book"
    )
    said["priority:growth"] = f"growth score {scored.growth.card.score[row]}"
    return said


def _likelihood(tagged: Tagged, row: int) -> dict[str, str]:
    accounts, book, today = tagged.scored.features.accounts, tagged.book, day_number(tagged.today)
    one = accounts.slice(row, 1)
    account, best = one.to_pylist()[0], tagged.scored.best
    kind = "customers" if account["purchases"] else "prospects"
    said = {
        "base": f"what {kind} of this book bought within {book.horizon} days, before anything else is known"
    }
    if account["purchases"]:
        gap = usual_gap(numbers(one, "purchases"), numbers(one, "first_day"), numbers(one, "last_day"), book)[
            0
        ]
        fifth = fifth_of(money_bin(whole(one, "spend")), book.spend_fifths)[0]
        last = date_text(account["last_day"], today, year=True)
        said["recency"] = f"last bought {last}, usually every {gap:.0f} days"
        said["rhythm"] = f"{book.horizon / gap:.1f} purchases to expect in {book.horizon} days"
        said["purchases"] = f"{account['purchases']} so far"
        said["value"] = f"{_money(account['spend'])} so far: fifth {fifth} of 5"
    else:
        said["similar"] = "how often accounts of the same industry and size bought"
    if best.row[row] >= 0:
        said["deal"] = f"best live deal has a {best.chance[row]:.0f} % chance"
        if not np.isnan(best.idle[row]):
            moved = date_text(today - int(best.idle[row]), today, year=True)
            said["momentum"] = f"a live deal last moved {moved}"
    return {f"likelihood:{item}": text for item, text in said.items()}


def _growth(tagged: Tagged, row: int) -> dict[str, str]:
    found, book = tagged.scored.growth, tagged.book
    one = tagged.scored.features.accounts.slice(row, 1)
    account = one.to_pylist()[0]
    said = {"base": "before anything else is known"}
    if not np.isnan(found.trend[row]):
        said["trend"] = (
            f"last half-year {_money(account['half_spend'])}, same half-year before {_money(account['half_before'])};"
            f" a usual purchase is {_money(float(basket(one, book)[0]))}"
        )
    if not np.isnan(found.headroom[row]):
        said["headroom"] = f"spends {100 * found.headroom[row]:.0f} % of what its peers do"
    if account["plan"] and not np.isnan(found.kept[row]):
        said["kept"] = (
            f"{100 * found.kept[row]:.0f} % of the growth plan came true; plans in this book: {book.kept_percent} %"
        )
    elif account["plan"]:
        said["promise"] = f"a growth plan; {book.kept_percent} % of what is planned in this book comes true"
    if not account["purchases"]:
        said["fit"] = "how often accounts of the same industry and size became top customers"
    return {f"growth:{item}": text for item, text in said.items()}


def _money(cents: float) -> str:
    return str(money(np.array([float(cents)]), "{}").table[0])
