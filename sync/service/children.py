"""Runs as processes of their own: their memory goes back when they end, and their death is theirs alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any

from sync.exit_codes import BUG
from sync.logs import FORM, LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from sync.logs import Form
    from sync.service.schedule import Work

_COMMANDS = {
    "increment": ("run",),
    "full": ("run", "--full"),
    "tasks": ("run", "--only-tasks"),
    "reconcile": ("reconcile",),
}
# An ended run's errors that say: it was not its turn. What it was to do is still to be done.
_NOT_ITS_TURN = ("LeaseLost", "Parked", "KeyboardInterrupt")


def command_of(work: Work, settings: Path, has_tasks: bool) -> list[str]:  # noqa: FBT001  # as a worker calls it
    """The command line of a run. `has_tasks`: the connection's tasks have times of their own."""
    # -P: a folder `config` where the worker was started must not stand in for ours.
    command = [sys.executable, "-P", "-m", "sync.cli", *_COMMANDS[work.job]]
    if has_tasks and work.job in ("increment", "full"):
        command.append("--without-tasks")
    if work.zone:
        command += ["--zone", work.zone]
    return [*command, "--settings", str(settings), "--connection", work.connection, "--json"]


@dataclass(eq=False)
class Child:
    """One run under way, for work that fell due, and for what it covers (`works`, the first is the run's own).

    `ended` is called once, from another thread.
    """

    works: list[tuple[Work, datetime]]
    began: datetime
    process: subprocess.Popen[bytes]
    ended: Callable[[Child], None]
    answer: dict[str, Any] = field(default_factory=dict)
    told_to_stop: datetime | None = None
    took_too_long: bool = False

    @classmethod
    def start(
        cls,
        work: Work,
        due: datetime,
        command: Sequence[str],
        form: Form,
        began: datetime,
        ended: Callable[[Child], None],
    ) -> Child:
        """Start a run; its log lines go where ours do."""
        process = subprocess.Popen(  # noqa: S603  # our own command line
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, LEVEL: "info", FORM: form},
            # Ctrl-C at a terminal is ours to hand on, once.
            process_group=0,
        )
        child = cls([(work, due)], began, process, ended)
        Thread(target=child._wait, name=f"run-{child.connection}", daemon=True).start()  # its own
        return child

    @property
    def connection(self) -> str:
        """Whose records it works on."""
        return self.works[0][0].connection

    @property
    def exit_code(self) -> int:
        """As the run said itself; one that was killed had no word in it."""
        code: int = self.process.returncode
        return BUG if code < 0 else code

    @property
    def is_to_be_repeated(self) -> bool:
        """Whether what it was to do is still to be done: it stopped as it was told, or another run is working."""
        was_cut_short = self.told_to_stop is not None and not self.answer
        return was_cut_short or self.answer.get("error") in _NOT_ITS_TURN

    def stop(self, now: datetime) -> None:
        """Tell it to finish or park what it is sending, and to end."""
        if self.told_to_stop is None and self.process.returncode is None:
            self.told_to_stop = now
            self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once; what it was sending is looked up by the next run."""
        self._send(signal.SIGKILL)

    def _send(self, what: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(what)

    def _wait(self) -> None:
        said, _ = self.process.communicate()
        with suppress(ValueError, IndexError):
            answer = json.loads(said.splitlines()[-1])
            self.answer = answer if isinstance(answer, dict) else {}
        self.ended(self)
