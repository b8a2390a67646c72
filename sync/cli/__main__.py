"""`python -m sync.cli` is the `foretag` command."""

from sync.cli import command

command()
