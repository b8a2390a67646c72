"""No client of ours says a word to a server that does not prove who it is, whatever the environment asks for.

One server for all: it shows a certificate of an authority that nobody trusts, and counts what it is told behind it.
Each client is also led to trust that authority, so that the server is known to hear it then.
"""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
import trustme
from deltalake import write_deltalake
from pandas import DataFrame

from config.sections.history import History
from config.sections.notify import Mail
from config.sections.storage import Storage
from connectors.hubspot.statuses import HUBSPOT
from connectors.transport import Transport
from sync.ledger.database import shared
from sync.service.asking import ask
from sync.service.channels import send
from sync.service.messages import Message
from sync.store.place import options_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What weakens this or that library where it is believed.
HOSTILE = {
    "CURL_CA_BUNDLE": "",
    "REQUESTS_CA_BUNDLE": "",
    "PYTHONHTTPSVERIFY": "0",
    "PGSSLMODE": "disable",
    "PGHOSTADDR": "127.0.0.1",
    "AWS_ALLOW_HTTP": "true",
    "AWS_ALLOW_INVALID_CERTIFICATES": "true",
    "ALLOW_INVALID_CERTIFICATES": "true",
}
NAME = "db.example.com"
GREETING = b"220 hello\r\n"


class Impostor:
    """A server with a certificate of its own authority, behind the plain words by which a protocol begins."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1", NAME).configure_cert(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.heard = b""
        self.greets = ""  # a client of a mail server waits for that
        self.begun = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """No more of it."""
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                line.settimeout(5)
                with contextlib.suppress(OSError), line:
                    self._hear(line)

    def _hear(self, line: socket.socket) -> None:
        if self.greets == "starttls":
            self._begin_mail(line)
        elif line.recv(8, socket.MSG_PEEK).endswith(b"\x04\xd2\x16/"):  # PostgreSQL asks for TLS by a number
            line.recv(8)
            line.sendall(b"S")
        self.begun.set()
        if line.recv(1, socket.MSG_PEEK) != b"\x16":  # the first byte of TLS; all else is in the clear
            self.heard += line.recv(4096)
        with self._context.wrap_socket(line, server_side=True) as private:
            if self.greets == "tls":
                private.sendall(GREETING)
            self.heard += private.recv(4096)

    def _begin_mail(self, line: socket.socket) -> None:
        for answer in (GREETING, b"250-me\r\n250 STARTTLS\r\n", b"220 go on\r\n"):
            if answer != GREETING:
                line.recv(1024)
            line.sendall(answer)


@pytest.fixture
def impostor(tmp_path, monkeypatch) -> Iterator[Impostor]:
    """The server, in an environment that asks for no checks."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    impostor = Impostor(tmp_path)
    yield impostor
    impostor.close()


def crm(impostor, ca_file, **careless):
    """A connector's session; `careless` as an SDK or a caller might be."""
    made = Transport(
        "acme",
        f"https://localhost:{impostor.port}",
        HUBSPOT,
        timeouts=(5, 5),
        sleep=lambda _: None,
        rng=random.Random(1),
        ca_file=ca_file,
    )
    made.verify = careless.get("verify", True)
    made.request("GET", "/account-info/v3/details", anonymous=True, **careless)


def careless_crm(impostor, ca_file):
    """The same, told not to look at certificates."""
    crm(impostor, ca_file, verify=False)


def web(impostor, ca_file):
    """A webhook, or a dead man's switch."""
    ask(f"https://localhost:{impostor.port}/hook", b"{}", ca_file)


def mail(security):
    """A mail server, with TLS from the start or from a word on."""

    def mail(impostor, ca_file):
        impostor.greets = security
        given = {"host": "localhost", "port": impostor.port, "sender": "a@b.example", "to": ["c@d.example"]}
        message = Message("failed", "main", "run", "abc", "Title", ("line",))
        send(Mail(security=security, **given), message, ca_file)

    return mail


def database(impostor, ca_file):
    """The history, at a name beyond this machine."""
    url = f"postgresql://me@{NAME}:{impostor.port}/x"
    engine = shared(History(url=url if ca_file is None else f"{url}?sslrootcert={ca_file}"))
    with contextlib.closing(engine.raw_connection()):
        pass


def store(impostor, ca_file):
    """An object store."""
    storage = Storage(url="s3://bucket/x", endpoint=f"https://localhost:{impostor.port}", region="eu-north-1")
    options = {**options_of(storage), "retry_timeout": "1s", "max_retries": "0"}
    options |= {"aws_access_key_id": "id", "aws_secret_access_key": "key"}
    write_deltalake("s3://bucket/x/table", DataFrame({"a": [1]}), storage_options=options)


CLIENTS = {
    "CRM": crm,
    "CRM, told not to check": careless_crm,
    "webhook": web,
    "mail": mail("tls"),
    "mail by STARTTLS": mail("starttls"),
    "PostgreSQL": database,
    "S3": store,
}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_no_client_speaks_to_a_server_that_does_not_prove_who_it_is(client, impostor):
    """It ends with an error, and nothing was said: no token, no password, no record."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  # each client has its own error
        client(impostor, None)
    assert impostor.begun.is_set(), caught.value
    assert impostor.heard == b""


@pytest.mark.parametrize("client", [one for one in CLIENTS if one != "S3"])
def test_each_client_speaks_to_it_once_its_authority_is_trusted(client, impostor):
    """So the silence above is the check's doing; S3's client knows the system's authorities alone."""
    with contextlib.suppress(Exception):  # it says nothing sensible back
        CLIENTS[client](impostor, impostor.ca_file)
    assert impostor.heard


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require"])
def test_the_settings_take_no_address_of_a_database_that_checks_less(mode):
    """These modes of libpq take any certificate, or none."""
    with pytest.raises(ValueError, match="verify-full or verify-ca"):
        History(url=f"postgresql://me@{NAME}/x?sslmode={mode}")
