"""What the items of an account's growth potential saw, in words, for one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.arithmetic.texts import date_text, money_text, plain
from scoring.growing.growth import basket
from scoring.growing.headroom import names_of
from scoring.reading.features import day_number

if TYPE_CHECKING:
    from config.sections.showing import Shown
    from scoring.tags import Tagged

    Account = dict[str, Any]

_NAMED, _LONGEST = 3, 40  # products, and letters of each


def growth_details(tagged: Tagged, row: int) -> dict[str, str]:
    """By `growth:item`; an item that is missing saw nothing."""
    account = tagged.scored.features.accounts.slice(row, 1).to_pylist()[0]
    said = {"base": "before anything else is known"}
    said |= _spend(tagged, row, account) | _products(tagged, row) | _plans(tagged, row, account)
    if account["company_growth"] is not None:
        said["business"] = f"the customer's own business grows by {account['company_growth']:g} % a year"
    if not account["purchases"]:
        said["fit"] = "how often accounts of the same industry, size and country became top customers"
    return {f"growth:{item}": text for item, text in said.items()}


def _spend(tagged: Tagged, row: int, account: Account) -> dict[str, str]:
    found, said = tagged.scored.growth, {}
    if not np.isnan(found.trend[row]):
        usual = basket(tagged.scored.features.accounts.slice(row, 1), tagged.book)[0]
        said["trend"] = (
            f"last half-year {money_text(account['half_spend'])}, new deals {account['half_deals']}; same half-year"
            f" before {money_text(account['half_before'])}, new deals {account['half_deals_before']};"
            f" a usual purchase is {money_text(usual)}"
        )
    if not np.isnan(found.outlook[row]):
        said["outlook"] = (
            f"{money_text(account['spend'])} so far: what such customers spend in the next year, against this pace,"
            f" ranks {found.outlook[row]:.0f} of 100 among the book's new customers"
        )
    if not np.isnan(found.quiet[row]):
        said["quiet"] = (
            f"last bought {date_text(account['last_day'], day_number(tagged.today))}:"
            f" {found.quiet[row]:.1f} times its usual gap, a quarter at least, have passed"
        )
    if found.pipeline[row] > 0:
        said["pipeline"] = f"its live deals let expect {found.pipeline[row]:.1f} usual purchases"
    if not np.isnan(found.headroom[row]):
        said["headroom"] = f"over two years spends {100 * found.headroom[row]:.0f} % of what its peers do"
    return said


def _products(tagged: Tagged, row: int) -> dict[str, str]:
    lacks = names_of(int(tagged.scored.growth.missing[row]), tagged.book.growth.products)
    if not lacks:
        return {}
    more = f" and {len(lacks) - _NAMED} more" if len(lacks) > _NAMED else ""
    names = ", ".join(plain(name, _LONGEST) for name in lacks[:_NAMED])
    return {"products": f"its peers usually buy, and it does not yet: {names}{more}"}


def _plans(tagged: Tagged, row: int, account: Account) -> dict[str, str]:
    found, show, said = tagged.scored.growth.promises, tagged.rules.show.growth_plan, {}
    if show == "hide":
        return {}
    if not np.isnan(found.kept[row]):
        said["kept"] = (
            f"of {_plan_number(account['plans_due'])}, {_share(100 * found.kept[row], show)} came true;"
            f" of all plans in this book, {_share(tagged.book.kept_percent, show)}"
        )
    if not np.isnan(found.rise[row]):
        trusted = _share(float(found.trusted[row]), show)
        said["promise"] = f"a growth plan is running; going by earlier plans, {trusted} of it will come true"
    return said


def _plan_number(number: int) -> str:
    return "one growth plan" if number == 1 else f"{number} growth plans"


def _share(percent: float, show: Shown) -> str:
    """As a number, or, where the rules show bands, as a word for it."""
    if show == "value":
        return f"{percent:.0f} %"
    return ("little", "about half", "most")[int(percent >= 34) + int(percent >= 67)]
