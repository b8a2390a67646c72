"""The command line. Each command imports what it needs when it runs, so that `--help` is quick."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn

# Each adds its commands to the app; `--help` lists them in this order.
# isort: off
from sync.cli import everyday, writes, gates, views, service  # noqa: F401  # imported for what they add

# isort: on
from sync.cli.options import app
from sync.crashes import hide_secrets_in_threads
from sync.exit_codes import PARKED
from sync.stopping import Parked, cause, listen


def main() -> None:
    """The `foretag` command."""
    hide_secrets_in_threads()
    listen()
    try:
        app()
    except Exception as error:
        told = cause(error)
        if not isinstance(told, Parked):
            raise
        # Told to stop before the command began: no bug, and nothing is open.
        from sync.talk import Talk

        Talk().say(str(told))
        sys.exit(PARKED)


def command() -> NoReturn:
    """The same as a process of its own, that ends here: to free a book's tables one by one would take half a second."""
    try:
        main()
        code: object = 0
    except SystemExit as ended:
        code = ended.code
    # What counts lines writes them down when Python itself ends.
    if isinstance(code, int) and "coverage" not in sys.modules:
        # A reader that has seen enough, as `| head`, is no error.
        with suppress(BrokenPipeError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    raise SystemExit(code)
