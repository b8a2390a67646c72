"""The sandbox's one port: plain HTTP, TLS and proxy requests are told apart by their first bytes.

A connection that begins with a TLS hello is served over TLS; `CONNECT host:443` is answered and then looked
at anew, so that clients with a fixed host (login.salesforce.com) reach us as their proxy. uvicorn's HTTP
protocol then runs on the socket itself: nothing is relayed or parsed twice, so downloads are not slowed down.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
from typing import TYPE_CHECKING, Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    import ssl

    from starlette.types import ASGIApp

_TLS_HELLO = b"\x16"
_MAX_HEAD = 65_536
# Longer than any test or person waits, so that no keep-alive connection closes under a client's hands.
_KEEP_ALIVE_SECONDS = 75
_GRACE_SECONDS = 5.0


class Protocol(H11Protocol):
    """uvicorn's HTTP/1.1, which lets the application see its transport: some faults are cuts in the bytes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start serving a connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Front:
    """Listens on one loopback port and serves an ASGI application on it."""

    def __init__(self, app: ASGIApp, tls: ssl.SSLContext, *, host: str = "localhost", port: int = 0) -> None:
        self._hosts = loopback_addresses(host)
        self._wanted_port = port
        self._tls = tls
        self._state = ServerState()
        self._config = Config(
            app,
            interface="asgi3",
            lifespan="off",
            http="h11",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            h11_max_incomplete_event_size=4 * _MAX_HEAD,
            proxy_headers=False,
        )
        self._listeners: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        # Accepted, but nobody knows yet what they speak: ours to close.
        self._untold: set[socket.socket] = set()
        self.port = 0

    async def start(self) -> None:
        """Bind and begin to accept. Raises `ConfigProblem` if the port is taken."""
        self._config.load()
        self._listeners = listen(self._hosts, self._wanted_port)
        self.port = self._listeners[0].getsockname()[1]
        for listener in self._listeners:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def stop(self) -> None:
        """Stop accepting, cut what is open, and wait until every task and connection has ended."""
        for listener in self._listeners:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()
        pending = [*self._tasks, *self._state.tasks]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for connection in self._untold:
            connection.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                while self._state.connections:
                    for protocol in list(self._state.connections):
                        protocol.transport.abort()
                    await asyncio.sleep(0)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # the client gave up while in the queue
        connection.settimeout(0)
        # Heads and bodies are written apart; without this the second waits for the client's delayed answer.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._untold.add(connection)
        task = asyncio.get_running_loop().create_task(self._take(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, connection: socket.socket) -> None:
        """Find out what a connection speaks, and have it served; a client that goes away meanwhile may."""
        with contextlib.suppress(OSError):  # ssl errors are OSErrors too
            first = await peek(connection, 1)
            if first == b"C":  # of the methods in use only CONNECT begins so
                await answer_connect(connection)
                first = await peek(connection, 1)
            if first:
                self._untold.discard(connection)
                await self._serve(connection, tls=first == _TLS_HELLO)
                return
        self._untold.discard(connection)
        connection.close()

    async def _serve(self, connection: socket.socket, *, tls: bool) -> None:
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(self._protocol, connection, ssl=self._tls if tls else None)

    def _protocol(self) -> Protocol:
        state: dict[str, Any] = {}
        return Protocol(self._config, self._state, state, asyncio.get_running_loop())


def loopback_addresses(host: str) -> tuple[str, ...]:
    """The addresses to bind for a host. Raises `ConfigProblem` for anything but this machine's loopback."""
    if host == "localhost":
        return ("127.0.0.1", "::1")
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return (host,)
    raise ConfigProblem(
        Problem(f"the sandbox serves only this machine, not {host!r}", where="sandbox", fix="use localhost")
    )


def listen(hosts: tuple[str, ...], port: int) -> list[socket.socket]:
    """Listening sockets on one port of every address; IPv6 may be missing. Raises `ConfigProblem`."""
    listeners: list[socket.socket] = []
    for host in hosts:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listener = socket.create_server((host, port), family=family, backlog=512)
        except OSError as error:
            if listeners:
                continue  # a machine without IPv6, or another program on that port there
            raise ConfigProblem(
                Problem(
                    f"cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}",
                    where="sandbox",
                    fix="choose another --port",
                )
            ) from None
        listener.settimeout(0)
        listeners.append(listener)
        port = listener.getsockname()[1]
    return listeners


async def peek(connection: socket.socket, size: int) -> bytes:
    """The next bytes without taking them; empty when the client closed."""
    while True:
        try:
            return connection.recv(size, socket.MSG_PEEK)
        except BlockingIOError:
            await _readable(connection)


async def answer_connect(connection: socket.socket) -> None:
    """Read a CONNECT head, not a byte more, and open the tunnel: to us, whatever host it names."""
    loop = asyncio.get_running_loop()
    head = b""
    while b"\r\n\r\n" not in head:
        seen = await peek(connection, _MAX_HEAD)
        end = (head + seen).find(b"\r\n\r\n")
        take = len(seen) if end < 0 else end + 4 - len(head)
        head += connection.recv(take)
        if not seen or len(head) > _MAX_HEAD:
            raise ConnectionAbortedError("not a CONNECT request")
    if not head.startswith(b"CONNECT "):
        await loop.sock_sendall(connection, b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
        raise ConnectionAbortedError("not a CONNECT request")
    await loop.sock_sendall(connection, b"HTTP/1.1 200 Connection established\r\n\r\n")


def _resolve(ready: asyncio.Future[None]) -> None:
    # May be called again before the reader is removed.
    if not ready.done():
        ready.set_result(None)


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(connection, _resolve, ready)
    try:
        await ready
    finally:
        loop.remove_reader(connection)
