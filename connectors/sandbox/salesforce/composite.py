"""Composite and batch: several calls in one, the later ones using what the earlier ones returned."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce.context import sub_call
from connectors.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, SandboxContext

MAX_SUBREQUESTS = 25
_REFERENCE = re.compile(r"@\{([A-Za-z]\w*)((?:\.\w+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_ERROR = 400
_HALTED = [
    {
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }
]


def routes(context: SandboxContext) -> list[Route]:
    """The resources of this module."""
    root = "/services/data/v{version}/composite"
    return [
        context.resource(root, {"GET": listing, "POST": composite}),
        context.resource(f"{root}/batch", {"POST": batch}),
        context.resource(f"{root}/graph", {"POST": graphs}),
    ]


def listing(call: Call) -> Response:
    """GET /composite: the resources below it."""
    root = f"/services/data/v{call.version}/composite"
    return json_response({name: f"{root}/{name}" for name in ("batch", "graph", "sobjects", "tree")})


@dataclass(slots=True)
class Subreply:
    """What one subrequest gave."""

    reference: str
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether it is a refusal."""
        return self.status >= _ERROR

    def as_json(self) -> dict[str, Any]:
        """The wire form."""
        return {
            "body": self.body,
            "httpHeaders": self.headers,
            "httpStatusCode": self.status,
            "referenceId": self.reference,
        }


def composite(call: Call) -> Response:
    """POST /composite."""
    body = call.json_object()
    requests = _requests(body.get("compositeRequest"), "compositeRequest")
    replies = _run_together(call, requests, all_or_none=body.get("allOrNone") is True)
    return json_response({"compositeResponse": [reply.as_json() for reply in replies]})


def graphs(call: Call) -> Response:
    """POST /composite/graph: each graph is one transaction."""
    answers = []
    for graph in call.json_object().get("graphs") or []:
        requests = _requests(graph.get("compositeRequest"), "compositeRequest", maximum=500)
        replies = _run_together(call, requests, all_or_none=True)
        answers.append(
            {
                "graphId": graph.get("graphId"),
                "graphResponse": {"compositeResponse": [reply.as_json() for reply in replies]},
                "isSuccessful": not any(reply.failed for reply in replies),
            }
        )
    return json_response({"graphs": answers})


def _run_together(call: Call, requests: list[dict[str, Any]], *, all_or_none: bool) -> list[Subreply]:
    replies: list[Subreply] = []
    with call.org.atomic(only_whole=all_or_none) as transaction:
        for request in requests:
            replies.append(_reply(call, request, replies))
            if all_or_none and replies[-1].failed:
                transaction.roll_back()
                return _halted(requests, replies[-1])
    return replies


def _halted(requests: list[dict[str, Any]], culprit: Subreply) -> list[Subreply]:
    """The one that failed says why; all others say that they were rolled back, or never ran."""
    return [
        culprit
        if request["referenceId"] == culprit.reference
        else Subreply(request["referenceId"], _ERROR, _HALTED)
        for request in requests
    ]


def _reply(call: Call, request: dict[str, Any], replies: list[Subreply]) -> Subreply:
    reference = request["referenceId"]
    try:
        request = {
            **request,
            **_filled({key: request.get(key) for key in ("url", "body", "httpHeaders")}, replies),
        }
        performed = _perform(call, request, request.get("body"), request.get("httpHeaders") or {})
    except SalesforceError as error:
        return Subreply(reference, error.status, error.body())
    headers = {} if performed.status_code >= _ERROR else _location(call, performed)
    return Subreply(reference, performed.status_code, _content(performed), headers)


def _location(call: Call, performed: Response) -> dict[str, str]:
    content = _content(performed)
    if performed.status_code != 201 or not isinstance(content, dict) or "id" not in content:
        return {}
    name = call.org.object_of(content["id"])
    return {"Location": f"/services/data/v{call.version}/sobjects/{name}/{content['id']}"}


def _perform(call: Call, request: dict[str, Any], body: Any, headers: dict[str, str]) -> Response:
    sub = sub_call(call, str(request.get("method", "GET")), str(request.get("url", "")), body, headers)
    if re.search(r"/composite(/batch|/graph|/tree.*)?$", sub.path) or "/jobs/" in sub.path:
        raise SalesforceError("INVALID_INPUT", f"{sub.path} cannot be called within a composite request")
    return call.context.perform(sub)


def _content(response: Response) -> Any:
    return json.loads(bytes(response.body)) if response.body else None


def _requests(content: Any, name: str, maximum: int = MAX_SUBREQUESTS) -> list[dict[str, Any]]:
    if (
        not isinstance(content, list)
        or not all(isinstance(request, dict) for request in content)
        or not content
    ):
        raise SalesforceError("JSON_PARSER_ERROR", f"{name}: a list of subrequests is required")
    if len(content) > maximum:
        message = f"The number of subrequests in the list exceeds the limit of {maximum}"
        raise SalesforceError("LIMIT_EXCEEDED", message)
    references = [request.get("referenceId") for request in content]
    if name == "compositeRequest" and (None in references or len(set(references)) < len(references)):
        raise SalesforceError("INVALID_INPUT", "Each subrequest needs a referenceId of its own")
    return content


def _filled(value: Any, replies: list[Subreply]) -> Any:
    """The value with every `@{reference.path}` in its texts replaced by what that subrequest returned."""
    if isinstance(value, dict):
        return {key: _filled(inner, replies) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, replies) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _referred(whole, replies)
    return _REFERENCE.sub(lambda match: str(_referred(match, replies)), value)


def _referred(match: re.Match[str], replies: list[Subreply]) -> Any:
    found = next((reply for reply in replies if reply.reference == match.group(1)), None)
    message = f"Invalid reference specified. No value for {match.group(0)[2:-1]} found"
    if found is None or found.failed:
        raise SalesforceError("PROCESSING_HALTED", message)
    value = found.body
    for key, index in _STEP.findall(match.group(2)):
        try:
            value = value[int(index)] if index else value[key]
        except (KeyError, IndexError, TypeError):
            raise SalesforceError("PROCESSING_HALTED", message) from None
    return value


def batch(call: Call) -> Response:
    """POST /composite/batch: independent calls, in order; they may stop at the first refusal."""
    body = call.json_object()
    results: list[dict[str, Any]] = []
    failed = False
    for request in _requests(body.get("batchRequests"), "batchRequests"):
        if failed and body.get("haltOnError") is True:
            halted = [
                {
                    "errorCode": "BATCH_PROCESSING_HALTED",
                    "message": "Batch processing halted per request on an error in a previous request.",
                }
            ]
            results.append({"statusCode": 412, "result": halted})
            continue
        results.append(_batched(call, request))
        failed = failed or results[-1]["statusCode"] >= _ERROR
    return json_response({"hasErrors": failed, "results": results})


def _batched(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    try:
        performed = _perform(call, request, request.get("richInput"), {})
    except SalesforceError as error:
        return {"statusCode": error.status, "result": error.body()}
    return {"statusCode": performed.status_code, "result": _content(performed)}
