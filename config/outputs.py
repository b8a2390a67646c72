"""The fields Foretag adds to the CRM: what it writes, what it only reads, and how each is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldType = Literal["picklist", "number", "text", "date", "currency", "formula"]
Group = Literal["basic", "full", "human", "tasks"]

TIERS = ("A", "B", "C", "D")
SEGMENTS = ("Prioritize", "Nurture", "Monitor", "Reduce")
LEVELS = ("High", "Medium", "Low")
LEAVE_ALONE = "Leave alone"


@dataclass(frozen=True, slots=True)
class OutputField:
    """One field of ours: canonical name (HubSpot's too), label, where it lives, type and what a rep reads in it."""

    name: str
    label: str
    objects: tuple[str, ...]
    type: FieldType
    group: Group
    help: str
    values: tuple[str, ...] = ()
    length: int = 0

    @property
    def salesforce_name(self) -> str:
        """API name in Salesforce: `foretag_valid_until` becomes `Foretag_Valid_Until__c`."""
        return "_".join(word.capitalize() for word in self.name.split("_")) + "__c"


# What we write into, beside tasks.
OBJECTS = ("account", "opportunity")

OUTPUT_FIELDS = (
    OutputField(
        "foretag_tier",
        "Tier",
        OBJECTS,
        "picklist",
        "basic",
        "The order in which to call: A first.",
        values=TIERS,
    ),
    OutputField(
        "foretag_score", "Score", OBJECTS, "number", "basic", "0-100, to sort by within a tier.", length=3
    ),
    OutputField(
        "foretag_segment",
        "Segment",
        ("account",),
        "picklist",
        "basic",
        "Expected spend crossed with growth potential.",
        values=SEGMENTS,
    ),
    OutputField(
        "foretag_growth_potential",
        "Growth potential",
        ("account",),
        "picklist",
        "basic",
        "Where they could be, not where they are.",
        values=LEVELS,
    ),
    OutputField(
        "foretag_reason", "Why", OBJECTS, "text", "basic", "What made the score, strongest first.", length=255
    ),
    OutputField(
        "foretag_next_step",
        "Suggested next step",
        OBJECTS,
        "text",
        "basic",
        "One sentence from the playbook.",
        length=255,
    ),
    OutputField(
        "foretag_alert",
        "Alert",
        ("account",),
        "text",
        "basic",
        "What could go wrong with them.",
        length=255,
    ),
    OutputField(
        "foretag_valid_until", "Valid until", OBJECTS, "date", "basic", "After this day the score is stale."
    ),
    OutputField(
        "foretag_status",
        "Score status",
        OBJECTS,
        "formula",
        "basic",
        "Current, or Stale once Valid until has passed; true even when the worker is down.",
    ),
    OutputField(
        "foretag_likelihood",
        "Likelihood to buy",
        ("account",),
        "number",
        "full",
        "0-100, chance of a purchase within the horizon.",
        length=3,
    ),
    OutputField(
        "foretag_growth_score",
        "Growth score",
        ("account",),
        "number",
        "full",
        "0-100, behind the growth potential level.",
        length=3,
    ),
    OutputField(
        "foretag_stamp",
        "Foretag stamp",
        OBJECTS,
        "text",
        "full",
        "Which rules and run made the value.",
        length=32,
    ),
)

HUMAN_FIELDS = (
    OutputField(
        "foretag_override",
        "Tier override",
        OBJECTS,
        "picklist",
        "human",
        "A person's word: pins the tier.",
        values=(*TIERS, LEAVE_ALONE),
    ),
    OutputField(
        "foretag_override_until",
        "Override until",
        OBJECTS,
        "date",
        "human",
        "The override ends after this day; 90 days if empty.",
    ),
    OutputField(
        "foretag_override_reason",
        "Override reason",
        OBJECTS,
        "text",
        "human",
        "Why a person knows better.",
        length=255,
    ),
    OutputField(
        "foretag_growth_plan",
        "Growth plan",
        ("account",),
        "currency",
        "human",
        "Yearly spend promised together with the customer.",
    ),
    OutputField(
        "foretag_growth_plan_by",
        "Growth plan by",
        ("account",),
        "date",
        "human",
        "The day by which the plan should be reached.",
    ),
)

TASK_KEY = OutputField(
    "foretag_key", "Foretag key", ("task",), "text", "tasks", "Identifies a task made by Foretag.", length=64
)

ALL_FIELDS = (*OUTPUT_FIELDS, *HUMAN_FIELDS, TASK_KEY)


def written(object_name: str, outputs: Literal["basic", "full"] = "basic") -> tuple[OutputField, ...]:
    """The fields that a run writes on an object with the given `outputs` setting; formulas write themselves."""
    groups = ("basic",) if outputs == "basic" else ("basic", "full")
    return tuple(
        field
        for field in OUTPUT_FIELDS
        if object_name in field.objects and field.group in groups and field.type != "formula"
    )


def made_by_setup(outputs: Literal["basic", "full"]) -> tuple[tuple[OutputField, str], ...]:
    """The fields that the CRM must have, each with an object that it is on; formulas last, since they name others."""
    groups = ("basic", "human", "tasks", *(("full",) if outputs == "full" else ()))
    pairs = [(field, name) for field in ALL_FIELDS for name in field.objects if field.group in groups]
    return tuple(sorted(pairs, key=lambda pair: pair[0].type == "formula"))
