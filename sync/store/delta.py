"""How Delta tables are written, and the files of their old versions swept away."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from urllib.parse import unquote

from deltalake import WriterProperties

if TYPE_CHECKING:
    from sync.store.place import Place

PARQUET = WriterProperties(compression="SNAPPY")

# A table that every run replaces is swept once in so many versions; its readers need seconds, not days.
SWEEP_EVERY = 10
SWEEP_HOURS = 1


def sweep(place: Place) -> None:
    """Now and then, delete the files of versions that nobody reads any more."""
    table = place.existing_table()
    if table.version() % SWEEP_EVERY == 0:
        table.vacuum(retention_hours=SWEEP_HOURS, enforce_retention_duration=False, dry_run=False)


def flush(place: Place) -> None:
    """Bring a table's last commit to the disk: Delta leaves it to the system, which a power cut ends.

    An object store answers only once it has what it was sent.
    """
    if place.folder is None:
        return
    log = place.folder / "_delta_log" / f"{place.existing_table().version():020}.json"
    actions = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    added = [place.folder / unquote(action["add"]["path"]) for action in actions if "add" in action]
    for path in (*added, log):
        with path.open("rb") as file:
            os.fsync(file.fileno())
