"""The CRMs that the shared tests run against, each through the hands and eyes of its people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from connectors.sandbox.server import Sandbox
    from tests.crms.people import People

CRMS = ("salesforce", "hubspot")

# What makes a record unreadable. HubSpot's numbers may be any text, and one without a digit says that there is none.
POISONS = {
    "salesforce": ("nan", "huge_text", "ancient_date", "lone_surrogate", "bad_utf8", "missing_id"),
    "hubspot": ("huge_text", "ancient_date", "lone_surrogate", "bad_utf8", "missing_id"),
}

# Statuses by which each says "not now", and not "never".
PASSING = {
    "salesforce": (503, 500, 429, 406, 420),
    "hubspot": (503, 500, 429, 502, 504, 521, 523, 524),
}


def people_of(sandbox: Sandbox, folder: Path) -> People:
    """The people of a sandbox; secrets that connections name are kept in the folder."""
    from tests.crms.hubspot import HubSpotPeople
    from tests.crms.salesforce import SalesforcePeople

    people = {"salesforce": SalesforcePeople, "hubspot": HubSpotPeople}[sandbox.crm]
    return people(sandbox, folder)
