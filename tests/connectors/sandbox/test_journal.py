"""What the sandbox tells about itself: requests, effective writes, health, clock; and its life as a program."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from connectors.sandbox.clock import SandboxClock
from connectors.sandbox.server import Sandbox


def test_writes_are_noted_only_where_something_happened(sandbox, api):
    """User, operation, object, ids and fields; a refused record leaves no entry."""
    made = api.post("sobjects/Account", json={"Name": "Noted"}).json()["id"]
    since = sandbox.journal.position
    api.patch(f"sobjects/Account/{made}", json={"Name": "Noted twice"})
    api.patch("sobjects/Account/001000000000000AAA", json={"Name": "Nobody"})
    api.delete(f"sobjects/Account/{made}")

    update, delete = sandbox.journal.writes(since)

    assert (update.user, update.operation, update.object) == (sandbox.org.admin.username, "update", "Account")
    assert (update.ids, update.fields, update.changed) == ((made,), ("Name",), 1)
    assert (delete.operation, delete.ids) == ("delete", (made,))


def test_every_request_is_noted_with_its_caller(sandbox, api):
    """Method, path with query, user, status, and whether it used up the allowance."""
    since = sandbox.journal.position
    api.get("limits")
    api.get("/services/data")
    api.get("limits", headers={"Authorization": "Bearer nonsense"})
    api.get("/sandbox")

    entries = sandbox.journal.requests(since)

    admin = sandbox.org.admin.username
    assert [(one.path.rpartition("/")[2], one.user, one.status, one.counted) for one in entries] == [
        ("limits", admin, 200, True),
        ("data", "", 200, False),
        ("limits", "", 401, False),
    ]


def test_who_has_the_reply_finds_it_in_the_journal(sandbox, api):
    """The entry is made before the last byte leaves, so that counting after a call never misses it."""
    for number in range(1, 30):
        since = sandbox.journal.position
        api.get("limits")
        assert len(sandbox.journal.requests(since)) == 1, number


def test_the_journal_reads_over_http_from_any_number(api):
    """`since` gives only what is new, with totals over it."""
    last = api.get("/sandbox/journal").json()["last"]
    api.post("sobjects/Account", json={"Name": "New"})

    news = api.get("/sandbox/journal", params={"since": last}).json()

    assert [one["kind"] for one in news["entries"]] == ["write", "request"]
    assert news["totals"] == {
        "requests": 1,
        "api_calls": 1,
        "records_written": 1,
        "values_changed": news["entries"][0]["changed"],
        "written": {"Account.insert": 1},
    }
    assert api.get("/sandbox/journal", params={"since": news["last"]}).json()["entries"] == []
    assert api.get("/sandbox/journal", params={"since": "x"}).status_code == 400


def test_the_clock_moves_over_http(sandbox, api):
    """By an amount or to a moment; nonsense is refused."""
    before = sandbox.clock()
    api.post("/sandbox/clock", json={"days": 3, "hours": 1})
    assert dt.timedelta(days=3, hours=1) <= sandbox.clock() - before < dt.timedelta(days=3, hours=2)

    now = api.post("/sandbox/clock", json={"now": "2030-05-06T07:08:09Z"}).json()["now"]

    assert now.startswith("2030-05-06T07:08:09")
    assert api.post("/sandbox/clock", json={"parsecs": 1}).status_code == 400


def test_a_clock_ticks_from_its_start():
    """Time passes as the ticks say."""
    ticks = iter([100.0, 100.5, 103.0])
    start = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    clock = SandboxClock(start, lambda: next(ticks))

    assert [clock() - start, clock() - start] == [dt.timedelta(seconds=0.5), dt.timedelta(seconds=3)]


def test_today_is_the_datas_unless_given(make_sandbox):
    """The org's clock starts on the morning of that day."""
    assert make_sandbox(today=dt.date(2024, 2, 29)).clock().date() == dt.date(2024, 2, 29)


def test_health_tells_who_it_is(sandbox, api):
    """CRM, data set, org and time."""
    health = api.get("/sandbox").json()

    assert (health["status"], health["crm"], health["org"]) == ("up", "salesforce", sandbox.org.name)


SERVE = """
    from connectors.sandbox.server import Sandbox
    Sandbox(data="synthetic:5:5").serve(lambda sandbox: print(sandbox.http_url, sandbox.ca_file, flush=True))
    print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serving_ends_cleanly_on_a_signal(number, tmp_path):
    """Exit code 0, nothing on stderr, no file left behind."""
    command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", textwrap.dedent(SERVE)]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        url, ca_file = process.stdout.readline().split()
        assert url.startswith("http://localhost:")
        assert ca_file.startswith(str(tmp_path))
        process.send_signal(number)
        out, err = process.communicate(timeout=30)

    assert (process.returncode, out.strip(), err) == (0, "stopped", "")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_crm_is_a_clear_problem():
    """With the ones that are known."""
    with pytest.raises(Exception, match="no such CRM: 'sugar'; known here: salesforce"):
        Sandbox(crm="sugar")
