"""TLS in front of a PostgreSQL that was built without it: takes the client's request for TLS, and hands on the rest."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing, contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustme import LeafCert

# What a client sends first that wants TLS: eight bytes, answered by one.
_REQUEST, _GRANTED = 8, b"S"


@contextmanager
def tls_front(host: str, certificate: LeafCert, port: int) -> Iterator[int]:
    """The port on this host where the server on `port` of this machine answers by TLS with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with closing(socket.create_server((host, 0))) as front:
        Thread(target=_serve, args=(front, context, port), daemon=True).start()
        yield front.getsockname()[1]
        # Wakes the thread that waits for the next client.
        front.shutdown(socket.SHUT_RDWR)


def _serve(front: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = front.accept()
            Thread(target=_carry, args=(client, context, port), daemon=True).start()


def _carry(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    """One client's line, until either end closes it; one that does not trust us closes it at once."""
    with suppress(OSError), closing(client):
        client.recv(_REQUEST, socket.MSG_WAITALL)
        client.sendall(_GRANTED)
        with (
            context.wrap_socket(client, server_side=True) as secured,
            closing(socket.create_connection(("127.0.0.1", port))) as server,
        ):
            back = Thread(target=_pump, args=(server, secured), daemon=True)
            back.start()
            _pump(secured, server)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
