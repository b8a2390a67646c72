"""The one port: plain, TLS, proxied; bytes as they are, also when they end too early."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl

import pytest
import requests

from config.problems import ConfigProblem
from connectors.sandbox.front import loopback_addresses
from connectors.sandbox.server import Sandbox

QUERY = "/services/data/v62.0/query?q=SELECT+Id,Name+FROM+Opportunity"


def raw(sandbox: Sandbox, request: bytes) -> bytes:
    """Send bytes, read until the connection ends."""
    with socket.create_connection(("127.0.0.1", sandbox.port)) as connection:
        connection.sendall(request)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
        return received


def asked(api, headers: str = "") -> bytes:
    """The query as raw bytes, in the session of a client."""
    session = api.headers["Authorization"]
    return f"GET {QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization: {session}\r\n{headers}\r\n".encode()


@pytest.mark.parametrize("http", [True, False])
def test_one_port_takes_plain_http_and_tls(sandbox, connect, http):
    """The same port answers with and without TLS, and says so in the addresses it gives."""
    client = connect(sandbox, http=http)
    account = sandbox.credentials.worker
    form = {
        "grant_type": "client_credentials",
        "client_id": account.client_id,
        "client_secret": account.client_secret,
    }

    token = client.post("/services/oauth2/token", data=form).json()

    assert token["instance_url"] == client.base


@pytest.mark.parametrize(
    "url", ["http://acme.my.salesforce.com/services/data", "https://login.salesforce.com/services/data"]
)
def test_clients_with_fixed_hosts_reach_it_as_their_proxy(sandbox, connect, url):
    """Absolute targets and CONNECT lead to the sandbox, whose certificate names Salesforce's hosts."""
    client = connect(sandbox)
    client.proxies = {"http": sandbox.http_url, "https": sandbox.http_url}

    assert client.get(url).json()[-1]["version"] == "67.0"


def test_login_hosts_hand_on_to_the_orgs_own_address(sandbox, connect):
    """A token from login.salesforce.com names an address that is reachable in the same way."""
    client = connect(sandbox)
    client.proxies = {"https": sandbox.http_url}
    account = sandbox.credentials.worker
    form = {
        "grant_type": "password",
        "client_id": account.client_id,
        "client_secret": account.client_secret,
        "username": account.username,
        "password": account.password + account.security_token,
    }

    token = client.post("https://login.salesforce.com/services/oauth2/token", data=form).json()

    client.headers["Authorization"] = f"Bearer {token['access_token']}"
    assert token["instance_url"].endswith(".my.salesforce.com")
    assert client.get(f"{token['instance_url']}/services/data/v62.0/limits").status_code == 200


def test_connect_takes_not_a_byte_more_than_its_head(sandbox):
    """The TLS hello that follows a CONNECT is TLS's, even when the head comes in pieces."""
    context = ssl.create_default_context(cafile=str(sandbox.ca_file))
    with socket.create_connection(("127.0.0.1", sandbox.port)) as connection:
        for part in (
            b"CONNECT test.salesforce.com:443 HTTP/1.1\r\n",
            b"Host: test.salesforce.com\r\n\r",
            b"\n",
        ):
            connection.sendall(part)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        with context.wrap_socket(connection, server_hostname="test.salesforce.com") as tls:
            tls.sendall(
                b"GET /services/data HTTP/1.1\r\nHost: test.salesforce.com\r\nConnection: close\r\n\r\n"
            )
            assert tls.recv(100).startswith(b"HTTP/1.1 200")


def test_chunked_and_compressed_bodies_arrive(api):
    """Clients send bodies in chunks, and gzipped ones, as the CRM allows."""
    body = b'{"Name": "In pieces"}'
    headers = {"Content-Type": "application/json"}

    chunked = api.post("sobjects/Account", data=(bytes([byte]) for byte in body), headers=headers)
    packed = api.post(
        "sobjects/Account", data=gzip.compress(body), headers={**headers, "Content-Encoding": "gzip"}
    )

    assert (chunked.status_code, packed.status_code) == (201, 201)


def test_large_uploads_pass(api):
    """Twenty megabytes go through, with the reading held back rather than the memory filled."""
    reply = api.post("sobjects/Account", json={"Name": "x" * 20_000_000})

    assert reply.json()[0]["errorCode"] == "STRING_TOO_LONG"


def test_other_machines_cannot_reach_it():
    """Addresses other than loopback are refused, with what to do."""
    with pytest.raises(ConfigProblem, match=r"serves only this machine, not '0\.0\.0\.0'; use localhost"):
        loopback_addresses("0.0.0.0")


def test_a_taken_port_is_a_clear_problem(sandbox):
    """The message names the port and the option."""
    with pytest.raises(ConfigProblem, match=rf"port {sandbox.port}: .*choose another --port"):
        Sandbox(data="synthetic:5:5", port=sandbox.port).start()


def test_it_stops_at_once_with_connections_open_and_starts_again(make_sandbox):
    """Idle and half-open connections do not hold it up; a stopped sandbox can be started again."""
    sandbox = make_sandbox()
    with (
        socket.create_connection(("127.0.0.1", sandbox.port)),
        socket.create_connection(("127.0.0.1", sandbox.port)) as half,
    ):
        half.sendall(b"POST /services/oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
        sandbox.stop()

    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.url
    assert raw(sandbox.start(), b"GET /services/data HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_a_client_that_does_not_trust_it_hurts_nobody(sandbox, connect):
    """A failed handshake ends that connection only."""
    with contextlib.suppress(requests.exceptions.SSLError):
        distrusting = connect(sandbox)
        distrusting.verify = True
        distrusting.get("/services/data")

    assert connect(sandbox).get("/services/data").status_code == 200


class TestCuts:
    """Replies that end too early."""

    @pytest.mark.parametrize("framing", ["as_is", "length", "chunked"])
    @pytest.mark.parametrize("encoding", ["identity", "gzip"])
    def test_clients_notice_a_framed_body_that_is_cut(self, sandbox, api, framing, encoding):
        """With a length or chunks, an honest client raises."""
        sandbox.faults.add([{"kind": "truncate", "bytes": 500, "framing": framing}])

        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            api.get(QUERY, headers={"Accept-Encoding": encoding})

    @pytest.mark.parametrize("encoding", ["identity", "gzip"])
    def test_clients_miss_a_cut_where_closing_is_the_only_end(self, sandbox, api, encoding):
        """Framed by closing, the same cut looks like a whole body, as it does in the field."""
        whole = api.get(QUERY).content
        sandbox.faults.add([{"kind": "truncate", "bytes": 500, "framing": "close"}])

        reply = api.get(QUERY, headers={"Accept-Encoding": encoding})

        assert reply.status_code == 200
        assert whole.startswith(reply.content)
        assert 0 < len(reply.content) < len(whole)

    @pytest.mark.parametrize("framing", ["as_is", "length", "chunked", "close"])
    def test_exactly_so_many_bytes_of_the_body_arrive(self, sandbox, api, framing):
        """The cut falls after the byte that was asked for."""
        sandbox.faults.add([{"kind": "truncate", "bytes": 333, "framing": framing}])

        head, _, body = raw(sandbox, asked(api)).partition(b"\r\n\r\n")

        assert sandbox.journal.requests()[-1].sent == 333
        if framing == "chunked":
            size, _, body = body.partition(b"\r\n")
            assert int(size, 16) == 333
            body = body.removesuffix(b"\r\n")
        assert len(body) == 333
        assert (b"Content-Length" in head.title()) == (framing in ("as_is", "length"))

    def test_a_body_shorter_than_the_cut_arrives_whole(self, sandbox, api):
        """Nothing is cut that is not there."""
        sandbox.faults.add([{"kind": "truncate", "bytes": 10_000_000, "framing": "chunked"}])

        assert api.get(QUERY).json()["totalSize"] == 200

    def test_a_lost_reply_was_processed(self, sandbox, api):
        """The record is there, the answer is not, and the journal knows it."""
        sandbox.faults.add([{"kind": "lost_reply", "match": "POST .*/Account"}])
        since = sandbox.journal.position

        with pytest.raises(requests.ConnectionError):
            api.post("sobjects/Account", json={"Name": "Done all the same"})

        found = api.get(
            "query", params={"q": "SELECT COUNT() FROM Account WHERE Name = 'Done all the same'"}
        ).json()
        assert found["totalSize"] == 1
        lost = sandbox.journal.requests(since)[0]
        assert (lost.status, lost.sent, lost.faults, lost.counted) == (0, 0, ("lost_reply",), True)

    def test_not_a_byte_of_a_lost_reply_is_sent(self, sandbox, api):
        """The connection ends before the status line."""
        sandbox.faults.add([{"kind": "lost_reply"}])

        assert raw(sandbox, asked(api)) == b""
