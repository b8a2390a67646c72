"""The CRMs that Foretag works beside: how each is called, its people's words, and the secrets of its connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Noun:
    """What a CRM's people call one of something, and several."""

    one: str
    many: str

    def __str__(self) -> str:
        return self.one


@dataclass(frozen=True, slots=True)
class Crm:
    """One CRM. `secrets` are the keys of `auth:` in the settings, each naming where one secret lies.

    `nouns` are its people's words, by canonical object, in the order in which they are written and told of;
    `showing` says how reps get to see our fields once they are made.
    """

    name: str
    label: str
    secrets: tuple[str, ...]
    nouns: Mapping[str, Noun]
    field: Noun
    showing: str

    def counted(self, counts: Mapping[str, int]) -> str:
        """`85 accounts, 2,089 opportunities, 1 task`, in the CRM's words."""
        found = [(counts.get(name, 0), noun) for name, noun in self.nouns.items()]
        return ", ".join(f"{count:,} {noun.one if count == 1 else noun.many}" for count, noun in found)

    def variables(self, user: str = "") -> dict[str, str]:
        """Secret → the environment variable that it is expected in; `user` may be ADMIN."""
        prefix = f"FORETAG_{user}_" if user else "FORETAG_"
        return {secret: f"{prefix}{secret.upper()}" for secret in self.secrets}


_TASK = Noun("task", "tasks")
CRMS = {
    crm.name: crm
    for crm in (
        Crm(
            "salesforce",
            "Salesforce",
            ("client_id", "client_secret"),
            {
                "account": Noun("account", "accounts"),
                "opportunity": Noun("opportunity", "opportunities"),
                "task": _TASK,
            },
            Noun("field", "fields"),
            "give the permission set Foretag Reader to the people who should see the fields",
        ),
        Crm(
            "hubspot",
            "HubSpot",
            ("token",),
            {"account": Noun("company", "companies"), "opportunity": Noun("deal", "deals"), "task": _TASK},
            Noun("property", "properties"),
            "put the properties on the record pages, two minutes for an admin: docs/hubspot.md says where",
        ),
    )
}
NAMES = " or ".join(CRMS)


def crm_named(name: str) -> Crm:
    """The CRM with this name in the settings. Raises `ConfigProblem` if there is none."""
    if name not in CRMS:
        raise ConfigProblem(Problem(f'there is no CRM "{name}"', where="--crm", fix=f"it is {NAMES}"))
    return CRMS[name]
