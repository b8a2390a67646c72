"""What `foretag explain` keeps out: what `show:` keeps out of reasons, and what people wrote in their own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from config.rules import Rules

# Column → what `show:` calls it.
_COLUMNS = {
    "amount": "amount",
    "close_date": "close_date",
    "created_at": "age",
    "foretag_growth_plan": "growth_plan",
    "foretag_growth_plan_by": "growth_plan",
    "last_activity_date": "idle",
    "margin": "margin",
    "need_by": "need_by",
    "pain": "pain",
    "probability": "chance",
    "push_count": "pushes",
    "stage": "chance",
    "stage_changed_at": "idle",
}
# Item → what `show:` calls the values that its text tells. Texts of margins and growth plans choose their own words.
_ITEMS = {
    "priority:close_date": ("close_date",),
    "priority:pushed": ("pushes",),
    "priority:idle": ("idle",),
    "priority:pace": ("age",),
    "priority:chance": ("chance",),
    "priority:amount": ("amount",),
    "priority:need_by": ("need_by",),
    "priority:pain": ("pain",),
    "priority:need_case": ("need_case",),
    "priority:expected_spend": ("expected_spend",),
    "priority:growth": ("growth",),
    "win:base": ("chance",),
    "win:age": ("age",),
    "win:idle": ("idle", "age"),
    "win:roundness": ("amount",),
    "win:list_price": ("amount",),
    "win:past_revenue": ("amount",),
    "likelihood:deal": ("chance",),
    "likelihood:momentum": ("idle",),
    "likelihood:value": ("amount",),
    "growth:trend": ("growth", "amount"),
    "growth:outlook": ("growth", "amount"),
    "growth:quiet": ("growth",),
    "growth:pipeline": ("growth", "amount"),
    "growth:headroom": ("growth",),
    "growth:products": ("growth",),
    "growth:business": ("growth",),
    "growth:fit": ("growth",),
}
# Only whether they are filled in counts, and they may name people.
_OWN_WORDS = ("pain",)


def shown_value(rules: Rules, column: str, value: Any) -> Any:
    """The value of a column as it may be shown; None where it is not filled in."""
    if value is None:
        return None
    return _instead(rules, (_COLUMNS[column],) if column in _COLUMNS else ()) or (
        "filled in" if column in _OWN_WORDS else value
    )


def shown_text(rules: Rules, item: str, text: str) -> str:
    """What an item (`dimension:item`) saw, as it may be shown."""
    return (text and _instead(rules, _ITEMS.get(item, ()))) or text


def _instead(rules: Rules, names: tuple[str, ...]) -> str:
    """The word to give in the place of a value, for the first of these that the rules do not show; else nothing."""
    kept_out = [name for name in names if getattr(rules.show, name) != "value"]
    return f"known, not shown (show: {kept_out[0]}: {getattr(rules.show, kept_out[0])})" if kept_out else ""
