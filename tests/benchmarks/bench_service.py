"""What a worker costs while it has nothing to do, and how quickly it says how it is.

Three connections whose work is not due, for a minute: memory, CPU, and the answers to 100 looks at each page.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from urllib.request import urlopen

import psutil

from tests.benchmarks.measuring import Figure, show

_SETTINGS = """\
state: state
service: {logs: json}
connections:
"""
_CONNECTION = """\
  org{number}:
    crm: salesforce
    url: https://localhost:1
    auth: {{client_id: {{env: NONE}}, client_secret: {{env: NONE}}}}
    schedule: {{increment: null, full: "0 2 29 2 *", reconcile: "0 2 29 2 *"}}
"""
SECONDS, LOOKS = 60, 100


def main() -> None:
    """Printed as rows."""
    with tempfile.TemporaryDirectory(prefix="foretag-bench-") as folder:
        settings = Path(folder) / "foretag.yaml"
        settings.write_text(_SETTINGS + "".join(_CONNECTION.format(number=number) for number in range(3)))
        command = [sys.executable, "-m", "sync.cli", "worker", "-s", str(settings), "--listen", "127.0.0.1:0"]
        worker = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # our own command
        try:
            _measure(worker)
        finally:
            worker.terminate()
            worker.communicate()


def _measure(worker: subprocess.Popen[str]) -> None:
    address = ""
    for line in worker.stderr or ():
        said = json.loads(line)
        address = said.get("how_it_is", address).removesuffix("/readyz")
        if said["event"] == "worker.scheduled":
            break
    process = psutil.Process(worker.pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(SECONDS)
    share = (sum(process.cpu_times()[:2]) - before) / SECONDS * 100
    memory = process.memory_info().rss / 1e6
    show(
        "a worker of 3 connections with nothing to do", Figure("MB", memory, 120), Figure("% CPU", share, 0.5)
    )
    for page in ("healthz", "readyz", "metrics"):
        show(f"its /{page}", Figure("ms", median(_look(f"{address}/{page}") for _ in range(LOOKS)), 20))


def _look(address: str) -> float:
    started = time.perf_counter()
    with urlopen(address) as answer:  # our own, on this machine
        answer.read()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
