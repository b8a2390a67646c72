"""Show the book on a terminal: one table for each question that a manager asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sync.store.frames import whole

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from config.crms import Crm
    from sync.book.view import BookView
    from sync.talk import Talk

    Cell = Callable[[Any], str]

MOST = 10


def show(talk: Talk, view: BookView, crm: Crm) -> None:
    """All tables that have rows."""
    many = crm.nouns["account"].many
    tables = (
        (f"Who spends most: {many}, last 365 days", view.spend_most(), _SPEND),
        ("Who buys most often", view.buy_most_often(), _OFTEN),
        ("Who could grow", view.could_grow(), _GROW),
        ("Which prospects look like the best customers", view.promising_prospects(), _PROSPECTS),
        ("On whom too much hangs", view.too_much_on_one(), _SHARES),
        ("High potential that nobody looks after well", view.uncovered(), _UNCOVERED),
    )
    for title, rows, columns in tables:
        _table(talk, title, rows.head(MOST), len(rows), columns)
    _table(talk, "Owners: what they look after, and their pipeline against quota", view.owners, 0, _OWNERS)
    if view.owners["quota"].isna().all():
        talk.say(
            "No quotas: `files: {quotas: …}` in the rules names a CSV file of them, `read: [quota]` the CRM's."
        )


def _table(
    talk: Talk, title: str, rows: pd.DataFrame, all_rows: int, columns: tuple[tuple[str, Cell, bool], ...]
) -> None:
    more = f" ({len(rows)} of {all_rows:,})" if all_rows > len(rows) else ""
    talk.table(
        f"\n{title}{more}",
        [head for head, _, _ in columns],
        [[cell(row) for _, cell, _ in columns] for row in rows.itertuples()],
        right=[head for head, _, is_number in columns if is_number],
    )


def _number(name: str, unit: str = "") -> Cell:
    """A number to the unit; empty where there is none."""

    def cell(row: Any) -> str:
        told = whole(getattr(row, name))
        return told and told + unit

    return cell


def _text(name: str) -> Cell:
    return lambda row: str(getattr(row, name) or "")


_WHO = (("name", _text("name"), False), ("owner", _text("owner"), False), ("tier", _text("tier"), False))
_SPENT = ("spend", _number("spend_last_year"), True)
_LIKELY = ("likelihood", _number("likelihood", " %"), True)
_POTENTIAL = ("growth", _number("growth_score"), True)
_SEGMENT = ("segment", _text("segment"), False)
_HANGS = (
    ("of the owner's book", _number("of_owner", " %"), True),
    ("of the company's", _number("of_company", " %"), True),
)

_SPEND = (*_WHO, _SPENT, *_HANGS, _SEGMENT)
_OFTEN = (
    *_WHO,
    ("buys every", _number("usual_gap", " days"), True),
    ("purchases", _number("purchases"), True),
    _SPENT,
)
_GROW = (*_WHO, _POTENTIAL, ("because", _text("driver"), False), _SPENT, _SEGMENT)
_PROSPECTS = (*_WHO, _POTENTIAL, _LIKELY, ("open pipeline", _number("open_pipeline"), True))
_SHARES = (*_WHO, _SPENT, *_HANGS)
_UNCOVERED = (
    *_WHO,
    _POTENTIAL,
    ("expected spend", _number("expected_spend"), True),
    ("what is wrong", _text("gap"), False),
)
_OWNERS = (
    ("owner", _text("owner"), False),
    ("accounts", _number("accounts"), True),
    ("load", _number("load", " %"), True),
    ("tier A", _number("tier_A"), True),
    ("open deals", _number("deals"), True),
    ("pipeline", _number("pipeline"), True),
    ("weighted", _number("weighted"), True),
    ("quota", _number("quota"), True),
    ("weighted of quota", _number("reached", " %"), True),
)
