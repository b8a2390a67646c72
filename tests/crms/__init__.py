"""The CRMs that the shared tests run against, each through the hands and eyes of its people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from connectors.sandbox.server import Sandbox
    from tests.crms.people import People

CRMS = ("salesforce",)

# Statuses by which each says "not now", and not "never".
PASSING = {
    "salesforce": (503, 500, 429, 406, 420),
    "hubspot": (503, 500, 429, 502, 504, 521, 523, 524),
}


def people_of(sandbox: Sandbox, folder: Path) -> People:
    """The people of a sandbox; secrets that connections name are kept in the folder."""
    from tests.crms.salesforce import SalesforcePeople

    return {"salesforce": SalesforcePeople}[sandbox.crm](sandbox, folder)
