"""What an input of conditions is: its name, kind, unit, meaning, what it is read from, and what missing means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "text", "yes-or-no"]
Known = Literal["before", "after"]
UnitName = Literal["", "money", "money per year", "percent", "points", "days", "count", "times"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of numbers: what it means, and the usual least and most, where there are such."""

    meaning: str
    least: float | None = None
    most: float | None = None


UNITS: dict[UnitName, Unit] = {
    "money": Unit("in the currency of the CRM, not in thousands", least=0),
    "money per year": Unit("in the currency of the CRM, not in thousands", least=0),
    "percent": Unit("20 means 20 %, not 0.2", least=-100, most=100),
    "points": Unit("0 to 100", least=0, most=100),
    "days": Unit("days, not weeks or months"),
    "count": Unit("a whole number", least=0),
    "times": Unit("a ratio: 1 means as much, 2 twice as much", least=0),
}


@dataclass(frozen=True, slots=True)
class Name:
    """One input of conditions and templates.

    `reads` are `object.column` of `config.records` (or of its side tables): what is pulled if a rule names the
    input; `also` are read where they were pulled for something else. `missing` says when it is unknown; a condition
    on an unknown input does not hold. `known` tells whether it is there before tier and score are.
    """

    name: str
    kind: Kind
    meaning: str
    unit: UnitName = ""
    reads: tuple[str, ...] = ()
    missing: str = "never missing"
    known: Known = "before"
    also: tuple[str, ...] = ()


# What tells when an opportunity was won or lost.
OUTCOMES = (
    "opportunity.account_id", "opportunity.stage", "opportunity.is_won", "opportunity.is_closed",
    "opportunity.close_date", "stage.name", "stage.is_won", "stage.is_closed",
)  # fmt: skip
SALES = (*OUTCOMES, "opportunity.amount")
MOVEMENT = ("opportunity.last_activity_date", "opportunity.stage_changed_at", "opportunity.created_at")
WINNING = (*OUTCOMES, "opportunity.probability", "stage.probability")

# Facts about the owner of an account or an opportunity.
OWNER_NAMES = (
    Name("owner_active", "yes-or-no", "the owner may work records", reads=("owner.active",),
        missing="yes for an owner that the CRM does not show"),
    Name("team", "text", "team, region or division of the owner", reads=("owner.team",),
        missing="the owner has none"),
    Name("owner_accounts", "number", "accounts that the owner has", "count", ("account.owner_id",)),
    Name("owner_open_deals", "number", "open opportunities that the owner has", "count", ("opportunity.owner_id",)),
    Name("owner_pipeline", "number", "the owner's open opportunities, each weighted by the chance of its stage",
        "money", ("opportunity.owner_id", "opportunity.amount", "opportunity.probability", "stage.probability")),
    Name("owner_quota", "number", "the owner's quota of the period that today lies in", "money",
        ("quota.owner_id", "quota.amount", "quota.start", "quota.end"), "no quota of the owner covers today"),
    Name("owner_capacity", "number", "accounts that the owner can look after", "count",
        ("capacity.owner_id", "capacity.accounts"), "the file of capacities does not name the owner"),
    Name("owner_load", "number", "accounts that the owner has, in percent of the capacity", "percent",
        ("account.owner_id", "capacity.owner_id", "capacity.accounts"),
        "the file of capacities does not name the owner"),
)  # fmt: skip
