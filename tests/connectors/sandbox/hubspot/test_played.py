"""The sandbox as a whole, playing HubSpot: its own switches, and what belongs to the other CRM."""

from __future__ import annotations

import pytest

from config.problems import ConfigProblem
from connectors.sandbox.server import CRMS, Sandbox


def test_it_says_what_it_plays(sandbox, api):
    """Health tells CRM and portal."""
    health = api.get("/sandbox").json()

    assert (health["crm"], health["org"]) == ("hubspot", sandbox.portal.name)


def test_a_portal_is_no_org(sandbox, make_sandbox):
    """What the other CRM has is missing, and says so."""
    with pytest.raises(AttributeError, match="plays hubspot"):
        _ = sandbox.org
    with pytest.raises(AttributeError, match="plays salesforce"):
        _ = make_sandbox().portal


def test_hubspot_has_no_keys(api):
    """400, as its apps have no JWTs."""
    reply = api.post("/sandbox/keys", json={"client_id": "a", "public_key": "b"})

    assert reply.status_code == 400


def test_an_unknown_crm_is_a_problem():
    """It names those that there are."""
    assert CRMS == ("salesforce", "hubspot")
    with pytest.raises(ConfigProblem, match="salesforce, hubspot"):
        Sandbox(crm="pipedrive")


def test_credentials_are_the_same_in_every_sandbox(sandbox, make_sandbox):
    """Settings that were written for one serve the next."""
    assert make_sandbox(crm="hubspot").credentials == sandbox.credentials


def test_calls_of_the_sandbox_itself_are_free(sandbox, api):
    """Neither counted nor in the journal."""
    api.get("/sandbox")
    api.post("/sandbox/limits", json={})

    assert (sandbox.journal.requests(), sandbox.limits.used) == ([], 0)
