"""What the last scoring said is replaced whole, and costs one commit however large the book is."""

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from sync.delta import SWEEP_EVERY
from sync.tags import TagStore


def said(*ids):
    """As much of the tags of a bucket as is needed."""
    return pa.table(
        {"id": pa.array(ids, pa.string()), "foretag_score": pa.array(range(len(ids)), pa.int64())}
    )


@pytest.fixture
def tags(tmp_path):
    """A store that holds a book of three buckets."""
    tags = TagStore(tmp_path)
    tags.keep({"account": [said("a", "b"), said("c"), said()]})
    return tags


def test_a_bucket_is_read_alone(tags):
    """To explain one record, its bucket is read and no other."""
    assert tags.read("tags_account", 1)["id"].to_pylist() == ["c"]
    assert tags.read("tags_account", 2).num_rows == 0
    assert tags.read("tags_account").num_rows == 3


def test_a_scoring_replaces_all_that_was_said_before(tags):
    """Also of buckets that are no more, in one commit for each object."""
    tags.keep({"account": [said("d")]})
    assert tags.read("tags_account")["id"].to_pylist() == ["d"]
    assert DeltaTable(tags._uri("tags_account")).version() == 1


def test_state_of_all_buckets_is_kept_at_once(tags):
    """A crash cannot leave some buckets with the state of one run and some with another's."""
    assert tags.state(0) is None
    for _ in range(2):
        tags.keep_state([said("a"), said("c", "d")])
    assert tags.state(1)["id"].to_pylist() == ["c", "d"]
    assert tags.state(7).num_rows == 0


def test_files_of_old_scorings_are_swept_away(tags, monkeypatch):
    """A run every hour does not fill the disk: what nobody reads any more is deleted."""
    monkeypatch.setattr("sync.delta.SWEEP_HOURS", 0)  # the files' own clock cannot be moved
    for _ in range(3 * SWEEP_EVERY):
        tags.keep({"account": [said("d")]})
    files = list((tags._folder / "tags_account").rglob("*.parquet"))
    assert len([file for file in files if "_delta_log" not in file.parts]) <= SWEEP_EVERY


def test_an_empty_book_has_empty_tags(tmp_path):
    """An org without accounts is no reason to stumble."""
    tags = TagStore(tmp_path)
    tags.keep({"account": [said()]})
    assert tags.read("tags_account").num_rows == 0
    tags.keep_state([said()])
    assert tags.state(0).num_rows == 0
