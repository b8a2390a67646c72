"""Give every account and open deal of a bucket its tier, segment, reason, next step and tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from config.rules import Rules
    from scoring.book import Book
    from scoring.features import Features


@dataclass(frozen=True, slots=True)
class Tagged:
    """The wanted state of one bucket, as pyarrow tables sorted by id. A null output means: empty in the CRM.

    accounts: id, owner_id, foretag_tier, foretag_score, foretag_segment, foretag_growth_potential,
        foretag_reason, foretag_next_step, foretag_alert, foretag_likelihood, foretag_growth_score (types of
        `config.records`; `foretag_valid_until` and `foretag_stamp` are added by sync), then leave (bool: a
        person said "Leave alone", change nothing), overridden (bool), cause (new, data, time, rules: of the
        last change of tier), changed (bool: the tier differs from `kept`), expected_spend (decimal).
    opportunities: open deals, and closed ones that still hold a tag of ours (all outputs null): id,
        account_id, owner_id, foretag_tier, foretag_score, foretag_reason, foretag_next_step, leave,
        overridden, cause, changed, amount.
    tasks: wanted, before limits and keys: rule, object, id, account_id, opportunity_id, owner_id, subject,
        description, due (date32), priority (high or normal), score (to order by), period (the part of the key:
        `2026-11`, `2026-W47`, `2026-11-22`, `2026-Q4` or `once`).
    state: what to hand in as `kept` next time, in `scoring.STATE_SCHEMA`.
    account_points, opportunity_points: id, and one int16 column `dimension:item` per contribution. The columns
        of a dimension add up exactly to its shown score (null where there is none). Dimensions of accounts:
        priority, likelihood, growth; of opportunities: priority.
    """

    accounts: pa.Table
    opportunities: pa.Table
    tasks: pa.Table
    state: pa.Table
    account_points: pa.Table
    opportunity_points: pa.Table


def tag(features: Features, book: Book, kept: pa.Table | None, rules: Rules, today: date) -> Tagged:
    """Score one bucket against the book. `kept` is the bucket's state of the run before, if there was one."""
    raise NotImplementedError
