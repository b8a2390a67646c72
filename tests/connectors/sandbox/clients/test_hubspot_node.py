"""@hubspot/api-client from npm, unmodified, against the sandbox over plain HTTP, in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node_clients import run_script

SCRIPT = Path(__file__).with_name("hubspot.js")


@pytest.fixture
def sandbox(make_sandbox):
    """One portal with a small book."""
    return make_sandbox(crm="hubspot")


@pytest.fixture
def seen(sandbox, node_modules):
    """What the script saw, step by step."""
    admin = sandbox.credentials.admin
    told = {
        "URL": sandbox.http_url,
        "TOKEN": admin.token,
        "CLIENT_ID": admin.client_id,
        "CLIENT_SECRET": admin.client_secret,
        "REFRESH_TOKEN": admin.refresh_token,
    }
    return run_script(SCRIPT, node_modules, **told)


@pytest.mark.needs_node
def test_the_node_client_works_unmodified(seen):
    """Pages, records, batches, search, associations, schema, imports, exports, OAuth and its own retries."""
    keys = ["createdate", "hs_lastmodifieddate", "hs_object_id", "name", "phone"]
    assert seen["page"] == {"count": 5, "all": 40, "after": True, "date": True, "keys": keys}
    assert seen["record"] == {"amount": "13", "created": True, "history": ["13", "12"], "historyDate": True}
    assert seen["batch"] == {"status": "COMPLETE", "good": 5, "numErrors": 1, "ids": ["99"]}
    assert seen["search"]["total"] > 6
    assert seen["search"]["found"] == 6
    assert seen["associations"] == {"task": True, "types": [192], "company": True}
    assert seen["archived"] is True
    assert (seen["property"], seen["twice"], seen["properties"]) == ("ours", 409, True)
    assert seen["owners"] > 0
    assert seen["account"] == "SANDBOX"
    assert (seen["import"]["state"], seen["import"]["errors"]) == ("DONE", ["INVALID_RECORD_ID"])
    assert seen["import"]["counters"]["UPDATED_OBJECTS"] == 1
    assert seen["import"]["date"] is True
    assert seen["export"] == {"status": "COMPLETE", "lines": 41}
    assert seen["oauth"] == {"expires": 1800, "works": 1}
    assert (seen["retried"], seen["waited"], seen["after503"]) == (1, [1, [10_000]], True)
    assert seen["given_up"] == [429, "DAILY"]
