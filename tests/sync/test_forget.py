"""Forgetting a record, and erasing what is kept no longer: nothing of it is left, and it does not come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config.problems import ConfigProblem
from sync.forget import forget, kept_of
from sync.ledger import Item
from sync.pipeline import recorded
from sync.retention import erase_expired
from sync.runs.undo import undoable
from sync.store.erasing import kept_tables
from sync.writing.stale import Overtaken
from tests.crms import CRMS

FIRST_IN_TIME = pytest.mark.parametrize(
    "crm", [CRMS[0], *(pytest.param(crm, marks=pytest.mark.long) for crm in CRMS[1:])], indirect=True
)


def slowly(test):
    """For one CRM, among the long tests: what is kept here does not depend on the CRM."""
    return pytest.mark.long(pytest.mark.parametrize("crm", CRMS[:1], indirect=True)(test))


MARK = "Unmistakable & Sons"


@pytest.fixture
def known(world):
    """A world in which a run has written an account that has deals, tasks and a refused item; with its id."""
    account = next(
        row["account_id"] for row in world.open_deals("account_id") if row["account_id"] is not None
    )
    world.people.edit("account", {"id": account, "name": MARK})
    report = world.run()
    with world.job() as job:
        job.ledger.list_items(report.run, [Item("account", account, "held_back", "X", f"of {MARK}")])
    return world, account


def _rows_with(world, *ids: str) -> list[str]:
    """The tables that hold one of these ids, or the name, anywhere."""
    with world.job() as job:
        place = job.place
    found = []
    for table in kept_tables(place):
        rows = table.place.existing_table().to_pyarrow_dataset().to_table()
        text = [str(row) for row in rows.drop_columns(["parent_id"] if "parent_id" in rows.column_names else [])
                .to_pylist()]  # fmt: skip
        if any(one in row for row in text for one in (*ids, MARK)):
            found.append(table.place.name)
    return found


def _files_with(world, *texts: str) -> list[str]:
    kept = world.kept().items()
    return [name for name, content in kept if any(text.encode() in content for text in texts)]


@FIRST_IN_TIME
def test_nothing_is_left_of_a_forgotten_record_and_it_does_not_come_back(known):
    """Not in tables, nor in older files and logs, nor in the history; the next run writes nothing to it."""
    world, account = known
    assert _rows_with(world, account)
    with world.job() as job:
        # Killed while it wrote down what a backfill was to do.
        (job.place / "backfills" / "20260301-120000-1.plan.partial").write(f"PAR1 {MARK}".encode())
        kept = kept_of(job, account)
        forget(job, kept)
    assert (kept.object, kept.name, len(kept.deals) > 0) == ("account", MARK, True)
    ids = [account, *kept.deals]
    assert _rows_with(world, *ids) == []
    assert _files_with(world, *ids, MARK) == []
    world.people.edit("account", {"id": account, "name": f"{MARK} again"})
    position = world.sandbox.journal.position
    report = world.run()
    assert (report.exit_code, _rows_with(world, account), _files_with(world, MARK)) == (0, [], [])
    written = {one for entry in world.sandbox.journal.writes(position) for one in entry.ids}
    assert written.isdisjoint(ids)


@slowly
def test_a_full_load_brings_no_forgotten_record_back(known):
    """Whatever is read anew because other fields are wanted."""
    world, account = known
    with world.job() as job:
        forget(job, kept_of(job, account))
    with world.job() as job:
        for name in ("account", "opportunity"):
            cursor, _ = job.ledger.cursor(job.name, name)
            job.ledger.keep_cursor(job.name, name, cursor, [])
    world.run()
    assert _rows_with(world, account) == []


@slowly
def test_a_look_between_two_chunks_brings_no_forgotten_record_back(known):
    """A kept plan looks at what changed before each chunk, past the pull that keeps such records out."""
    world, account = known
    with world.job() as job:
        forget(job, kept_of(job, account))
    plan = world.plan()
    with world.job() as job, recorded(job, "apply") as pass_:
        overtaken = Overtaken.pulled(pass_)
        still = overtaken.left(plan)
        overtaken("opportunity", still.changes["opportunity"])
        world.people.edit("account", {"id": account, "name": f"{MARK} again"})
        overtaken("opportunity", still.changes["opportunity"])
    assert _rows_with(world, account) == []


@slowly
def test_only_what_is_kept_can_be_forgotten(known):
    """Anything else is refused with a word on what to give; the same id twice finishes what a crash began."""
    world, account = known
    with world.job() as job:
        with pytest.raises(ConfigProblem, match="nothing is kept of a record nobody"):
            kept_of(job, "nobody")
        forget(job, kept_of(job, account))
        again = kept_of(job, account)
        assert (again.again, dict(again.rows)) == (True, {})
        forget(job, again)


def _later(job, days: int):
    return job.ledger.forgetting.today() + timedelta(days=days)


@slowly
def test_a_record_deleted_in_the_crm_is_erased_after_its_time(known):
    """Until then it is there, for an undo; one that was restored meanwhile stays."""
    world, account = known
    other = next(row["id"] for row in world.people.rows("account") if row["id"] != account)
    world.people.delete("account", account, other)
    world.run()
    world.people.restore("account", other)
    world.run()
    with world.job() as job:
        erase_expired(job, _later(job, 29))
        assert "changes_account" in _rows_with(world, account)
        erase_expired(job, _later(job, 32))
        assert (
            job.ledger.forgetting.gone_before(job.name, datetime(9999, 1, 1, tzinfo=UTC).replace(tzinfo=None))
            == {}
        )
    assert (_rows_with(world, account), _files_with(world, MARK)) == ([], [])
    assert _rows_with(world, other)


@slowly
def test_old_values_go_after_their_time_and_an_undo_says_so(known):
    """180 days; the run stays in the history."""
    world, _ = known
    with world.job() as job:
        (row, *_) = job.ledger.runs()
        erase_expired(job, _later(job, 179))
        assert undoable(job, row["id"])
        erase_expired(job, _later(job, 182))
        with pytest.raises(ConfigProblem, match="kept no longer"):
            undoable(job, row["id"])
        assert job.ledger.run(row["id"])
    assert not [name for name in world.kept() if f"run={row['id']}" in name]
