"""simple-salesforce, unmodified, against the sandbox over TLS: log-ins, records, bulk, metadata, tooling, deploys."""

from __future__ import annotations

import io
import zipfile

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceMalformedRequest

DOMAIN = "foretag.my"
PACKAGE = """<?xml version="1.0" encoding="UTF-8"?>
<Package xmlns="http://soap.sforce.com/2006/04/metadata">
  <types><members>Account.Ext__c</members><name>CustomField</name></types>
  <types><members>Reader</members><name>PermissionSet</name></types>
  <version>59.0</version>
</Package>"""
OBJECT = """<?xml version="1.0" encoding="UTF-8"?>
<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><fields>
  <fullName>Ext__c</fullName><label>Ext</label><type>Text</type><length>20</length>
  <externalId>true</externalId><unique>true</unique>
</fields></CustomObject>"""
READER = """<?xml version="1.0" encoding="UTF-8"?>
<PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata"><label>Reader</label><fieldPermissions>
  <field>Account.Ext__c</field><editable>true</editable><readable>true</readable>
</fieldPermissions></PermissionSet>"""


@pytest.fixture(autouse=True)
def _trusted(sandbox, monkeypatch):
    """The client's environment names the sandbox's certificate authority."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(sandbox.ca_file))


@pytest.fixture
def through_proxy(sandbox, monkeypatch):
    """Clients with hard-coded hosts reach the sandbox as their proxy."""
    monkeypatch.setenv("HTTPS_PROXY", sandbox.http_url)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    return sandbox


def session_of(sandbox, account):
    """A client with a session of its own, straight to the sandbox's address."""
    keys = {"client_id": account.client_id, "client_secret": account.client_secret}
    body = {"grant_type": "client_credentials", **keys}
    token = requests.post(f"{sandbox.http_url}/services/oauth2/token", data=body, timeout=10).json()[
        "access_token"
    ]
    return Salesforce(instance_url=sandbox.url, session_id=token)


@pytest.fixture
def admin(sandbox):
    """The administrator's client."""
    return session_of(sandbox, sandbox.credentials.admin)


@pytest.fixture
def worker(sandbox):
    """The integration user's client."""
    return session_of(sandbox, sandbox.credentials.worker)


def test_logs_in_with_client_credentials(through_proxy):
    """The default of a worker: an app's id and secret at the org's own domain."""
    account = through_proxy.credentials.worker
    client = Salesforce(consumer_key=account.client_id, consumer_secret=account.client_secret, domain=DOMAIN)
    assert client.query("SELECT count() FROM Account")["totalSize"] == 40


def test_logs_in_with_user_name_and_password(through_proxy):
    """The password grant of OAuth, and SOAP with a security token; a wrong password is told as such."""
    account = through_proxy.credentials.worker
    keys = {"consumer_key": account.client_id, "consumer_secret": account.client_secret}
    user = {"username": account.username, "password": account.password}
    assert Salesforce(**user, **keys, domain="test").session_id
    client = Salesforce(**user, security_token=account.security_token, domain="test")
    assert client.query("SELECT Id FROM Account LIMIT 1")["done"]
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        Salesforce(username=account.username, password="wrong", security_token="", domain="test")


def test_reads_pages_and_descriptions(worker):
    """Queries follow the locator to the end; describe tells the fields; limits tell the allowance."""
    assert len(worker.query_all("SELECT Id, Name, Account.Name FROM Opportunity")["records"]) == 200
    names = {field["name"] for field in worker.Opportunity.describe()["fields"]}
    assert {"Id", "Amount", "CloseDate", "StageName", "SystemModstamp"} <= names
    assert "Account" in {one["name"] for one in worker.describe()["sobjects"]}
    assert worker.limits()["DailyApiRequests"]["Max"] > 0
    with pytest.raises(SalesforceMalformedRequest, match="No such column"):
        worker.query("SELECT Nothing__c FROM Account")


def test_creates_changes_and_removes_records(admin):
    """The life of a record."""
    account = admin.Account.create({"Name": "Acme"})["id"]
    assert admin.Account.update(account, {"Name": "Acme & Söhne"}) == 204
    assert admin.Account.get(account)["Name"] == "Acme & Söhne"
    assert admin.Account.delete(account) == 204
    assert admin.query(f"SELECT Id FROM Account WHERE Id = '{account}'")["totalSize"] == 0
    assert admin.query_all(f"SELECT IsDeleted FROM Account WHERE Id = '{account}'", include_deleted=True)[
        "records"
    ][0]["IsDeleted"]


def has_field(client, name):
    """Whether the org has a custom field of this name, by the Tooling API."""
    soql = f"SELECT Id FROM CustomField WHERE DeveloperName = '{name}'"
    return client.toolingexecute("query/", params={"q": soql})["totalSize"] > 0


def deploy(client, files, **options):
    """Deploy files; returns (state, detail)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    deploy_id, state = client.deploy(buffer, sandbox=True, **options)["asyncId"], None
    state, _, detail, _ = client.mdapi.check_deploy_status(deploy_id)
    return state, detail


FILES = {
    "package.xml": PACKAGE,
    "objects/Account.object": OBJECT,
    "permissionsets/Reader.permissionset": READER,
}


def test_deploys_a_package_and_upserts_by_its_key(sandbox, admin):
    """A deployed external id is invisible until granted and assigned; then records are upserted by it."""
    state, detail = deploy(admin, FILES)
    assert (state, detail["deployed_count"], detail["errors"]) == ("Succeeded", "2", [])
    with pytest.raises(SalesforceMalformedRequest, match="Ext__c"):
        admin.query("SELECT Ext__c FROM Account LIMIT 1")
    reader = admin.query("SELECT Id FROM PermissionSet WHERE Name = 'Reader'")["records"][0]["Id"]
    admin.PermissionSetAssignment.create({"PermissionSetId": reader, "AssigneeId": sandbox.org.admin.id})
    assert admin.Account.upsert("Ext__c/a-1", {"Name": "First"}) == 201
    assert admin.Account.upsert("Ext__c/a-1", {"Name": "Second"}) == 200
    assert admin.query("SELECT Name FROM Account WHERE Ext__c = 'a-1'")["records"][0]["Name"] == "Second"


def test_a_failed_deploy_leaves_nothing_behind(admin):
    """Dangling references and unknown types are failures of their component; with roll-back nothing is saved."""
    files = FILES | {
        "package.xml": PACKAGE.replace(
            "<version>", "<types><members>L</members><name>CustomLabels</name></types><version>"
        ),
        "permissionsets/Reader.permissionset": READER.replace("Account.Ext__c", "Account.Gone__c"),
        "labels/L.labels": '<CustomLabels xmlns="http://soap.sforce.com/2006/04/metadata"/>',
    }
    state, detail = deploy(admin, files, rollbackOnError=True)
    assert (state, detail["failed_count"]) == ("Failed", "2")
    problems = {error["file"]: error["message"] for error in detail["errors"]}
    assert "no CustomField named Account.Gone__c found" in problems["permissionsets/Reader.permissionset"]
    assert "CustomLabels" in problems["labels/L.labels"]
    assert has_field(admin, "Ext") is False
    assert deploy(admin, FILES, checkOnly=True)[0] == "Succeeded"
    assert has_field(admin, "Ext") is False


def test_makes_reads_and_removes_custom_fields(admin, worker):
    """The Metadata API by the client's own WSDL; mistakes are told per component; only admins may."""
    api = admin.mdapi
    field = api.CustomField(
        fullName="Account.Tier__c",
        label="Tier",
        type=api.FieldType("Picklist"),
        valueSet=api.ValueSet(
            restricted=True,
            valueSetDefinition=api.ValueSetValuesDefinition(
                sorted=False,
                value=[{"fullName": value, "default": False, "label": value} for value in "ABCD"],
            ),
        ),
    )
    api.CustomField.create([field])
    found = api.CustomField.read(["Account.Tier__c"])
    assert (found.fullName, found.label, found.type) == ("Account.Tier__c", "Tier", "Picklist")
    assert [value.fullName for value in found.valueSet.valueSetDefinition.value] == list("ABCD")
    with pytest.raises(Exception, match="DUPLICATE_DEVELOPER_NAME"):
        api.CustomField.create([field])
    with pytest.raises(Exception, match="Must specify 'length'"):
        api.CustomField.create(
            [api.CustomField(fullName="Account.T__c", label="T", type=api.FieldType("Text"))]
        )
    with pytest.raises(Exception, match="ModifyMetadata"):
        worker.mdapi.CustomField.read(["Account.Tier__c"])
    api.CustomField.delete(["Account.Tier__c"])
    assert has_field(admin, "Tier") is False


def test_makes_custom_fields_of_tasks_on_activity(admin):
    """A Tooling field on Activity serves tasks and events, and permissions name Task's."""
    body = {
        "FullName": "Activity.Key__c",
        "Metadata": {"label": "Key", "type": "Text", "length": 64, "unique": True},
    }
    made = admin.toolingexecute("sobjects/CustomField", method="POST", data=body)
    assert made["success"]
    kept = admin.toolingexecute(f"sobjects/CustomField/{made['id']}")
    assert (kept["FullName"], kept["Metadata"]["length"]) == ("Activity.Key__c", 64)
    grants = admin.PermissionSet.create({"Name": "Keys", "Label": "Keys"})["id"]
    granted = {"ParentId": grants, "SobjectType": "Task", "Field": "Task.Key__c"}
    assert admin.FieldPermissions.create(granted | {"PermissionsRead": True, "PermissionsEdit": True})[
        "success"
    ]
    with pytest.raises(SalesforceMalformedRequest):
        admin.toolingexecute("sobjects/CustomField", method="POST", data=body | {"FullName": "Task.Other__c"})


def test_bulk_reads_and_writes(admin):
    """Bulk 2.0 through the client: insert with a refused row, query back, update, delete."""
    rows = [
        {"Name": f"Bulk {number}", "Description": 'a "quoted", text\nof two lines'} for number in range(3)
    ]
    done = admin.bulk2.Account.insert(records=[*rows, {"Name": "", "Description": "nameless"}], wait=0)[0]
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (4, 1)
    assert "REQUIRED_FIELD_MISSING" in admin.bulk2.Account.get_failed_records(done["job_id"])
    pages = admin.bulk2.Account.query(
        "SELECT Id, Name FROM Account WHERE Name LIKE 'Bulk %'", max_records=2, wait=0
    )
    lines = [line for page in pages for line in page.splitlines()[1:]]
    assert len(lines) == 3
    ids = [line.split(",")[0].strip('"') for line in lines]
    changes = [{"Id": record_id, "Name": "Changed"} for record_id in ids]
    assert admin.bulk2.Account.update(records=changes, wait=0)[0]["numberRecordsFailed"] == 0
    assert admin.query("SELECT Id FROM Account WHERE Name = 'Changed'")["totalSize"] == 3
    gone = admin.bulk2.Account.delete(records=[{"Id": record_id} for record_id in ids], wait=0)
    assert gone[0]["numberRecordsProcessed"] == 3
    assert admin.query("SELECT Id FROM Account WHERE Name = 'Changed'")["totalSize"] == 0


def test_the_first_bulk_api_works_unmodified(admin):
    """Insert, update with one bad row, query and delete, as `Salesforce.bulk` does them."""
    made = admin.bulk.Account.insert([{"Name": "One"}, {"Name": "Two"}])
    ids = [one["id"] for one in made]
    changed = admin.bulk.Account.update([{"Id": ids[0], "Name": "Three"}, {"Id": ids[1], "Name": None}])
    found = admin.bulk.Account.query(f"SELECT Name FROM Account WHERE Id IN ('{ids[0]}', '{ids[1]}')")
    gone = admin.bulk.Account.delete([{"Id": one} for one in ids])

    assert [one["success"] for one in made] == [True, True]
    assert [one["success"] for one in changed] == [True, False]
    assert changed[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert sorted(row["Name"] for row in found) == ["Three", "Two"]
    assert [one["success"] for one in gone] == [True, True]
