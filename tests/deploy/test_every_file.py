"""Nothing lies in deploy/ that no test looks at."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"
MODULES = sorted(
    path.stem for path in Path(__file__).parent.glob("test_*.py") if path.stem != "test_every_file"
)


def test_every_file_is_checked_by_a_test():
    """Each module here names the files that it checks; a new file wants a test."""
    checked = {name for module in MODULES for name in import_module(f"tests.deploy.{module}").CHECKED}
    there = {path.relative_to(DEPLOY).as_posix() for path in DEPLOY.rglob("*") if path.is_file()}
    # Secrets of whoever tries compose here; git does not see them either.
    there = {name for name in there if not name.startswith("compose/secrets/")}
    assert there - checked == set(), "checked by no test"
    assert checked - there == set(), "no longer there"
