"""What a command says: data on stdout, talk on stderr; progress bars on a terminal, plain lines elsewhere.

Whatever it says is said without secrets.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from config.redaction import cleaned, redacted
from sync.logs import configure, is_form_chosen, log_said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from config.problems import Problem
    from connectors.contract import Org
    from sync.logs import Level

Tell = Callable[[str, int, int | None], None]

_LEVELS: dict[str, Level] = {"red": "error", "yellow": "warning"}


class Talk:
    """The two consoles of a command. With `machine`, stdout gets one JSON object and nothing else."""

    def __init__(self, *, machine: bool = False) -> None:
        self.machine = machine
        self.out, self.err = _console(sys.stdout), _console(sys.stderr)
        # Among log lines, as those of a worker's runs, talk is lines of the same kind.
        self.logged = is_form_chosen()
        if self.logged:
            configure()

    @property
    def is_interactive(self) -> bool:
        """Whether somebody is there to answer a question."""
        return sys.stdin.isatty() and not self.machine

    def say(self, text: str, style: str = "", *, openly: bool = False) -> None:
        """A line for people; `openly`: with the secrets that it is there to hand over, but to no log."""
        if self.logged:
            log_said(text, _LEVELS.get(style, "info"))
            return
        self.err.print(escape(text if openly else redacted(text)), style=style or None)

    def problems(self, problems: Sequence[Problem]) -> None:
        """Problems for people; those that differ only in their place are one line."""
        places: dict[tuple[str, str, str], list[Problem]] = {}
        for problem in problems:
            where = f"{problem.where}:{problem.line}:{problem.column}" if problem.line else ""
            places.setdefault((problem.message, problem.fix, where), []).append(problem)
        for alike in places.values():
            first = alike[0]
            text = str(
                first if len(alike) == 1 else replace(first, where=", ".join(one.where for one in alike))
            )
            self.say(f"{first.severity}: {text}", "red" if first.severity == "error" else "yellow")

    def banner(self, org: Org, connection: str) -> None:
        """Whose data is at stake: the first line of every command that can write."""
        if self.logged:
            return  # what a run logs has its connection's name
        kind = "PRODUCTION" if org.production else "sandbox"
        self.err.print(
            f"[bold]{escape(org.name)}[/bold] · "
            f"{'[bold red]' if org.production else '[green]'}{kind}[/] · connection {escape(connection)}"
        )

    def table(
        self, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()
    ) -> None:
        """A table on stdout, unless a machine listens."""
        rows = list(rows)
        if self.machine or not rows:
            return
        table = Table(
            title=escape(title) or None,
            title_justify="left",
            title_style="bold",
            header_style="bold",
            box=None,
            show_header=any(columns),
            pad_edge=False,
        )
        for column in columns:
            table.add_column(column, justify="right" if column in right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(escape("" if cell is None else redacted(str(cell))) for cell in row))
        self.out.print(table)

    def result(self, data: Any, *, openly: bool = False) -> None:
        """The one JSON object, if a machine listens; `openly`: with the secrets that it is there to hand over."""
        if self.machine:
            told = data if openly else cleaned(data)
            line = json.dumps(told, default=lambda one: redacted(str(one)), ensure_ascii=False)
            sys.stdout.write(line + "\n")

    def bug(self, error: BaseException) -> None:
        """Where a bug of ours showed. Its words may hold content: a person sees them, a log does not."""
        if self.logged:
            frames = "".join(traceback.format_tb(error.__traceback__))
            self.say(f"A bug in Foretag, {type(error).__name__}:\n{frames}", "red")
            return
        self.say(
            "This is a bug in Foretag, please report it (the last line may show a record's values: look first):",
            "red",
        )
        self.say("".join(traceback.format_exception(error)))

    @contextmanager
    def progress(self) -> Iterator[Tell]:
        """A way to report progress: `tell(what, done, total)`."""
        if self.logged or not self.err.is_terminal:
            yield quiet
            return
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.err,
            transient=True,
        ) as bars:
            known: dict[str, TaskID] = {}

            def tell(what: str, done: int, total: int | None) -> None:
                if what not in known:
                    known[what] = bars.add_task(what, total=total)
                bars.update(known[what], completed=done, total=total)

            yield tell


def _console(stream: TextIO) -> Console:
    """A console that never folds tables for a pipe, only for a terminal, and takes no text for a smiley."""
    width = None if stream.isatty() else 320
    return Console(file=stream, highlight=False, emoji=False, soft_wrap=not stream.isatty(), width=width)


def quiet(_what: str, _done: int, _total: int | None) -> None:
    """Nobody watches."""
