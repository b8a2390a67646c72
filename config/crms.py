"""The CRMs that Foretag works beside: how each is called, and by which secrets its connections sign in."""

from __future__ import annotations

from dataclasses import dataclass

from config.problems import ConfigProblem, Problem


@dataclass(frozen=True, slots=True)
class Crm:
    """One CRM. `secrets` are the keys of `auth:` in the settings, each naming where one secret lies."""

    name: str
    label: str
    secrets: tuple[str, ...]

    def variables(self, user: str = "") -> dict[str, str]:
        """Secret → the environment variable that it is expected in; `user` may be ADMIN."""
        prefix = f"FORETAG_{user}_" if user else "FORETAG_"
        return {secret: f"{prefix}{secret.upper()}" for secret in self.secrets}


CRMS = {
    crm.name: crm
    for crm in (
        Crm("salesforce", "Salesforce", ("client_id", "client_secret")),
        Crm("hubspot", "HubSpot", ("token",)),
    )
}
NAMES = " or ".join(CRMS)


def crm_named(name: str) -> Crm:
    """The CRM with this name in the settings. Raises `ConfigProblem` if there is none."""
    if name not in CRMS:
        raise ConfigProblem(Problem(f'there is no CRM "{name}"', where="--crm", fix=f"it is {NAMES}"))
    return CRMS[name]
