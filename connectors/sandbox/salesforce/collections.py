"""sObject Collections: up to 200 records of several objects in one call, one outcome for each, in order."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce.errors import SalesforceError, SaveResult
from connectors.sandbox.salesforce.records import json_body_only

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, SandboxContext

    Save = Callable[[str, list[dict[str, Any]]], list[SaveResult]]

MAX_RECORDS, MAX_CHUNKS, MAX_RETRIEVED = 200, 10, 2000


def routes(context: SandboxContext) -> list[Route]:
    """The resources of this module."""
    root = "/services/data/v{version}/composite/sobjects"
    return [
        context.resource(root, {"POST": create, "PATCH": update, "DELETE": delete}),
        context.resource(f"{root}/{{object}}", {"GET": retrieve, "POST": retrieve}),
        context.resource(f"{root}/{{object}}/{{field}}", {"PATCH": upsert}),
    ]


def create(call: Call) -> Response:
    """POST /composite/sobjects."""
    return _saved(call, lambda name, rows: call.org.insert(call.user, name, rows))


def update(call: Call) -> Response:
    """PATCH /composite/sobjects."""
    return _saved(call, lambda name, rows: call.org.update(call.user, name, rows))


def upsert(call: Call) -> Response:
    """PATCH /composite/sobjects/T/{field}: outcomes carry `created`."""
    field, wanted = call.path_params["field"], call.path_params["object"]

    def save(name: str, rows: list[dict[str, Any]]) -> list[SaveResult]:
        if name.lower() != wanted.lower():
            raise SalesforceError("INVALID_TYPE", f"Records must be of type {wanted}, not {name}")
        return call.org.upsert(call.user, name, field, rows)

    return _saved(call, save, with_created=True)


def delete(call: Call) -> Response:
    """DELETE /composite/sobjects?ids=a,b&allOrNone=."""
    ids = [one.strip() for one in call.query.get("ids", "").split(",") if one.strip()]
    _limit(len(ids), MAX_RECORDS)
    all_or_none = call.query.get("allOrNone", "").lower() == "true"
    results = call.org.delete(call.user, None, ids, all_or_none=all_or_none)
    return json_response([result.body() for result in results])


def retrieve(call: Call) -> Response:
    """GET or POST /composite/sobjects/T with ids and fields; null where there is no such record."""
    ids, fields = _wanted(call)
    _limit(len(ids), MAX_RETRIEVED)
    return json_response([_record(call, record_id, fields) for record_id in ids])


def _wanted(call: Call) -> tuple[list[str], list[str]]:
    if call.method == "POST":
        body = call.json_object()
        return list(body.get("ids") or []), list(body.get("fields") or [])
    ids, fields = (call.query.get(name, "").split(",") for name in ("ids", "fields"))
    return [one for one in ids if one], [one for one in fields if one]


def _record(call: Call, record_id: str, fields: list[str]) -> dict[str, Any] | None:
    try:
        return call.org.retrieve(call.user, call.path_params["object"], record_id, fields, call.version)
    except SalesforceError as error:
        if error.code in ("NOT_FOUND", "ENTITY_IS_DELETED", "MALFORMED_ID"):
            return None
        raise


def _saved(call: Call, save: Save, *, with_created: bool = False) -> Response:
    """Save the records of the body, in runs of one object, as the CRM does."""
    json_body_only(call)
    body = call.json_object()
    chunks = _chunks(body.get("records"))
    all_or_none = str(body.get("allOrNone", False)).lower() == "true"
    with call.org.atomic(only_whole=all_or_none) as transaction:
        results = transaction.judge([result for name, rows in chunks for result in save(name, rows)])
    return json_response([result.body(with_created=with_created) for result in results])


def _chunks(records: Any) -> list[tuple[str, list[dict[str, Any]]]]:
    """Runs of records of one object, without their attributes."""
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise SalesforceError("JSON_PARSER_ERROR", "records: a list of objects is required")
    _limit(len(records), MAX_RECORDS)
    runs = groupby(records, key=_type)
    chunks = [(name, [_without_attributes(record) for record in run]) for name, run in runs]
    if len(chunks) > MAX_CHUNKS:
        message = f"Cannot process more than {MAX_CHUNKS} chunks of different types; sort records by type"
        raise SalesforceError("LIMIT_EXCEEDED", message)
    return chunks


def _type(record: dict[str, Any]) -> str:
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str) or not name:
        raise SalesforceError("INVALID_INPUT", "Each record needs attributes with its type")
    return name


def _without_attributes(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "attributes"}


def _limit(count: int, maximum: int) -> None:
    if count > maximum:
        message = f"record limit reached. cannot submit more than {maximum} records into this call"
        raise SalesforceError("EXCEEDED_ID_LIMIT", message)
