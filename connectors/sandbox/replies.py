"""Replies that look alike whatever CRM is played: JSON, and the address by which the client reached us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
JSON = "application/json;charset=UTF-8"


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A reply in JSON, as CRMs send it: UTF-8, and never NaN."""
    body = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(body.encode("utf-8"), status, dict(headers or {}), media_type=JSON)


def base_url(request: Request) -> str:
    """Scheme and host by which the client reached us, for the addresses that replies contain."""
    return f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
