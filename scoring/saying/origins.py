"""Where each item of a score comes from: the part of the rules that gave it, and the canonical columns that it read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.rules import Rules

_ITEM_COST = ("line_item.amount", "line_item.cost")
_WON = ("opportunity.stage", "opportunity.close_date", "opportunity.account_id")
_PEERS = ("account.industry", "account.employees", "account.annual_revenue")
_PLANS = ("account.foretag_growth_plan", "account.foretag_growth_plan_by")


@dataclass(frozen=True, slots=True)
class Origin:
    """`rule` is a path of keys in the rules file, empty if no rule is behind it; `reads` are `object.column`."""

    rule: tuple[str | int, ...] = ()
    reads: tuple[str, ...] = ()


# By dimension and item. An account's priority holds the items of its best deal, or its own.
ORIGINS: dict[str, Origin] = {
    "priority:close_date": Origin(("priority", "close_date"), ("opportunity.close_date",)),
    "priority:pushed": Origin(("priority", "pushes"), ("opportunity.push_count",)),
    "priority:idle": Origin(
        ("priority", "idle"), ("opportunity.last_activity_date", "opportunity.stage_changed_at")
    ),
    "priority:pace": Origin(
        ("priority", "pace"), ("opportunity.created_at", "opportunity.pipeline", "opportunity.type")
    ),
    "priority:chance": Origin(
        ("priority", "chance_share"), ("opportunity.stage", "opportunity.probability")
    ),
    "priority:margin": Origin(
        ("priority", "margin"), ("opportunity.margin", *_ITEM_COST, "opportunity.product", "opportunity.amount")
    ),
    "priority:amount": Origin(("priority", "weights"), ("opportunity.amount",)),
    "priority:need_by": Origin(("needs", "need_by"), ("opportunity.need_by",)),
    "priority:pain": Origin(("needs", "pain"), ("opportunity.pain",)),
    "priority:need_case": Origin(("needs", "case"), ("case.type", "case.is_closed")),
    "priority:limit": Origin(),
    "priority:expected_spend": Origin(("account_value", "expected_spend"), (*_WON, "opportunity.amount")),
    "priority:growth": Origin(("account_value", "growth")),
    "win:base": Origin((), ("opportunity.probability", "opportunity.stage")),
    "win:level": Origin((), ("opportunity.stage", "opportunity.created_at", "opportunity.close_date")),
    "win:age": Origin(("win", "age"), (*_WON, "opportunity.created_at")),
    "win:record": Origin(("win", "record"), _WON),
    "win:like_deals": Origin(
        ("win", "like_deals"), (*_WON, "opportunity.owner_id", "opportunity.product", "account.industry")
    ),
    "win:roundness": Origin(("win", "roundness"), ("opportunity.amount",)),
    "win:idle": Origin(
        ("win", "idle"),
        ("opportunity.last_activity_date", "opportunity.stage_changed_at", "opportunity.created_at"),
    ),
    "win:touches": Origin(("win", "touches"), ("opportunity.touches", "opportunity.created_at")),
    "win:past_revenue": Origin(("win", "past_revenue"), (*_WON, "opportunity.amount")),
    "likelihood:base": Origin(("likelihood", "horizon"), _WON),
    "likelihood:season": Origin((), _WON),
    "likelihood:history": Origin(("likelihood", "buying_pattern"), _WON),
    "likelihood:recency": Origin(("likelihood", "recency"), _WON),
    "likelihood:rhythm": Origin(("likelihood", "rhythm"), _WON),
    "likelihood:purchases": Origin(("likelihood", "purchases"), _WON),
    "likelihood:value": Origin(("likelihood", "value"), (*_WON, "opportunity.amount")),
    "likelihood:deal": Origin(("likelihood", "deal"), ("opportunity.stage", "opportunity.probability")),
    "likelihood:momentum": Origin(
        ("likelihood", "momentum"), ("opportunity.last_activity_date", "opportunity.stage_changed_at")
    ),
    "likelihood:similar": Origin(
        ("likelihood", "similar"), ("account.industry", "account.employees", "account.annual_revenue")
    ),
    "growth:base": Origin(("growth", "base")),
    "growth:trend": Origin(("growth", "trend"), (*_WON, "opportunity.amount", "opportunity.created_at")),
    "growth:outlook": Origin(("growth", "outlook"), (*_WON, "opportunity.amount")),
    "growth:quiet": Origin(("growth", "quiet"), _WON),
    "growth:pipeline": Origin(
        ("growth", "pipeline"), ("opportunity.amount", "opportunity.stage", "opportunity.probability")
    ),
    "growth:promise": Origin(("growth", "promise"), _PLANS),
    "growth:kept": Origin(("growth", "kept"), (*_PLANS, *_WON, "opportunity.amount")),
    "growth:headroom": Origin(("growth", "headroom"), (*_PEERS, *_WON, "opportunity.amount")),
    "growth:products": Origin(
        ("growth", "products"), ("opportunity.product", "line_item.product", "opportunity.stage", *_PEERS)
    ),
    "growth:business": Origin(("growth", "business"), ("account.company_growth",)),
    "growth:fit": Origin(("growth", "fit"), (*_PEERS, "account.country")),
}  # fmt: skip


def origin(dimension: str, item: str, rules: Rules) -> Origin:
    """The origin of an item; a boost's is its own rule."""
    kind, _, name = item.partition(":")
    if kind == "boost":
        return _of_boost(name, rules)
    return ORIGINS[f"{dimension}:{item}"]


def _of_boost(name: str, rules: Rules) -> Origin:
    names = [boost.name for boost in rules.boosts]
    return Origin(("boosts", names.index(name)) if name in names else ("boosts",))
