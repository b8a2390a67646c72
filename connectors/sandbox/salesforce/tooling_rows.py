"""What the Tooling API can be asked for in SOQL: objects, fields, custom fields; filtered in memory."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.custom_fields import SHARED_OBJECTS, field_id, metadata_of
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.soql import Call, Comparison, Logic, Path, Query, Selected, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.sandbox.salesforce.org import Org
    from connectors.sandbox.salesforce.schema import Field, ObjectType
    from connectors.sandbox.salesforce.soql import Condition

Row = dict[str, Any]
_DATA_TYPES = {
    "boolean": "Checkbox",
    "currency": "Currency({whole}, {scale})",
    "date": "Date",
    "datetime": "Date/Time",
    "double": "Number({whole}, {scale})",
    "email": "Email",
    "id": "Id",
    "int": "Number({whole}, 0)",
    "multipicklist": "Picklist (Multi-Select)",
    "percent": "Percent({whole}, {scale})",
    "phone": "Phone",
    "picklist": "Picklist",
    "reference": "Lookup({target})",
    "string": "Text({length})",
    "textarea": "Long Text Area({length})",
    "time": "Time",
    "url": "URL({length})",
}


def run(org: Org, soql: str) -> tuple[str, list[Row]]:
    """(object, rows as wire JSON without attributes' URLs). Raises `SalesforceError` like any query."""
    query = parse(soql)
    table = next((name for name in _TABLES if name.lower() == str(query.object_name).lower()), None)
    if table is None:
        message = (
            f"sObject type '{query.object_name}' is not supported. If you are attempting to use a custom "
            "object, be sure to append the '__c' after the entity name."
        )
        raise SalesforceError("INVALID_TYPE", message)
    rows = [row for row in _TABLES[table](org) if query.where is None or _matches(row, query.where)]
    for order in reversed(query.order):
        rows.sort(key=lambda row: _sort_key(_value(row, order.operand)), reverse=order.descending)
    rows = rows[query.offset or 0 :]
    rows = rows[: query.limit] if query.limit is not None else rows
    return table, [_selected(query, table, row) for row in rows]


def is_count(soql: str) -> bool:
    """Whether the query asks only for COUNT()."""
    items = parse(soql).select
    return len(items) == 1 and isinstance(items[0], Selected) and _is_bare_count(items[0].what)


def _is_bare_count(what: Any) -> bool:
    return isinstance(what, Call) and what.name == "COUNT" and what.argument is None


def custom_field_row(full_name: str, field: Field) -> Row:
    """One CustomField record of the Tooling API."""
    object_name, _, name = full_name.partition(".")
    return {
        "Id": field_id(full_name),
        "DeveloperName": name.removesuffix("__c"),
        "Description": field.description,
        "EntityDefinition": {"QualifiedApiName": object_name, "DurableId": object_name},
        "EntityDefinitionId": object_name,
        "FullName": full_name,
        "InlineHelpText": field.help,
        "Length": field.length or None,
        "ManageableState": "unmanaged",
        "Metadata": metadata_of(field),
        "NamespacePrefix": None,
        "Precision": field.precision or None,
        "Scale": field.scale if field.precision else None,
        "TableEnumOrId": object_name,
    }


def custom_fields(org: Org) -> Iterator[Row]:
    """All custom fields; those of tasks and events once, as Activity's."""
    shared = {name: one for one, names in SHARED_OBJECTS.items() for name in names}
    seen = set()
    for found in org.schema.objects.values():
        for field in found.fields.values():
            full_name = f"{shared.get(found.name, found.name)}.{field.name}"
            if field.custom and full_name not in seen:
                seen.add(full_name)
                yield custom_field_row(full_name, field)


def _entities(org: Org) -> Iterator[Row]:
    return (_entity(found) for found in org.schema.objects.values())


def _entity(found: ObjectType) -> Row:
    return {
        "DeveloperName": found.name.removesuffix("__c"),
        "DurableId": found.name,
        "IsCustomizable": not found.setup,
        "IsQueryable": True,
        "KeyPrefix": found.prefix,
        "Label": found.label,
        "MasterLabel": found.label,
        "NamespacePrefix": None,
        "PluralLabel": found.plural,
        "QualifiedApiName": found.name,
    }


def _fields(org: Org) -> Iterator[Row]:
    for found in org.schema.objects.values():
        entity = _entity(found)
        for field in found.fields.values():
            yield {
                "DataType": _data_type(field),
                "DeveloperName": field.name.removesuffix("__c"),
                "DurableId": _durable_id(found.name, field),
                "EntityDefinition": entity,
                "EntityDefinitionId": found.name,
                "IsCalculated": field.calculated,
                "IsIndexed": field.external_id or field.unique or field.type in ("id", "reference"),
                "IsNillable": field.nillable,
                "Label": field.label,
                "Length": field.length,
                "MasterLabel": field.label,
                "NamespacePrefix": None,
                "Precision": field.precision,
                "QualifiedApiName": field.name,
                "RelationshipName": field.relationship,
                "Scale": field.scale,
            }


def _durable_id(object_name: str, field: Field) -> str:
    last = field_id(f"{object_name}.{field.name}")[:15] if field.custom else field.name
    return f"{object_name}.{last}"


def _data_type(field: Field) -> str:
    name = _DATA_TYPES.get(field.type, field.type.capitalize()).format(
        length=field.length,
        scale=field.scale,
        target=",".join(field.reference_to),
        whole=field.precision - field.scale,
    )
    return f"Formula ({name.partition('(')[0].strip()})" if field.calculated else name


_TABLES: dict[str, Callable[[Any], Iterator[Row]]] = {
    "CustomField": custom_fields,
    "EntityDefinition": _entities,
    "FieldDefinition": _fields,
}


def _value(row: Row, operand: Any) -> Any:
    if not isinstance(operand, Path):
        raise SalesforceError(
            "MALFORMED_QUERY", f"The Tooling API of the sandbox does not compute {operand.name}()"
        )
    found: Any = row
    for name in operand.names:
        key = (
            next((key for key in found if key.lower() == name.lower()), None)
            if isinstance(found, dict)
            else None
        )
        if key is None:
            hint = "If you are attempting to use a custom field, be sure to append the '__c'."
            message = f"No such column '{name}' on entity. {hint}"
            raise SalesforceError("INVALID_FIELD", message)
        found = found[key]
    return found


def _matches(row: Row, condition: Condition) -> bool:
    if isinstance(condition, Logic):
        parts = (_matches(row, part) for part in condition.parts)
        if condition.operator == "not":
            return not next(parts)
        return all(parts) if condition.operator == "and" else any(parts)
    return _compares(_folded(_value(row, condition.operand)), condition)


def _compares(held: Any, comparison: Comparison) -> bool:
    wanted = [_folded(value.value) for value in comparison.values]
    if comparison.operator in ("=", "in"):
        return held in wanted
    if comparison.operator in ("!=", "not in"):
        return held not in wanted
    if comparison.operator == "like":
        pattern = str(wanted[0]).replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")
        return fnmatch.fnmatchcase(str(held), pattern.replace("%", "*").replace("_", "?"))
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "<": lambda one, other: one < other,
        "<=": lambda one, other: one <= other,
        ">": lambda one, other: one > other,
        ">=": lambda one, other: one >= other,
    }
    if comparison.operator not in tests or held is None:
        return False
    return tests[comparison.operator](held, wanted[0])


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _sort_key(value: Any) -> tuple[bool, Any]:
    return value is not None, _folded(value) if value is not None else ""


def _selected(query: Query, table: str, row: Row) -> Row:
    record: Row = {"attributes": {"type": table, "url": row.get("Id") or row.get("DurableId")}}
    for item in query.select:
        if not isinstance(item, Selected):
            raise SalesforceError(
                "MALFORMED_QUERY", "The Tooling API of the sandbox selects plain fields only"
            )
        if _is_bare_count(item.what):
            continue
        _put(record, item.what, _value(row, item.what))
    return record


def _put(record: Row, path: Any, value: Any) -> None:
    *parents, name = path.names
    for parent in parents:
        record = record.setdefault(parent, {"attributes": {"type": parent}})
    record[name] = value
