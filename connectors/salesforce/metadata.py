"""The org's side of Foretag as metadata: custom fields, two permission sets, and the files to deploy them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from config.outputs import OutputField, made_by_setup

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

Outputs = Literal["basic", "full"]

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
SOURCE = "force-app/main/default"
# Custom fields of tasks are declared on Activity; permissions name Task.
_DECLARED_ON = {"account": "Account", "opportunity": "Opportunity", "task": "Activity"}
_PERMITTED_ON = {"account": "Account", "opportunity": "Opportunity", "task": "Task"}

# Fields that every org has and that field-level security may hide from the worker.
STANDARD_FIELDS = (
    "Account.AnnualRevenue",
    "Account.BillingAddress",
    "Account.Industry",
    "Account.NumberOfEmployees",
    "Account.ParentId",
    "Account.Type",
    "Opportunity.Amount",
    "Opportunity.Probability",
    "Opportunity.Type",
    "Task.ActivityDate",
)
# Blank dates have no status; the formula is right on its own, whether the worker lives or not.
_FORMULAS = {
    "foretag_status": 'IF(ISBLANK(Foretag_Valid_Until__c), "", '
    'IF(Foretag_Valid_Until__c < TODAY(), "Stale", "Current"))',
}


@dataclass(frozen=True, slots=True)
class CustomField:
    """One custom field on one object."""

    output: OutputField
    object_name: str

    @property
    def full_name(self) -> str:
        """Where and as what it is declared: `Account.Foretag_Tier__c`."""
        return f"{_DECLARED_ON[self.object_name]}.{self.output.salesforce_name}"

    @property
    def permission_name(self) -> str:
        """As what a permission names it: `Task.Foretag_Key__c` for a field declared on Activity."""
        return f"{_PERMITTED_ON[self.object_name]}.{self.output.salesforce_name}"

    @property
    def editable(self) -> bool:
        """Whether the worker writes it: formulas write themselves, people's fields are people's."""
        return self.output.type != "formula" and self.output.group != "human"

    def metadata(self, *, external_id: bool = False) -> dict[str, Any]:
        """The declaration, in the Metadata API's words."""
        output = self.output
        common: dict[str, Any] = {"label": output.label, "inlineHelpText": output.help, "required": False}
        return common | _TYPES[output.type](output) | (_UNIQUE if external_id else {})


def _picklist(output: OutputField) -> dict[str, Any]:
    values = [{"fullName": value, "default": False, "label": value} for value in output.values]
    definition = {"sorted": False, "value": values}
    return {"type": "Picklist", "valueSet": {"restricted": True, "valueSetDefinition": definition}}


def _formula(output: OutputField) -> dict[str, Any]:
    return {"type": "Text", "formula": _FORMULAS[output.name], "formulaTreatBlanksAs": "BlankAsBlank"}


_TYPES = {
    "picklist": _picklist,
    "number": lambda output: {"type": "Number", "precision": output.length, "scale": 0},
    "text": lambda output: {"type": "Text", "length": output.length},
    "date": lambda _: {"type": "Date"},
    "currency": lambda _: {"type": "Currency", "precision": 18, "scale": 2},
    "formula": _formula,
}
_UNIQUE = {"externalId": True, "unique": True, "caseSensitive": True}


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """One of our two permission sets. `edits` tells whether its holder writes our fields."""

    name: str
    label: str
    description: str
    edits: bool
    objects: tuple[str, ...] = ()
    user_permissions: tuple[str, ...] = ()


WORKER = PermissionSet(
    "Foretag_Worker",
    "Foretag Worker",
    "For the worker's integration user only: reads the book, writes Foretag's own fields and tasks.",
    edits=True,
    objects=("Account", "Opportunity"),
    user_permissions=("ApiEnabled", "ActivitiesAccess", "EditTask"),
)
READER = PermissionSet(
    "Foretag_Reader",
    "Foretag Reader",
    "For people who work with Foretag's scores: shows its fields.",
    edits=False,
)
PERMISSION_SETS = (WORKER, READER)
OBJECT_RIGHTS = {"Read": True, "Edit": True, "ViewAllRecords": True}


@dataclass(frozen=True, slots=True)
class Reading:
    """What it takes to read a canonical object besides the worker's other rights; only to read."""

    objects: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    user_permissions: tuple[str, ...] = ()


# Granted only where rules name the object. Calls, e-mails and meetings are seen by whoever sees their accounts;
# line items by whoever sees their opportunity, but not the products' names.
READINGS = {
    "case": Reading(("Case",), ("Case.AccountId", "Case.Priority", "Case.Type")),
    "line_item": Reading(("Product2",)),
    "quota": Reading(user_permissions=("ViewAllForecasts",)),
}
# Objects whose records are nobody's own, so that there is no right to see those of others.
_COMMON = frozenset({"Product2"})


def reading(names: Collection[str]) -> Reading:
    """What it takes to read these canonical objects."""
    found = [one for name, one in READINGS.items() if name in names]
    return Reading(
        tuple(name for one in found for name in one.objects),
        tuple(name for one in found for name in one.fields),
        tuple(name for one in found for name in one.user_permissions),
    )


def reading_rights(sf_object: str) -> dict[str, bool]:
    """The rights of somebody who reads an object's records, all of them."""
    return {"Read": True, "Edit": False, "ViewAllRecords": sf_object not in _COMMON}


def custom_fields(outputs: Outputs) -> tuple[CustomField, ...]:
    """The fields that a setting of `outputs` needs, in the order in which they can be made."""
    return tuple(CustomField(field, name) for field, name in made_by_setup(outputs))


def setup_files(outputs: Outputs, api_version: str, reads: Collection[str] = ()) -> dict[str, str]:
    """An SFDX project, path by path, for an admin who deploys it himself. `reads`: canonical objects."""
    fields = custom_fields(outputs)
    files = {
        "README.md": _README,
        "sfdx-project.json": _PROJECT.format(version=api_version),
    }
    for field in fields:
        folder = f"{SOURCE}/objects/{field.full_name.partition('.')[0]}/fields"
        declaration = {"fullName": field.output.salesforce_name, **field.metadata()}
        files[f"{folder}/{field.output.salesforce_name}.field-meta.xml"] = _document(
            "CustomField", declaration
        )
    for permissions in PERMISSION_SETS:
        path = f"{SOURCE}/permissionsets/{permissions.name}.permissionset-meta.xml"
        more = reading(reads) if permissions.edits else Reading()
        files[path] = _document("PermissionSet", declaration_of(permissions, fields, more))
    return files


def declaration_of(
    permissions: PermissionSet, fields: tuple[CustomField, ...], more: Reading
) -> dict[str, Any]:
    """A permission set in the Metadata API's words; `more` is what it lets its holder read besides."""
    own = [
        {"editable": permissions.edits and field.editable, "field": field.permission_name, "readable": True}
        for field in fields
    ]
    read_only = (*(STANDARD_FIELDS if permissions.edits else ()), *more.fields)
    standard = [{"editable": False, "field": name, "readable": True} for name in read_only]
    rights = dict.fromkeys(permissions.objects, OBJECT_RIGHTS) | {
        name: reading_rights(name) for name in more.objects
    }
    return {
        "description": permissions.description,
        "fieldPermissions": sorted(own + standard, key=lambda entry: entry["field"]),
        "hasActivationRequired": False,
        "label": permissions.label,
        "objectPermissions": [_object_permission(name, rights[name]) for name in sorted(rights)],
        "userPermissions": [
            {"enabled": True, "name": name}
            for name in sorted((*permissions.user_permissions, *more.user_permissions))
        ],
    }


def _object_permission(sf_object: str, rights: Mapping[str, bool]) -> dict[str, Any]:
    return {
        "allowCreate": False,
        "allowDelete": False,
        "allowEdit": rights["Edit"],
        "allowRead": rights["Read"],
        "modifyAllRecords": False,
        "object": sf_object,
        "viewAllRecords": rights["ViewAllRecords"],
    }


def _document(kind: str, content: Mapping[str, Any]) -> str:
    body = "\n".join(_elements(content, "    "))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{NAMESPACE}">\n{body}\n</{kind}>\n'


def _elements(content: Mapping[str, Any], indent: str) -> Iterator[str]:
    """XML lines of a declaration: a list repeats its element, a mapping nests."""
    for name, value in content.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from (f"{indent}<{name}>", *_elements(one, indent + "    "), f"{indent}</{name}>")
            else:
                text = str(one).lower() if isinstance(one, bool) else escape(str(one))
                yield f"{indent}<{name}>{text}</{name}>"


_PROJECT = """{{
  "packageDirectories": [{{"path": "force-app", "default": true}}],
  "name": "foretag",
  "namespace": "",
  "sourceApiVersion": "{version}"
}}
"""

_README = """# Foretag's fields and permission sets

Deploy them with the Salesforce CLI, as an administrator, from this folder:

    sf project deploy start --source-dir force-app --target-org YOUR_ORG

Then assign the worker's permission set to the worker's integration user, and to nobody else:

    sf org assign permset --name Foretag_Worker --on-behalf-of WORKER_USERNAME --target-org YOUR_ORG

and `Foretag_Reader` to everybody who should see the scores. No profile is touched. Who may overrule a tier
gets edit access to the three override fields from a permission set of your own. The worker's set lets it read
cases, products and forecasts only if your rules name them: print and deploy again when that changes.
`foretag check` tells whether all is well.
"""
