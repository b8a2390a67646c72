"""Reading HubSpot's errors: the usual body, that of a used-up limit, and OAuth's, into one `Failure`.

HubSpot's texts repeat what was sent, and what they complain about may be a person's. So a text is made anew
where values stand in it, and addresses are left out everywhere.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from connectors.statuses import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

_ADDRESS = re.compile(r"[^\s\"'<>,;:=\[\]()]+@[^\s\"'<>,;:=\[\]()]+")
# The body of a failed write quotes each guilty property with its value, as JSON within the text.
_INVALID = "Property values were not valid: "
WRONG_REGION = "WRONG_REGION"
TOO_LONG = "URI_TOO_LONG"
LOCKED = "LOCKED"


def read_failure(response: requests.Response) -> Failure:
    """What a reply with an error status says. A web page has the code "HTML"."""
    status, text = response.status_code, response.text
    if status == 414:  # answered by the web server in front, as a page
        return Failure(status, TOO_LONG, "")
    if status == 423:
        return Failure(status, LOCKED, "")
    try:
        body = json.loads(text)
    except ValueError:
        return (
            Failure(status, "HTML", "a web page instead of data") if "<" in text else Failure(status, "", "")
        )
    return read_body(status, body)


def read_body(status: int, body: Any) -> Failure:
    """The failure in a parsed body, or in an entry of a batch reply's `errors`."""
    if not isinstance(body, dict):
        return Failure(status, "", "")
    if body.get("correctHublet"):
        return Failure(status, WRONG_REGION, f"the portal is in region {body['correctHublet']}")
    scopes = missing_scopes(body)
    if scopes:
        return Failure(
            status, "MISSING_SCOPES", f"one of these scopes is missing: {', '.join(scopes)}", scopes
        )
    code = _detail(body) or _first(body, "category", "policyName", "errorType", "error")
    if body.get("status") not in ("error", None, ""):
        code = str(body["status"])  # OAuth's own words
    return Failure(status, code, _words(body), tuple(dict.fromkeys(_properties(body))))


def missing_scopes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The scopes of which HubSpot wants one, where that is what it complains of."""
    found: list[str] = []
    for part in (body, *_parts(body)):
        context = part.get("context") or {}
        for key in ("requiredGranularScopes", "requiredScopes"):
            found += [str(scope) for scope in context.get(key) or ()]
    return tuple(dict.fromkeys(found))


def _words(body: Mapping[str, Any]) -> str:
    """The text, without values or addresses."""
    message = _first(body, "message", "error_description")
    if message.startswith(_INVALID):
        return _INVALID + "; ".join(
            f"{part.get('name', 'a property')}: {part.get('error') or part.get('code') or 'invalid'}"
            for part in _quoted(message)
        )
    return _ADDRESS.sub("(address)", message)


def _detail(body: Mapping[str, Any]) -> str:
    """What is wrong with the first guilty property: INVALID_OPTION says more than VALIDATION_ERROR."""
    quoted = [str(part.get("error") or "") for part in _quoted(_first(body, "message"))]
    coded = [str(part.get("code") or "") for part in _parts(body)]
    return next(filter(None, [*quoted, *coded]), "")


def _properties(body: Mapping[str, Any]) -> Iterator[str]:
    """The names of the properties that HubSpot complains of."""
    for part in _quoted(_first(body, "message")):
        yield str(part.get("name") or "")
    for part in _parts(body):
        context = part.get("context") or {}
        yield from (str(name) for name in context.get("propertyName") or ())
        if part.get("in"):
            yield str(part["in"])


def _quoted(message: str) -> list[Mapping[str, Any]]:
    if not message.startswith(_INVALID):
        return []
    try:
        parts = json.loads(message.removeprefix(_INVALID))
    except ValueError:
        return []
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _parts(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [part for part in body.get("errors") or () if isinstance(part, dict)]


def _first(body: Mapping[str, Any], *keys: str) -> str:
    return next((str(body[key]) for key in keys if body.get(key)), "")
