"""A process that has imported everything, from which each command is forked: the same command line, started sooner.

To start the installed `foretag` takes longer than most commands; tests of what a command does need not pay that
each time. What the start itself does is tried with the executable.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SECONDS = 120

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    [
        "sync.commands.plans",
        "sync.ledger.migrating",
        "pyarrow.dataset",
        "connectors.salesforce",
        "connectors.hubspot.sdk",
    ]
)


def run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], out: int, err: int) -> int:
    """Run a command to its end in a process of its own; its exit code. `out` and `err` are open files."""
    process = _server.Process(
        target=_command, args=(list(arguments), str(folder), dict(environment), _Passed(out), _Passed(err))
    )
    process.start()
    process.join(SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"foretag {' '.join(arguments)} did not end")
    return process.exitcode


class _Passed:
    """An open file on its way to another process."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> object:
        from multiprocessing.reduction import DupFd

        return _detached, (DupFd(self.number),)


def _detached(passed: object) -> int:
    return passed.detach()  # type: ignore[attr-defined,no-any-return]


def _command(arguments: list[str], folder: str, environment: dict[str, str], out: int, err: int) -> None:
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["foretag", *arguments]
    from sync.cli import main

    main()
