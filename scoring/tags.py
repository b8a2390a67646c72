"""Give every account and open deal of a bucket its tier, segment, reason, next step and tasks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from config.outputs import LEVELS, SEGMENTS, TIERS
from config.records import MONEY
from scoring import deals, growth, likelihood
from scoring.alerts import alerts, parent_changes
from scoring.columns import flags, numbers, taken, whole
from scoring.expressions import holds
from scoring.features import day_number
from scoring.inputs import account_inputs, deal_inputs, level
from scoring.overrides import Overrides, overrides, sentences
from scoring.reasons import Reasons
from scoring.state import CAUSES, STATE_SCHEMA, WORDS, Kept, day_array, lined_up
from scoring.tasks import together, wanted
from scoring.texts import dates, plain
from scoring.tiers import account_limits, by_cutoff, calm, deal_limits
from scoring.value import REDUCE, score
from scoring.wording import ACCOUNT_ITEMS, account_items, deal_items, with_deal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.features import Features
    from scoring.inputs import Inputs
    from scoring.value import Scored

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

_NO_CLOSE_DATE = "Not scored: fill in Close Date"
_NOTHING_KNOWN = "Not scored: fill in Industry, or add an opportunity"


@dataclass(frozen=True)
class Tagged:
    """The wanted state of one bucket, as pyarrow tables sorted by id. A null output means: empty in the CRM.

    accounts: id, owner_id, foretag_tier, foretag_score, foretag_segment, foretag_growth_potential,
        foretag_reason, foretag_next_step, foretag_alert, foretag_likelihood, foretag_growth_score (types of
        `config.records`; `foretag_valid_until` and `foretag_stamp` are added by sync), then leave (bool: a
        person said "Leave alone", change nothing), overridden (bool), cause (new, data, time, rules: of the
        last change of tier), changed (bool: the tier differs from `kept`), expected_spend (decimal), topics
        (the two items that weigh most in the reason: compare these, not the text, to see if it says something new).
    opportunities: open deals, and closed ones that still hold a tag of ours (all outputs null): id,
        account_id, owner_id, foretag_tier, foretag_score, foretag_reason, foretag_next_step, leave,
        overridden, cause, changed, topics, amount.
    tasks: wanted, before limits and keys, in `scoring.tasks.TASK_SCHEMA`: `score` is to order by, `period` the part
        of the key (`2026-11`, `2026-W47`, `2026-11-22`, `2026-Q4` or `once`).
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
    def account_points(self) -> pa.Table:
        """Id, and one int16 column `dimension:item` per contribution to priority, likelihood and growth.

        The columns of a dimension add up exactly to its shown score; they are null where there is none.
        """
        found = self.scored
        return _points(found.features.accounts["id"], found.scored, {
            "priority": (ACCOUNT_ITEMS, account_shares(found)),
            "likelihood": (likelihood.ITEMS, found.likelihood.shares),
            "growth": (growth.ITEMS, found.growth.card.shares),
        })  # fmt: skip

    @cached_property
    def opportunity_points(self) -> pa.Table:
        """Id, and one int16 column `priority:item` per contribution, as `account_points`."""
        found = self.scored.deals
        table = self.scored.features.deals
        return _points(table["id"], found.scored, {"priority": (deals.ITEMS, found.priority.shares)})


def _points(
    ids: pa.ChunkedArray, scored: Flags, dimensions: Mapping[str, tuple[Sequence[str], Ints]]
) -> pa.Table:
    return pa.table({"id": ids, **{
        f"{dimension}:{item}": pa.array(shares[:, place].astype(np.int16), mask=~scored)
        for dimension, (items, shares) in dimensions.items()
        for place, item in enumerate(items)
    }})  # fmt: skip


def account_shares(scored: Scored) -> Ints:
    """What each of ACCOUNT_ITEMS gave to the accounts' priorities: the best deal's items, or the account's own."""
    by_deal, row = scored.by_deal, np.maximum(scored.best.row, 0)
    shares = scored.deals.priority.shares
    of_deal = shares[row] if len(shares) else np.zeros((len(row), len(deals.ITEMS)), dtype=np.int64)
    return np.column_stack([of_deal * by_deal[:, None], scored.value.shares * ~by_deal[:, None]])


def tag(features: Features, book: Book, kept: pa.Table | None, rules: Rules, today: date) -> Tagged:
    """Score one bucket against the book. `kept` is the bucket's state of the run before, if there was one."""
    scored = score(features, book, rules, today)
    accounts, account_state, account_tasks = _accounts(scored, book, kept, rules, today)
    opportunities, deal_state, deal_tasks = _opportunities(scored, accounts, book, kept, rules, today)
    return Tagged(
        accounts, opportunities, together([*account_tasks, *deal_tasks]), pa.concat_tables([account_state, deal_state]),
        scored, book, rules, today,
    )  # fmt: skip


def _accounts(
    scored: Scored, book: Book, kept_table: pa.Table | None, rules: Rules, today: date
) -> tuple[pa.Table, pa.Table, list[pa.Table]]:
    table, now, valid = scored.features.accounts, day_number(today), scored.scored
    kept = lined_up(kept_table, "account", table["id"])
    pins = overrides(table, kept, rules, now)
    limits = account_limits(scored, rules)
    free = _tiers(scored.score, table, book, "account", limits, rules)
    tier = _given(free, pins, valid, kept, rules, now)
    parent_since = parent_changes(table, kept, now)
    inputs = account_inputs(scored, tier, book, rules, today)
    deal_texts = deal_items(scored, rules, now)
    reasons = Reasons(
        head=_heads(tier, scored.score, scored.by_deal, sentences(table, pins, now)),
        items=with_deal(scored, deal_texts, account_items(scored, rules)),
        shares=account_shares(scored),
        notes=_account_notes(scored, free, tier, limits, pins),
    )
    reason = _or_not_scored(reasons.lines(), valid, np.zeros(len(valid), dtype=np.int64), [_NOTHING_KNOWN])
    next_step = _next_steps(rules, "account", inputs, valid)
    changed, cause = _causes(tier, kept, whole(table, "fingerprint"), rules)
    out = pa.table({
        "id": table["id"],
        "owner_id": table["owner_id"],
        "foretag_tier": taken(TIERS, tier),
        "foretag_score": pa.array(scored.score, mask=~valid),
        "foretag_segment": taken(SEGMENTS, np.where(valid, scored.segment, -1)),
        "foretag_growth_potential": taken(LEVELS, np.where(valid, level(scored, rules), -1)),
        "foretag_reason": reason,
        "foretag_next_step": next_step,
        "foretag_alert": alerts(table, parent_since, pins, book, rules, now),
        "foretag_likelihood": pa.array(scored.likelihood.score, mask=~valid),
        "foretag_growth_score": pa.array(scored.growth.card.score, mask=~valid),
        "leave": pins.leave,
        "overridden": pins.pinned,
        "cause": taken(CAUSES, cause),
        "changed": changed,
        "expected_spend": _money(scored.expected),
        "topics": _topics(reasons, ACCOUNT_ITEMS, valid),
    })  # fmt: skip
    allowed = valid & ~pins.leave & (scored.segment != REDUCE)
    records = pa.table({
        "id": table["id"], "account_id": table["id"], "opportunity_id": pa.nulls(table.num_rows, pa.string()),
        "owner_id": table["owner_id"], "owner_active": table["owner_active"], "score": pa.array(scored.score),
    })  # fmt: skip
    texts = {
        "account": _one_line(table["name"]),
        "last_purchase": dates(numbers(table, "last_day"), now, "{}").array(),
        **_texts_of(out, reason, next_step),
        "segment": out["foretag_segment"],
    }
    tasks = _wanted(rules, "account", inputs, allowed, records, texts, today)
    return (
        out,
        _state(
            "account", table, tier, scored.score, valid, kept, pins, cause, changed, parent_since, rules, now
        ),
        tasks,
    )


def _opportunities(
    scored: Scored, accounts: pa.Table, book: Book, kept_table: pa.Table | None, rules: Rules, today: date
) -> tuple[pa.Table, pa.Table, list[pa.Table]]:
    table, now, found = scored.features.deals, day_number(today), scored.deals
    valid, closed, points = found.scored, flags(table, "closed"), found.priority.score
    kept = lined_up(kept_table, "opportunity", table["id"])
    pins = overrides(table, kept, rules, now)
    limits = deal_limits(scored, rules)
    free = _tiers(points, table, book, "opportunity", limits, rules)
    tier = _given(free, pins, valid, kept, rules, now)
    inputs = deal_inputs(scored, tier, today)
    reasons = Reasons(
        head=_heads(tier, points, None, sentences(table, pins, now)),
        items=deal_items(scored, rules, now),
        shares=found.priority.shares,
        notes=_deal_notes(scored, free, tier, limits, pins),
    )
    reason = _or_not_scored(reasons.lines(), valid, np.where(closed, -1, 0), [_NO_CLOSE_DATE])
    next_step = _next_steps(rules, "opportunity", inputs, valid)
    changed, cause = _causes(tier, kept, whole(table, "fingerprint"), rules)
    out = pa.table({
        "id": table["id"],
        "account_id": table["account_id"],
        "owner_id": table["owner_id"],
        "foretag_tier": taken(TIERS, tier),
        "foretag_score": pa.array(points, mask=~valid),
        "foretag_reason": reason,
        "foretag_next_step": next_step,
        "leave": pins.leave,
        "overridden": pins.pinned,
        "cause": taken(CAUSES, cause),
        "changed": changed,
        "topics": _topics(reasons, deals.ITEMS, valid),
        "amount": _money(numbers(table, "cents")),
    })  # fmt: skip
    leave = np.append(np.asarray(accounts["leave"].to_numpy(), dtype=np.bool_), False)  # noqa: FBT003  # no account
    rows = whole(table, "account_row")
    owner = scored.features.accounts["owner_id"].combine_chunks().take(pa.array(rows, mask=rows < 0))
    records = pa.table({
        "id": table["id"], "account_id": table["account_id"], "opportunity_id": table["id"],
        "owner_id": pc.coalesce(table["owner_id"].combine_chunks(), owner),
        "owner_active": table["owner_active"], "score": pa.array(points),
    })  # fmt: skip
    texts = {
        "account": _one_line(table["account_name"]),
        "opportunity": _one_line(table["name"]),
        "stage": table["stage"],
        "close_date": dates(numbers(table, "close_day"), now, "{}").array(),
        **_texts_of(out, reason, next_step),
    }
    tasks = _wanted(rules, "opportunity", inputs, valid & ~pins.leave & ~leave[rows], records, texts, today)
    no_parent = np.full(table.num_rows, -1)
    state = _state(
        "opportunity", table, tier, points, valid, kept, pins, cause, changed, no_parent, rules, now
    )
    return out, state.filter(pa.array(~closed)), tasks


def _tiers(
    points: Ints, table: pa.Table, book: Book, object_name: str, limits: tuple[Ints, Ints], rules: Rules
) -> tuple[Ints, Ints, Ints]:
    """The tier by cut-off alone, the wanted tier within its limits, and the one that the exit margin still allows."""
    cutoffs, (best, worst) = book.cutoffs.get(object_name, {}), limits
    plain_tier = by_cutoff(points, table["owner_id"], cutoffs)
    relaxed = by_cutoff(points + round(rules.tiers.exit_margin), table["owner_id"], cutoffs)
    return plain_tier, np.clip(plain_tier, best, worst), np.clip(relaxed, best, worst)


def _given(
    free: tuple[Ints, Ints, Ints], pins: Overrides, valid: Flags, kept: Kept, rules: Rules, now: int
) -> Ints:
    """The tier that is written: a person's word, else the calm one; -1 where nothing can be scored."""
    _, limited, relaxed = free
    return np.where(pins.pinned, pins.word, np.where(valid, calm(limited, relaxed, kept, rules, now), -1))


def _heads(tier: Ints, points: Ints, by_deal: Flags | None, pinned: pa.Array) -> pa.Array:
    """`A 82`, for accounts also what decided; a person's word comes first."""
    size = len(TIERS)
    decided = np.zeros(len(tier), dtype=np.int64) if by_deal is None else np.where(by_deal, 1, 2)
    table = [
        f"{name} {number}{by}"
        for by in ("", " by best deal", " by account value")
        for number in range(101)
        for name in TIERS
    ]
    heads = taken(table, np.where(tier >= 0, (decided * 101 + points) * size + tier, -1))
    said = pc.binary_join_element_wise(pinned, pc.replace_substring_regex(heads, "^. ", "score "), " · ")
    return pc.coalesce(said, heads)


def _account_notes(
    scored: Scored, free: tuple[Ints, Ints, Ints], tier: Ints, limits: tuple[Ints, Ints], pins: Overrides
) -> list[pa.Array]:
    """Why the tier is not what the score alone would give."""
    plain_tier, limited, _ = free
    best, worst = limits
    capped = np.where(~pins.pinned & (plain_tier < best), best, -1)
    lifted = np.where(~pins.pinned & (plain_tier > worst), worst, -1)
    return [
        taken([f"at most {name}: Reduce" for name in TIERS], capped),
        taken([f"at least {name}: Prioritize" for name in TIERS], lifted),
        _held(tier, limited, pins),
        _unknown(scored.by_deal & _missing(scored, np.maximum(scored.best.row, 0), "profit")),
    ]


def _deal_notes(
    scored: Scored, free: tuple[Ints, Ints, Ints], tier: Ints, limits: tuple[Ints, Ints], pins: Overrides
) -> list[pa.Array]:
    plain_tier, limited, _ = free
    rows = np.arange(len(tier))
    capped = np.where(~pins.pinned & (plain_tier < limits[0]), limits[0], -1)
    return [
        taken([f"at most {name}: margin too thin" for name in TIERS], capped),
        _held(tier, limited, pins),
        _unknown(_missing(scored, rows, "profit")),
        taken(["amount not known"], np.where(_missing(scored, rows, "amount"), 0, -1)),
    ]


def _held(tier: Ints, limited: Ints, pins: Overrides) -> pa.Array:
    """A tier that is about to fall, held for calm."""
    return taken(["tier held for now"], np.where(~pins.pinned & (tier >= 0) & (tier < limited), 0, -1))


def _unknown(missing: Flags) -> pa.Array:
    return taken(["margin not known"], np.where(missing, 0, -1))


def _missing(scored: Scored, rows: Ints, what: str) -> Flags:
    found = scored.deals.profit if what == "profit" else numbers(scored.features.deals, "cents")
    return np.isnan(found)[rows] if len(found) else np.zeros(len(rows), dtype=np.bool_)


def _or_not_scored(lines: pa.Array, valid: Flags, why: Ints, whys: Sequence[str]) -> pa.Array:
    return pc.if_else(pa.array(valid), lines, taken(whys, why))


def _next_steps(rules: Rules, object_name: str, inputs: Inputs, valid: Flags) -> pa.Array:
    """The first sentence of the playbook that holds."""
    sayings = [step for step in rules.playbook if step.on == object_name]
    chosen = np.full(len(valid), -1)
    for place, step in enumerate(sayings):
        chosen = np.where((chosen < 0) & holds(step.when, object_name, inputs, len(valid)), place, chosen)
    return taken([plain(step.say, 255) for step in sayings], np.where(valid, chosen, -1))


def _causes(tier: Ints, kept: Kept, fingerprint: Ints, rules: Rules) -> tuple[Flags, Ints]:
    """Where the tier changed, and the cause of the last change as a place in CAUSES."""
    changed = ~kept.known | (tier != kept.tier)
    other_rules = np.asarray(kept.rules != rules.digest, dtype=np.bool_)
    other_data = fingerprint != kept.fingerprint
    new, data, time, by_rules = range(4)
    why = np.where(~kept.known, new, np.where(other_rules, by_rules, np.where(other_data, data, time)))
    return changed, np.where(changed, why, kept.cause)


def _topics(reasons: Reasons, items: Sequence[str], valid: Flags) -> pa.Array:
    """The two strongest items, as `close_date margin`."""
    order, weights = reasons.strongest
    size = len(items)
    names = [*items, ""]
    table = [f"{first} {second}".strip() for first in names for second in names]
    first = np.where(weights[:, 0] > 0, order[:, 0], size)
    second = np.where(weights[:, 1] > 0, order[:, 1], size)
    return taken(table, np.where(valid, first * (size + 1) + second, -1))


def _money(cents: NDArray[np.float64]) -> pa.Array:
    known = ~np.isnan(cents)
    whole_cents = pa.array(np.rint(np.nan_to_num(cents)).astype(np.int64), mask=~known)
    return pc.divide(whole_cents.cast(pa.decimal128(20, 0)), pa.scalar(100, pa.decimal128(3, 0))).cast(MONEY)


def _one_line(names: pa.ChunkedArray) -> pa.Array:
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(names.combine_chunks(), r"\s+", " "))


def _texts_of(out: pa.Table, reason: pa.Array, next_step: pa.Array) -> dict[str, Any]:
    return {
        "tier": out["foretag_tier"], "score": out["foretag_score"].cast(pa.string()), "reason": reason,
        "next_step": next_step,
    }  # fmt: skip


def _wanted(
    rules: Rules, object_name: str, inputs: Inputs, allowed: Flags, records: pa.Table, texts: Mapping[str, Any],
    today: date,
) -> list[pa.Table]:  # fmt: skip
    flat = {
        name: text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
        for name, text in texts.items()
    }
    return [
        wanted(rule, inputs, allowed, records, flat, today) for rule in rules.tasks if rule.on == object_name
    ]


def _state(
    object_name: str, table: pa.Table, tier: Ints, points: Ints, valid: Flags, kept: Kept, pins: Overrides,
    cause: Ints, changed: Flags, parent_since: Ints, rules: Rules, now: int,
) -> pa.Table:  # fmt: skip
    rows = table.num_rows
    parents = table["parent_id"] if object_name == "account" else pa.nulls(rows, pa.string())
    columns = {
        "object": pa.array(np.full(rows, object_name), pa.string()),
        "id": table["id"],
        "tier": taken(TIERS, tier),
        "since": day_array(np.where(changed, now, kept.since)),
        "cause": taken(CAUSES, cause),
        "score": pa.array(points, mask=~valid),
        "rules": pa.array(np.full(rows, rules.digest), pa.string()),
        "fingerprint": table["fingerprint"],
        "parent_id": parents,
        "parent_since": day_array(parent_since),
        "override": taken(WORDS, pins.word),
        "override_seen": day_array(pins.seen),
    }
    return pa.table(columns, schema=STATE_SCHEMA)
