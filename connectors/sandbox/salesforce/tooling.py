"""The Tooling API: queries of the schema, and custom fields as records with a `Metadata` field."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce import tooling_rows
from connectors.sandbox.salesforce.components import Components, demand_admin
from connectors.sandbox.salesforce.context import not_found
from connectors.sandbox.salesforce.custom_fields import field_id
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.ids import long_id

if TYPE_CHECKING:
    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, SandboxContext

_BASE = "/services/data/v{version}/tooling"
_CUSTOM_FIELD = "CustomField"
_KEY_PREFIX = "00N"
# name, type, createable, updateable of the fields of a CustomField record
_FIELDS = (
    ("Id", "id", False, False),
    ("DeveloperName", "string", False, False),
    ("Description", "textarea", False, False),
    ("FullName", "string", True, False),
    ("InlineHelpText", "string", False, False),
    ("Length", "int", False, False),
    ("Metadata", "complexvalue", True, True),
    ("NamespacePrefix", "string", False, False),
    ("Precision", "int", False, False),
    ("Scale", "int", False, False),
    ("TableEnumOrId", "picklist", False, False),
)


class ToolingApi:
    """The Tooling resources of one org; all for administrators."""

    def __init__(self, context: SandboxContext) -> None:
        self._org = context.org
        self._components = Components(context.org)
        self._fields = self._components.kind(_CUSTOM_FIELD)

    def query(self, call: Call) -> Response:
        """GET tooling/query?q=SOQL over EntityDefinition, FieldDefinition and CustomField."""
        demand_admin(call.user)
        soql = call.query.get("q", "")
        table, rows = tooling_rows.run(self._org, soql)
        for row in rows:
            address = row["attributes"]["url"]
            row["attributes"]["url"] = f"/services/data/v{call.version}/tooling/sobjects/{table}/{address}"
        reply = {
            "size": len(rows), "totalSize": len(rows), "done": True, "queryLocator": None,
            "entityTypeName": table, "records": [] if tooling_rows.is_count(soql) else rows,
        }  # fmt: skip
        return json_response(reply)

    def objects(self, call: Call) -> Response:
        """GET tooling/sobjects."""
        demand_admin(call.user)
        return json_response(
            {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [_described(call.version)]}
        )

    def basics(self, call: Call) -> Response:
        """GET tooling/sobjects/CustomField."""
        demand_admin(call.user)
        return json_response({"objectDescribe": _described(call.version), "recentItems": []})

    def describe(self, call: Call) -> Response:
        """GET tooling/sobjects/CustomField/describe."""
        demand_admin(call.user)
        _check_type(call)
        fields = [
            {"name": name, "label": name, "type": kind, "createable": new, "updateable": old, "custom": False}
            | {"nillable": name != "Id", "filterable": kind != "complexvalue", "compoundFieldName": None}
            for name, kind, new, old in _FIELDS
        ]
        return json_response(_described(call.version) | {"fields": fields, "childRelationships": []})

    def create(self, call: Call) -> Response:
        """POST tooling/sobjects/CustomField {"FullName", "Metadata"}."""
        demand_admin(call.user)
        _check_type(call)
        body = call.json_object()
        full_name, metadata = body.get("FullName"), body.get("Metadata")
        for name, value in (("FullName", full_name), ("Metadata", metadata)):
            if not value:
                raise SalesforceError(
                    "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{name}]", (name,)
                )
        if not isinstance(metadata, dict):
            raise SalesforceError("JSON_PARSER_ERROR", "Metadata must be a JSON object")
        if self._fields.exists(str(full_name)):
            raise SalesforceError(*self._components.duplicate(_CUSTOM_FIELD, str(full_name)))
        self._fields.save(str(full_name), metadata)
        reply = {"id": field_id(str(full_name)), "success": True, "errors": [], "warnings": [], "infos": []}
        return json_response(reply, HTTPStatus.CREATED)

    def get(self, call: Call) -> Response:
        """GET tooling/sobjects/CustomField/{id}."""
        demand_admin(call.user)
        row = self._row(call)
        address = f"/services/data/v{call.version}/tooling/sobjects/{_CUSTOM_FIELD}/{row['Id']}"
        shown = {key: value for key, value in row.items() if key != "EntityDefinition"}
        return json_response({"attributes": {"type": _CUSTOM_FIELD, "url": address}} | shown)

    def update(self, call: Call) -> Response:
        """PATCH tooling/sobjects/CustomField/{id} {"Metadata"}: the whole new declaration."""
        demand_admin(call.user)
        row = self._row(call)
        metadata = call.json_object().get("Metadata")
        if not isinstance(metadata, dict):
            raise SalesforceError(
                "REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]", ("Metadata",)
            )
        self._fields.save(row["FullName"], metadata)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def delete(self, call: Call) -> Response:
        """DELETE tooling/sobjects/CustomField/{id}."""
        demand_admin(call.user)
        self._fields.delete(self._row(call)["FullName"])
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _row(self, call: Call) -> dict[str, Any]:
        _check_type(call)
        wanted = long_id(call.path_params["record_id"])
        for row in tooling_rows.custom_fields(self._org):
            if row["Id"] == wanted:
                return row
        raise SalesforceError("NOT_FOUND", "The requested resource does not exist")


def _check_type(call: Call) -> None:
    if call.path_params["type_name"].lower() != _CUSTOM_FIELD.lower():
        raise not_found()


def _described(version: str) -> dict[str, Any]:
    address = f"/services/data/v{version}/tooling/sobjects/{_CUSTOM_FIELD}"
    return {
        "name": _CUSTOM_FIELD,
        "label": "Custom Field",
        "labelPlural": "Custom Fields",
        "keyPrefix": _KEY_PREFIX,
        "createable": True,
        "updateable": True,
        "deletable": True,
        "queryable": True,
        "custom": False,
        "urls": {"sobject": address, "describe": f"{address}/describe", "rowTemplate": f"{address}/{{ID}}"},
    }


def routes(context: SandboxContext) -> list[Route]:
    """The resources of the Tooling API."""
    api = ToolingApi(context)
    one = _BASE + "/sobjects/{type_name}"
    return [
        context.resource(_BASE + "/query", {"GET": api.query}),
        context.resource(_BASE + "/sobjects", {"GET": api.objects}),
        context.resource(one, {"GET": api.basics, "POST": api.create}),
        context.resource(one + "/describe", {"GET": api.describe}),
        context.resource(one + "/{record_id}", {"GET": api.get, "PATCH": api.update, "DELETE": api.delete}),
    ]
