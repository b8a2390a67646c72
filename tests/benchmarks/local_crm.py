"""A sandbox in a process of its own, so that only the client is measured, and a connection to it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Any

import requests
from pydantic import TypeAdapter

from config.crms import CRMS
from config.settings import Connection
from connectors.tokens import MemoryTokens
from tests.benchmarks.measuring import Figure, show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from connectors.contract import Connector

# What a CRM's rates allow: calls in any so many seconds, by what stands in the path; the first match counts.
RATES: dict[str, dict[str, tuple[int, float]]] = {
    "salesforce": {},
    "hubspot": {"/search": (5, 1.0), "/associations/": (150, 10.0), "/": (190, 10.0)},
}
TOO_MANY_REQUESTS = 429
# Of the time that the CRM's rates demand.
GOAL_RATIO = 1.15

# An installation beside it, with the worker's credentials in the environment.
SETTINGS = """\
connections:
  bench:
    crm: salesforce
    url: {url}
    ca_file: {ca_file}
    tasks: false
    auth: {{client_id: {{env: FORETAG_CLIENT_ID}}, client_secret: {{env: FORETAG_CLIENT_SECRET}}}}
    limits: {{max_changes: 100000000, api_reserve: 0}}
"""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the CRM has seen: counted calls, those that it refused for their rate, and how fast it could have gone."""

    calls: int
    refused: int
    floor: float


@contextmanager
def local_crm(data: str, crm: str = "salesforce") -> Iterator[dict[str, Any]]:
    """A running sandbox: what `foretag sandbox --json` prints, and which CRM it plays."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sync.cli", "sandbox", "--crm", crm, "--data", data, "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # how to connect to it by hand
        text=True,
    )
    try:
        assert process.stdout is not None
        yield {**json.loads(process.stdout.readline()), "crm": crm}
    finally:
        process.terminate()
        process.wait()


def connected(crm: dict[str, Any], folder: Path, *, admin: bool = False) -> Connector:
    """A connector to it, as the worker, or as the admin who sets the worker up."""
    prefix = "admin_" if admin else ""
    auth = {}
    for name in CRMS[crm["crm"]].secrets:
        (folder / f"{prefix}{name}").write_text(crm[f"{prefix}{name}"])
        auth[name] = {"file": str(folder / f"{prefix}{name}")}
    settings = {"crm": crm["crm"], "url": crm["url"], "ca_file": crm["ca_file"], "auth": auth}
    package: Any = import_module(f"connectors.{crm['crm']}")
    connector: Connector = package.connect(
        "bench",
        TypeAdapter(Connection).validate_python(settings),
        {},
        tokens=MemoryTokens(),
        clock=lambda: datetime.now(UTC),
        sleep=time.sleep,
        rng=Random(1),
        worker=crm["username"] if admin else "",
    )
    return connector


def position(crm: dict[str, Any]) -> int:
    """Where the CRM's journal ends now."""
    return int(_journal(crm, since=1 << 40)["last"])


def traffic(crm: dict[str, Any], since: int) -> Traffic:
    """What has come since a position of the journal."""
    requests_seen = [entry for entry in _journal(crm, since)["entries"] if entry["kind"] == "request"]
    rates = RATES[crm["crm"]]
    lanes = Counter(
        lane
        for entry in requests_seen
        for lane in [next((lane for lane in rates if lane in entry["path"]), None)]
        if lane is not None and entry["counted"]
    )
    return Traffic(
        sum(entry["counted"] for entry in requests_seen),
        sum(entry["status"] == TOO_MANY_REQUESTS for entry in requests_seen),
        max((floor(count, *rates[lane]) for lane, count in lanes.items()), default=0.0),
    )


def requests_since(crm: dict[str, Any], since: int) -> list[str]:
    """The counted calls since a position of the journal, as `METHOD /path`."""
    return [
        f"{entry['method']} {entry['path']}"
        for entry in _journal(crm, since)["entries"]
        if entry["kind"] == "request" and entry["counted"]
    ]


def show_rates(crm: str, seen: Traffic, seconds: float) -> None:
    """How near to the CRM's rates it came, if the CRM has any."""
    if seen.floor:
        show(
            f"{crm}: the same, by the rates",
            Figure("floor s", seen.floor),
            Figure("x floor", seconds / seen.floor, GOAL_RATIO),
            Figure("429s", seen.refused, 0),
        )


def floor(calls: int, limit: int, seconds: float) -> float:
    """The least seconds for so many calls, when any `seconds` may hold `limit` of them and replies take no time."""
    return max(calls - 1, 0) // limit * seconds


def move_clock(crm: dict[str, Any], **by: float) -> None:
    """Let the CRM's clock go on, so that calls of before count no more."""
    requests.post(f"{crm['http_url']}/sandbox/clock", json=by, timeout=30).raise_for_status()


def _journal(crm: dict[str, Any], since: int) -> dict[str, Any]:
    told: dict[str, Any] = requests.get(
        f"{crm['http_url']}/sandbox/journal", params={"since": since}, timeout=120
    ).json()
    return told
