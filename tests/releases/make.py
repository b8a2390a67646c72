"""Make what an installation of this version leaves on the disk, for later versions to open.

`python -m tests.releases.make` before each release that changes the history's tables or the local copy; run in a
checkout of an older version, with its sources on the path, it makes that one's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from connectors.sandbox.server import Sandbox
from sync.demo import set_up, write_settings

HERE = Path(__file__).parent
CRMS = ("salesforce", "hubspot")
BOOK = "synthetic:40:200"
DAY = date(2026, 3, 2)
STATE = "state"


def make(crm: str) -> Path:
    """One run beside a small CRM; returns the archive of its state folder, named after the history's revision."""
    with tempfile.TemporaryDirectory() as name, Sandbox(crm=crm, data=BOOK, today=DAY) as sandbox:
        folder = Path(name)
        set_up(write_settings(folder, sandbox))
        command = [sys.executable, "-m", "sync.cli", "run"]
        subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(Path.cwd())}, check=True)
        archive = HERE / f"{_revision(folder / STATE)}-{crm}.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(folder / STATE, STATE)
    return archive


def _revision(state: Path) -> str:
    engine = sa.create_engine(f"sqlite:///{state / 'history.sqlite'}")
    with engine.connect() as db:
        found = str(db.scalar(sa.text("SELECT version_num FROM alembic_version")))
    engine.dispose()
    return found


if __name__ == "__main__":
    for each in CRMS:
        sys.stdout.write(f"{make(each)}\n")
