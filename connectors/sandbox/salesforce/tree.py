"""sObject Tree: up to 200 new records with their children in one call; all of them, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.records import json_body_only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.responses import Response
    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, SandboxContext

MAX_RECORDS, MAX_LEVELS = 200, 5


class Uprooted(Exception):  # noqa: N818  # the way out of a transaction, carrying what is answered
    """One record of the tree was refused, so nothing of it stays."""

    def __init__(self, reason: dict[str, Any]) -> None:
        super().__init__("uprooted")
        self.reason = reason


def routes(context: SandboxContext) -> list[Route]:
    """The resources of this module."""
    return [context.resource("/services/data/v{version}/composite/tree/{object}", {"POST": plant})]


def plant(call: Call) -> Response:
    """POST /composite/tree/T: 201 with an id for each reference, or 400 with what failed."""
    json_body_only(call)
    records = _children(call.json_object())
    if sum(1 for record in records for _ in _descendants(record, 1)) > MAX_RECORDS:
        raise SalesforceError("INVALID_INPUT", f"A tree may have at most {MAX_RECORDS} records")
    planted: list[dict[str, Any]] = []
    try:
        with call.org.atomic():
            for record in records:
                _plant(call, call.path_params["object"], record, {}, planted)
    except Uprooted as refused:
        return json_response({"hasErrors": True, "results": [refused.reason]}, 400)
    return json_response({"hasErrors": False, "results": planted}, 201)


def _plant(
    call: Call, name: str, record: dict[str, Any], parent: dict[str, str], planted: list[dict[str, Any]]
) -> None:
    """Insert a record, then its children, which point to it."""
    reference = record["attributes"]["referenceId"]
    own = {key: value for key, value in record.items() if key != "attributes" and not _is_child(value)}
    result = call.org.insert(call.user, name, [{**own, **parent}])[0]
    if not result.success or result.id is None:
        raise Uprooted({"referenceId": reference, "errors": [error.body() for error in result.errors]})
    planted.append({"referenceId": reference, "id": result.id})
    for relationship, value in record.items():
        if _is_child(value):
            child, field = _relationship(call, name, relationship)
            for one in _children(value):
                _plant(call, child, one, {field: result.id}, planted)


def _relationship(call: Call, name: str, relationship: str) -> tuple[str, str]:
    """Object and field of a child relationship."""
    for child in call.org.describe(call.user, name)["childRelationships"]:
        if (child.get("relationshipName") or "").lower() == relationship.lower():
            return child["childSObject"], child["field"]
    message = f"Unable to find child relationship '{relationship}' on {name}"
    raise SalesforceError("INVALID_FIELD", message)


def _descendants(record: dict[str, Any], level: int) -> Iterator[dict[str, Any]]:
    if level > MAX_LEVELS:
        raise SalesforceError("INVALID_INPUT", f"A tree may have at most {MAX_LEVELS} levels")
    yield record
    for value in record.values():
        if _is_child(value):
            for one in _children(value):
                yield from _descendants(one, level + 1)


def _is_child(value: Any) -> bool:
    return isinstance(value, dict) and "records" in value


def _children(content: dict[str, Any]) -> list[dict[str, Any]]:
    records = content.get("records")
    if not isinstance(records, list) or not all(_has_reference(record) for record in records):
        raise SalesforceError(
            "INVALID_INPUT", "Each record of a tree needs attributes with its type and referenceId"
        )
    return records


def _has_reference(record: Any) -> bool:
    return (
        isinstance(record, dict)
        and isinstance(record.get("attributes"), dict)
        and "referenceId" in record["attributes"]
    )
