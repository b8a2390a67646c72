"""What tests of the service share: events as a worker tells them, and receivers that keep what they are sent."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP

from sync.service.events import Ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from ssl import SSLContext

    from sync.ledger import Ledger

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ended(exit_code: int = 0, *, job: Any = "increment", connection: str = "main", **report: Any) -> Ended:
    """A run that took 4 seconds."""
    return Ended(connection, job, "", NOON, NOON, NOON + timedelta(seconds=4), exit_code, report)


def take_away(ledger: Ledger, folder: Path) -> None:
    """The history's database is away."""
    ledger.close()
    for path in folder.glob("history.sqlite*"):
        path.unlink()
    (folder / "history.sqlite").mkdir()


class Receiver:
    """A web address that keeps what comes; `answers` are the statuses it gives first, then 200."""

    def __init__(self, url: str, answers: list[int]) -> None:
        self.url = url
        self.answers = answers
        self.bodies: list[Any] = []
        self.paths: list[str] = []


@contextmanager
def receiving(*answers: int) -> Iterator[Receiver]:
    """A receiver on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status = received.answers.pop(0) if received.answers else 200
            if status == 200:
                received.bodies.append(json.loads(body) if body else None)
                received.paths.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received = Receiver(f"http://127.0.0.1:{server.server_port}", list(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def taking_mail(handler: Any, context: SSLContext, *, tls: bool) -> Iterator[int]:
    """A mail server on this machine, by TLS from the first byte or by STARTTLS; its port."""
    loop = asyncio.new_event_loop()
    ways: dict[str, Any] = {"auth_require_tls": False}
    if not tls:
        ways = {"tls_context": context, "require_starttls": True, "auth_required": True}

    made: list[SMTP] = []

    def serve() -> SMTP:
        made.append(SMTP(handler, hostname="localhost", loop=loop, authenticator=handler, **ways))
        return made[-1]

    async def end() -> None:
        """Hang up on everybody, and let the loop see it."""
        server.close()
        lines = [line for one in made for line in (one.transport, one._original_transport) if line]
        for line in lines:
            line.abort()
        for task in asyncio.all_tasks(loop) - {asyncio.current_task(loop)}:
            task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)

    server = loop.run_until_complete(loop.create_server(serve, "127.0.0.1", 0, ssl=context if tls else None))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(end())
        loop.close()
