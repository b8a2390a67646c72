"""The local copy against the CRM: what an increment missed is found, listed and mended."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from config.records import schema
from sync.runs.reconcile import reconcile


@pytest.mark.parametrize("crm", ["salesforce", pytest.param("hubspot", marks=pytest.mark.long)])
def test_what_an_increment_missed_is_mended_and_listed(world):
    """One record lost, one too many, one of an older state; then all is alike, and nothing was written."""
    world.run()
    world.sandbox.clock.advance(timedelta(hours=3))
    world.run()
    with world.job() as job:
        held = job.mirror.read("account").sort_by("id").to_pylist()
    lost, older, ghost, alike = held[0], held[1], held[2], held[3:]
    world.people.delete("account", ghost["id"])
    world.sandbox.clock.advance(timedelta(hours=3))
    world.run()
    world.sandbox.clock.advance(timedelta(hours=3))
    older = {**older, "name": "as it was", "modified_at": older["modified_at"] - timedelta(days=9)}
    with world.job() as job:
        rows = pa.Table.from_pylist([older, ghost, *alike], schema=schema("account"))
        job.mirror.load("account", schema("account").names, [rows])
        with world.counting() as written:
            report = reconcile(job)
    assert report.mended == {"account": {"lost": 1, "extra": 1, "older": 1}}
    assert report.last_line.startswith("Compared ")
    assert "1 missing, 1 gone from the CRM, 1 out of date; mended" in report.last_line
    assert report.exit_code == written() == 0
    with world.job() as job:
        items = {(item.code, item.record_id) for item in job.ledger.items(report.run, "mended")}
        assert items == {("LOST", lost["id"]), ("EXTRA", ghost["id"]), ("OLDER", older["id"])}
        assert job.mirror.read("account").sort_by("id").to_pylist() == [lost, held[1], *alike]
        again = reconcile(job)
    assert again.mended == {}
    assert again.last_line.endswith("all alike.")
