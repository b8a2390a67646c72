"""The describe calls' replies, key for key as Salesforce words them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.schema import NUMBER_TYPES, TEXT_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.sandbox.salesforce.schema import ChildRelationship, Field, ObjectType

_SOAP = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "long": "xsd:long",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "address": "urn:address",
    "location": "urn:location",
    "base64": "xsd:base64Binary",
    "anyType": "xsd:anyType",
}
_MASTER = "012000000000000AAA"
_EXTRA = {
    "date": "date",
    "datetime": "datetime",
    "email": "email",
    "phone": "phone",
    "url": "url",
    "currency": "currency",
    "textarea": "plaintextarea",
    "address": "address",
}


def describe_field(one: Field, *, createable: bool, updateable: bool) -> dict[str, Any]:
    """One entry of `fields`; what the user may write is for the caller to know."""
    compound = one.type in {"address", "location"}
    return {
        "aggregatable": one.aggregatable and not compound and one.type != "boolean",
        "aiPredictionField": False,
        "autoNumber": one.name == "CaseNumber",
        "byteLength": one.length * 3
        if one.type in TEXT_TYPES and one.type not in {"id", "reference"}
        else one.length,
        "calculated": one.calculated,
        "calculatedFormula": one.formula,
        "cascadeDelete": one.cascade_delete,
        "caseSensitive": one.case_sensitive,
        "compoundFieldName": one.compound,
        "controllerName": None,
        "createable": createable and one.createable and not one.calculated,
        "custom": one.custom,
        "defaultValue": one.default if isinstance(one.default, bool) else None,
        "defaultValueFormula": None,
        "defaultedOnCreate": one.type == "boolean"
        or one.default is not None
        or not (one.createable or one.nillable)
        or one.name == "OwnerId",
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": one.precision if one.type == "int" else 0,
        "displayLocationInDecimal": one.scale == 15,
        "encrypted": False,
        "externalId": one.external_id,
        "extraTypeInfo": _EXTRA.get(one.type) if one.type == "textarea" else None,
        "filterable": one.filterable and one.type != "address",
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": one.calculated and one.blank_as_zero,
        "groupable": one.groupable and not one.calculated,
        "highScaleNumber": False,
        "htmlFormatted": one.html,
        "idLookup": one.id_lookup or one.external_id,
        "inlineHelpText": one.help,
        "label": one.label,
        "length": one.length,
        "mask": None,
        "maskType": None,
        "name": one.name,
        "nameField": one.name_field,
        "namePointing": one.polymorphic and one.relationship in {"What", "Who", "Owner"},
        "nillable": one.nillable,
        "permissionable": one.nillable
        and one.type != "id"
        and not one.name.startswith(("Created", "LastModified", "System")),
        "picklistValues": [
            {
                "active": value.active,
                "defaultValue": value.default,
                "label": value.label or value.value,
                "validFor": None,
                "value": value.value,
            }
            for value in one.picklist
        ],
        "polymorphicForeignKey": one.polymorphic,
        "precision": one.precision if one.type in NUMBER_TYPES and one.type != "int" else 0,
        "queryByDistance": one.type == "address",
        "referenceTargetField": None,
        "referenceTo": list(one.reference_to),
        "relationshipName": one.relationship,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": one.restricted,
        "scale": one.scale,
        "searchPrefilterable": one.type == "reference",
        "soapType": _SOAP.get(one.type, "xsd:string"),
        "sortable": one.sortable and one.type != "address",
        "type": one.type,
        "unique": one.unique,
        "updateable": updateable and one.updateable and not one.calculated,
        "writeRequiresMasterRead": False,
    }


def describe_child(one: ChildRelationship) -> dict[str, Any]:
    """One entry of `childRelationships`."""
    return {
        "cascadeDelete": one.field.cascade_delete,
        "childSObject": one.object_name,
        "deprecatedAndHidden": False,
        "field": one.field.name,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": one.name,
        "restrictedDelete": False,
    }


def _urls(name: str, base: str, *, whole: bool) -> dict[str, str]:
    root = f"{base}/sobjects/{name}"
    urls = {
        "rowTemplate": f"{root}/{{ID}}",
        "describe": f"{root}/describe",
        "sobject": root,
        "compactLayouts": f"{root}/describe/compactLayouts",
        "approvalLayouts": f"{root}/describe/approvalLayouts",
        "defaultValues": f"{root}/defaultValues?recordTypeId&fields",
        "layouts": f"{root}/describe/layouts",
        "quickActions": f"{root}/quickActions",
    }
    if whole:
        urls |= {
            "uiEditTemplate": "https://foretag-sandbox.my.salesforce.com/{ID}/e",
            "uiDetailTemplate": "https://foretag-sandbox.my.salesforce.com/{ID}",
            "uiNewRecord": f"https://foretag-sandbox.my.salesforce.com/{name}/e",
        }
    return urls


def summary(found: ObjectType, rights: dict[str, bool], base: str, *, whole: bool = False) -> dict[str, Any]:
    """An object's own properties, as in GET /sobjects. `rights` has Create, Edit and Delete of the user."""
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": found.createable and rights["Create"],
        "custom": found.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": found.deletable and rights["Delete"],
        "deprecatedAndHidden": False,
        "feedEnabled": found.undeletable,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": found.prefix,
        "label": found.label,
        "labelPlural": found.plural,
        "layoutable": found.layoutable,
        "mergeable": found.mergeable and rights["Edit"],
        "mruEnabled": found.layoutable,
        "name": found.name,
        "queryable": True,
        "replicateable": found.replicateable,
        "retrieveable": True,
        "searchable": found.searchable,
        "triggerable": found.undeletable,
        "undeletable": found.undeletable and rights["Delete"],
        "updateable": found.updateable and rights["Edit"],
        "urls": _urls(found.name, base, whole=whole),
    }


def describe_object(
    found: ObjectType,
    fields: Iterable[dict[str, Any]],
    children: Iterable[ChildRelationship],
    rights: dict[str, bool],
    base: str,
) -> dict[str, Any]:
    """GET /sobjects/T/describe."""
    return summary(found, rights, base, whole=True) | {
        "actionOverrides": [],
        "childRelationships": [describe_child(one) for one in children],
        "compactLayoutable": found.layoutable,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": list(fields),
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [
            {
                "active": True,
                "available": True,
                "defaultRecordTypeMapping": True,
                "developerName": "Master",
                "master": True,
                "name": "Master",
                "recordTypeId": _MASTER,
                "urls": {"layout": f"{base}/sobjects/{found.name}/describe/layouts/{_MASTER}"},
            }
        ],
        "searchLayoutable": found.searchable,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [
            {"label": "All records", "name": "everything"},
            {"label": "My records", "name": "mine"},
        ],
    }
