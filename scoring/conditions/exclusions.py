"""Records that the rules leave out: they get no score, tier or task, and the book is read without them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from scoring.arithmetic.columns import whole
from scoring.arithmetic.texts import Texts
from scoring.conditions.expressions import holds
from scoring.conditions.facts import Inputs, account_facts, deal_facts
from scoring.conditions.variants import Variants, account_variants, deal_variants
from scoring.reading.features import Features

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book

    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Excluded:
    """Why each account and each deal is left out; no text for those that are not."""

    accounts: Texts
    deals: Texts


def excluded(features: Features, book: Book, rules: Rules, today: date) -> Excluded:
    """Who is left out: by a rule of its own, and deals also with their account."""
    accounts = _hit(
        "account", account_variants(features.accounts, rules), features.accounts.num_rows,
        Inputs(account_facts(features, book, rules, today)),
    )  # fmt: skip
    deals = _hit(
        "opportunity", deal_variants(features.deals, rules), features.deals.num_rows,
        Inputs(deal_facts(features, book, rules, today)),
    )  # fmt: skip
    with_account = np.append(accounts.codes, -1)[whole(features.deals, "account_row")]
    codes = np.where(deals.codes < 0, with_account, deals.codes + len(accounts.table))
    return Excluded(accounts, Texts([*accounts.table, *deals.table], codes))


def left_out(
    features: Features, every_deal: Callable[[], pa.Table], book: Book, rules: Rules, today: date
) -> tuple[pa.Array, pa.Array]:
    """The ids of accounts and deals that are left out; of closed deals (`every_deal`) too, if a rule is on deals."""
    said = [exclusion.on for one in (rules, *rules.variants.values()) for exclusion in one.exclude]
    if "opportunity" in said:
        features = replace(features, deals=every_deal())
    found = excluded(features, book, rules, today)
    return tuple(
        table["id"].combine_chunks().filter(pa.array(texts.codes >= 0))
        for table, texts in ((features.accounts, found.accounts), (features.deals, found.deals))
    )


def _hit(object_name: str, variants: Variants, rows: int, inputs: Inputs) -> Texts:
    """The reason of the first exclusion that holds for each record."""
    table: list[str] = []
    codes = np.full(rows, -1)
    for rules, mask in variants.masks(rows):
        for exclusion in rules.exclude:
            if exclusion.on == object_name:
                hit = mask & (codes < 0) & holds(exclusion.when, object_name, inputs, rows)
                codes[hit] = len(table)
                table.append(exclusion.because)
    return Texts(table, codes)


def included(features: Features, book: Book, rules: Rules, today: date) -> Features:
    """The bucket without those that are left out: what the book is read from."""
    found = excluded(features, book, rules, today)
    stay, deals_stay = found.accounts.codes < 0, found.deals.codes < 0
    if stay.all() and deals_stay.all():
        return features
    rows = whole(features.deals, "account_row")[deals_stay]
    places = np.append(np.cumsum(stay) - 1, -1)[rows]
    deals = features.deals.filter(pa.array(deals_stay))
    column = deals.schema.get_field_index("account_row")
    return Features(
        features.accounts.filter(pa.array(stay)), deals.set_column(column, "account_row", pa.array(places))
    )
