"""The real command line beside a CRM that says back every secret that it is sent."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from urllib.parse import quote

import pytest
from cryptography.fernet import Fernet
from rich.console import Console

from config.redaction import remember
from sync.commands.ending import explain_error
from sync.crashes import hide_secrets_in_threads
from sync.talk import Talk
from tests.acceptance import prepared
from tests.acceptance.conftest import Done

ACCESS, ROTATED = "the-access-token-that-was-granted", "the-refresh-token-that-replaces/it"
SECRETS = {
    "CLIENT": "the-clients-name",
    "SECRET": "the-clients-+secret&",
    "REFRESH": "the-refresh-token-of-the-settings",
    "KEY": Fernet.generate_key().decode(),
}
SETTINGS = """\
encryption_key: {{env: KEY}}
connections:
  main:
    crm: hubspot
    url: http://127.0.0.1:{port}
    auth:
      grant: refresh_token
      client_id: {{env: CLIENT}}
      client_secret: {{env: SECRET}}
      refresh_token: {{env: REFRESH}}
"""


class Parrot(BaseHTTPRequestHandler):
    """Grants tokens, and answers everything else with all that it has been told, as an error."""

    heard: str = ""

    def do_GET(self):
        """Say it all back."""
        self._answer(b"")

    def do_POST(self):
        """Say it all back, or grant a new pair of tokens."""
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body):
        Parrot.heard += f" {self.headers.get('Authorization', '')} {body.decode()}"
        status, said = (
            400,
            {"category": "VALIDATION_ERROR", "message": f"no: {Parrot.heard} {ACCESS} {ROTATED}"},
        )
        if b"grant_type" in body:
            status, said = 200, {"access_token": ACCESS, "refresh_token": ROTATED, "expires_in": 1800}
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Nothing on stderr."""


@pytest.fixture
def folder(tmp_path):
    """A user's folder beside that CRM."""
    Parrot.heard = ""
    with closing(ThreadingHTTPServer(("127.0.0.1", 0), Parrot)) as server:
        server.close = server.server_close
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (tmp_path / "foretag.yaml").write_text(SETTINGS.format(port=server.server_address[1]))
        (tmp_path / "rules.yaml").write_text("")
        yield tmp_path
        server.shutdown()


def foretag(folder, *arguments):
    """Run a command to its end, with every secret in the environment and every log line wanted."""
    environment = {"PATH": "/usr/bin", "HOME": str(folder), "FORETAG_LOG": "debug", **SECRETS}
    out, err = folder / "out", folder / "err"
    with out.open("w+") as said, err.open("w+") as told:
        code = prepared.run(arguments, folder, environment, said.fileno(), told.fileno())
    return Done(code, out.read_text(), err.read_text())


def ways(secret):
    """How a secret may be written."""
    return {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")}


@pytest.mark.long
def test_nothing_that_a_command_says_or_keeps_holds_a_secret(folder):
    """Not what people read, machines read, logs say, nor any file of the history, whatever the CRM says back."""
    done = [foretag(folder, *command) for command in (("check",), ("run", "--json"), ("runs", "--json"))]
    assert [one.code for one in done][2] == 0
    assert all("[secret]" in one.out + one.err for one in done[:2])
    assert SECRETS["SECRET"] in Parrot.heard.replace(quote(SECRETS["SECRET"], safe=""), SECRETS["SECRET"])
    assert ACCESS in Parrot.heard
    kept = b"".join(path.read_bytes() for path in (folder / ".foretag").rglob("*") if path.is_file())
    told = "".join(one.out + one.err for one in done) + kept.decode("utf-8", "replace")
    found = [way for secret in (*SECRETS.values(), ACCESS, ROTATED) for way in ways(secret) if way in told]
    assert found == []


def test_the_traceback_of_a_bug_shows_no_secret():
    """It is what people paste into tickets."""
    remember("a-secret-in-a-bug")  # the traceback shows this very line, too
    talk, said = Talk(), StringIO()
    talk.err = Console(file=said, width=320)
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError("no: a-secret-in-a-bug of postgresql://me:hunter2@db/x")
    assert explain_error(talk, caught.value) == 1
    assert "RuntimeError: no: [secret] of postgresql://me:[secret]@db/x" in said.getvalue()
    assert "hunter2" not in said.getvalue()
    assert "a-secret-in-a-bug" not in said.getvalue()


def test_a_crash_in_a_thread_shows_no_secret(capfd, monkeypatch):
    """A worker's listeners have threads of their own."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # given back afterwards
    hide_secrets_in_threads()
    remember("a-secret-in-a-thread")

    def crash():
        raise RuntimeError("no: a-secret-in-a-thread")

    thread = threading.Thread(target=crash, name="listener")
    thread.start()
    thread.join()
    said = capfd.readouterr().err
    assert said.startswith("Exception in thread listener:")
    assert "RuntimeError: no: [secret]" in said
    assert "a-secret-in-a-thread" not in said
