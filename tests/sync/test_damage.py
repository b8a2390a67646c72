"""What the machine refuses is told as such, with a way out, and is no bug of ours."""

from __future__ import annotations

import errno
import os

import pytest

from config.problems import ConfigProblem
from sync.demo import set_up, write_settings
from sync.ledger import Ledger
from sync.opening import now
from sync.pipeline import preview, run
from sync.store.damage import damage_told
from sync.workplace import opened_job


def told(tmp_path, broken):
    """The one problem that a broken machine is told as."""
    with pytest.raises(ConfigProblem) as found, damage_told(tmp_path):
        broken()
    (problem,) = found.value.problems
    assert problem.fix
    return f"{problem.where}: {problem.message}"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EFBIG])
def test_a_file_that_cannot_be_written_is_named(tmp_path, number):
    """With the words of the system, and no traceback."""

    def broken():
        raise OSError(number, os.strerror(number), "page.html")

    assert told(tmp_path, broken) == f"page.html: {os.strerror(number)}"


@pytest.mark.parametrize(
    "error", [ValueError("no space left"), ConnectionResetError(errno.ECONNRESET, "gone")]
)
def test_other_errors_stay_what_they_are(tmp_path, error):
    """A bug is a bug, and a CRM that hangs up is no broken disk."""
    with pytest.raises(type(error)), damage_told(tmp_path):
        raise error


def test_a_damaged_history_is_told(tmp_path):
    """The database's own words would be a riddle."""
    (tmp_path / "history.sqlite").write_bytes(b"no database " * 100)
    assert "is damaged" in told(tmp_path, lambda: Ledger.open(tmp_path, now))


@pytest.mark.parametrize("pattern", ["*.parquet", pytest.param("_delta_log/*.json", marks=pytest.mark.long)])
def test_a_damaged_local_copy_ends_a_run_with_a_way_out(make_sandbox, tmp_path, pattern):
    """Torn files: exit 2, also in the history; once moved away, everything is read anew."""
    settings = write_settings(tmp_path, make_sandbox())
    set_up(settings)
    with opened_job(settings, None, lambda *_: None) as job:
        run(job)
        mirror = job.scratch / "mirror"
    for path in (mirror / "account").rglob(pattern):
        os.truncate(path, 20)
    with pytest.raises(ConfigProblem, match="is damaged"), opened_job(settings, None, lambda *_: None) as job:
        preview(job)
    with opened_job(settings, None, lambda *_: None) as job:
        assert job.ledger.runs()[0]["exit_code"] == 2
        mirror.rename(tmp_path / "away")
        assert run(job).exit_code == 0
