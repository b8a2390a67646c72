"""Replies that are cut in the middle of their bytes, or before the first; no ASGI server can do it."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp, Message, Receive, Scope

    from connectors.sandbox.fault_kinds import Truncate
    from connectors.sandbox.wire import Stamped

_FRAMING = (b"content-length", b"transfer-encoding", b"connection")


def _transport(scope: Scope) -> asyncio.Transport:
    return cast("asyncio.Transport", scope["state"]["transport"])


async def _until_gone(receive: Receive) -> None:
    """Wait for the connection's end, so that the server does not take the silence for a bug."""
    while (await receive())["type"] != "http.disconnect":
        pass


@dataclass(slots=True)
class LostReply:
    """The call is processed to its end; the client sees only that the connection is gone."""

    app: ASGIApp

    async def serve(self, scope: Scope, receive: Receive, stamped: Stamped) -> None:
        """Process, answer nothing, cut."""
        await self.app(scope, receive, _swallow)
        stamped.end()
        _transport(scope).abort()
        await _until_gone(receive)


async def _swallow(message: Message) -> None:
    """Send nothing."""


@dataclass(slots=True)
class Truncation:
    """A reply whose body ends too early; `framing` decides whether the client can know."""

    app: ASGIApp
    fault: Truncate
    start: Message = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    whole: int = 0

    async def serve(self, scope: Scope, receive: Receive, stamped: Stamped) -> None:
        """Run the application, then send as much of its reply as the fault lets through."""
        await self.app(scope, receive, self._collect)
        if self.fault.framing == "close":
            self._write_plainly(_transport(scope), stamped)
        elif self.whole <= self.fault.bytes:
            await stamped(self._framed(self.start))
            await stamped({"type": "http.response.body", "body": bytes(self.body)})
            return
        else:
            await self._send_part(stamped)
        _transport(scope).close()
        await _until_gone(receive)

    async def _collect(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        # What will never be sent is counted, not kept.
        self.body += message.get("body", b"")[: max(self.fault.bytes - len(self.body), 0)]
        self.whole += len(message.get("body", b""))

    async def _send_part(self, stamped: Stamped) -> None:
        await stamped(self._framed(self.start))
        stamped.sent = len(self.body)
        stamped.end()
        await stamped.send({"type": "http.response.body", "body": bytes(self.body), "more_body": True})

    def _framed(self, start: Message) -> Message:
        if self.fault.framing == "as_is":
            return start
        headers = [pair for pair in start["headers"] if pair[0].lower() not in _FRAMING]
        if self.fault.framing == "length":
            headers.append((b"Content-Length", str(self.whole).encode()))
        return {**start, "headers": headers}

    def _write_plainly(self, transport: asyncio.Transport, stamped: Stamped) -> None:
        """Without length and chunks: the end of the connection is the end of the body, true or not."""
        stamped.status, stamped.sent = self.start["status"], len(self.body)
        headers = [pair for pair in stamped.headers(self.start["headers"]) if pair[0].lower() not in _FRAMING]
        headers.append((b"Connection", b"close"))
        stamped.end()
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        transport.write(_status_line(self.start["status"]) + lines + b"\r\n" + bytes(self.body))


def _status_line(status: int) -> bytes:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")
