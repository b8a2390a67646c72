"""The names that `when:` conditions and text templates of the rules may use, with their type and meaning."""

from __future__ import annotations

from config.language.account_names import ACCOUNT_NAMES
from config.language.deal_names import OPPORTUNITY_NAMES
from config.language.inputs import UNITS, Kind, Name

__all__ = ["KNOWN_VALUES", "NAMES", "TEMPLATE_NAMES", "UNITS", "Kind", "Name"]

NAMES: dict[str, dict[str, Name]] = {
    "account": {name.name: name for name in ACCOUNT_NAMES},
    "opportunity": {name.name: name for name in OPPORTUNITY_NAMES},
}

# What `{…}` in the subject and body of a task may name.
TEMPLATE_NAMES: dict[str, tuple[str, ...]] = {
    "account": ("account", "tier", "score", "segment", "reason", "next_step", "last_purchase"),
    "opportunity": ("account", "opportunity", "tier", "score", "stage", "close_date", "reason", "next_step"),
}

# Texts with a known set of values: comparing with any other is a mistake.
KNOWN_VALUES: dict[str, tuple[str, ...]] = {
    "tier": ("A", "B", "C", "D"),
    "segment": ("Prioritize", "Nurture", "Monitor", "Reduce"),
    "account_segment": ("Prioritize", "Nurture", "Monitor", "Reduce"),
    "growth_potential": ("High", "Medium", "Low"),
}
