"""The wanted tags, tasks and state of the open deals of one bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import TIERS
from scoring.arithmetic.columns import flags, numbers, taken, whole
from scoring.arithmetic.texts import chosen, dates, one
from scoring.conditions.inputs import deal_inputs
from scoring.placing.places import Placed, place, remembered
from scoring.placing.state import CAUSES
from scoring.placing.tiers import deal_limits
from scoring.reading.features import day_number
from scoring.saying.notes import URGENT, heads, limit_notes, not_scored_because, note
from scoring.saying.playbook import next_steps
from scoring.saying.reasons import Items, reasons
from scoring.saying.tasks import all_wanted, one_line
from scoring.value import REDUCE, money_of_cents

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

_UNKNOWN = "fill in {}"


def tag_deals(
    scored: Scored, words: Items, leave: Flags, book: Book, kept: pa.Table | None, rules: Rules, today: date
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Opportunities, tasks and state, as `scoring.tags.Tagged` tells. `leave`: accounts to be left alone."""
    table, now, found = scored.features.deals, day_number(today), scored.deals
    valid, points = found.scored, found.priority.score
    placed = place(
        "opportunity", scored.features, points, valid, deal_limits(scored, rules), book, kept, rules, now
    )
    inputs = deal_inputs(scored, placed.tier, book, rules, today)
    out = pa.table({
        "id": table["id"],
        "account_id": table["account_id"],
        "owner_id": table["owner_id"],
        "foretag_tier": taken(TIERS, placed.tier),
        "foretag_score": pa.array(points, mask=~valid),
        "foretag_reason": _reasons(placed, scored, words, now),
        "chance": pa.array(found.chance, mask=~valid),
        "foretag_next_step": next_steps(placed.variants, "opportunity", inputs, valid),
        "leave": placed.pins.leave,
        "overridden": placed.pins.pinned,
        "override_until": placed.pins.days,
        "score_tier": placed.tier_of_score,
        "cause": taken(CAUSES, placed.cause),
        "changed": placed.changed,
        "topics": _topics(words, found.items, valid),
        "amount": money_of_cents(numbers(table, "cents")),
    })  # fmt: skip
    rows = whole(table, "account_row")
    # An account in Reduce is worth no rep's time, unless a deal of tier A says otherwise: a hot deal always wins.
    reduced = np.append(scored.segment == REDUCE, np.False_)[rows] & (placed.tier != TIERS.index("A"))
    allowed = valid & ~placed.pins.leave & ~np.append(leave, np.False_)[rows] & ~reduced
    tasks = _tasks(out, placed, inputs, scored, allowed, today)
    state = remembered(placed, np.full(table.num_rows, -1), now)
    return out, tasks, state.filter(pa.array(~flags(table, "closed")))


def _reasons(placed: Placed, scored: Scored, words: Items, today: int) -> pa.Array:
    table, head = placed.table, heads(placed, today)
    notes = [
        note(URGENT, flags(table, "urgent_case")),
        *limit_notes(placed, "margin too thin", ""),
        note("margin not known", np.isnan(scored.deals.profit)),
        note("amount not known", np.isnan(numbers(table, "cents"))),
    ]
    usual = reasons(pc.fill_null(head, ""), words.lines, notes)
    left_out, still_open = scored.excluded.deals, ~flags(table, "closed")
    missing = _UNKNOWN.format(scored.labels.get("opportunity.close_date", "Close Date"))
    why = chosen(left_out.codes < 0, one(missing, table.num_rows), left_out)
    not_scored = pc.if_else(pa.array(still_open), not_scored_because(why), None)
    return pc.if_else(pa.array(placed.valid), usual, pc.coalesce(head, not_scored))


def _topics(words: Items, items: Sequence[str], valid: Flags) -> pa.Array:
    """The two strongest items of the reason, as `close_date margin`."""
    names, size = [*items, ""], len(items)
    table = [f"{first} {second}".strip() for first in names for second in names]
    first, second = (np.where(words.named(rank) < 0, size, words.named(rank)) for rank in (0, 1))
    return taken(table, np.where(valid, first * (size + 1) + second, -1))


def _tasks(
    out: pa.Table, placed: Placed, inputs: Inputs, scored: Scored, allowed: Flags, today: date
) -> pa.Table:
    table, rows = placed.table, whole(placed.table, "account_row")
    of_account = scored.features.accounts["owner_id"].combine_chunks().take(pa.array(rows, mask=rows < 0))
    records = pa.table({
        "id": table["id"],
        "account_id": table["account_id"],
        "opportunity_id": table["id"],
        "owner_id": pc.coalesce(table["owner_id"].combine_chunks(), of_account),
        "account_owner_id": of_account,
        "owner_active": table["owner_active"],
        "score": pa.array(placed.score),
    })  # fmt: skip
    texts = {
        "account": lambda: one_line(table["account_name"]),
        "opportunity": lambda: one_line(table["name"]),
        "stage": lambda: table["stage"],
        "close_date": lambda: dates(numbers(table, "close_day"), day_number(today), "{}").array(),
        "tier": lambda: out["foretag_tier"],
        "score": lambda: out["foretag_score"].cast(pa.string()),
        "reason": lambda: out["foretag_reason"],
        "next_step": lambda: out["foretag_next_step"],
    }
    return all_wanted(placed.variants, "opportunity", inputs, allowed, records, texts, today)
