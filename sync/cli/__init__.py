"""The command line. Each command imports what it needs when it runs, so that `--help` is quick."""

# Each adds its commands to the app; `--help` lists them in this order.
# isort: off
from sync.cli import everyday, writes, gates, views, service  # noqa: F401  # imported for what they add

# isort: on
from sync.cli.options import app
from sync.crashes import hide_secrets_in_threads
from sync.stopping import listen


def main() -> None:
    """The `foretag` command."""
    hide_secrets_in_threads()
    listen()
    app()
