"""A place is the same in a folder and in an object store, to everything that is kept in it."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from deltalake.exceptions import CommitFailedError

from config.problems import ConfigProblem
from config.sections.history import History
from config.sections.secret import Secret
from config.sections.storage import Storage
from config.settings import Settings
from sync.store.damage import damage_told
from sync.store.place import Place
from sync.store_check import storage_problems
from tests.object_store import KEY, SECRET

ROWS = pa.table({"id": ["1", "2"], "bucket": pa.array([0, 1], pa.int32())})


@pytest.fixture(params=["folder", "store"])
def place(request, tmp_path):
    """A place of each kind, with nothing in it."""
    if request.param == "folder":
        return Place.of_connection(None, tmp_path, "main")
    return Place.of_connection(request.getfixturevalue("bucket_storage"), tmp_path, "main")


def test_files_and_tables_are_written_listed_read_and_removed(place):
    """By the same words, whether anything was there or not."""
    note, table = place / "tags" / "book.json", place / "mirror" / "account"
    assert (place.names(), list(place.tables()), table.table(), note.exists()) == ([], [], None, False)
    with pytest.raises(FileNotFoundError):
        note.read()
    note.write(b"one")
    note.write(b"two")
    table.write_table(ROWS, partition_by=["bucket"])
    assert (note.read(), note.exists(), place.names()) == (b"two", True, ["mirror", "tags"])
    assert [one.below(place) for one in place.tables()] == ["mirror/account"]
    assert table.names() == ["_delta_log", "bucket=0", "bucket=1"]
    assert table.existing_table().to_pyarrow_dataset().count_rows() == 2
    (table / "bucket=0").remove()
    assert table.names() == ["_delta_log", "bucket=1"]
    for gone in (note, note, place / "mirror", place / "never"):
        gone.remove()
    assert (note.exists(), list(place.tables())) == (False, [])


def test_of_two_commits_to_one_version_one_is_refused_or_made_anew(place):
    """None is lost: in a store, the name of a commit is free but once."""
    table = place / "account"
    table.write_table(ROWS)
    first, second = table.existing_table(), Place(table.address, table.storage).existing_table()
    write_deltalake(first, ROWS, mode="append")
    write_deltalake(second, ROWS, mode="append")
    assert table.existing_table().to_pyarrow_dataset().count_rows() == 6
    first, second = table.existing_table(), Place(table.address, table.storage).existing_table()
    first.delete("id = '1'")
    with pytest.raises(CommitFailedError):
        second.delete("id = '1'")


def test_a_table_that_stays_open_shows_what_others_wrote_and_that_it_is_gone(place):
    """It is brought up to date at each look, and is not taken for there when it was removed."""
    table = place / "account"
    table.write_table(ROWS)
    assert table.existing_table().to_pyarrow_dataset().count_rows() == 2
    Place(table.address, table.storage).write_table(ROWS, mode="append")
    assert (place / "account").existing_table().to_pyarrow_dataset().count_rows() == 4
    place.remove()
    assert table.table() is None
    table.write_table(ROWS)
    assert table.existing_table().to_pyarrow_dataset().count_rows() == 2


def test_a_place_goes_to_another_machine_without_credentials(bucket_storage, tmp_path):
    """It says where they lie; whoever uses it reads them there."""
    place = Place.of_connection(bucket_storage, tmp_path, "main")
    (place / "note").write(b"x")
    sent = pickle.dumps(place)
    assert not any(secret.encode() in sent or secret in repr(place) for secret in (KEY, SECRET))
    assert (pickle.loads(sent) / "note").read() == b"x"  # our own


def test_a_check_tries_the_store_and_leaves_nothing_there(bucket_storage, object_store, tmp_path):
    """A good one gives no problem; one that lets two writers make the same commit does, and one that is private."""
    settings = Settings(
        storage=bucket_storage,
        history=History(url="postgresql://me@localhost/h"),
        connections={"main": {"crm": "hubspot", "auth": {"token": {"env": "T"}}}},
    )
    assert storage_problems(settings, Place.of_connection(bucket_storage, tmp_path, "main")) == []
    assert object_store.keys(bucket_storage.url.split("/")[2]) == {}
    alone = settings.model_copy(update={"history": None})
    (warning,) = storage_problems(alone, Place.of_connection(bucket_storage, tmp_path, "main"))
    assert "no other one may work on it" in warning.message
    careless = bucket_storage.model_copy(update={"url": f"s3://{object_store.bucket('careless')}"})
    (problem,) = storage_problems(settings, Place.of_connection(careless, tmp_path, "main"))
    assert (problem.severity, problem.message) == (
        "error",
        "it lets two writers make the same file: a commit would be lost",
    )


def _told(storage, tmp_path):
    place = Place.of_connection(storage, tmp_path, "main")
    with pytest.raises(ConfigProblem) as found, damage_told(place):
        (place / "account").write_table(ROWS)
    text = "\n".join(map(str, found.value.problems))
    assert KEY not in text
    assert SECRET not in text
    return text


def test_what_an_admin_must_put_right_is_told_without_credentials(bucket_storage, tmp_path):
    """A bucket that is missing or shut, a secret that is not set, a share that is not mounted."""
    shut = bucket_storage.model_copy(update={"url": "s3://forbidden-one/copies"})
    assert "the key may not do this; let it list the bucket" in _told(shut, tmp_path)
    missing = bucket_storage.model_copy(update={"url": "s3://nobody-made-it/copies"})
    assert (
        "s3://nobody-made-it/copies/main: the local copy cannot be reached: there is no such bucket"
        in _told(missing, tmp_path)
    )
    unset = bucket_storage.model_copy(update={"access_key": Secret(env="FORETAG_NOT_SET")})
    assert "storage.access_key: environment variable FORETAG_NOT_SET is not set" in _told(unset, tmp_path)
    with pytest.raises(ConfigProblem, match="is no folder; mount the share"):
        Place.of_connection(Storage(url=str(tmp_path / "not-mounted")), tmp_path, "main")
