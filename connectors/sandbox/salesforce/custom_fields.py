"""Custom fields as metadata: what an admin declares, checked and turned into a field of the org, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.formulas import FormulaError, check_formula
from connectors.sandbox.salesforce.ids import make_id
from connectors.sandbox.salesforce.schema import Field, PicklistValue
from connectors.sandbox.salesforce.xml_trees import as_list, is_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.sandbox.salesforce.org import Org
    from connectors.sandbox.salesforce.schema import ObjectType

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_))*__c")
_LONGEST_NAME = 43
# Tasks and events are one object to an admin.
SHARED_OBJECTS = {"Activity": ("Task", "Event")}


@dataclass(frozen=True, slots=True)
class Kind:
    """A metadata field type: its type in describe, what must and may be declared, and its limits."""

    type: str
    needs: tuple[str, ...] = ()
    longest: int = 0
    length: int = 0
    may_be_key: bool = False
    may_be_formula: bool = False


KINDS = {
    "Checkbox": Kind("boolean", may_be_formula=True),
    "Currency": Kind("currency", ("precision", "scale"), may_be_formula=True),
    "Date": Kind("date", may_be_formula=True),
    "DateTime": Kind("datetime", may_be_formula=True),
    "Email": Kind("email", length=80, may_be_key=True),
    "Html": Kind("textarea", ("length", "visibleLines"), longest=131_072),
    "LongTextArea": Kind("textarea", ("length", "visibleLines"), longest=131_072),
    "Lookup": Kind("reference", ("referenceTo", "relationshipName"), length=18),
    "MultiselectPicklist": Kind("multipicklist", ("valueSet", "visibleLines"), length=4099),
    "Number": Kind("double", ("precision", "scale"), may_be_key=True, may_be_formula=True),
    "Percent": Kind("percent", ("precision", "scale"), may_be_formula=True),
    "Phone": Kind("phone", length=40),
    "Picklist": Kind("picklist", ("valueSet",), length=255),
    "Text": Kind("string", ("length",), longest=255, may_be_key=True, may_be_formula=True),
    "TextArea": Kind("textarea", length=255),
    "Time": Kind("time", may_be_formula=True),
    "Url": Kind("url", length=255),
}
# Types of describe that several metadata types lead to are told apart by the field itself.
_NAMES = {kind.type: name for name, kind in reversed(KINDS.items())} | {
    "string": "Text",
    "textarea": "TextArea",
}
_FOR_FORMULAS = ("length", "precision")


class CustomFields:
    """The custom fields of an org, by full name (`Account.X__c`; `Activity.X__c` for tasks and events)."""

    type_name = "CustomField"

    def __init__(self, org: Org) -> None:
        self._org = org

    def check(self, full_name: str, metadata: dict[str, Any], pending: frozenset[str] = frozenset()) -> None:
        """Raise `SalesforceError` if it cannot be saved. `pending` names come with the same request."""
        object_names, name = self._targets(full_name)
        field = field_of(name, metadata)
        for target in field.reference_to:
            if self._org.schema.find(target) is None and target not in pending:
                raise _invalid(
                    f"referenceTo value of '{target}' does not resolve to a valid sObject type",
                    "referenceTo",
                )
        for object_name in object_names:
            self._check_formula(object_name, field)
            existing = self._find(object_name, name)
            if existing is not None and (existing.type, existing.calculated) != (
                field.type,
                field.calculated,
            ):
                raise _invalid(f"Cannot change the field type of {full_name}", "type")

    def exists(self, full_name: str) -> bool:
        """Whether the org has the field, custom or not."""
        object_names, name = self._targets(full_name)
        return all(self._find(object_name, name) is not None for object_name in object_names)

    def save(self, full_name: str, metadata: dict[str, Any]) -> bool:
        """Add the field, or change it; tells whether it is new. Nobody sees a new one until it is granted."""
        self.check(full_name, metadata)
        object_names, name = self._targets(full_name)
        created = not self.exists(full_name)
        for object_name in object_names:
            self._org.add_field(object_name, field_of(name, metadata))
        return created

    def read(self, full_name: str) -> dict[str, Any] | None:
        """What `readMetadata` tells of the field; None if there is no such custom field."""
        object_names, name = self._targets(full_name)
        field = self._find(object_names[0], name)
        return metadata_of(field) if field is not None and field.custom else None

    def delete(self, full_name: str) -> None:
        """Take the field and its values away. Raises INVALID_CROSS_REFERENCE_KEY if there is none."""
        if self.read(full_name) is None:
            message = f"In field: fullName - no CustomField named {full_name} found"
            raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", message)
        object_names, name = self._targets(full_name)
        for object_name in object_names:
            found = self._find(object_name, name)
            if found is not None:
                self._org.drop_field(object_name, found.name)

    def names(self) -> list[str]:
        """The full names of all custom fields; those of tasks and events are called Activity's."""
        shared = {one for names in SHARED_OBJECTS.values() for one in names}
        found = [
            f"{'Activity' if one.name in shared else one.name}.{field.name}"
            for one in self._org.schema.objects.values()
            for field in one.fields.values()
            if field.custom
        ]
        return list(dict.fromkeys(found))

    def _targets(self, full_name: str) -> tuple[tuple[str, ...], str]:
        """(objects that get the field, field name). Raises `SalesforceError` for names that lead nowhere."""
        object_name, dot, name = full_name.partition(".")
        if not dot or not name:
            raise _invalid(f"Invalid fullName: {full_name}; write Object.Field__c", "fullName")
        known: Callable[[str], ObjectType | None] = self._org.schema.find
        if object_name in SHARED_OBJECTS:
            return tuple(one for one in SHARED_OBJECTS[object_name] if known(one)), name
        if any(object_name in names for names in SHARED_OBJECTS.values()):
            raise _invalid(
                f"Custom fields of {object_name} are created on Activity, as Activity.{name}", "fullName"
            )
        found = known(object_name)
        if found is None:
            message = f"Entity Enumeration Or ID: bad value for restricted picklist field: {object_name}"
            raise SalesforceError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ("fullName",))
        return (found.name,), name

    def _check_formula(self, object_name: str, field: Field) -> None:
        if field.formula is None:
            return
        try:
            check_formula(self._org.schema, self._org.schema.objects[object_name], field.formula)
        except FormulaError as error:
            raise _invalid(f"Error: {error}", "formula") from None

    def _find(self, object_name: str, name: str) -> Field | None:
        found = self._org.schema.find(object_name)
        return found.find(name) if found is not None else None


def field_id(full_name: str) -> str:
    """The id of a custom field: the same for the same full name."""
    return make_id("00N", int.from_bytes(blake2b(full_name.lower().encode(), digest_size=5).digest()))


def field_of(name: str, metadata: dict[str, Any]) -> Field:
    """The org's field for a declaration. Raises `SalesforceError` in Salesforce's words for a bad one."""
    kind = _kind(metadata)
    _check_name(name)
    _check_declared(kind, metadata)
    formula = metadata.get("formula")
    writable = formula is None
    required = is_true(metadata.get("required")) or kind.type == "boolean"
    return Field(
        name=name,
        label=str(metadata["label"]),
        type=kind.type,
        length=_length(kind, metadata),
        precision=_whole(metadata, "precision"),
        scale=_whole(metadata, "scale"),
        nillable=not required,
        createable=writable,
        updateable=writable,
        custom=True,
        default=_default(kind, metadata),
        picklist=_choices(metadata),
        restricted=is_true((metadata.get("valueSet") or {}).get("restricted")),
        reference_to=(str(metadata["referenceTo"]),) if kind.type == "reference" else (),
        relationship=f"{name.removesuffix('__c')}__r" if kind.type == "reference" else None,
        children=f"{metadata['relationshipName']}__r" if kind.type == "reference" else None,
        unique=is_true(metadata.get("unique")),
        external_id=is_true(metadata.get("externalId")),
        case_sensitive=is_true(metadata.get("caseSensitive")),
        id_lookup=is_true(metadata.get("externalId")),
        html=metadata.get("type") == "Html",
        formula=str(formula) if formula is not None else None,
        blank_as_zero=formula is not None and metadata.get("formulaTreatBlanksAs") != "BlankAsBlank",
        help=metadata.get("inlineHelpText"),
        description=metadata.get("description"),
        **_not_searchable(kind, metadata),
    )


def metadata_of(field: Field) -> dict[str, Any]:
    """The declaration that a field was made from, in the metadata schema's order, without absent parts."""
    name = _long_text_name(field)
    measured = field.type in ("double", "currency", "percent")
    tree: dict[str, Any] = {
        "caseSensitive": field.case_sensitive or None,
        "defaultValue": str(bool(field.default)).lower()
        if field.type == "boolean" and not field.formula
        else None,
        "description": field.description,
        "externalId": field.external_id,
        "formula": field.formula,
        "formulaTreatBlanksAs": ("BlankAsZero" if field.blank_as_zero else "BlankAsBlank")
        if field.formula
        else None,
        "inlineHelpText": field.help,
        "label": field.label,
        "length": field.length if field.type in ("string", "textarea") and not field.formula else None,
        "precision": field.precision if measured else None,
        "referenceTo": field.reference_to[0] if field.reference_to else None,
        "relationshipName": (field.children or "").removesuffix("__r") or None,
        "required": not field.nillable if field.type != "boolean" and not field.formula else None,
        "scale": field.scale if measured else None,
        "trackTrending": False,
        "type": name or _NAMES.get(field.type, "Text"),
        "unique": field.unique if field.type in ("string", "double", "email") else None,
        "valueSet": _value_set(field),
        "visibleLines": 4 if field.type == "multipicklist" or name else None,
    }
    return {key: value for key, value in tree.items() if value is not None}


def _long_text_name(field: Field) -> str | None:
    if field.html:
        return "Html"
    return "LongTextArea" if field.type == "textarea" and field.length > 255 else None


def _kind(metadata: dict[str, Any]) -> Kind:
    if not metadata.get("label"):
        raise SalesforceError(
            "REQUIRED_FIELD_MISSING", "Must specify a non-empty label for the CustomField", ("label",)
        )
    kind = KINDS.get(str(metadata.get("type")))
    if kind is None:
        message = f"Type: bad value for restricted picklist field: {metadata.get('type')}"
        raise SalesforceError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, ("type",))
    return kind


def _check_name(name: str) -> None:
    if not name.endswith("__c"):
        raise _invalid("fullName must end with: __c", "fullName")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        message = (
            "The Field Name can only contain underscores and alphanumeric characters. It must be unique, "
            "begin with a letter, not include spaces, not end with an underscore, and not contain two "
            "consecutive underscores."
        )
        raise SalesforceError("INVALID_FULL_NAME", message, ("fullName",))


def _check_declared(kind: Kind, metadata: dict[str, Any]) -> None:
    name, formula = metadata["type"], metadata.get("formula") is not None
    if formula and not kind.may_be_formula:
        raise _invalid(f"Can not specify 'formula' for a CustomField of type {name}", "formula")
    needs = [need for need in kind.needs if not (formula and need in _FOR_FORMULAS)]
    if "valueSet" in needs and metadata.get("picklist"):
        needs.remove("valueSet")
    for need in needs:
        if metadata.get(need) is None:
            raise _invalid(f"Must specify '{need}' for a CustomField of type {name}", need)
    if metadata.get("length") is not None and not kind.longest:
        raise _invalid(f"Can not specify 'length' for a CustomField of type {name}", "length")
    for flag in ("externalId", "unique"):
        if is_true(metadata.get(flag)) and not kind.may_be_key:
            raise _invalid(f"Can not specify '{flag}' for a CustomField of type {name}", flag)
    if "precision" in needs and not 0 <= _whole(metadata, "scale") <= _whole(metadata, "precision") <= 18:
        raise _invalid("Precision can be at most 18 digits, with scale within it", "precision")


def _length(kind: Kind, metadata: dict[str, Any]) -> int:
    if not kind.longest:
        return kind.length
    if metadata.get("formula") is not None:
        return 1300
    length = _whole(metadata, "length")
    if not 1 <= length <= kind.longest:
        raise _invalid(f"Length must be between 1 and {kind.longest}: {length}", "length")
    return length


def _whole(metadata: dict[str, Any], key: str) -> int:
    value = metadata.get(key)
    if value is None:
        return 0
    try:
        return int(value)
    except (TypeError, ValueError):
        raise _invalid(
            f"Invalid value for {key}: '{value}' is not a valid value for the type xsd:int", key
        ) from None


def _default(kind: Kind, metadata: dict[str, Any]) -> Any:
    if kind.type == "boolean":
        return is_true(metadata.get("defaultValue"))
    return next((choice.value for choice in _choices(metadata) if choice.default), None)


def _choices(metadata: dict[str, Any]) -> tuple[PicklistValue, ...]:
    values = ((metadata.get("valueSet") or {}).get("valueSetDefinition") or {}).get("value")
    if values is None:
        values = (metadata.get("picklist") or {}).get("picklistValues")
    choices = tuple(_choice(one) for one in as_list(values))
    seen = [choice.value.lower() for choice in choices]
    twice = [value for value in seen if seen.count(value) > 1]
    if twice:
        raise SalesforceError(
            "DUPLICATE_VALUE", f"duplicate value found: {twice[0]} duplicates value", ("valueSet",)
        )
    return choices


def _choice(declared: dict[str, Any]) -> PicklistValue:
    value = declared.get("fullName") or declared.get("valueName")
    if value is None:
        raise _invalid("A picklist value needs a fullName", "valueSet")
    return PicklistValue(
        str(value),
        str(declared.get("label") or value),
        active=declared.get("isActive") is None or is_true(declared["isActive"]),
        default=is_true(declared.get("default")),
    )


def _value_set(field: Field) -> dict[str, Any] | None:
    if not field.picklist:
        return None
    values = [
        {"fullName": one.value, "default": one.default, "label": one.label or one.value}
        | ({} if one.active else {"isActive": False})
        for one in field.picklist
    ]
    return {"restricted": field.restricted, "valueSetDefinition": {"sorted": False, "value": values}}


def _not_searchable(kind: Kind, metadata: dict[str, Any]) -> dict[str, Any]:
    """Long texts can neither be filtered, sorted nor grouped by."""
    if metadata.get("type") in ("LongTextArea", "Html"):
        return {"filterable": False, "sortable": False, "groupable": False, "aggregatable": False}
    return {"groupable": False} if kind.type in ("double", "currency", "percent", "datetime") else {}


def _invalid(message: str, field: str) -> SalesforceError:
    return SalesforceError("FIELD_INTEGRITY_EXCEPTION", message, (field,))
