"""`/healthz`, `/readyz` and `/metrics` on one port: quick, nothing about any record, and deaf to the slow."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6, SHUT_RDWR, socket
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any

from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sync.service.health import Health
    from sync.service.metrics import Metrics

# Seconds, from call to answer: whoever takes longer to ask, or to listen, is hung up on.
PATIENCE = 5.0
# So many are answered at once, so that many idle callers take no memory.
AT_ONCE = 16

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_JSON = "application/json"

Answer = tuple[HTTPStatus, str, bytes]


def serve(listen: str, metrics: Metrics, health: Health) -> Server:
    """Answer on HOST:PORT from now on, in threads of its own. Raises `ConfigProblem` if that is not to be had."""
    host, _, port = listen.rpartition(":")
    try:
        server = Server(host.strip("[]"), int(port), _pages(metrics, health))
    except (OSError, OverflowError) as error:
        raise ConfigProblem(
            Problem(
                f"nothing can listen on {listen}: {getattr(error, 'strerror', None) or error}",
                where="service.listen",
                fix="choose an address of this machine and a free port",
            )
        ) from None
    threading.Thread(target=server.serve_forever, name="web", daemon=True).start()
    return server


class Server(ThreadingHTTPServer):
    """The pages on a port; 0 is any free one. `close` ends it."""

    daemon_threads = True
    block_on_close = False
    # A worker that is started anew takes the port over; two at once never share it.
    allow_reuse_address = True
    request_queue_size = AT_ONCE

    def __init__(self, host: str, port: int, pages: dict[str, Callable[[], Answer]]) -> None:
        self.pages = pages
        self._open: dict[socket, float] = {}
        if ":" in host:
            self.address_family = AF_INET6
        super().__init__((host, port), _Handler)

    @property
    def address(self) -> str:
        """HOST:PORT as it is."""
        host, port = self.server_address[:2]
        return f"[{host!s}]:{port}" if ":" in str(host) else f"{host!s}:{port}"

    def close(self) -> None:
        """End it; whoever is answered now is left alone."""
        self.shutdown()
        self.server_close()

    def server_bind(self) -> None:
        """Without the name of this machine, that HTTPServer asks for: it may take seconds to know."""
        TCPServer.server_bind(self)

    def service_actions(self) -> None:
        """Twice a second: hang up on the slow."""
        for caller, since in list(self._open.items()):
            if time.monotonic() - since > PATIENCE:
                _hang_up(caller)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread. Where all places are taken, who came first gives way: whoever asks at once has gone."""
        for caller in list(self._open)[: max(len(self._open) - AT_ONCE + 1, 0)]:
            _hang_up(caller)
            self._open.pop(caller, None)
        self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer; give the place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.pop(request, None)

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:
        """Whoever hung up, or was too slow, is not worth a line."""


class _Handler(BaseHTTPRequestHandler):
    """One caller."""

    timeout = PATIENCE
    server: Server
    server_version, sys_version = "foretag", ""

    def do_GET(self) -> None:
        """Answer with a page."""
        page = self.server.pages.get(self.path.partition("?")[0])
        status, kind, body = _none_such(self.server.pages) if page is None else page()
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", len(body)),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        """The same without the page."""
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as the base class has it
        """Nobody wants a line for each look."""


def _hang_up(caller: socket) -> None:
    with suppress(OSError):
        caller.shutdown(SHUT_RDWR)


def _pages(metrics: Metrics, health: Health) -> dict[str, Callable[[], Answer]]:
    return {
        "/healthz": lambda: _json(*health.alive()),
        "/readyz": lambda: _json(*health.ready()),
        "/metrics": lambda: (HTTPStatus.OK, _TEXT, metrics.text()),
    }


def _none_such(pages: Iterable[str]) -> Answer:
    """For people who look at the port: what can be asked for."""
    return HTTPStatus.NOT_FOUND, _JSON, json.dumps({"pages": list(pages)}).encode() + b"\n"


def _json(good: bool, data: dict[str, Any]) -> Answer:  # noqa: FBT001  # a pair, spread
    status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
    return status, _JSON, json.dumps(data, ensure_ascii=False).encode() + b"\n"
