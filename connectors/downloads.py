"""Large replies: streamed as they come, kept compressed, and fetched again when they were cut short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from urllib3.exceptions import HTTPError

from connectors.contract import Truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from connectors.transport import Transport

Parsed = TypeVar("Parsed")

CHUNK = 1 << 20
ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Download:
    """A reply's headers and its body as it was sent, compressed or not.

    `framed` tells whether the reply itself marked its end: by a length, by chunks, or by compression.
    """

    headers: Mapping[str, str]
    body: pa.Buffer
    compressed: bool
    framed: bool

    def open(self) -> pa.NativeFile:
        """The body, decompressed while it is read; reading raises `OSError` if the compressed form is cut."""
        reader = pa.BufferReader(self.body)
        return pa.CompressedInputStream(reader, "gzip") if self.compressed else reader

    def require_whole_csv(self) -> None:
        """Raise `Truncated` if an unmarked end lies within a row, which a CSV reader would not notice."""
        content = b"" if self.framed else self.body.to_pybytes()
        if content and (content.count(b'"') % 2 or not content.endswith(b"\n")):
            raise Truncated("the reply ends within a row")


def fetch(transport: Transport, path: str, parse: Callable[[Download], Parsed], **request: Any) -> Parsed:
    """Download a path and parse it; both again, three times at most, as long as `Truncated` is raised.

    `parse` raises `Truncated` when the content is less than its headers promise, which is the only way to
    tell where the server marks the end of a reply by closing the connection.
    """
    attempts = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=lambda state: transport.rng.uniform(0, state.attempt_number),
        sleep=transport.sleep,
        retry=retry_if_exception_type(Truncated),
        reraise=True,
    )
    try:
        return attempts(lambda: parse(_download(transport, path, request)))
    except Truncated as error:
        raise Truncated(
            f"{transport.name}: {error}, {ATTEMPTS} times; look at proxies in between, the next run asks again"
        ) from None


def _download(transport: Transport, path: str, request: Mapping[str, Any]) -> Download:
    headers = {"Accept-Encoding": "gzip", **request.get("headers", {})}
    response = transport.request("GET", path, **{**request, "headers": headers, "stream": True})
    with response:
        body = _read(response, path)
    compressed = response.headers.get("Content-Encoding", "").lower() == "gzip"
    chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
    framed = compressed or chunked or "Content-Length" in response.headers
    return Download(response.headers, body, compressed, framed)


def _read(response: requests.Response, path: str) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    try:
        while chunk := response.raw.read(CHUNK, decode_content=False):
            sink.write(chunk)
    except (HTTPError, OSError):
        raise Truncated(f"the download of {path} broke off after {sink.tell()} bytes") from None
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and sink.tell() < int(announced):
        raise Truncated(f"the download of {path} ended after {sink.tell()} of {announced} bytes")
    return sink.getvalue()
