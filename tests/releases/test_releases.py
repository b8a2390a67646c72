"""What older versions left on the disk opens, keeps what it knows, and a run goes on from it."""

from __future__ import annotations

import json
import shutil
import tarfile
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from config.problems import ConfigProblem
from sync.demo import set_up
from sync.ledger import tables
from sync.store.form import FORM
from tests.releases.make import BOOK, CRMS, DAY, HERE, STATE
from tests.world import World

ARCHIVES = sorted(HERE.glob("*.tar.gz"))
FORMS = sorted(
    path.name.partition("_")[0]
    for path in Path(str(files("sync.ledger") / "migrations" / "versions")).glob("[0-9]*.py")
)


def turn(archive):
    """Each form in one CRM with the quick tests, in the other with the long ones."""
    quick = CRMS[FORMS.index(archive.name.partition("-")[0]) % len(CRMS)]
    return pytest.param(archive, marks=() if quick in archive.name else pytest.mark.long)


def test_each_released_form_has_its_archives():
    """Whoever adds a form keeps what the one before left: `python -m tests.releases.make`, before the change."""
    released = [form for form in FORMS if form != tables.REVISION]
    assert {path.name for path in ARCHIVES} >= {f"{form}-{crm}.tar.gz" for form in released for crm in CRMS}


@pytest.fixture
def unpacked(request, make_sandbox, tmp_path):
    """An installation as an older version left it, an hour later, beside a CRM that holds the same book."""
    archive = request.param
    crm = archive.name.removesuffix(".tar.gz").partition("-")[2]
    world = World(make_sandbox(crm=crm, data=BOOK, today=DAY), tmp_path)
    set_up(world.settings)
    world.people.let_in()
    world.sandbox.clock.advance(timedelta(hours=1))
    shutil.rmtree(tmp_path / STATE)
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    return world


@pytest.mark.parametrize(
    "unpacked", [turn(archive) for archive in ARCHIVES], ids=lambda path: path.name, indirect=True
)
def test_what_an_older_version_left_opens_and_a_run_goes_on(unpacked):
    """Its runs are listed, its local copy is read on, no task is made twice; then what is newer still is refused."""
    with unpacked.job() as job:
        (before,) = job.ledger.runs()
        assert (before["state"], before["exit_code"]) == ("done", 0)
        assert job.mirror.count("account") == 40
        known = job.mirror.count("opportunity")
        assert known > 100
        cursors = {name: job.ledger.cursor(job.name, name) for name in ("account", "opportunity")}
        assert all(cursors.values())
    report = unpacked.run()
    assert report.exit_code == 0
    assert report.done.get("task", 0) == 0
    assert unpacked.people.rows("task") == []
    with unpacked.job() as job:
        assert [run["id"] for run in job.ledger.runs()] == [report.run, before["id"]]
        assert job.mirror.count("opportunity") == known
        assert json.loads((job.place / "form.json").read()) == {"form": FORM}
        (job.place / "form.json").write(b'{"form": 99}')
    with pytest.raises(ConfigProblem, match="local copy was written by a newer version"), unpacked.job():
        pass
