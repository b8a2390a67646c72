"""How Delta tables are written, and the files of their old versions swept away."""

from __future__ import annotations

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
