"""What each item of an account's likelihood to buy saw, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scoring.arithmetic.points import Card
from scoring.arithmetic.texts import date_text, money
from scoring.buying.habits import usual_gap
from scoring.buying.likelihood import expected_days, inputs_now
from scoring.reading.features import day_number

if TYPE_CHECKING:
    from scoring.tags import Tagged


def likelihood_details(tagged: Tagged, row: int) -> dict[str, str]:
    """One line for each item that saw something, by `likelihood:item`."""
    scored, book, today = tagged.scored, tagged.book, day_number(tagged.today)
    customer = scored.features.accounts["purchase_days"][row].as_py() > 0
    said = _of_customer(tagged, row) if customer else {}
    kind = "customers" if customer else "prospects"
    said["base"] = (
        f"what {kind} of this book bought within {book.horizon} days, before anything else is known"
    )
    if not customer:
        said["similar"] = "how often accounts of the same industry and size bought"
    if scored.best.row[row] >= 0:
        said["deal"] = f"best live deal has a {scored.best.chance[row]:.0f} % chance"
        if not np.isnan(scored.best.idle[row]):
            moved = date_text(today - int(scored.best.idle[row]), today, year=True)
            said["momentum"] = f"a live deal last moved {moved}"
    return {f"likelihood:{item}": text for item, text in said.items()}


def _of_customer(tagged: Tagged, row: int) -> dict[str, str]:
    book, today = tagged.book, day_number(tagged.today)
    one = tagged.scored.features.accounts.slice(row, 1)
    account = one.to_pylist()[0]
    _, rhythm, _, fifth = (values[0] for values in inputs_now(one, book, tagged.today))
    first, last = (date_text(account[name], today, year=True) for name in ("first_day", "last_day"))
    often, days = account["purchase_days"], book.horizon
    bought = f"bought once, {first}" if often == 1 else f"bought on {often} days since {first}, last {last}"
    said = {
        "recency": f"last bought {last}, usually every {usual_gap(one, book)[0]:.0f} days",
        "rhythm": f"{rhythm:.1f} purchases to expect in {days} days at that pace",
        "purchases": f"{often} so far",
        "value": f"{_money(account['spend'])} so far: fifth {fifth:.0f} of 5",
        "history": f"{bought}; expected within {days} days: {_expected(tagged, row):.2g} purchases",
    }
    if book.buying.season:
        more = "more" if book.buying.season > 0 else "fewer"
        said["season"] = f"a year ago, {more} customers bought in the coming {days} days than in those before"
    return said


def _expected(tagged: Tagged, row: int) -> float:
    scored = tagged.scored
    one = scored.features.accounts.slice(row, 1)
    card = scored.likelihood
    mine = Card(card.base[row : row + 1], card.points[:, row : row + 1], card.parts)
    return float(expected_days(mine, one, tagged.book, tagged.today)[0])


def _money(cents: int) -> str:
    return str(money(np.array([float(cents)]), "{}").table[0])
