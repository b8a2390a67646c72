"""The fence around the local copy: a run that was overtaken changes no table and no file, however long it slept."""

from __future__ import annotations

from contextlib import suppress

import pyarrow as pa
import pytest
from deltalake.exceptions import CommitFailedError, DeltaError

from sync.stopping import LeaseLost
from sync.store.erasing import erase
from sync.store.journal import Journal
from sync.store.mirror import Mirror
from sync.store.place import Place
from sync.store.tags import TagStore
from tests.sync.test_mirror import COLUMNS, accounts, at, names

STATE = pa.table({"object": ["account"], "id": ["a"], "tier": ["A"]})


class Asleep:
    """A fence that lets everybody through; at the N-th look (from 1) the process sleeps while another does its work."""

    def __init__(self, at_look=0, meanwhile=lambda: None):
        self.looks = 0
        self._at, self._meanwhile = at_look, meanwhile
        self._overtaken = False

    def __call__(self):
        """One look."""
        if self._overtaken:
            raise LeaseLost("another run took over")
        self.looks += 1
        if self.looks == self._at:
            self._meanwhile()
            self._overtaken = True


def lost():
    """A fence that is shut."""
    raise LeaseLost("another run took over")


def written(mirror):
    """Rows as `patch` takes them."""
    page = accounts(("a", "Acme", 9))
    return page.select(["id", "modified_at"]).append_column(
        "clear", pa.array([["name"]], pa.list_(pa.string()))
    )


CHANGES = {
    "load": lambda place: Mirror(place).load("account", COLUMNS, [accounts(("z", "Zen", 1))]),
    "append": lambda place: Mirror(place).append("account", accounts(("z", "Zen", 1))),
    "remove": lambda place: Mirror(place).remove("account", ["a"], at(9)),
    "patch": lambda place: Mirror(place).patch("account", written(place)),
    "fold": lambda place: Mirror(place).fold("account", force=True),
    "tags": lambda place: TagStore(place).keep_state([STATE]),
    "book": lambda place: TagStore(place).keep_labels({"account.name": "Name"}),
    "journal": lambda place: Journal(place).append("account", STATE, "r1", 1),
    "removal": lambda place: (place / "kept").remove(),
    "erasing": lambda place: erase(place, {"account": ["a"]}, hanging=True),
}


def filled(place):
    """A local copy with two accounts, one of them changed since, and a small file."""
    mirror = Mirror(place)
    mirror.load("account", COLUMNS, [accounts(("a", "Acme", 1), ("b", "Bolt", 1))])
    mirror.append("account", accounts(("b", "Bolt 2", 2)))
    (place / "kept").write(b"words")
    return place


@pytest.fixture
def place(tmp_path):
    """Such a copy."""
    return filled(Place.of(tmp_path))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_run_that_was_overtaken_changes_nothing(place, change):
    """Each way to change what lies beside a CRM looks at the lease first."""
    before = commits(place)
    with pytest.raises(LeaseLost):
        change(Place(place.address, fence=lost))
    assert commits(place) == before
    assert names(Mirror(place)) == {"a": "Acme", "b": "Bolt 2"}


def commits(place):
    """The commits of all tables, and the small files."""
    files = (path.relative_to(place.folder) for path in place.folder.rglob("*") if path.is_file())
    return {str(path) for path in files if path.suffix != ".parquet"}


@pytest.mark.parametrize("change", ["load", "append", "remove", "patch", "fold"])
@pytest.mark.parametrize("successor", ["load", "append", "fold"])
def test_who_sleeps_after_its_last_look_loses_to_whoever_took_over(tmp_path, change, successor):
    """Wherever it sleeps: what the successor has read stays, since its cursor has passed it by then."""
    for look in range(1, 6):
        copy = filled(Place.of(tmp_path / str(look)))
        asleep = Asleep(look, lambda copy=copy: take_over(copy, successor))
        with suppress(LeaseLost, CommitFailedError, DeltaError):
            CHANGES[change](Place(copy.address, fence=asleep))
        if asleep.looks < look:
            return
        assert names(Mirror(copy))["b"] == "Bolt 5"
        assert names(Mirror(copy))["c"] == "Core"


def take_over(place, how):
    """What a successor does."""
    mirror = Mirror(place)
    if how == "load":
        mirror.load("account", COLUMNS, [accounts(("a", "Acme", 1), ("b", "Bolt 5", 5), ("c", "Core", 5))])
        return
    mirror.append("account", accounts(("b", "Bolt 5", 5), ("c", "Core", 5)))
    if how == "fold":
        mirror.fold("account", force=True)
