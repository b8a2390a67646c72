"""The Metadata API: components made, read, changed and removed one by one over SOAP, or deployed as a zip."""

from __future__ import annotations

import base64
import binascii
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce.components import Components, demand_admin
from connectors.sandbox.salesforce.deploys import Deploys
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.multipart import parts
from connectors.sandbox.salesforce.retrieves import Retrieves
from connectors.sandbox.salesforce.soap import SoapRequest, soap_fault, soap_reply
from connectors.sandbox.salesforce.xml_trees import METADATA_NAMESPACE, TYPE_KEY, as_list, is_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, SandboxContext
    from connectors.sandbox.salesforce.org import User

_MOST_COMPONENTS = 10
# Whether a component must be there before each way of saving it; None: either way.
_PRESENT = {"create": False, "update": True, "upsert": None}
_TYPES = (
    # XML name, folder, suffix, children
    ("CustomObject", "objects", "object", ("CustomField",)),
    ("PermissionSet", "permissionsets", "permissionset", ()),
)


class MetadataApi:
    """The operations of the Metadata API on one org."""

    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        self._components = Components(context.org)
        self._deploys = Deploys(self._components, context.clock)
        self._retrieves = Retrieves(self._components)
        self._operations: dict[str, Callable[[SoapRequest, User], Any]] = {
            "checkDeployStatus": self._check_deploy_status,
            "checkRetrieveStatus": self._check_retrieve_status,
            "createMetadata": self._save("create"),
            "deleteMetadata": self._delete,
            "deploy": self._deploy,
            "describeMetadata": self._describe,
            "listMetadata": self._list,
            "readMetadata": self._read,
            "retrieve": self._retrieve,
            "updateMetadata": self._save("update"),
            "upsertMetadata": self._save("upsert"),
        }

    def soap(self, call: Call) -> Response:
        """POST /services/Soap/m/{version}: whatever the envelope asks for."""
        try:
            request = SoapRequest.of(call)
            user = call.context.authenticate_session(request.session_id)
            demand_admin(user)
            result = self._operation(request.operation)(request, user)
        except SalesforceError as error:
            return soap_fault(error, METADATA_NAMESPACE)
        return soap_reply(request.operation, result, METADATA_NAMESPACE)

    def _operation(self, name: str) -> Callable[[SoapRequest, User], Any]:
        found = self._operations.get(name)
        if found is None:
            message = f"No operation available for request {{{METADATA_NAMESPACE}}}{name}"
            raise SalesforceError("INVALID_OPERATION", message)
        return found

    def start_deploy(self, call: Call) -> Response:
        """POST metadata/deployRequest: a zip and its options as parts of a form."""
        demand_admin(call.user)
        given = parts(call)
        options_part = given.get("json") or given.get("entity_content") or b"{}"
        content = given.get("file") or given.get("zip")
        try:
            options = json.loads(options_part).get("deployOptions") or {}
        except (ValueError, AttributeError):
            raise SalesforceError(
                "JSON_PARSER_ERROR", "The part with deployOptions must be a JSON object"
            ) from None
        if content is None:
            raise SalesforceError("INVALID_MULTIPART_REQUEST", "The part named file with the zip is missing")
        result = self._deploys.start(content, options, call.user)
        waiting = {"id": result["id"], "done": False, "status": "Pending", "success": False}
        body = {
            "id": result["id"],
            "deployOptions": options,
            "deployResult": waiting,
            "validatedDeployRequestId": None,
        }
        return json_response(body, HTTPStatus.CREATED)

    def deploy_status(self, call: Call) -> Response:
        """GET metadata/deployRequest/{id}."""
        demand_admin(call.user)
        details = is_true(call.query.get("includeDetails"))
        result = self._deploys.result(call.path_params["deploy_id"], details=details)
        return json_response({"id": result["id"], "deployResult": result})

    def _save(self, mode: str) -> Callable[[SoapRequest, User], Any]:
        def save(request: SoapRequest, _user: User) -> list[dict[str, Any]]:
            given = as_list(request.arguments.get("metadata"))
            _check_count(given)
            return [self._save_one(mode, one) for one in given]

        return save

    def _save_one(self, mode: str, declared: dict[str, Any]) -> dict[str, Any]:
        full_name = str(declared.get("fullName") or "")
        try:
            kind = self._components.kind(str(declared.get(TYPE_KEY)))
            self._components.demand_presence(kind, full_name, _PRESENT[mode])
            created = kind.save(full_name, declared)
        except SalesforceError as error:
            return _outcome(full_name, error) | ({"created": False} if mode == "upsert" else {})
        return ({"created": created} if mode == "upsert" else {}) | _outcome(full_name)

    def _read(self, request: SoapRequest, _user: User) -> dict[str, Any]:
        kind = self._components.kind(str(request.arguments.get("type")))
        names = [str(name) for name in as_list(request.arguments.get("fullNames"))]
        _check_count(names)
        return {"records": [self._record(kind.type_name, name, kind.read(name)) for name in names]}

    def _record(self, type_name: str, full_name: str, found: dict[str, Any] | None) -> dict[str, Any]:
        # What does not exist is an empty record, not an error.
        return {TYPE_KEY: type_name} | ({"fullName": full_name} | found if found is not None else {})

    def _delete(self, request: SoapRequest, _user: User) -> list[dict[str, Any]]:
        kind = self._components.kind(str(request.arguments.get("type")))
        names = [str(name) for name in as_list(request.arguments.get("fullNames"))]
        _check_count(names)
        return [self._delete_one(kind, name) for name in names]

    def _delete_one(self, kind: Any, full_name: str) -> dict[str, Any]:
        try:
            kind.delete(full_name)
        except SalesforceError as error:
            return _outcome(full_name, error)
        return _outcome(full_name)

    def _describe(self, _request: SoapRequest, _user: User) -> dict[str, Any]:
        objects = [
            {
                "childXmlNames": list(children),
                "directoryName": folder,
                "inFolder": False,
                "metaFile": False,
                "suffix": suffix,
                "xmlName": name,
            }
            for name, folder, suffix, children in _TYPES
        ]
        return {
            "metadataObjects": objects,
            "organizationNamespace": "",
            "partialSaveAllowed": True,
            "testRequired": False,
        }

    def _list(self, request: SoapRequest, user: User) -> list[dict[str, Any]]:
        queries = as_list(request.arguments.get("queries"))
        if len(queries) > 3:
            raise SalesforceError("EXCEEDED_MAX_TYPES_LIMIT", "At most 3 types can be listed in one call")
        now = self._context.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return [
            properties
            for query in queries
            for properties in self._components.file_properties(str(query.get("type")), user, now)
        ]

    def _deploy(self, request: SoapRequest, user: User) -> dict[str, Any]:
        content = _decoded(request.arguments.get("ZipFile"))
        options = request.arguments.get("DeployOptions")
        result = self._deploys.start(content, options if isinstance(options, dict) else {}, user)
        return {"done": False, "id": result["id"], "state": "Queued"}

    def _check_deploy_status(self, request: SoapRequest, _user: User) -> dict[str, Any]:
        details = is_true(request.arguments.get("includeDetails"))
        return self._deploys.result(str(request.arguments.get("asyncProcessId")), details=details)

    def _retrieve(self, request: SoapRequest, _user: User) -> dict[str, Any]:
        return self._retrieves.start(request.arguments.get("retrieveRequest") or {})

    def _check_retrieve_status(self, request: SoapRequest, _user: User) -> dict[str, Any]:
        with_zip = request.arguments.get("includeZip")
        return self._retrieves.result(
            str(request.arguments.get("asyncProcessId")), with_zip=with_zip is None or is_true(with_zip)
        )


def _check_count(given: list[Any]) -> None:
    if len(given) > _MOST_COMPONENTS:
        message = f"record limit reached. cannot submit more than {_MOST_COMPONENTS} records into this call"
        raise SalesforceError("LIMIT_EXCEEDED", message)


def _outcome(full_name: str, error: SalesforceError | None = None) -> dict[str, Any]:
    if error is None:
        return {"fullName": full_name, "success": True}
    problem = {"fields": list(error.fields), "message": error.message, "statusCode": error.code}
    return {"errors": [problem], "fullName": full_name, "success": False}


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text or ""))
    except binascii.Error:
        raise SalesforceError("INVALID_ZIP", "ZipFile is not valid base64") from None


def routes(context: SandboxContext) -> list[Route]:
    """The resources of the Metadata API."""
    api = MetadataApi(context)
    rest = "/services/data/v{version}/metadata/deployRequest"
    return [
        # Clients append an organization id, or "deployRequest/..." to the address.
        context.resource("/services/Soap/m/{version}", {"POST": api.soap}, authenticated=False),
        context.resource("/services/Soap/m/{version}/{rest:path}", {"POST": api.soap}, authenticated=False),
        context.resource(rest, {"POST": api.start_deploy}),
        context.resource(rest + "/{deploy_id}", {"GET": api.deploy_status}),
    ]
