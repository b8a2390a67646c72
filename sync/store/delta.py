"""How Delta tables are written, and the files of their old versions swept away."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import unquote

from deltalake import DeltaTable, WriterProperties

PARQUET = WriterProperties(compression="SNAPPY")

# A table that every run replaces is swept once in so many versions; its readers need seconds, not days.
SWEEP_EVERY = 10
SWEEP_HOURS = 1


def sweep(uri: str) -> None:
    """Now and then, delete the files of versions that nobody reads any more."""
    table = DeltaTable(uri)
    if table.version() % SWEEP_EVERY == 0:
        table.vacuum(retention_hours=SWEEP_HOURS, enforce_retention_duration=False, dry_run=False)


def flush(uri: str) -> None:
    """Bring the last commit of a local table to the disk: Delta leaves it to the system, which a power cut ends."""
    log = Path(uri) / "_delta_log" / f"{DeltaTable(uri).version():020}.json"
    actions = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    added = [Path(uri) / unquote(action["add"]["path"]) for action in actions if "add" in action]
    for path in (*added, log):
        with path.open("rb") as file:
            os.fsync(file.fileno())
