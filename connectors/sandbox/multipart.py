"""Multipart request bodies, read into their fields and files, for whichever CRM takes them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart import parse_form
from python_multipart.exceptions import FormParserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from python_multipart.multipart import Field, File


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A part with a file name."""

    part: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of a multipart body: fields by name, and files in their order."""

    fields: dict[str, bytes] = field(default_factory=dict)
    files: list[UploadedFile] = field(default_factory=list)

    def parts(self) -> dict[str, bytes]:
        """The contents by part name, whether sent as a field or as a file."""
        return self.fields | {one.part: one.content for one in self.files}


def is_multipart(headers: Mapping[str, str]) -> bool:
    """Whether the body consists of parts; `headers` by lower-case name."""
    return headers.get("content-type", "").lower().startswith("multipart/")


def read_form(headers: Mapping[str, str], body: bytes) -> Form:
    """The parts of a multipart body. Raises `ValueError` for one that cannot be read."""
    form = Form()

    def keep_field(one: Field) -> None:
        form.fields[(one.field_name or b"").decode()] = one.value or b""

    def keep_file(one: File) -> None:
        one.file_object.seek(0)
        name = (one.file_name or b"").decode("utf-8", "replace")
        form.files.append(UploadedFile((one.field_name or b"").decode(), name, one.file_object.read()))
        one.close()

    content = {"Content-Type": headers["content-type"].encode(), "Content-Length": str(len(body)).encode()}
    try:
        parse_form(content, io.BytesIO(body), keep_field, keep_file)
    except (FormParserError, ValueError) as error:
        raise ValueError(str(error)) from None
    return form
