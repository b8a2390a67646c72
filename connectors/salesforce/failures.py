"""Reading Salesforce's errors: six body shapes, one for each API family, into one `Failure`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from connectors.statuses import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

_SOAP_CODE = re.compile(r"<faultcode>\s*(?:\w+:)?([\w.]+)\s*</faultcode>")
_SOAP_TEXT = re.compile(r"<faultstring>\s*([^<]*?)\s*</faultstring>")
_BULK_CODE = re.compile(r"<exceptionCode>\s*(\w+)\s*</exceptionCode>")
_BULK_TEXT = re.compile(r"<exceptionMessage>\s*([^<]*?)\s*</exceptionMessage>")


def read_failure(response: requests.Response) -> Failure:
    """What a reply with an error status says. A body in no known shape has the code "HTML", or none."""
    status, text = response.status_code, response.text
    try:
        body = json.loads(text)
    except ValueError:
        return _from_markup(status, text)
    return read_body(status, body)


def read_body(status: int, body: Any) -> Failure:
    """The failure in a parsed JSON body, whichever API family it comes from."""
    if isinstance(body, list):
        body = body[0] if body else {}
    if not isinstance(body, dict):
        return Failure(status, "", "")
    if "compositeResponse" in body:
        return _from_composite(status, body["compositeResponse"])
    if body.get("errors"):
        return read_body(status, body["errors"])
    return _from_object(status, body)


def _from_object(status: int, body: Mapping[str, Any]) -> Failure:
    """REST and collections (`errorCode`, `statusCode`), OAuth (`error`), Bulk 1 (`exceptionCode`)."""
    code = _first(body, "errorCode", "statusCode", "exceptionCode", "error")
    message = _first(body, "message", "exceptionMessage", "error_description")
    fields = body.get("fields") or ()
    return Failure(status, _in_rest_spelling(code), message, tuple(str(field) for field in fields))


def _first(body: Mapping[str, Any], *keys: str) -> str:
    return next((str(body[key]) for key in keys if body.get(key)), "")


def _from_composite(status: int, parts: list[Mapping[str, Any]]) -> Failure:
    """The first part that failed by itself, rather than because another one did."""
    failed = [part for part in parts if part.get("httpStatusCode", 200) >= 300]
    failures = [read_body(part["httpStatusCode"], part.get("body")) for part in failed]
    causes = [failure for failure in failures if failure.code != "PROCESSING_HALTED"]
    return next(iter([*causes, *failures]), Failure(status, "", ""))


def _from_markup(status: int, text: str) -> Failure:
    """A SOAP fault, Bulk 1's XML error, a web page, or nothing at all."""
    for code, message in ((_SOAP_CODE, _SOAP_TEXT), (_BULK_CODE, _BULK_TEXT)):
        if found := code.search(text):
            words = message.search(text)
            return Failure(status, _in_rest_spelling(found[1]), words[1] if words else "")
    return Failure(status, "HTML", "a web page instead of data") if "<" in text else Failure(status, "", "")


# Bulk 1 words the same conditions in its own way.
_REST_SPELLING = {
    "InvalidSessionId": "INVALID_SESSION_ID",
    "ExceededQuota": "REQUEST_LIMIT_EXCEEDED",
    "InvalidVersion": "UNSUPPORTED_API_VERSION",
    "FeatureNotEnabled": "API_DISABLED_FOR_ORG",
}


def _in_rest_spelling(code: str) -> str:
    return _REST_SPELLING.get(code, code)
