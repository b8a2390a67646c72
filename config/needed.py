"""Which objects and columns of the CRM the rules use: nothing else is pulled."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from config.language.expressions import parse
from config.language.vocabulary import NAMES
from config.outputs import OUTPUT_FIELDS
from config.records import OPTIONAL, RECORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.rules import Rules

# Pulled only if a rule uses them: all other columns of these objects are what the dimensions are made of.
_ON_USE: dict[str, frozenset[str]] = {
    "account": frozenset({"country", "territory", "opted_out", "last_activity_date", "touches"}),
    "opportunity": frozenset(),
    "owner": frozenset({"team"}),
}

# Columns that no score, condition or template reads; the mirror keeps the stamps for itself.
_UNREAD: dict[str, frozenset[str]] = {
    "account": frozenset({"currency", "modified_at"}),
    "opportunity": frozenset({"currency", "recurring_revenue", "modified_at"}),
    "owner": frozenset({"name", "manager_id", "timezone", "modified_at"}),
    "stage": frozenset({"position", "active", "modified_at"}),
    "quota": frozenset({"team", "modified_at"}),
    "case": frozenset({"owner_id", "created_at", "modified_at"}),
    "line_item": frozenset({"quantity", "modified_at"}),
    "call": frozenset({"owner_id", "modified_at"}),
    "email": frozenset({"owner_id", "modified_at"}),
    "meeting": frozenset({"owner_id", "modified_at"}),
}

# Outputs that tell which closed deals still hold a tag, so that it can be taken off.
_HELD: dict[str, frozenset[str]] = {"opportunity": frozenset({"foretag_tier", "foretag_reason"})}

# Sections of the rules that name columns without a condition: the section's word and the column behind it.
_ALIKE = {"country": "account.country"}
_PLACED_BY = {"team": "owner.team", "territory": "account.territory"}
# Names that are of no request where `needs:` lists no kinds.
_OF_KINDS = frozenset({"need_case", "urgent_case", "need_cases", "urgent_cases"})


def needed(rules: Rules) -> dict[str, tuple[str, ...]]:
    """The canonical columns that scoring reads under these rules, in each record's own order, by object."""
    used = _used(rules)
    objects = {name for name, _ in used} | {*rules.fields, *rules.read}
    return {
        name: _columns(name, {column for owner, column in used if owner == name})
        for name in RECORDS
        if name != "task" and (name not in OPTIONAL or name in objects)
    }


def _columns(object_name: str, used: set[str]) -> tuple[str, ...]:
    ours = {field.name for field in OUTPUT_FIELDS} - _HELD.get(object_name, frozenset())
    unread = _UNREAD[object_name] | (_ON_USE.get(object_name, frozenset()) - used) | ours
    return tuple(column.name for column in RECORDS[object_name] if column.name not in unread)


def _used(rules: Rules) -> frozenset[tuple[str, str]]:
    """(object, column) pairs that rules name: in conditions, and in sections that name columns themselves."""
    reads = set()
    for variant in (rules, *rules.variants.values()):
        for condition, object_name in conditions(variant):
            for name in names_in(condition, object_name):
                if name not in _OF_KINDS or variant.needs.cases or variant.needs.urgent:
                    reads |= {*NAMES[object_name][name].reads}
        reads |= {_ALIKE[word] for word in variant.win.like_deals.by if word in _ALIKE}
        reads |= {_PLACED_BY[word] for word in (getattr(variant.tiers, "by", ""),) if word in _PLACED_BY}
        if variant.growth.fit:
            reads.add("account.country")
        if variant.needs.cases or variant.needs.urgent:
            reads |= {*NAMES["opportunity"]["urgent_case"].reads}
    if rules.teams:
        reads.add("owner.team")
    return frozenset(
        (object_name, column) for object_name, _, column in (read.partition(".") for read in reads)
    )


def conditions(part: Any) -> Iterator[tuple[str, str]]:
    """Every condition of a part of the rules, with the object that it is on."""
    if isinstance(part, BaseModel):
        if hasattr(part, "when") and hasattr(part, "on"):
            yield part.when, part.on
        part = part.__dict__
    if isinstance(part, dict):
        part = tuple(part.values())
    if isinstance(part, tuple | list):
        for inner in part:
            yield from conditions(inner)


def names_in(condition: str, object_name: str) -> frozenset[str]:
    """The inputs that a condition names."""
    nodes = ast.walk(parse(condition, object_name))
    return frozenset(node.id for node in nodes if isinstance(node, ast.Name))
