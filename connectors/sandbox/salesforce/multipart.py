"""Multipart request bodies, read into their parts by name."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from python_multipart import parse_form
from python_multipart.exceptions import FormParserError

from connectors.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from python_multipart.multipart import Field, File

    from connectors.sandbox.salesforce.context import Call


def is_multipart(call: Call) -> bool:
    """Whether the body consists of parts."""
    return call.headers.get("content-type", "").lower().startswith("multipart/")


def parts(call: Call) -> dict[str, bytes]:
    """The contents of a multipart body by part name. Raises INVALID_MULTIPART_REQUEST."""
    found: dict[str, bytes] = {}

    def keep_field(field: Field) -> None:
        found[(field.field_name or b"").decode()] = field.value or b""

    def keep_file(file: File) -> None:
        file.file_object.seek(0)
        found[(file.field_name or b"").decode()] = file.file_object.read()
        file.close()

    headers = {
        "Content-Type": call.headers["content-type"].encode(),
        "Content-Length": str(len(call.body)).encode(),
    }
    try:
        parse_form(headers, io.BytesIO(call.body), keep_field, keep_file)
    except (FormParserError, ValueError) as error:
        raise SalesforceError("INVALID_MULTIPART_REQUEST", str(error)) from None
    return found
