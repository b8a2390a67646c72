"""The wanted tags, tasks and state of the accounts of one bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import LEVELS, SEGMENTS, TIERS
from scoring import value
from scoring.arithmetic.columns import numbers, taken, whole
from scoring.arithmetic.texts import chosen, dates, one
from scoring.conditions.inputs import account_inputs, level
from scoring.placing.places import Placed, place, remembered
from scoring.placing.state import CAUSES
from scoring.placing.tiers import account_limits
from scoring.reading.features import day_number
from scoring.saying.alerts import alerts, parent_changes
from scoring.saying.notes import URGENT, heads, limit_notes, not_scored_because, note
from scoring.saying.playbook import next_steps
from scoring.saying.reasons import Items, reasons
from scoring.saying.tasks import all_wanted, one_line
from scoring.saying.wording import account_items
from scoring.value import REDUCE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.conditions.inputs import Inputs
    from scoring.value import Scored

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_UNKNOWN = "fill in {}, or add a deal"


def items_of(scored: Scored) -> tuple[str, ...]:
    """The items of the accounts' priorities: those of deals, then those of an account's own value."""
    return tuple(dict.fromkeys((*scored.deals.items, *scored.items)))


def account_shares(scored: Scored) -> Ints:
    """What each of `items_of` gave to the accounts' priorities: the best deal's items, or the account's own."""
    by_deal, row = scored.by_deal, np.maximum(scored.best.row, 0)
    shares = scored.deals.priority.shares
    of_deal = shares[:, row] if shares.size else np.zeros((len(scored.deals.items), len(row)), dtype=np.int64)
    items = items_of(scored)
    found = np.zeros((len(items), len(row)), dtype=np.int64)
    # An item of both, such as the limit, is one column: a score is made of the one or of the other.
    found[_places(scored.deals.items, items)] += of_deal * by_deal
    found[_places(scored.items, items)] += scored.value.shares * ~by_deal
    return found


def _places(names: Sequence[str], items: Sequence[str]) -> Ints:
    return np.array([items.index(name) for name in names], dtype=np.int64)


def tag_accounts(
    scored: Scored, deal_words: Items, book: Book, kept: pa.Table | None, rules: Rules, today: date
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Accounts, tasks and state, as `scoring.tags.Tagged` tells."""
    table, now, valid = scored.features.accounts, day_number(today), scored.scored
    ours = pa.array(scored.excluded.accounts.codes < 0)
    limits = account_limits(scored, rules)
    placed = place("account", scored.features, scored.score, valid, limits, book, kept, rules, now)
    parent_since = parent_changes(table, placed.kept, now)
    inputs = account_inputs(scored, placed.tier, book, rules, today)
    own_words = Items(account_items(scored, rules), scored.value.shares)
    out = pa.table({
        "id": table["id"],
        "owner_id": table["owner_id"],
        "foretag_tier": taken(TIERS, placed.tier),
        "foretag_score": pa.array(placed.score, mask=~valid),
        "foretag_segment": taken(SEGMENTS, np.where(valid, scored.segment, -1)),
        "foretag_growth_potential": taken(LEVELS, np.where(valid, level(scored, rules), -1)),
        "foretag_reason": _reasons(placed, scored, own_words, deal_words, now),
        "foretag_next_step": next_steps(placed.variants, "account", inputs, valid),
        "foretag_alert": pc.if_else(ours, alerts(table, parent_since, placed.pins, book, rules, now), None),
        "foretag_likelihood": pa.array(scored.likelihood.score, mask=~valid),
        "foretag_growth_score": pa.array(scored.growth.card.score, mask=~valid),
        "leave": placed.pins.leave,
        "overridden": placed.pins.pinned,
        "override_until": placed.pins.days,
        "score_tier": placed.tier_of_score,
        "cause": taken(CAUSES, placed.cause),
        "changed": placed.changed,
        "expected_spend": value.money_of_cents(scored.expected),
        "topics": _topics(scored, own_words, deal_words),
    })  # fmt: skip
    return (
        out,
        _tasks(out, placed, inputs, scored, today),
        remembered(placed, parent_since, now),
    )


def _reasons(placed: Placed, scored: Scored, own: Items, of_deals: Items, today: int) -> pa.Array:
    by_deal, row, any_deal = scored.by_deal, np.maximum(scored.best.row, 0), bool(scored.by_deal.any())

    def body(records: Ints, most: int) -> pa.Array:
        lines = own.lines(records, most)
        return (
            pc.if_else(pa.array(by_deal[records]), of_deals.lines(row[records], most), lines)
            if any_deal
            else lines
        )

    decided = taken([" by own value", " by best deal"], by_deal.astype(np.int64))
    head = pc.binary_join_element_wise(heads(placed, today), decided, "")
    unknown = by_deal & _of_best(np.isnan(scored.deals.profit), row)
    urgent = note(URGENT, whole(placed.table, "urgent_cases") > 0)
    notes = [urgent, *limit_notes(placed, "Reduce", "Prioritize"), note("margin not known", unknown)]
    missing = one(_UNKNOWN.format(scored.labels.get("account.industry", "Industry")), len(row))
    not_scored = not_scored_because(
        chosen(scored.excluded.accounts.codes < 0, missing, scored.excluded.accounts)
    )
    usual = reasons(pc.fill_null(head, ""), body, notes)
    return pc.if_else(pa.array(placed.valid), usual, pc.coalesce(heads(placed, today), not_scored))


def _of_best(values: Flags, row: Ints) -> Flags:
    return values[row] if len(values) else np.zeros(len(row), dtype=np.bool_)


def _topics(scored: Scored, own: Items, of_deals: Items) -> pa.Array:
    """The two strongest items of the reason, as `close_date margin`."""
    items = items_of(scored)
    names, size = [*items, ""], len(items)
    table = [f"{first} {second}".strip() for first in names for second in names]
    by_best, by_own = (np.append(_places(found, items), size) for found in (scored.deals.items, scored.items))
    strongest = []
    for rank in (0, 1):
        best, mine = of_deals.named(rank), own.named(rank)
        best = best[np.maximum(scored.best.row, 0)] if len(best) else np.full(len(mine), -1)
        strongest.append(np.where(scored.by_deal, by_best[best], by_own[mine]))
    return taken(table, np.where(scored.scored, strongest[0] * (size + 1) + strongest[1], -1))


def _tasks(out: pa.Table, placed: Placed, inputs: Inputs, scored: Scored, today: date) -> pa.Table:
    table = placed.table
    records = pa.table({
        "id": table["id"],
        "account_id": table["id"],
        "opportunity_id": pa.nulls(table.num_rows, pa.string()),
        "owner_id": table["owner_id"],
        "account_owner_id": table["owner_id"],
        "owner_active": table["owner_active"],
        "score": pa.array(placed.score),
    })  # fmt: skip
    texts = {
        "account": lambda: one_line(table["name"]),
        "last_purchase": lambda: dates(numbers(table, "last_day"), day_number(today), "{}").array(),
        "tier": lambda: out["foretag_tier"],
        "score": lambda: out["foretag_score"].cast(pa.string()),
        "segment": lambda: out["foretag_segment"],
        "reason": lambda: out["foretag_reason"],
        "next_step": lambda: out["foretag_next_step"],
    }
    allowed = placed.valid & ~placed.pins.leave & (scored.segment != REDUCE)
    return all_wanted(placed.variants, "account", inputs, allowed, records, texts, today)
