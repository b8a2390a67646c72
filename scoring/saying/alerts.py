"""What could go wrong with an account, in one line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.arithmetic.columns import coded, numbers, whole
from scoring.arithmetic.texts import Texts, date_text, dates, each
from scoring.buying.habits import large, quiet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.placing.overrides import Overrides
    from scoring.placing.state import Kept

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]


def alerts(
    accounts: pa.Table, parent_since: Ints, pins: Overrides, book: Book, rules: Rules, today: int
) -> pa.Array:
    """One line per account, such as `18 % of your book; new parent company`; null where nothing is wrong."""
    silent = quiet(accounts, book, rules, today) & large(accounts, book)
    last = np.where(silent, numbers(accounts, "last_day"), np.nan)
    recent = (parent_since >= 0) & (today - parent_since < rules.alerts.new_parent_days)
    ending = np.where(pins.ending, pins.until, -1)
    parts = [
        *_shares(accounts, book, rules),
        dates(last, today, "large customer gone quiet: last bought {}"),
        Texts(["new parent company"], np.where(recent, 0, -1)),
        _where(pins.ending, each(ending, lambda day: f"override ends {date_text(day, today, year=True)}")),
    ]
    # Arrow drops a row in which everything is null, so each begins with an empty text.
    begin = pa.array(np.full(accounts.num_rows, ""), pa.string())
    line = pc.binary_join_element_wise(begin, *(part.array() for part in parts), "; ", null_handling="skip")
    return pc.if_else(pc.equal(line, ""), pa.scalar(None, pa.string()), pc.utf8_ltrim(line, characters="; "))


def _where(condition: Flags, texts: Texts) -> Texts:
    return Texts(texts.table, np.where(condition, texts.codes, -1))


def _shares(accounts: pa.Table, book: Book, rules: Rules) -> tuple[Texts, Texts]:
    """The account's share of its owner's and of the company's spend of the last year, where it is too large."""
    year = whole(accounts, "year_spend")
    owners, codes = coded(accounts["owner_id"])
    spend = np.array([*(book.owner_spend.get(owner, 0) for owner in owners), 0], dtype=np.float64)[codes]
    customers = np.array([*(book.owner_customers.get(owner, 0) for owner in owners), 0])[codes]
    company = float(sum(book.owner_spend.values()))
    enough = rules.alerts.at_least_customers
    of_owner = 100 * year / np.maximum(spend, 1)
    of_company = 100 * year / max(company, 1)
    return (
        _share(of_owner, (of_owner > rules.alerts.owner_share) & (customers >= enough), "{} % of your book"),
        _share(
            of_company,
            (of_company > rules.alerts.company_share) & (sum(book.owner_customers.values()) >= enough),
            "{} % of the company's book",
        ),
    )


def _share(percent: NDArray[np.float64], told: Flags, pattern: str) -> Texts:
    return _where(told, each(np.floor(np.where(told, percent, 0)).astype(np.int64), pattern.format))


def parent_changes(accounts: pa.Table, kept: Kept, today: int) -> Ints:
    """The day on which each account was last seen to get another parent; -1 if it never was.

    One that goes is nobody new, nor is one that comes back. A record that was made by a merge is kept as its own parent
    until it is seen: which one it has of theirs, nobody knew.
    """
    now, ids = accounts["parent_id"].combine_chunks(), accounts["id"].combine_chunks()
    before = pc.fill_null(kept.parent_id, "")
    same = pc.or_(pc.equal(pc.fill_null(now, ""), before), pc.equal(ids, before))
    changed = pc.and_(pc.is_valid(now), pc.invert(same)).to_numpy(zero_copy_only=False)
    return np.where(kept.known & np.asarray(changed, dtype=np.bool_), today, kept.parent_since)
