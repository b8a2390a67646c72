"""`exclude:` of the rules file: which records are none of sales' business."""

from __future__ import annotations

import ast

from pydantic import Field, ValidationInfo, field_validator

from config.language.account_names import ACCOUNT_FACTS
from config.language.deal_names import DEAL_FACTS, OF_ACCOUNT
from config.language.expressions import checked, parse
from config.sections.boosts import Words
from config.sections.strict import Scored, Strict

# Facts that are told by comparing with other records.
_OF_BOOK = {
    "quiet", "large", "usual_purchase", "usual_gap", "season_change", "promised_rise", "owner_accounts",
    "owner_open_deals", "owner_pipeline", "owner_load",
}  # fmt: skip

# What can be told of a record alone. The book is read without those that are excluded.
ALONE: dict[str, frozenset[str]] = {
    object_name: frozenset(fact.name for fact in facts if fact.name.removeprefix("account_") not in _OF_BOOK)
    for object_name, facts in (("account", ACCOUNT_FACTS), ("opportunity", (*DEAL_FACTS, *OF_ACCOUNT)))
}


class Exclusion(Strict):
    """Records that get no score, tier or task; an account's deals neither."""

    on: Scored
    when: str = Field(description="a condition on the record itself")
    because: Words = Field(description="what the reason says behind `Not scored:`")

    @field_validator("when")
    @classmethod
    def _condition(cls, value: str, info: ValidationInfo) -> str:
        checked(value, info, before_score=True)
        if "on" in info.data:
            tree = parse(value, info.data["on"])
            names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            of_others = sorted(names - ALONE[info.data["on"]])
            if of_others:
                raise ValueError(
                    f'"{of_others[0]}" follows from the whole book, which is read without the excluded'
                )
        return value


EXCLUDE = (
    Exclusion(
        on="account",
        when='type in ["Partner", "Reseller", "Channel Partner / Reseller", "Installation Partner", '
        '"Technology Partner"]',
        because="partner or reseller",
    ),
    Exclusion(on="account", when='type in ["Competitor", "Vendor"]', because="competitor or vendor"),
    Exclusion(on="account", when="opted_out", because="opted out"),
)
