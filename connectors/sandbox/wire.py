"""Between the socket and the resources: what holds for every call, whatever CRM is played.

It puts odd request targets straight, lets faults act, stamps the org's own date and the CRM's headers on the
reply, cuts replies where a fault says so, and notes each call in the journal.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from connectors.sandbox.cuts import LostReply, Truncation
from connectors.sandbox.fault_kinds import Fault, Latency
from connectors.sandbox.fault_kinds import LostReply as LostReplyFault
from connectors.sandbox.fault_kinds import Truncate as TruncateFault

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from connectors.sandbox.faults import Faults
    from connectors.sandbox.journal import Journal


@dataclass(slots=True)
class Notes:
    """What is known about the call in hand: who called, whether it counts, which faults act on it."""

    user: str = ""
    counted: bool = False
    faults: tuple[Fault, ...] = ()


NOTES: ContextVar[Notes] = ContextVar("NOTES")


def notes() -> Notes:
    """The notes of the call that this code serves (worker threads of the call included)."""
    try:
        return NOTES.get()
    except LookupError:
        return Notes()


class Crm(Protocol):
    """What the wire asks of the CRM that is played."""

    def concerns(self, path: str) -> bool:
        """Whether the path is the CRM's own; the sandbox's own have neither faults nor journal."""
        ...

    def refuse(self, scope: Scope) -> Response | None:
        """A refusal that needs no look at the body, such as an address that is too long."""
        ...

    def fault_reply(self, fault: Fault, scope: Scope) -> Response | None:
        """What a fault answers instead of the CRM, or None where the call goes on."""
        ...

    def reply_headers(self) -> list[tuple[bytes, bytes]]:
        """Headers that the CRM puts on its replies."""
        ...


@dataclass(slots=True)
class Wire:
    """ASGI middleware: see the module."""

    app: ASGIApp
    crm: Crm
    clock: Callable[[], datetime]
    faults: Faults
    journal: Journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        straighten(scope)
        stamped = Stamped(send, self.clock, self.crm)
        if not self.crm.concerns(scope["path"]):
            stamped.crm = None
            await self.app(scope, receive, stamped)
            return
        await self._call(scope, receive, stamped)

    async def _call(self, scope: Scope, receive: Receive, stamped: Stamped) -> None:
        target = scope["path"] + (
            "?" + scope["query_string"].decode("latin-1") if scope["query_string"] else ""
        )
        acting = self.faults.of_call(scope["method"], target)
        call = Notes(faults=acting)

        def note() -> None:
            self.journal.request(
                method=scope["method"],
                path=target,
                user=call.user,
                status=stamped.status,
                counted=call.counted,
                sent=stamped.sent,
                faults=[fault.model_dump()["kind"] for fault in acting],
            )

        stamped.at_end = note
        token = NOTES.set(call)
        try:
            await self._faulty(scope, receive, stamped, acting)
        finally:
            NOTES.reset(token)
            stamped.end()

    async def _faulty(
        self, scope: Scope, receive: Receive, stamped: Stamped, acting: tuple[Fault, ...]
    ) -> None:
        reply = self.crm.refuse(scope)
        for fault in acting:
            if reply is None and isinstance(fault, Latency):
                await asyncio.sleep(fault.seconds)
        reply = reply or next(
            (reply for fault in acting if (reply := self.crm.fault_reply(fault, scope)) is not None), None
        )
        app = self.app if reply is None else reply
        for fault in acting:
            if isinstance(fault, LostReplyFault):
                await LostReply(app).serve(scope, receive, stamped)
                return
            if isinstance(fault, TruncateFault):
                await Truncation(app, fault).serve(scope, receive, stamped)
                return
        await app(scope, receive, stamped)


@dataclass(slots=True)
class Stamped:
    """A `send` that adds the date and the CRM's headers, and counts.

    `at_end` is called once, before the last byte leaves: who has the reply finds the call in the journal.
    """

    send: Send
    clock: Callable[[], datetime]
    crm: Crm | None
    status: int = 0
    sent: int = 0
    at_end: Callable[[], None] | None = None

    async def __call__(self, message: Message) -> None:
        """Send one ASGI message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": self.headers(message["headers"])}
        else:
            self.sent += len(message.get("body", b""))
            if not message.get("more_body", False):
                self.end()
        await self.send(message)

    def end(self) -> None:
        """Nothing more will be sent."""
        at_end, self.at_end = self.at_end, None
        if at_end is not None:
            at_end()

    def headers(self, given: Any) -> list[tuple[bytes, bytes]]:
        """The reply's headers, and ours where it has none of that name."""
        headers = list(given)
        names = {name.lower() for name, _ in headers}
        ours = [(b"Date", formatdate(self.clock().timestamp(), usegmt=True).encode())]
        ours += self.crm.reply_headers() if self.crm else []
        return headers + [(name, value) for name, value in ours if name.lower() not in names]


def straighten(scope: Scope) -> None:
    """Bring a proxy's absolute target (`GET http://host/path`) and trailing slashes into the usual form."""
    path = scope["path"]
    if path.startswith(("http://", "https://")):
        parts = urlsplit(scope["raw_path"].decode("latin-1"))
        # The target's host counts, not the header's (RFC 9112, 3.2.2).
        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scope["headers"] = [(b"host", parts.netloc.encode("latin-1")), *others]
        scope["scheme"] = parts.scheme
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    scope["path"] = path.rstrip("/") or "/"
    # Starlette routes on this; the undecoded form is no longer true once the path was straightened.
    scope.pop("raw_path", None)
