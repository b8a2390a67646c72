"""REST for single records: describe, create, read, change, delete, upsert, and what changed since."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce.context import not_found
from connectors.sandbox.salesforce.errors import STATUS, AmbiguousExternalId, SalesforceError, SaveResult

if TYPE_CHECKING:
    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, SandboxContext

# From this version on an upsert that changes a record answers 200 with a body; before, an empty 204.
_UPSERT_WITH_BODY = 46.0


def routes(context: SandboxContext) -> list[Route]:
    """The resources of this module."""
    sobjects = "/services/data/v{version}/sobjects"
    one = {"GET": retrieve, "PATCH": update, "DELETE": delete}
    by_key = {"GET": retrieve_by_key, "PATCH": upsert, "DELETE": delete_by_key, "POST": upsert}
    return [
        context.resource(sobjects, {"GET": describe_global}),
        context.resource(f"{sobjects}/{{object}}", {"GET": object_info, "POST": create}),
        context.resource(f"{sobjects}/{{object}}/describe", {"GET": describe}),
        context.resource(f"{sobjects}/{{object}}/updated", {"GET": updated}),
        context.resource(f"{sobjects}/{{object}}/deleted", {"GET": deleted}),
        context.resource(f"{sobjects}/{{object}}/{{id}}", one),
        context.resource(f"{sobjects}/{{object}}/{{field}}/{{value:path}}", by_key),
    ]


def describe_global(call: Call) -> Response:
    """GET /sobjects."""
    _accepts_json(call)
    listing = call.org.describe_global(call.user, call.version)
    return json_response({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listing})


def object_info(call: Call) -> Response:
    """GET /sobjects/T."""
    described = call.org.describe(call.user, call.path_params["object"], call.version)
    parts = ("fields", "childRelationships", "recordTypeInfos")
    return json_response(
        {
            "objectDescribe": {key: value for key, value in described.items() if key not in parts},
            "recentItems": [],
        }
    )


def describe(call: Call) -> Response:
    """GET /sobjects/T/describe."""
    return json_response(call.org.describe(call.user, call.path_params["object"], call.version))


def create(call: Call) -> Response:
    """POST /sobjects/T."""
    row = _row(call)
    _must_not_name(row, "Id")
    result = call.org.insert(call.user, call.path_params["object"], [row])[0]
    return (
        json_response({"id": result.id, "success": True, "errors": []}, 201)
        if result.success
        else refused(result)
    )


def retrieve(call: Call) -> Response:
    """GET /sobjects/T/{id}?fields=A,B."""
    _accepts_json(call)
    record = _record(call, call.path_params["id"])
    stamp = _stamp(record)
    since = _http_date(call, "if-modified-since")
    if since and stamp and stamp.replace(microsecond=0) <= since:
        return Response(status_code=304)
    return json_response(record)


def update(call: Call) -> Response:
    """PATCH /sobjects/T/{id}: 204, or 412 if somebody changed the record since the given date."""
    row = _row(call)
    _must_not_name(row, "Id")
    _unmodified(call, call.path_params["id"])
    result = call.org.update(call.user, call.path_params["object"], [{**row, "Id": call.path_params["id"]}])[
        0
    ]
    return Response(status_code=204) if result.success else refused(result)


def delete(call: Call) -> Response:
    """DELETE /sobjects/T/{id}."""
    _unmodified(call, call.path_params["id"])
    result = call.org.delete(call.user, call.path_params["object"], [call.path_params["id"]])[0]
    return Response(status_code=204) if result.success else refused(result)


def upsert(call: Call) -> Response:
    """PATCH /sobjects/T/{field}/{value}: 201 created, 200 changed, 300 where the value is not unique."""
    field, value = call.path_params["field"], call.path_params["value"]
    row = _row(call)
    _must_not_name(row, "Id")
    _must_not_name(row, field)
    result = call.org.upsert(call.user, call.path_params["object"], field, [{**row, field: value}])[0]
    if not result.success:
        if result.errors[0].status_code == "DUPLICATE_EXTERNAL_ID":
            _id_by_key(call)  # raises with the records that share it
        return refused(result)
    body: dict[str, Any] = {"id": result.id, "success": True, "errors": []}
    if result.created:
        return json_response({**body, "created": True}, 201)
    if float(call.version) < _UPSERT_WITH_BODY:
        return Response(status_code=204)
    return json_response({**body, "created": False})


def retrieve_by_key(call: Call) -> Response:
    """GET /sobjects/T/{field}/{value}."""
    return json_response(_record(call, _id_by_key(call)))


def delete_by_key(call: Call) -> Response:
    """DELETE /sobjects/T/{field}/{value}."""
    result = call.org.delete(call.user, call.path_params["object"], [_id_by_key(call)])[0]
    return Response(status_code=204) if result.success else refused(result)


def updated(call: Call) -> Response:
    """GET /sobjects/T/updated?start=&end=."""
    start, end = _moment(call, "start"), _moment(call, "end")
    return json_response(call.org.updated(call.user, call.path_params["object"], start, end))


def deleted(call: Call) -> Response:
    """GET /sobjects/T/deleted?start=&end=."""
    start, end = _moment(call, "start"), _moment(call, "end")
    return json_response(call.org.deleted(call.user, call.path_params["object"], start, end))


def refused(result: SaveResult) -> Response:
    """The reply for one record that was not saved."""
    errors = [
        {"message": error.message, "errorCode": error.status_code, "fields": list(error.fields)}
        for error in result.errors
    ]
    first = result.errors[0]
    # Naming no field, it is the record itself that does not exist.
    missing = first.status_code == "INVALID_CROSS_REFERENCE_KEY" and not first.fields
    return json_response(errors, 404 if missing else STATUS.get(first.status_code, 400))


def json_body_only(call: Call) -> None:
    """Refuse bodies in other forms than JSON."""
    content_type = call.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if content_type != "application/json":
        message = f"Content-Type header specified in HTTP request is not supported: {content_type}"
        raise SalesforceError("UNSUPPORTED_MEDIA_TYPE", message, status=415)


def _accepts_json(call: Call) -> None:
    accept = call.headers.get("accept", "*/*").lower()
    if "xml" in accept and "json" not in accept and "*/*" not in accept:
        raise SalesforceError("NOT_ACCEPTABLE", "The sandbox answers in JSON only", status=406)


def _row(call: Call) -> dict[str, Any]:
    json_body_only(call)
    row = call.json_object()
    row.pop("attributes", None)
    return row


def _must_not_name(row: dict[str, Any], field: str) -> None:
    if field.lower() in {name.lower() for name in row}:
        message = f"The {field} field should not be specified in the sobject data."
        raise SalesforceError("INVALID_FIELD", message)


def _record(call: Call, record_id: str) -> dict[str, Any]:
    wanted = call.query.get("fields")
    fields = [name.strip() for name in wanted.split(",") if name.strip()] if wanted else None
    return call.org.retrieve(call.user, call.path_params["object"], record_id, fields, call.version)


def _id_by_key(call: Call) -> str:
    name, field, value = (call.path_params[part] for part in ("object", "field", "value"))
    if field.lower() == "id":
        return str(value)
    described = {one["name"].lower(): one for one in call.org.describe(call.user, name)["fields"]}.get(
        field.lower()
    )
    if described is None or not described.get("idLookup"):
        message = f"Provided external ID field does not exist or is not accessible: {field}"
        raise SalesforceError("NOT_FOUND", message)
    text = value.replace("\\", "\\\\").replace("'", "\\'")
    literal = f"'{text}'" if described["type"] not in ("double", "int", "currency", "percent") else value
    soql = f"SELECT Id FROM {name} WHERE {field} = {literal}"  # noqa: S608  # the org parses it
    found = call.org.query(soql, call.user)
    ids = tuple(str(record["Id"]) for record in found.records(0, 100, call.version))
    if not ids:
        raise not_found()
    if len(ids) > 1:
        raise AmbiguousExternalId(found.object_name, described["name"], ids)
    return ids[0]


def _stamp(record: dict[str, Any]) -> datetime | None:
    text = record.get("LastModifiedDate") or record.get("SystemModstamp")
    return None if text is None else datetime.fromisoformat(str(text))


def _http_date(call: Call, header: str) -> datetime | None:
    text = call.headers.get(header)
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        message = f"The value of the {header} header is not a date: {text}"
        raise SalesforceError("INVALID_DATE_FORMAT", message) from None


def _unmodified(call: Call, record_id: str) -> None:
    since = _http_date(call, "if-unmodified-since")
    if since is None:
        return
    record = call.org.retrieve(
        call.user, call.path_params["object"], record_id, ["LastModifiedDate"], call.version
    )
    stamp = _stamp(record)
    if stamp and stamp.replace(microsecond=0) > since:
        message = "The record was modified after the date of If-Unmodified-Since"
        raise SalesforceError("PRECONDITION_FAILED", message, status=412)


def _moment(call: Call, name: str) -> datetime:
    # A plus sign in an address means a blank; clients that do not escape it mean the plus.
    text = call.query.get(name, "").replace(" ", "+")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SalesforceError("INVALID_FIELD", f"{name}: is not a valid date and time: {text!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
