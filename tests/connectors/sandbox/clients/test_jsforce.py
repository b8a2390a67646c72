"""jsforce from npm, unmodified, against the sandbox over plain HTTP, in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node_clients import run_script

SCRIPT = Path(__file__).with_name("jsforce.js")


@pytest.fixture
def seen(sandbox, node_modules):
    """What the script saw, step by step."""
    account = sandbox.credentials.admin
    told = {
        "URL": sandbox.http_url,
        "CLIENT_ID": account.client_id,
        "CLIENT_SECRET": account.client_secret,
        "USERNAME": account.username,
        "PASSWORD": account.password + account.security_token,
    }
    return run_script(SCRIPT, node_modules, **told)


@pytest.mark.needs_node
def test_jsforce_works_unmodified(sandbox, seen):
    """Log-ins, describe, query with autofetch, CRUD, upsert, metadata, tooling and Bulk 2.0, as jsforce does them."""
    assert seen["soap"] == {"organization": sandbox.org.id, "session": True}
    assert seen["oauth"] == {"session": True, "instance": sandbox.http_url}
    assert seen["describe"]["name"] == "Account"
    assert seen["describe"]["fields"] > 30
    assert seen["query"] == {"total": 200, "fetched": 200, "parent": "string"}
    assert seen["create"] == [True, True, "REQUIRED_FIELD_MISSING"]
    assert seen["update"] == [True, True]
    assert seen["retrieve"] == "Changed"
    assert seen["metadata"] == {"fullName": "Account.Ext__c", "success": True, "errors": []}
    assert seen["again"][0]["statusCode"] == "DUPLICATE_DEVELOPER_NAME"
    assert (seen["read"]["type"], seen["read"]["externalId"]) == ("Text", True)
    assert seen["upsertMetadata"]["created"] is True
    assert "PermissionSet" in seen["types"]
    assert "Reader" in seen["listed"]
    assert seen["tooling"] == {"total": 1, "full": "Account.Ext__c"}
    assert seen["toolingCreate"] is True
    assert seen["upsert"] == [True, False]
    assert sorted(seen["load"]["created"]) == ["false", "true"]
    assert [error.partition(":")[0] for error in seen["load"]["failed"]] == ["REQUIRED_FIELD_MISSING"]
    assert seen["load"]["unprocessed"] == 0
    assert seen["bulkQuery"] == [
        {"Ext__c": "a/1", "Name": "Third", "Parent.Name": ""},
        {"Ext__c": "b", "Name": 'Bulk, "quoted"\nline', "Parent.Name": ""},
    ]
    assert seen["bulkV1"] == [True, False]
    assert seen["bulkV1Query"] == [{"Name": "Old way"}]
    assert seen["destroy"] == [True, True]
    assert seen["limits"]["used"] > 0
    assert seen["error"] == "INVALID_FIELD"
