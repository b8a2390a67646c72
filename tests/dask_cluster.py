"""A real Dask scheduler and real workers for tests, each a process of its own on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PATIENCE = 60.0  # seconds, for a machine with much else to do


class DaskCluster:
    """A scheduler at `address` (HOST:PORT) and the workers that were started for it."""

    def __init__(self, folder: Path, host: str, options: Sequence[str]) -> None:
        self._folder, self._options = folder, options
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start("scheduler", "--host", host, "--port", "0")
        self.address = self._told("scheduler", "Scheduler at:").split("://")[1]
        self.url = f"{'tls' if options else 'tcp'}://{self.address}"

    def worker(self, path: Path | None = None) -> subprocess.Popen[bytes]:
        """One more worker, of one thread; `path`: with other sources than ours."""
        place = len(self.processes)
        started = self._start(
            "worker", self.url, "--nthreads", "1", "--no-nanny", "--memory-limit", "0", path=path
        )
        self._told(f"worker{place}", "Registered to:")
        return started

    def stop(self) -> None:
        """End all processes, and wait until they have."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()

    def _start(self, what: str, *arguments: str, path: Path | None = None) -> subprocess.Popen[bytes]:
        log = self._folder / (what if what == "scheduler" else f"{what}{len(self.processes)}")
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments, "--no-dashboard"]
        environment = os.environ | {"DASK_TEMPORARY_DIRECTORY": str(self._folder)}
        environment |= {} if path is None else {"PYTHONPATH": str(path)}
        with log.open("wb") as output:
            # Not from here: a package in the current folder would come before those of `path`.
            process = subprocess.Popen(
                [*command, *self._options], stdout=output, stderr=output, env=environment, cwd=self._folder
            )
        self.processes.append(process)
        return process

    def _told(self, log: str, words: str) -> str:
        """What follows these words in a process's log, once they are there."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            text = (self._folder / log).read_text(encoding="utf-8")
            if words in text:
                return text.split(words)[1].split()[0]
            time.sleep(0.05)
        raise AssertionError(text)


@contextmanager
def dask_cluster(
    folder: Path, workers: int, host: str = "127.0.0.1", options: Sequence[str] = ()
) -> Iterator[DaskCluster]:
    """A scheduler with so many workers, of whom none outlives the block; `options` go to all of them."""
    cluster = DaskCluster(folder, host, options)
    try:
        for _ in range(workers):
            cluster.worker()
        yield cluster
    finally:
        cluster.stop()
