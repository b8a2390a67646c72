"""The metadata that an admin may deploy himself, against Salesforce's own schema of it."""

from __future__ import annotations

import json
from importlib.resources import files
from xml.etree import ElementTree as ET

import pytest

from config.outputs import ALL_FIELDS, written
from config.records import RECORDS
from connectors.salesforce.metadata import NAMESPACE, custom_fields, setup_files

XSD = "{http://www.w3.org/2001/XMLSchema}"
WORKER = "force-app/main/default/permissionsets/Foretag_Worker.permissionset-meta.xml"
# With the rights to read whatever rules may name.
FILES = setup_files("full", "62.0", tuple(RECORDS))


@pytest.fixture(scope="module")
def types() -> dict[str, dict[str, str]]:
    """Element name to type, for each complex type of the Metadata API (WSDL 63)."""
    wsdl = ET.fromstring((files("simple_salesforce") / "metadata.wsdl").read_text())
    found: dict[str, dict[str, str]] = {}
    for kind in wsdl.iter(f"{XSD}complexType"):
        elements = {element.get("name"): element.get("type", "") for element in kind.iter(f"{XSD}element")}
        base = next((one.get("base", "") for one in kind.iter(f"{XSD}extension")), "")
        if kind.get("name"):
            found[kind.get("name")] = elements | (
                {"fullName": "xsd:string"} if base.endswith("Metadata") else {}
            )
    return found


@pytest.fixture(scope="module")
def enumerations() -> dict[str, set[str]]:
    """Values of each simple type."""
    wsdl = ET.fromstring((files("simple_salesforce") / "metadata.wsdl").read_text())
    return {
        kind.get("name"): {one.get("value") for one in kind.iter(f"{XSD}enumeration")}
        for kind in wsdl.iter(f"{XSD}simpleType")
    }


def check(element: ET.Element, kind: str, types, enumerations) -> None:
    """Walk a document: every element belongs to its type, every enumerated value is one."""
    if kind in types:
        for child in element:
            name = child.tag.removeprefix(f"{{{NAMESPACE}}}")
            assert name in types[kind], f"{name} is no element of {kind}"
            check(child, types[kind][name].split(":")[-1], types, enumerations)
    elif enumerations.get(kind):
        assert element.text in enumerations[kind]
    elif kind == "boolean":
        assert element.text in ("true", "false")
    elif kind == "int":
        assert element.text.isdigit()


@pytest.mark.parametrize("path", [path for path in FILES if path.endswith(".xml")])
def test_every_file_is_well_formed_and_of_its_type(path, types, enumerations) -> None:
    """Each element and each enumerated value is known to Salesforce."""
    root = ET.fromstring(FILES[path].encode())
    kind = root.tag.removeprefix(f"{{{NAMESPACE}}}")
    assert kind in ("CustomField", "PermissionSet")
    check(root, kind, types, enumerations)
    if kind == "CustomField":
        assert path.endswith(f"/{root.findtext(f'{{{NAMESPACE}}}fullName')}.field-meta.xml")


def test_every_field_of_ours_is_there() -> None:
    """On each of its objects; tasks' on Activity; without the full outputs, fewer."""
    for field in ALL_FIELDS:
        for name in field.objects:
            folder = {"account": "Account", "opportunity": "Opportunity", "task": "Activity"}[name]
            assert (
                f"force-app/main/default/objects/{folder}/fields/{field.salesforce_name}.field-meta.xml"
                in FILES
            )
    basic = {field.output.name for field in custom_fields("basic")}
    assert "foretag_stamp" not in basic
    assert {field.name for field in written("account")} <= basic


def rights(name: str) -> dict[str, tuple[str, str]]:
    """Readable and editable by field, in a permission set."""
    path = f"force-app/main/default/permissionsets/{name}.permissionset-meta.xml"
    root = ET.fromstring(FILES[path].encode())
    entries = root.findall(f"{{{NAMESPACE}}}fieldPermissions")
    return {
        entry.findtext(f"{{{NAMESPACE}}}field"): (
            entry.findtext(f"{{{NAMESPACE}}}readable"), entry.findtext(f"{{{NAMESPACE}}}editable")
        )
        for entry in entries
    }  # fmt: skip


def test_the_worker_edits_what_it_writes_and_nothing_else() -> None:
    """Formulas, people's fields and standard fields are to read."""
    edited = {name for name, (_, editable) in rights("Foretag_Worker").items() if editable == "true"}
    wanted = {
        f"{folder}.{field.salesforce_name}"
        for name, folder in (("account", "Account"), ("opportunity", "Opportunity"))
        for field in written(name, "full")
    }
    assert edited == wanted | {"Task.Foretag_Key__c"}


def test_the_reader_reads_all_fields_and_edits_none() -> None:
    """Every field of ours, no right on any object."""
    assert set(rights("Foretag_Reader").values()) == {("true", "false")}
    assert (
        "objectPermissions"
        not in FILES["force-app/main/default/permissionsets/Foretag_Reader.permissionset-meta.xml"]
    )


def test_no_permission_set_may_modify_all() -> None:
    """Nor delete, nor create accounts."""
    worker = FILES["force-app/main/default/permissionsets/Foretag_Worker.permissionset-meta.xml"]
    for right in ("modifyAllRecords", "allowDelete", "allowCreate"):
        assert f"<{right}>false</{right}>" in worker


def test_the_project_file_names_the_api_version() -> None:
    """As the Salesforce CLI wants it."""
    project = json.loads(FILES["sfdx-project.json"])
    assert project["sourceApiVersion"] == "62.0"
    assert "sf project deploy start" in FILES["README.md"]


def entries(reads: tuple[str, ...], kind: str, name: str) -> set[str]:
    """What the worker's permission set names, for rules that name these objects."""
    root = ET.fromstring(setup_files("basic", "62.0", reads)[WORKER].encode())
    found = root.findall(f"{{{NAMESPACE}}}{kind}")
    return {str(entry.findtext(f"{{{NAMESPACE}}}{name}")) for entry in found}


@pytest.mark.parametrize(
    ("reads", "objects", "permissions"),
    [
        ((), set(), set()),
        (("case",), {"Case"}, set()),
        (("line_item", "call"), {"Product2"}, set()),
        (("quota",), set(), {"ViewAllForecasts"}),
    ],
)
def test_the_worker_reads_only_what_rules_name(reads, objects, permissions) -> None:
    """Cases, products and forecasts are nobody's business until a rule asks for them."""
    assert entries(reads, "objectPermissions", "object") == {"Account", "Opportunity"} | objects
    assert {"ApiEnabled", "ActivitiesAccess", "EditTask"} | permissions == entries(
        reads, "userPermissions", "name"
    )
    assert ("Case.Priority" in entries(reads, "fieldPermissions", "field")) is ("case" in reads)


def test_what_is_read_for_the_rules_is_not_edited() -> None:
    """Accounts and opportunities alone have fields of ours."""
    root = ET.fromstring(FILES[WORKER].encode())
    edited = {
        entry.findtext(f"{{{NAMESPACE}}}object")
        for entry in root.findall(f"{{{NAMESPACE}}}objectPermissions")
        if entry.findtext(f"{{{NAMESPACE}}}allowEdit") == "true"
    }
    assert edited == {"Account", "Opportunity"}
