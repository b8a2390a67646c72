"""Metadata and Tooling: declarations checked in Salesforce's words, permission sets kept exactly, packages deployed."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest
import requests

from connectors.sandbox.salesforce.custom_fields import field_of, metadata_of
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.xml_trees import METADATA_NAMESPACE, find, parse, tree
from tests.connectors.sandbox.callers import Caller, error

TEXT = {"label": "Stamp", "type": "Text", "length": "20"}
DECLARED = [
    TEXT | {"externalId": "true", "unique": "True", "caseSensitive": "false"},
    {"label": "Score", "type": "Number", "precision": "3", "scale": "0", "inlineHelpText": "0-100"},
    {"label": "Plan", "type": "Currency", "precision": 18, "scale": 2, "description": "promised"},
    {"label": "Until", "type": "Date", "required": "false"},
    {"label": "Paused", "type": "Checkbox", "defaultValue": "true"},
    {"label": "Notes", "type": "LongTextArea", "length": "5000", "visibleLines": "4"},
    {"label": "Rich", "type": "Html", "length": "5000", "visibleLines": "25"},
    {"label": "Parent deal", "type": "Lookup", "referenceTo": "Opportunity", "relationshipName": "Accounts2"},
    {"label": "Fresh", "type": "Text", "formula": "IF(Name = 'x', 'Current', 'Stale')"},
    {
        "label": "Tier",
        "type": "Picklist",
        "valueSet": {
            "restricted": "true",
            "valueSetDefinition": {
                "sorted": "false",
                "value": [{"fullName": "A", "default": "True", "label": "A"}],
            },
        },
    },
]


@pytest.fixture
def admin(sandbox):
    """The administrator."""
    return Caller(sandbox, sandbox.credentials.admin)


@pytest.fixture
def worker(sandbox):
    """The integration user."""
    return Caller(sandbox, sandbox.credentials.worker)


def soap(caller, body):
    """Call the Metadata API; returns (status, the reply's body as a tree)."""
    session = caller.headers["Authorization"].partition(" ")[2]
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="{METADATA_NAMESPACE}">'
        f"<e:Header><SessionHeader><sessionId>{session}</sessionId></SessionHeader></e:Header>"
        f"<e:Body>{body}</e:Body></e:Envelope>"
    )
    reply = requests.post(f"{caller.root}/services/Soap/m/62.0/00D", data=envelope.encode(), timeout=10)
    found = find(parse(reply.content), "Body")
    return reply.status_code, tree(found)


def package(**files):
    """A zip with these files; `__` stands for a slash and a last `_` for the dot before the suffix."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            stem, _, suffix = name.replace("__", "/").rpartition("_")
            archive.writestr(f"{stem}.{suffix}", content)
    return buffer.getvalue()


def manifest(**members):
    """A package.xml."""
    types = "".join(
        f"<types>{''.join(f'<members>{name}</members>' for name in names)}<name>{kind}</name></types>"
        for kind, names in members.items()
    )
    return f'<Package xmlns="{METADATA_NAMESPACE}">{types}<version>62.0</version></Package>'


def field_xml(name, label="Field"):
    """An object file with one text field."""
    inner = f"<fields><fullName>{name}</fullName><label>{label}</label><type>Text</type><length>9</length></fields>"
    return f'<CustomObject xmlns="{METADATA_NAMESPACE}">{inner}</CustomObject>'


def deploy(caller, content, **options):
    """Deploy by REST; returns the final result with details."""
    parts = {
        "json": (None, json.dumps({"deployOptions": options}), "application/json"),
        "file": ("deploy.zip", content, "application/zip"),
    }
    made = caller.call("POST", "metadata/deployRequest", files=parts)
    assert made.status_code == 201, made.text
    path = f"metadata/deployRequest/{made.json()['id']}"
    return caller.call("GET", path, params={"includeDetails": "true"}).json()["deployResult"]


def problems(result):
    """What was said about each component that failed."""
    return {one["fullName"]: one["problem"] for one in result["details"]["componentFailures"]}


@pytest.mark.parametrize("declared", DECLARED, ids=lambda declared: declared["label"])
def test_a_declaration_survives_being_kept(declared):
    """What is read back declares the same field; texts and booleans may come in any client's spelling."""
    field = field_of("X__c", declared)
    again = metadata_of(field)
    assert field_of("X__c", again) == field
    assert {key: again[key] for key in ("label", "type")} == {key: declared[key] for key in ("label", "type")}


@pytest.mark.parametrize(
    ("name", "change", "code", "message"),
    [
        ("X", {}, "FIELD_INTEGRITY_EXCEPTION", "must end with: __c"),
        ("X__Y__c", {}, "INVALID_FULL_NAME", "two consecutive underscores"),
        ("X" * 45 + "__c", {}, "INVALID_FULL_NAME", "alphanumeric"),
        ("X__c", {"label": None}, "REQUIRED_FIELD_MISSING", "non-empty label"),
        ("X__c", {"type": "Tekst"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Tekst"),
        (
            "X__c",
            {"length": None},
            "FIELD_INTEGRITY_EXCEPTION",
            "Must specify 'length' for a CustomField of type Text",
        ),
        ("X__c", {"length": "300"}, "FIELD_INTEGRITY_EXCEPTION", "between 1 and 255"),
        ("X__c", {"length": "long"}, "FIELD_INTEGRITY_EXCEPTION", "xsd:int"),
        ("X__c", {"type": "Date"}, "FIELD_INTEGRITY_EXCEPTION", "Can not specify 'length'"),
        ("X__c", {"type": "Number"}, "FIELD_INTEGRITY_EXCEPTION", "'precision'"),
        (
            "X__c",
            {"type": "Phone", "length": None, "unique": "true"},
            "FIELD_INTEGRITY_EXCEPTION",
            "'unique'",
        ),
    ],
)
def test_bad_declarations_are_refused(name, change, code, message):
    """Each mistake has its code, and a text that names it."""
    with pytest.raises(SalesforceError, match=message) as refusal:
        field_of(name, TEXT | change)
    assert refusal.value.code == code


def test_a_new_field_is_invisible_until_it_is_granted(sandbox, admin, worker):
    """The classic first-run failure: the field exists, and nobody sees it without field-level security."""
    body = {"FullName": "Account.Score__c", "Metadata": DECLARED[1]}
    assert admin.call("POST", "tooling/sobjects/CustomField", json=body).status_code == 201
    asked = {"q": "SELECT Score__c FROM Account LIMIT 1"}
    for caller in (admin, worker):
        assert error(caller.call("GET", "query", params=asked)) == (400, "INVALID_FIELD")
        names = [field["name"] for field in caller.call("GET", "sobjects/Account/describe").json()["fields"]]
        assert "Score__c" not in names
    granted = sandbox.org.create_permission_set("Scores", "Scores")
    sandbox.org.grant_fields(granted, {"Account.Score__c": False})
    sandbox.org.assign(granted, sandbox.org.worker.id)
    assert worker.call("GET", "query", params=asked).status_code == 200
    assert error(admin.call("GET", "query", params=asked)) == (400, "INVALID_FIELD")


def test_only_admins_touch_metadata(worker):
    """The worker's user has no metadata rights, in any of the interfaces."""
    body = {"FullName": "Account.X__c", "Metadata": TEXT}
    assert error(worker.call("POST", "tooling/sobjects/CustomField", json=body)) == (
        403,
        "INSUFFICIENT_ACCESS",
    )
    refused = worker.call("POST", "metadata/deployRequest", files={"file": ("x.zip", b"")})
    assert error(refused) == (403, "INSUFFICIENT_ACCESS")
    status, reply = soap(worker, "<describeMetadata><asOfVersion>62.0</asOfVersion></describeMetadata>")
    assert (status, reply["Fault"]["faultcode"]) == (500, "sf:INSUFFICIENT_ACCESS")


def test_soap_refusals_are_faults(admin):
    """An unknown session, an unknown operation and XML with entities end as SOAP faults."""
    admin.headers = admin.headers | {"Authorization": "Bearer nobody"}
    assert soap(admin, "<describeMetadata/>")[1]["Fault"]["faultcode"] == "sf:INVALID_SESSION_ID"
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    reply = requests.post(f"{admin.root}/services/Soap/m/62.0", data=bomb, timeout=10)
    assert (reply.status_code, "sf:INVALID_XML" in reply.text) == (500, True)


def test_a_permission_set_grants_exactly_what_is_declared(sandbox, admin):
    """Saving again takes away what is no longer declared; the sandbox's clients may write True or true."""
    sandbox.org.add_field("Account", field_of("X__c", TEXT))
    sandbox.org.add_field("Account", field_of("Y__c", TEXT))

    def save(*fields):
        entries = "".join(
            f"<fieldPermissions><field>Account.{name}</field><editable>True</editable><readable>true</readable>"
            "</fieldPermissions>"
            for name in fields
        )
        metadata = (
            f'<metadata xsi:type="PermissionSet"><fullName>P</fullName><label>P</label>{entries}</metadata>'
        )
        return soap(admin, f"<upsertMetadata>{metadata}</upsertMetadata>")[1]["upsertMetadataResponse"][
            "result"
        ]

    assert save("X__c", "Y__c") == {"created": "true", "fullName": "P", "success": "true"}
    assert save("Y__c") == {"created": "false", "fullName": "P", "success": "true"}
    asked = {"q": "SELECT Field, PermissionsEdit FROM FieldPermissions WHERE Parent.Name = 'P'"}
    held = admin.call("GET", "query", params=asked).json()["records"]
    assert [(one["Field"], one["PermissionsEdit"]) for one in held] == [("Account.Y__c", True)]
    dangling = save("Gone__c")
    assert (dangling["success"], dangling["errors"]["statusCode"]) == ("false", "INVALID_CROSS_REFERENCE_KEY")


def test_a_package_is_deployed_in_the_order_of_its_references(admin):
    """A permission set may name fields of the same package; the result tells every component."""
    grants = (
        f'<PermissionSet xmlns="{METADATA_NAMESPACE}"><label>R</label><fieldPermissions><field>Task.Key__c</field>'
        "<editable>true</editable><readable>true</readable></fieldPermissions></PermissionSet>"
    )
    files = {
        "package_xml": manifest(CustomField=["Activity.Key__c"], PermissionSet=["R"]),
        "objects__Activity_object": field_xml("Key__c"),
        "permissionsets__R_permissionset": grants,
    }
    result = deploy(admin, package(**files))
    assert (result["status"], result["numberComponentsDeployed"], result["numberComponentErrors"]) == (
        "Succeeded",
        2,
        0,
    )
    made = {one["fullName"]: one["componentType"] for one in result["details"]["componentSuccesses"]}
    assert made == {"Activity.Key__c": "CustomField", "R": "PermissionSet"}
    asked = {"q": "SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinitionId IN ('Task', 'Event')"
             " AND QualifiedApiName = 'Key__c'"}  # fmt: skip
    assert admin.call("GET", "tooling/query", params=asked).json()["size"] == 2


def test_every_mistake_of_a_package_is_told(admin):
    """Not listed, listed but absent, not well-formed, of another type: one failure each; nothing is saved."""
    files = {
        "package_xml": manifest(
            CustomField=["Account.A__c", "Account.Absent__c"], PermissionSet=["Broken"], Layout=["*"]
        ),
        "objects__Account_object": field_xml("A__c"),
        "objects__Opportunity_object": field_xml("B__c"),
        "permissionsets__Broken_permissionset": "<PermissionSet><label>",
        "layouts__L_layout": f'<Layout xmlns="{METADATA_NAMESPACE}"/>',
    }
    result = deploy(admin, package(**files))
    said = problems(result)
    assert (result["status"], result["numberComponentsDeployed"]) == ("Failed", 0)
    assert said["Opportunity.B__c"] == "Not in package.xml"
    assert "was named in package.xml, but was not found in zipped directory" in said["Account.Absent__c"]
    assert "Error parsing file" in said["Broken"]
    assert "no metadata of type Layout" in said["L"]
    assert set(said) == {"Opportunity.B__c", "Account.Absent__c", "Broken", "L"}
    partly = deploy(admin, package(**files), rollbackOnError=False)
    assert (partly["status"], partly["numberComponentsDeployed"]) == ("SucceededPartial", 1)


def test_check_only_changes_nothing_and_deletions_delete(admin):
    """A check reports as if deployed; destructiveChanges takes away."""
    files = {
        "package_xml": manifest(CustomField=["Account.A__c"]),
        "objects__Account_object": field_xml("A__c"),
    }
    asked = {"q": "SELECT Id FROM CustomField WHERE DeveloperName = 'A'"}

    def count():
        return admin.call("GET", "tooling/query", params=asked).json()["size"]

    assert deploy(admin, package(**files), checkOnly=True)["status"] == "Succeeded"
    assert count() == 0
    assert deploy(admin, package(**files))["details"]["componentSuccesses"][0]["created"] is True
    assert count() == 1
    gone = {"package_xml": manifest(), "destructiveChanges_xml": manifest(CustomField=["Account.A__c"])}
    assert deploy(admin, package(**gone))["details"]["componentSuccesses"][0]["deleted"] is True
    assert count() == 0


@pytest.mark.parametrize("content", [b"no zip", package(readme_txt="hello")])
def test_what_is_no_package_fails_as_a_whole(admin, content):
    """Not a zip, or a zip without a manifest."""
    result = deploy(admin, content)
    assert (result["status"], result["numberComponentErrors"]) == ("Failed", 1)


def test_what_was_retrieved_can_be_deployed_again(sandbox, admin):
    """A retrieve gives the files that would make the same field."""
    sandbox.org.add_field("Account", field_of("X__c", DECLARED[-1]))
    wanted = "<types><members>Account.X__c</members><name>CustomField</name></types>"
    inner = (
        f"<retrieveRequest><apiVersion>62.0</apiVersion><unpackaged>{wanted}</unpackaged></retrieveRequest>"
    )
    started = soap(admin, f"<retrieve>{inner}</retrieve>")[1]["retrieveResponse"]["result"]
    asked = f"<checkRetrieveStatus><asyncProcessId>{started['id']}</asyncProcessId></checkRetrieveStatus>"
    done = soap(admin, asked)[1]["checkRetrieveStatusResponse"]["result"]
    assert (done["done"], done["status"]) == ("true", "Succeeded")
    before = sandbox.org.schema.objects["Account"].fields["X__c"]
    sandbox.org.drop_field("Account", "X__c")
    assert deploy(admin, base64.b64decode(done["zipFile"]))["status"] == "Succeeded"
    assert sandbox.org.schema.objects["Account"].fields["X__c"] == before
