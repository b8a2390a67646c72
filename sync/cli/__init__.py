"""The command line. Each command imports what it needs when it runs, so that `--help` is quick."""

from __future__ import annotations

import sys

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
