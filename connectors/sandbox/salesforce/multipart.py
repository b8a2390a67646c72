"""Multipart request bodies of Salesforce's resources, by part name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox import multipart
from connectors.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.context import Call


def is_multipart(call: Call) -> bool:
    """Whether the body consists of parts."""
    return multipart.is_multipart(call.headers)


def parts(call: Call) -> dict[str, bytes]:
    """The contents of a multipart body by part name. Raises INVALID_MULTIPART_REQUEST."""
    try:
        return multipart.read_form(call.headers, call.body).parts()
    except ValueError as error:
        raise SalesforceError("INVALID_MULTIPART_REQUEST", str(error)) from None
