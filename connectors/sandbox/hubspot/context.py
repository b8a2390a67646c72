"""What every resource of the HubSpot side is given: the portal, the caller, and how requests and replies look.

An endpoint is a path below a kind of resource (`addresses`) and, for each HTTP method, a handler with the scopes
that it needs. A handler is a plain blocking function from `Call` to a response; it runs in a worker thread.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, ImmutableMultiDict
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import compile_path

from connectors.sandbox.bodies import read_body
from connectors.sandbox.fault_kinds import MissingScopes
from connectors.sandbox.hubspot.addresses import address, same_version
from connectors.sandbox.hubspot.errors import HubSpotError, invalid, resource_not_found
from connectors.sandbox.hubspot.rates import RateLimited
from connectors.sandbox.hubspot.scopes import Need, check_scopes
from connectors.sandbox.hubspot.shapes import shaped
from connectors.sandbox.hubspot.tokens import unknown_credentials
from connectors.sandbox.poison import poisoned_json
from connectors.sandbox.replies import JSON, base_url, json_response
from connectors.sandbox.wire import notes

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from connectors.sandbox.clock import SandboxClock
    from connectors.sandbox.faults import Faults
    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.portal import Portal
    from connectors.sandbox.hubspot.rates import Bucket, Rates
    from connectors.sandbox.hubspot.shapes import Shape
    from connectors.sandbox.hubspot.tokens import Token, Tokens
    from connectors.sandbox.journal import Journal

_CORRELATION = "X-HubSpot-Correlation-Id"
_JSON_TYPES = re.compile(r"application/([\w.-]+\+)?json\b", re.IGNORECASE)

_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")

_log = logging.getLogger(__name__)

Handler = Callable[["Call"], Response]
Handlers = Mapping[str, tuple[Handler, Need]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one endpoint: what came in, and by whom. `base_url` is how the client reaches us.

    `version` is the one in the path: v3, v4, or a date.
    """

    context: HubSpotContext
    method: str
    path: str
    base_url: str
    version: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    query: ImmutableMultiDict[str, str] = field(default_factory=ImmutableMultiDict)
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    token: Token | None = None

    @property
    def portal(self) -> Portal:
        """The portal that is called."""
        return self.context.portal

    @property
    def caller(self) -> Token:
        """Whose token it is; endpoints with `authenticated=False` have none."""
        if self.token is None:
            raise unknown_credentials()
        return self.token

    @property
    def object_type(self) -> ObjectType:
        """The type of records that the path names as `object`."""
        return self.portal.object_type(self.params["object"])

    @property
    def object_name(self) -> str:
        """Its plural name."""
        return self.object_type.name

    @property
    def other_name(self) -> str:
        """The plural name of the type at the other end of an association."""
        return self.portal.object_type(self.params["other"]).name

    def names(self, parameter: str) -> list[str]:
        """A list, however a client sends it: repeated, joined by commas, or both."""
        values = self.query.getlist(parameter)
        return [name for value in values for part in value.split(",") if (name := part.strip())]

    def flag(self, parameter: str) -> bool:
        """A boolean; clients write `true`, `True` and `1`."""
        return self.query.get(parameter, "").lower() in {"true", "1"}

    def whole(self, parameter: str, default: int) -> int:
        """A whole number. Raises VALIDATION_ERROR for anything else."""
        text = self.query.get(parameter, "")
        if not text:
            return default
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise invalid(f'Invalid integer "{text}" for query parameter {parameter}')
        return int(text)

    def after(self) -> str | None:
        """Where the page begins; none for the first, which some clients ask for as `0`."""
        text = self.query.get("after", "")
        return None if text in {"", "0"} else text

    def json(self) -> Any:
        """The body as JSON. Raises 415 and 400 as the CRM words them."""
        kind = self.headers.get("content-type", "")
        if self.body and not _JSON_TYPES.match(kind):
            raise HubSpotError("", "HTTP 415 Unsupported Media Type", status=415)
        if not self.body:
            raise unreadable("No content to map due to end-of-input")
        try:
            content = json.loads(self.body.decode("utf-8"), parse_constant=_no_constant)
            # Half of a pair is no character, and no reply could carry it: it becomes a question mark.
            return _whole_characters(content) if _HALF_CHARACTER.search(self.body) else content
        except UnicodeDecodeError as error:
            raise unreadable(f"Invalid UTF-8 at byte {error.start}") from None
        except json.JSONDecodeError as error:
            raise unreadable(error.msg, error.lineno, error.colno) from None
        except (ValueError, RecursionError) as error:
            raise unreadable(str(error)) from None

    def json_in(self, shape: Shape) -> Any:
        """The body as JSON of a shape. Raises 400 where it is of another."""
        try:
            return shaped(self.json(), shape)
        except (ValueError, RecursionError) as error:
            raise unreadable(str(error)) from None

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object of any shape."""
        content = self.json()
        if not isinstance(content, dict):
            raise unreadable(f"Cannot deserialize an object from {type(content).__name__} value")
        return content

    def inputs(self, shape: Shape) -> list[dict[str, Any]]:
        """The `inputs` of a batch of a shape."""
        inputs: list[dict[str, Any]] = self.json_in(shape)["inputs"]
        return inputs


def unreadable(what: str, line: int = 1, column: int = 1) -> HubSpotError:
    """The refusal of a body that cannot be read; it has no category."""
    return HubSpotError("", f"Invalid input JSON on line {line}, column {column}: {what}", status=400)


def _whole_characters(content: Any) -> Any:
    return json.loads(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))


def _no_constant(name: str) -> Any:
    raise ValueError(f"Non-standard token '{name}'")


@dataclass(slots=True)
class Endpoint:
    """A path below a kind of resource, and what it answers.

    `versions` are those that have it (`dated` for all dates); none given means all versions of the kind.
    `bucket` is the rate limit in which its calls count.
    """

    kind: str
    path: str
    handlers: Handlers
    versions: tuple[str, ...] = ()
    bucket: Bucket = "general"
    authenticated: bool = True
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        self.pattern = compile_path(self.path)[0]

    def serves(self, version: str) -> bool:
        """Whether it is there under this version."""
        return not self.versions or any(same_version(version, wanted) for wanted in self.versions)


@dataclass(slots=True)
class HubSpotContext:
    """The parts of a running sandbox, handed to every handler, and the endpoints that there are."""

    portal: Portal
    tokens: Tokens
    rates: Rates
    faults: Faults
    journal: Journal
    clock: SandboxClock
    endpoints: dict[str, list[Endpoint]] = field(default_factory=dict)

    def add(self, *endpoints: Endpoint) -> None:
        """Serve these endpoints; earlier ones win where paths overlap."""
        for endpoint in endpoints:
            self.endpoints.setdefault(endpoint.kind, []).append(endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call (ASGI)."""
        request = Request(scope, receive)
        try:
            body = await read_body(request)
        except ClientDisconnect:
            await Response(status_code=400)(scope, receive, send)
            return
        except ValueError as error:
            await error_response(invalid(str(error)))(scope, receive, send)
            return
        call = Call(
            self,
            request.method,
            scope["path"],
            base_url(request),
            query=request.query_params,
            headers=request.headers,
            body=body,
        )
        response = await run_in_threadpool(self.answer, call)
        await response(scope, receive, send)

    def answer(self, call: Call) -> Response:
        """Find the endpoint, authenticate, count and run one call; errors become replies."""
        told: dict[str, str] = {}
        try:
            endpoint, call = self._find(call)
            if endpoint is None or endpoint.authenticated:
                call = replace(call, token=self._authenticate(call))
                told = self.rates.charge(call.caller, "general" if endpoint is None else endpoint.bucket)
                notes().counted = True
            response = self._run(endpoint, call)
        except HubSpotError as error:
            response = error_response(error)
        except RateLimited as error:
            response = rate_limited_response(error)
        except Exception:  # noqa: BLE001  # whatever it is, the client gets a reply
            # The CRM never shows its insides; ours go to the log.
            _log.exception("%s %s failed", call.method, call.path)
            response = error_response(HubSpotError("", "internal error", status=500))
        response.headers.update(told)
        return response

    def _find(self, call: Call) -> tuple[Endpoint | None, Call]:
        found = address(call.path)
        for endpoint in self.endpoints.get(found.kind, ()):
            match = endpoint.pattern.match(found.rest) if endpoint.serves(found.version) else None
            if match is not None:
                return endpoint, replace(call, version=found.version, params=match.groupdict())
        return None, replace(call, version=found.version)

    def _run(self, endpoint: Endpoint | None, call: Call) -> Response:
        if endpoint is None:
            raise resource_not_found()
        known = endpoint.handlers.get("GET" if call.method == "HEAD" else call.method)
        if known is None:
            return Response(
                status_code=405, headers={"Allow": ",".join([*sorted(endpoint.handlers), "OPTIONS"])}
            )
        handler, need = known
        if call.token is not None:
            check_scopes(need(call), call.token.app.scopes - withheld_scopes())
        return handler(call)

    def _authenticate(self, call: Call) -> Token:
        token = self.tokens.caller(call.headers.get("authorization", ""))
        notes().user = token.username
        return token


def withheld_scopes() -> frozenset[str]:
    """Scopes that a fault takes from the call in hand."""
    return frozenset(
        scope for fault in notes().faults if isinstance(fault, MissingScopes) for scope in fault.scopes
    )


def error_response(error: HubSpotError) -> Response:
    """The body of an error, with the id by which the vendor's support would find it."""
    correlation_id = str(uuid.uuid4())
    body = error.body(correlation_id)
    if not error.category:
        del body["category"]
    return json_response(body, error.status, {_CORRELATION: correlation_id})


def rate_limited_response(error: RateLimited) -> Response:
    """429."""
    correlation_id = str(uuid.uuid4())
    return json_response(error.body(correlation_id), 429, {_CORRELATION: correlation_id, **error.headers})


def found(content: Any, status: int = 200) -> Response:
    """A good reply in JSON; values that a fault has poisoned may make it less than good JSON."""
    told = {_CORRELATION: str(uuid.uuid4())}
    try:
        return json_response(content, status, told)
    except ValueError:
        return Response(poisoned_json(content), status, told, media_type=JSON)


def no_content() -> Response:
    """204, as after archiving."""
    return Response(status_code=204, headers={_CORRELATION: str(uuid.uuid4())})


def page_of_html(status: int, title: str, headers: Mapping[str, str] | None = None) -> Response:
    """What the servers before the CRM's own answer with."""
    content = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return HTMLResponse(content, status, dict(headers or {}))
