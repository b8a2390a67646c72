"""Figures of the sandbox's bulk interfaces: rows per second and CPU seconds of the server's own process.

`python -m tests.benchmarks.sandbox_throughput [DATA]` prints rows of the benchmarks' table.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import requests

from tests.benchmarks.measuring import Figure, show

if TYPE_CHECKING:
    from collections.abc import Iterator

BOOK = "synthetic:200000:1000000"
FIELDS = "Id, AccountId, Name, Amount, CloseDate, StageName, IsWon, IsClosed, OwnerId, SystemModstamp"
EXPORTED = f"SELECT {FIELDS} FROM Opportunity"
UPDATED_ROWS = 200_000
GOAL_ROWS = 300_000
_CHUNK = 1 << 20
_SERVER = """
import json, sys
from connectors.sandbox.server import Sandbox
sandbox = Sandbox(data=sys.argv[1])
account = sandbox.credentials.admin
told = {"client_id": account.client_id, "client_secret": account.client_secret}
sandbox.serve(lambda running: print(json.dumps({**told, "url": running.http_url}), flush=True))
"""


class Measured:
    """A sandbox in a process of its own, a session with it, and the figures of what was measured so far."""

    def __init__(self, process: subprocess.Popen[str], told: dict[str, str]) -> None:
        self.process = psutil.Process(process.pid)
        body = {
            "grant_type": "client_credentials",
            **{key: told[key] for key in ("client_id", "client_secret")},
        }
        token = requests.post(f"{told['url']}/services/oauth2/token", data=body, timeout=60).json()[
            "access_token"
        ]
        self.jobs = f"{told['url']}/services/data/v62.0/jobs"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.figures: list[tuple[str, int, float, float, int, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, int]]:
        """Measure a step; it puts its `rows` and `bytes` into the dict."""
        count = {"rows": 0, "bytes": 0}
        cpu, began = self._cpu(), time.perf_counter()
        yield count
        seconds, used = time.perf_counter() - began, self._cpu() - cpu
        memory = self.process.memory_info().rss / 1e6
        self.figures.append((name, count["rows"], seconds, used, count["bytes"], memory))

    def _cpu(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """One call that must succeed."""
        reply = self.session.request(method, f"{self.jobs}/{path}", timeout=600, **arguments)
        reply.raise_for_status()
        return reply

    def await_end(self, path: str) -> dict[str, Any]:
        """Poll a job until it has ended."""
        while True:
            job: dict[str, Any] = self.call("GET", path).json()
            if job["state"] in ("JobComplete", "Failed", "Aborted"):
                return job

    def download(self, job: str, encoding: str) -> tuple[int, int]:
        """(rows, bytes on the wire) of a whole result."""
        rows = size = 0
        locator = ""
        while locator != "null":
            asked = {"Accept-Encoding": encoding}
            reply = self.call(
                "GET", f"query/{job}/results", params={"locator": locator}, headers=asked, stream=True
            )
            size += sum(len(chunk) for chunk in reply.raw.stream(_CHUNK, decode_content=False))
            rows += int(reply.headers["Sforce-NumberOfRecords"])
            locator = reply.headers["Sforce-Locator"]
        return rows, size


def export(measured: Measured) -> None:
    """Query jobs: the first query warms the parser up, so that the second shows the query itself."""
    measured.call("POST", "query", json={"operation": "query", "query": "SELECT Id FROM Account LIMIT 1"})
    for encoding in ("identity", "gzip"):
        with measured.step(f"export, {encoding}") as count:
            job = measured.call("POST", "query", json={"operation": "query", "query": EXPORTED}).json()["id"]
            measured.await_end(f"query/{job}")
            count["rows"], count["bytes"] = measured.download(job, encoding)
        measured.call("DELETE", f"query/{job}")


def ingest(measured: Measured) -> None:
    """An update of two fields of many accounts."""
    soql = f"SELECT Id FROM Account LIMIT {UPDATED_ROWS}"
    job = measured.call("POST", "query", json={"operation": "query", "query": soql}).json()["id"]
    measured.await_end(f"query/{job}")
    page = measured.call("GET", f"query/{job}/results", params={"maxRecords": UPDATED_ROWS}).text
    ids = page.replace('"', "").split()[1:]
    rows = "".join(f"{record_id},Tag {place},{place}\n" for place, record_id in enumerate(ids))
    content = ("Id,Site,NumberOfEmployees\n" + rows).encode()
    with measured.step("ingest, update") as count:
        made = measured.call("POST", "ingest", json={"object": "Account", "operation": "update"}).json()
        path = f"ingest/{made['id']}"
        measured.call("PUT", f"{path}/batches", data=content, headers={"Content-Type": "text/csv"})
        measured.call("PATCH", path, json={"state": "UploadComplete"})
        ended = measured.await_end(path)
        count["rows"], count["bytes"] = (
            ended["numberRecordsProcessed"] - ended["numberRecordsFailed"],
            len(content),
        )
    with measured.step("ingest, results") as count:
        reply = measured.call("GET", f"{path}/successfulResults")
        count["rows"], count["bytes"] = reply.content.count(b"\n") - 1, len(reply.content)


def report(measured: Measured) -> None:
    """Print the figures; a server that serves less than this is the bottleneck of what it is there to measure."""
    for name, rows, seconds, cpu, _size, memory in measured.figures:
        goal = GOAL_ROWS if name == "export, identity" else None
        show(
            f"sandbox {name}, {rows:,} rows",
            Figure("rows/CPU s", rows / cpu if cpu else 0, goal, least=True),
            Figure("wall s", seconds),
            Figure("server MB", memory),
        )


def main(data: str = BOOK) -> None:
    """Measure and print."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER, data], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            measured = Measured(process, json.loads(process.stdout.readline()))
            export(measured)
            ingest(measured)
            report(measured)
        finally:
            process.terminate()


if __name__ == "__main__":
    main(*sys.argv[1:])
