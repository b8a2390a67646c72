"""What every resource of the Salesforce side is given: the org, the caller, and how replies look.

A resource is a table of HTTP methods and handlers. A handler is a plain blocking function from `Call` to a
response; it runs in a worker thread, so that the loop stays free. The composite resources run the same
handlers for their subrequests, without HTTP in between.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, ImmutableMultiDict
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, compile_path

from connectors.sandbox.bodies import read_body
from connectors.sandbox.replies import METHODS, base_url, json_response
from connectors.sandbox.salesforce.errors import AmbiguousExternalId, SalesforceError
from connectors.sandbox.wire import notes

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.sandbox.faults import Faults
    from connectors.sandbox.journal import Journal
    from connectors.sandbox.salesforce.limits import Limits
    from connectors.sandbox.salesforce.org import Org, User
    from connectors.sandbox.salesforce.sessions import Sessions

OLDEST_VERSION, NEWEST_VERSION = 31, 67
_VERSION = re.compile(r"\d{2}\.0")

_log = logging.getLogger(__name__)

Handler = Callable[["Call"], Response]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one resource: what came in, and by whom. `base_url` is how the client reaches us."""

    context: SandboxContext
    method: str
    path: str
    base_url: str
    path_params: Mapping[str, Any] = field(default_factory=dict)
    query: ImmutableMultiDict[str, str] = field(default_factory=ImmutableMultiDict)
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    caller: User | None = None

    @property
    def org(self) -> Org:
        """The org that is called."""
        return self.context.org

    @property
    def user(self) -> User:
        """The user whose session it is; resources with `authenticated=False` have none."""
        if self.caller is None:
            raise session_expired()
        return self.caller

    @property
    def version(self) -> str:
        """The API version in the path, as `62.0`."""
        return str(self.path_params.get("version", f"{NEWEST_VERSION}.0"))

    def json(self) -> Any:
        """The body as JSON. Raises `JSON_PARSER_ERROR` as the CRM words it."""
        try:
            return json.loads(self.body.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise SalesforceError("JSON_PARSER_ERROR", f"Invalid UTF-8 at byte {error.start}") from None
        except json.JSONDecodeError as error:
            raise SalesforceError("JSON_PARSER_ERROR", _misread(error)) from None

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object; anything else is a `JSON_PARSER_ERROR`."""
        content = self.json()
        if not isinstance(content, dict):
            message = "The HTTP entity body is required to be a JSON object"
            raise SalesforceError("JSON_PARSER_ERROR", message)
        return content


def _misread(error: json.JSONDecodeError) -> str:
    """What is wrong with a JSON text and where, as the CRM's own parser words it."""
    place = f"at [line:{error.lineno}, column:{error.colno}]"
    rest = error.doc[error.pos :].lstrip()
    if not rest:
        return f"Unexpected end-of-input {place}"
    return f"Unexpected character ('{rest[0]}' (code {ord(rest[0])})): {error.msg} {place}"


def session_expired() -> SalesforceError:
    """The refusal of a missing, unknown or expired session."""
    return SalesforceError("INVALID_SESSION_ID", "Session expired or invalid")


def not_found() -> SalesforceError:
    """The refusal of a resource that does not exist."""
    return SalesforceError("NOT_FOUND", "The requested resource does not exist")


@dataclass(slots=True)
class Resource:
    """A path and its handlers by HTTP method."""

    path: str
    handlers: Mapping[str, Handler]
    authenticated: bool
    pattern: re.Pattern[str] = field(init=False)
    convertors: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.pattern, _, self.convertors = compile_path(self.path)

    def params(self, path: str) -> dict[str, Any] | None:
        """The path's parameters, or None if it is another resource's path."""
        match = self.pattern.match(path)
        if match is None:
            return None
        return {name: self.convertors[name].convert(value) for name, value in match.groupdict().items()}


@dataclass(slots=True)
class SandboxContext:
    """The parts of a running sandbox, handed to the `routes(context)` of every module."""

    org: Org
    sessions: Sessions
    faults: Faults
    journal: Journal
    limits: Limits
    clock: Callable[[], datetime]
    resources: list[Resource] = field(default_factory=list)

    def resource(self, path: str, handlers: Mapping[str, Handler], *, authenticated: bool = True) -> Route:
        """A route for the path, known to the composite resources too.

        Paths below `/services/data/v{version}` get a checked version. Handlers raise `SalesforceError`.
        `authenticated=False` leaves the session to the handler (`authenticate_session`), as SOAP needs it.
        """
        resource = Resource(path, handlers, authenticated)
        self.resources.append(resource)

        async def endpoint(request: Request) -> Response:
            try:
                call = _call(self, request, await read_body(request))
            except ValueError as error:
                return error_response(SalesforceError("UNKNOWN_EXCEPTION", str(error)))
            except ClientDisconnect:
                return Response(status_code=400)
            return await run_in_threadpool(self.answer, resource, call)

        # Every method reaches us, so that a wrong one gets the CRM's own words.
        return Route(path, endpoint, methods=METHODS)

    def answer(self, resource: Resource, call: Call) -> Response:
        """Authenticate, count and run one call; errors become replies."""
        try:
            if resource.authenticated:
                call = replace(call, caller=self.authenticate(call.headers))
            check_version(call)
            return _handler(resource, call.method)(call)
        except SalesforceError as error:
            return error_response(error, call.version)
        except Exception:  # noqa: BLE001  # whatever it is, the client gets a reply
            # The CRM never shows its insides; ours go to the log.
            _log.exception("%s %s failed", call.method, call.path)
            return error_response(SalesforceError("UNKNOWN_EXCEPTION", "The sandbox failed; see its log"))

    def perform(self, call: Call) -> Response:
        """Run a subrequest: the same resources, as an already authenticated and counted caller."""
        for resource in self.resources:
            params = resource.params(call.path)
            if params is not None:
                call = replace(call, path_params=params)
                try:
                    check_version(call)
                    return _handler(resource, call.method)(call)
                except SalesforceError as error:
                    return error_response(error, call.version)
        return error_response(not_found())

    def authenticate(self, headers: Mapping[str, str]) -> User:
        """The user of the request's session (Bearer or OAuth header); counts the call against the limits."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "oauth"):
            raise session_expired()
        return self.authenticate_session(token.strip())

    def authenticate_session(self, session_id: str) -> User:
        """The user of a session id; counts the call. Raises INVALID_SESSION_ID or REQUEST_LIMIT_EXCEEDED."""
        user = self.sessions.user(session_id)
        if user is None:
            raise session_expired()
        notes().user = user.username
        self.limits.charge()
        notes().counted = True
        return user


def error_response(error: SalesforceError, version: str = f"{NEWEST_VERSION}.0") -> Response:
    """The body of a REST error; an ambiguous external id lists the records' addresses instead."""
    if isinstance(error, AmbiguousExternalId):
        base = f"/services/data/v{version}/sobjects/{error.object_name}"
        return json_response([f"{base}/{record_id}" for record_id in error.ids], error.status)
    return json_response(error.body(), error.status)


def check_version(call: Call) -> None:
    """Refuse retired and unknown API versions."""
    version = call.path_params.get("version")
    if version is None:
        return
    if not _VERSION.fullmatch(version) or float(version) > NEWEST_VERSION:
        raise not_found()
    if float(version) < OLDEST_VERSION:
        message = f"API version {version} is retired; use {OLDEST_VERSION}.0 or later"
        raise SalesforceError("GONE", message, status=410)


def sub_call(call: Call, method: str, url: str, body: Any, headers: Mapping[str, str]) -> Call:
    """A subrequest of a composite call; `url` may lack `/services/data`, as some clients send it."""
    path, _, query = url.partition("?")
    if not path.startswith("/services/"):
        path = "/services/data/" + path.removeprefix("/")
    return replace(
        call,
        method=method.upper(),
        path=unquote(path).rstrip("/"),
        query=ImmutableMultiDict(parse_qsl(query, keep_blank_values=True)),
        headers=Headers({**dict(headers), "content-type": "application/json"}),
        body=b"" if body is None else json.dumps(body).encode("utf-8"),
    )


def _handler(resource: Resource, method: str) -> Handler:
    handler = resource.handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        allowed = sorted({*resource.handlers, *(["HEAD"] if "GET" in resource.handlers else [])})
        message = f"HTTP Method '{method}' not allowed. Allowed are {','.join(allowed)}"
        raise SalesforceError("METHOD_NOT_ALLOWED", message)
    return handler


def _call(context: SandboxContext, request: Request, body: bytes) -> Call:
    return Call(
        context=context,
        # Clients that cannot send PATCH send it as a POST with this parameter.
        method=request.query_params.get("_HttpMethod", request.method)
        if request.method == "POST"
        else request.method,
        path=request.url.path,
        base_url=base_url(request),
        path_params=request.path_params,
        query=request.query_params,
        headers=request.headers,
        body=body,
    )
