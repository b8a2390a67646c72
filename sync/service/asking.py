"""One request to a web address that a person gave: https and its certificate, or this machine; no redirect, no wait."""

from __future__ import annotations

import ssl
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from config.sections.loopback import is_private

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 10.0


class NotTaken(Exception):  # noqa: N818  # named after what happened
    """A receiver did not take what was sent; the words never hold its address, which is a secret."""


class _NoRedirect(HTTPRedirectHandler):
    """What is meant for one address is not carried to another."""

    def redirect_request(self, *_: Any) -> None:
        return None


def ask(url: str, body: bytes | None = None, ca_file: Path | None = None) -> None:
    """GET it, or POST JSON there. Raises `NotTaken` unless the answer is a good one."""
    if not is_private(url):
        raise NotTaken("the address must start with https:// (plain http only for this machine)")
    headers = {"User-Agent": "foretag"} | ({} if body is None else {"Content-Type": "application/json"})
    request = Request(url, data=body, headers=headers)  # noqa: S310  # its scheme was looked at
    opener = build_opener(HTTPSHandler(context=ssl.create_default_context(cafile=ca_file)), _NoRedirect)
    try:
        with opener.open(request, timeout=TIMEOUT):
            pass
    except HTTPError as error:
        error.close()
        raise NotTaken(f"the answer was {error.code}") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise NotTaken(f"it cannot be reached: {type(reason).__name__}") from None
