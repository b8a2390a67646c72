"""What a run leaves beside the mirror: tags, and the contributions that add up to their scores."""

import json
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from config.rules import Rules
from scoring import Book
from scoring.placing.state import STATE_SCHEMA
from sync.demo import set_up, write_settings
from sync.pipeline import run
from sync.store.tags import TagStore
from sync.workplace import opened_job


def test_the_contributions_of_every_score_are_kept(sandbox, tmp_path):
    """For each account and open deal, columns named `dimension:item` that add up to the score in its tags."""
    settings = write_settings(tmp_path, sandbox)
    set_up(settings)
    with opened_job(settings, None, lambda *_: None) as job:
        run(job)
        for name in ("account", "opportunity"):
            tags, points = job.tags.read(f"tags_{name}"), job.tags.read(f"points_{name}")
            assert tags.num_rows == points.num_rows > 0
            scores = {row["id"]: row["foretag_score"] for row in tags.to_pylist()}
            items = [column for column in points.column_names if column.startswith("priority:")]
            totals = {row["id"]: sum(row[item] or 0 for item in items) for row in points.to_pylist()}
            assert {key: total for key, total in totals.items() if scores[key] is not None} == {
                key: score for key, score in scores.items() if score is not None
            }
            assert pc.any(pc.is_valid(tags["foretag_score"])).as_py()


@pytest.mark.parametrize(
    "change",
    [
        {"version": -1},
        {"a_field_of_tomorrow": 1},
        {"buying": {"a_field_of_tomorrow": 1}},
        {"growth": None},
        {"cutoffs": {"account": {"": {"S": 1}}}},
    ],
)
def test_a_book_of_another_version_is_none(tmp_path, change):
    """After an upgrade the next run makes a new one; until then records are not explained, nothing breaks."""
    tags, rules, today = TagStore(tmp_path), Rules(), date(2026, 11, 22)
    tags.keep_book(Book(horizon=90, cycle=90), rules, today)
    assert tags.book(rules) == (Book(horizon=90, cycle=90), today)
    kept = json.loads((tmp_path / "book.json").read_text())
    kept["book"] = json.dumps(json.loads(kept["book"]) | change)
    (tmp_path / "book.json").write_text(json.dumps(kept))
    assert (tags.book(rules), tags.day()) == (None, today)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_small_files_that_are_damaged_say_nothing(tmp_path, content):
    """What a broken disk left of them is as good as none: the next run writes them anew."""
    for name in ("book", "labels", "fields"):
        (tmp_path / f"{name}.json").write_bytes(content)
    tags = TagStore(tmp_path)
    assert (tags.book(Rules()), tags.day(), tags.labels(), tags.fields()) == (None, None, {}, {})


def test_a_parent_company_that_was_merged_is_no_new_one(tmp_path):
    """Its children have it under the id that it has become; whose parent a merge left to a record is seen later."""
    tags = TagStore(tmp_path)
    rows = [
        {"object": "account", "id": "child", "tier": "B", "parent_id": "lost"},
        {"object": "account", "id": "other", "tier": "C", "parent_id": "another"},
        {"object": "account", "id": "left", "tier": "A"},
    ]
    tags.keep_state([pa.Table.from_pylist(rows, schema=STATE_SCHEMA)])
    tags.hand_on("account", {"lost": "left", "other": "made"}, 1)
    state = tags.state(0)
    assert dict(zip(state["id"].to_pylist(), state["parent_id"].to_pylist(), strict=True)) == {
        "child": "left",
        "other": "another",
        "left": None,
        "made": "made",
    }
