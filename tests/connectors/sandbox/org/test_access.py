"""Field-level security: a custom field is not there for anybody until a permission set shows it."""

from __future__ import annotations

import pytest

from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.schema import Field
from tests.connectors.sandbox.org.conftest import rows


@pytest.fixture
def hidden(org):
    """The org with a new field that nobody was granted."""
    org.add_field("Account", Field("Score__c", "Score", "double", precision=3))
    return org


@pytest.mark.parametrize("who", ["admin", "worker"])
def test_a_new_field_exists_for_nobody(hidden, ids, who):
    """Neither describe nor SOQL nor a save knows it, for admins neither, in the words for a missing field."""
    user = getattr(hidden, who)
    assert "Score__c" not in {one["name"] for one in hidden.describe(user, "Account")["fields"]}
    with pytest.raises(SalesforceError, match="No such column 'Score__c' on entity 'Account'"):
        hidden.query("SELECT Score__c FROM Account", user)
    saved = hidden.update(user, "Account", [{"Id": ids[0], "Score__c": 1}])[0]
    assert saved.errors[0].message == "No such column 'Score__c' on sobject of type Account"


def test_read_and_edit_are_granted_apart(hidden, ids):
    """Reading does not include editing; a permission set counts only once it is assigned."""
    held = hidden.create_permission_set("Reader", "Reader")
    hidden.grant_fields(held, {"Account.Score__c": False})
    with pytest.raises(SalesforceError):
        hidden.query("SELECT Score__c FROM Account", hidden.worker)
    hidden.assign(held, hidden.worker.id)
    assert rows(hidden, "SELECT Score__c FROM Account LIMIT 1")[0]["Score__c"] is None
    described = {one["name"]: one for one in hidden.describe(hidden.worker, "Account")["fields"]}
    assert described["Score__c"]["updateable"] is False
    change = [{"Id": ids[0], "Score__c": 1}]
    assert (
        hidden.update(hidden.worker, "Account", change)[0].errors[0].status_code
        == "INVALID_FIELD_FOR_INSERT_UPDATE"
    )
    hidden.grant_fields(held, {"Account.Score__c": True})
    assert hidden.update(hidden.worker, "Account", change)[0].success


def test_permissions_are_ordinary_records(hidden):
    """FieldPermissions and assignments made over REST rows work as those of the metadata calls."""
    made = hidden.insert(hidden.admin, "PermissionSet", [{"Name": "S", "Label": "S"}])[0]
    grant = {
        "ParentId": made.id,
        "SobjectType": "Account",
        "Field": "Account.Score__c",
        "PermissionsRead": True,
    }
    assert hidden.insert(hidden.admin, "FieldPermissions", [{**grant, "PermissionsEdit": True}])[0].success
    wrong = hidden.insert(hidden.admin, "FieldPermissions", [{**grant, "Field": "Account.Nope__c"}])[0]
    assert wrong.errors[0].message == "Field Name: bad value for restricted picklist field: Account.Nope__c"
    assignment = {"PermissionSetId": made.id, "AssigneeId": hidden.worker.id}
    assert hidden.insert(hidden.admin, "PermissionSetAssignment", [assignment])[0].success
    assert not hidden.insert(hidden.admin, "PermissionSetAssignment", [assignment])[0].success
    hidden.query("SELECT Score__c FROM Account", hidden.worker)


def test_security_can_be_taken_away(granted, hands):
    """The fault that hides a field makes it vanish from describe and SOQL."""
    hands.hidden = frozenset({"Foretag_Tier__c"})
    with pytest.raises(SalesforceError, match="No such column"):
        granted.query("SELECT Foretag_Tier__c FROM Account", granted.worker)


def test_describe_has_the_keys_that_clients_read(granted):
    """The keys that well-known clients index are there, with types and choices."""
    described = granted.describe(granted.worker, "Account")
    fields = {one["name"]: one for one in described["fields"]}
    keys = {
        "name", "type", "nillable", "createable", "updateable", "custom", "externalId", "idLookup", "calculated",
        "compoundFieldName", "defaultedOnCreate", "picklistValues", "referenceTo", "relationshipName", "length",
        "precision", "scale", "soapType", "filterable", "sortable", "label", "unique",
    }  # fmt: skip
    assert all(keys <= set(one) for one in fields.values())
    assert [value["value"] for value in fields["Foretag_Tier__c"]["picklistValues"]] == ["A", "B", "C", "D"]
    assert fields["Foretag_Status__c"]["calculated"] is True
    assert fields["BillingCity"]["compoundFieldName"] == "BillingAddress"
    assert fields["OwnerId"]["referenceTo"] == ["User"]
    assert "Opportunities" in {one["relationshipName"] for one in described["childRelationships"]}
    key = {one["name"]: one for one in granted.describe(granted.worker, "Task")["fields"]}["Foretag_Key__c"]
    assert (key["unique"], key["externalId"], key["idLookup"]) == (True, True, True)
