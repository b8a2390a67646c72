"""What commands load before they say anything: nothing that takes long and that they do not use."""

import subprocess
import sys

import pytest

HEAVY = {"deltalake", "duckdb", "jsonschema", "pandas", "plotly", "scipy", "structlog"}
NO_HISTORY = HEAVY | {"sqlalchemy"}


@pytest.mark.parametrize(
    ("modules", "unused"),
    [
        ("sync.cli", NO_HISTORY | {"pyarrow", "rich"}),
        ("sync.checking, sync.talk", NO_HISTORY),
        ("sync.history, sync.talk", HEAVY),
        ("sync.commands.schedule, sync.talk", HEAVY | {"pyarrow"}),
        (
            "sync.commands.working, sync.talk",
            HEAVY - {"structlog"} | {"alembic", "numpy", "pyarrow", "psycopg"},
        ),
    ],
    ids=["--help", "check FILE", "runs", "schedule", "worker"],
)
def test_a_command_loads_only_what_it_uses(modules: str, unused: set[str]) -> None:
    """Help, checking files and the history come quickly, because tables, models and charts stay on the disk."""
    program = f"import sys; import {modules}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert unused.isdisjoint(loaded.split())
