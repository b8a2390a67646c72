"""Give every account and open deal of a bucket its tier, segment, reason, next step and tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import TIERS
from scoring import account_tags
from scoring.account_tags import account_shares, tag_accounts
from scoring.buying import likelihood
from scoring.conditions.inputs import account_inputs, deal_inputs
from scoring.deal_tags import tag_deals
from scoring.growing import growth
from scoring.reading.features import day_number
from scoring.saying.reasons import Items
from scoring.saying.tasks import together
from scoring.saying.wording import deal_items
from scoring.value import assess, settle
from scoring.winning import win

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.conditions.inputs import Inputs
    from scoring.reading.features import Features
    from scoring.value import Scored


@dataclass(frozen=True)
class Tagged:
    """The wanted state of one bucket, as pyarrow tables sorted by id. A null output means: empty in the CRM.

    accounts: id, owner_id, foretag_tier, foretag_score, foretag_segment, foretag_growth_potential,
        foretag_reason, foretag_next_step, foretag_alert, foretag_likelihood, foretag_growth_score (types of
        `config.records`; `foretag_valid_until` and `foretag_stamp` are added by sync), then leave (bool: a
        person said "Leave alone", change nothing), overridden (bool: a person gave the tier), override_until (the
        last day of a person's word, null if none was said), score_tier (the tier that the score alone gives),
        cause (new, data, time, rules: of the last change of tier), changed (bool: the tier differs from
        `kept`), expected_spend (decimal), topics (the two items that weigh most in the reason: compare these, not
        the text, to see if it is a new one).
    opportunities: open deals, and closed ones that still hold a tag of ours (all outputs null): id,
        account_id, owner_id, foretag_tier, foretag_score, foretag_reason, foretag_next_step, leave,
        overridden, override_until, score_tier, cause, changed, topics, amount.
    tasks: wanted, before limits and keys, in `scoring.saying.tasks.TASK_SCHEMA`: `score` is to order by, `period` the
        part of the key (`2026-11`, `2026-W47`, `2026-11-22`, `2026-Q4` or `once`).
    state: what to hand in as `kept` next time, in `scoring.STATE_SCHEMA`.
    """

    accounts: pa.Table
    opportunities: pa.Table
    tasks: pa.Table
    state: pa.Table
    scored: Scored
    book: Book
    rules: Rules
    today: date

    @cached_property
    def account_inputs(self) -> Inputs:
        """What conditions on accounts may name, by name, in the order of `accounts`."""
        return account_inputs(self.scored, _tiers(self.accounts), self.book, self.rules, self.today)

    @cached_property
    def deal_inputs(self) -> Inputs:
        """What conditions on opportunities may name, by name, in the order of `opportunities`."""
        return deal_inputs(self.scored, _tiers(self.opportunities), self.book, self.rules, self.today)

    @cached_property
    def account_points(self) -> pa.Table:
        """Id, and one int16 column `dimension:item` per contribution to priority, likelihood and growth.

        The columns of a dimension add up exactly to its shown score; they are null where there is none.
        """
        found = self.scored
        return _points(found.features.accounts["id"], found.scored, {
            "priority": (account_tags.items_of(found), account_shares(found)),
            "likelihood": (likelihood.ITEMS, found.likelihood.shares),
            "growth": (growth.ITEMS, found.growth.card.shares),
        })  # fmt: skip

    @cached_property
    def opportunity_points(self) -> pa.Table:
        """Id, and one int16 column per contribution to priority and win, as `account_points`."""
        found = self.scored.deals
        ids = self.scored.features.deals["id"]
        return _points(ids, found.scored, {
            "priority": (found.items, found.priority.shares),
            "win": (win.ITEMS, found.win.shares),
        })  # fmt: skip


def tag(
    features: Features,
    book: Book,
    kept: pa.Table | None,
    rules: Rules,
    today: date,
    labels: Mapping[str, str] | None = None,
) -> Tagged:
    """Score one bucket against the book. `kept` is the bucket's state of the run before, if there was one.

    `labels` are what people call fields in this CRM, by `object.column`, for reasons that ask to fill one in.
    """
    scored = replace(settle(assess(features, book, rules, today), book, rules), labels=labels or {})
    words = Items(deal_items(scored, rules, day_number(today)), scored.deals.priority.shares)
    accounts, tasks, state = tag_accounts(scored, words, book, kept, rules, today)
    leave = np.asarray(accounts["leave"].combine_chunks().to_numpy(zero_copy_only=False), dtype=np.bool_)
    opportunities, deal_tasks, deal_state = tag_deals(scored, words, leave, book, kept, rules, today)
    return Tagged(
        accounts, opportunities, together([tasks, deal_tasks]), pa.concat_tables([state, deal_state]),
        scored, book, rules, today,
    )  # fmt: skip


def _tiers(records: pa.Table) -> NDArray[np.int64]:
    """The tier of each record as a place in TIERS; -1 for none."""
    places = pc.fill_null(pc.index_in(records["foretag_tier"], value_set=pa.array(TIERS)), -1)
    return np.asarray(places.combine_chunks().to_numpy(zero_copy_only=False), dtype=np.int64)


def _points(
    ids: pa.ChunkedArray,
    scored: NDArray[np.bool_],
    dimensions: Mapping[str, tuple[Sequence[str], NDArray[np.int64]]],
) -> pa.Table:
    columns = {
        f"{dimension}:{item}": pa.array(points.astype(np.int16), mask=~scored)
        for dimension, (items, shares) in dimensions.items()
        for item, points in zip(items, shares, strict=True)
    }
    return pa.table({"id": ids, **columns})
