"""The mirror: whatever order rows arrive in, the newest stamp counts, and a record lies in one place."""

import zlib
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.records import STAMP, schema
from sync.store.mirror import MANY_BUCKETS, ONE_BUCKET_ROWS, Mirror, bucket_of

COLUMNS = ("id", "name", "owner_id", "modified_at", "foretag_tier")
DEAL_COLUMNS = ("id", "account_id", "stage", "modified_at")


def at(hour):
    """An hour of one day."""
    return datetime(2026, 1, 1, hour, tzinfo=UTC)


def accounts(*rows):
    """A page of accounts: (id, name, hour of change)."""
    return pa.Table.from_pylist(
        [{"id": id_, "name": name, "modified_at": at(hour)} for id_, name, hour in rows],
        schema=schema("account", COLUMNS),
    )


def deals(*rows):
    """A page of opportunities: (id, account, hour of change)."""
    return pa.Table.from_pylist(
        [{"id": id_, "account_id": account, "modified_at": at(hour)} for id_, account, hour in rows],
        schema=schema("opportunity", DEAL_COLUMNS),
    )


def names(mirror):
    """What the mirror holds."""
    return {row["id"]: row["name"] for row in mirror.read("account", ("id", "name")).to_pylist()}


@pytest.fixture
def mirror(tmp_path):
    """A mirror with two accounts."""
    mirror = Mirror(tmp_path)
    mirror.load("account", COLUMNS, [accounts(("a", "Acme", 1), ("b", "Bolt", 1))])
    return mirror


def test_a_newer_row_replaces_and_an_older_one_is_ignored(mirror):
    """A lagging read of the CRM cannot undo what a newer one has shown."""
    mirror.append("account", accounts(("a", "Acme 3", 3), ("c", "Core", 2)))
    mirror.append("account", accounts(("a", "Acme 2", 2)))
    assert names(mirror) == {"a": "Acme 3", "b": "Bolt", "c": "Core"}


def test_columns_may_be_called_like_words_of_sql(tmp_path):
    """A quota has a start and an end; it is read and changed like any record."""
    columns = ("id", "start", "end", "modified_at")

    def quota(end, hour):
        row = {"id": "q", "start": date(2026, 1, 1), "end": end, "modified_at": at(hour)}
        return pa.Table.from_pylist([row], schema=schema("quota", columns))

    mirror = Mirror(tmp_path)
    mirror.load("account", COLUMNS, [accounts(("a", "Acme", 1))])
    mirror.load("quota", columns, [quota(date(2026, 1, 31), 1)])
    mirror.append("quota", quota(date(2026, 3, 31), 2))
    assert mirror.read("quota", ("id", "end")).to_pylist() == [{"id": "q", "end": date(2026, 3, 31)}]


def test_of_equal_stamps_the_row_that_arrived_last_counts(mirror):
    """Two changes within one stamp's resolution: the later read has seen both."""
    mirror.append("account", accounts(("a", "first", 3)))
    mirror.append("account", accounts(("a", "second", 3)))
    assert names(mirror)["a"] == "second"


def test_a_deleted_record_stays_away_until_it_is_restored(mirror):
    """Old rows of the overlap do not bring a deleted record back; a newer one does."""
    mirror.remove("account", ["b"], at(5))
    mirror.append("account", accounts(("b", "overlap", 1)))
    assert set(names(mirror)) == {"a"}
    mirror.append("account", accounts(("b", "restored", 6)))
    assert names(mirror)["b"] == "restored"


def test_what_we_wrote_is_held_at_once(mirror):
    """After a patch the copy has our value, keeps all others, and a read from before the write is ignored."""
    mirror.patch(
        "account",
        pa.table(
            {
                "id": ["a"],
                "modified_at": pa.array([at(4)], STAMP),
                "foretag_tier": ["A"],
                "clear": pa.array([[]], pa.list_(pa.string())),
            }
        ),
    )
    mirror.append("account", accounts(("a", "stale", 3)))
    (row,) = [row for row in mirror.read("account").to_pylist() if row["id"] == "a"]
    assert (row["name"], row["foretag_tier"], row["modified_at"]) == ("Acme", "A", at(4))


def test_a_patch_tells_leave_from_empty(mirror):
    """A null leaves the held value as it is; a name in `clear` empties it."""
    written = pa.table(
        {
            "id": ["a", "b"],
            "modified_at": pa.array([at(4)] * 2, STAMP),
            "foretag_tier": ["A", "B"],
            "clear": pa.array([[], []], pa.list_(pa.string())),
        }
    )
    mirror.patch("account", written)
    nothing = pa.array([None, None], pa.string())
    mirror.patch(
        "account",
        written.set_column(2, "foretag_tier", nothing).set_column(
            3, "clear", pa.array([[], ["foretag_tier"]], pa.list_(pa.string()))
        ),
    )
    held = {
        row["id"]: row["foretag_tier"] for row in mirror.read("account", ("id", "foretag_tier")).to_pylist()
    }
    assert held == {"a": "A", "b": None}


def test_folding_changes_nothing_that_can_be_read(mirror):
    """After a fold the base alone says what base and changes said."""
    mirror.append("account", accounts(("a", "Acme 2", 2), ("c", "Core", 2)))
    mirror.remove("account", ["b"], at(3))
    before = names(mirror)
    assert mirror.fold("account", force=True)
    assert names(mirror) == before == {"a": "Acme 2", "c": "Core"}


def test_changes_left_over_by_a_crash_between_fold_and_clearing_are_harmless(mirror, monkeypatch):
    """A fold that died before it emptied the changes reads the same as one that did not."""
    mirror.append("account", accounts(("a", "Acme 2", 2)))
    mirror.remove("account", ["b"], at(3))
    monkeypatch.setattr(mirror, "_clear_changes", lambda _: None)  # the crash
    mirror.fold("account", force=True)
    assert names(mirror) == {"a": "Acme 2"}


def test_a_load_that_fails_leaves_the_old_copy(mirror):
    """Pages that end in an error are never committed, and the error comes out as it was."""

    def pages():
        yield accounts(("x", "half", 9))
        raise ConnectionResetError("cut")

    with pytest.raises(ConnectionResetError, match="cut"):
        mirror.load("account", COLUMNS, pages())
    assert set(names(mirror)) == {"a", "b"}


def test_columns_never_pulled_are_null(mirror):
    """Readers always get the canonical schema."""
    table = mirror.read("account", ("id", "employees"))
    assert table.schema == schema("account", ("id", "employees"))
    assert table["employees"].null_count == 2


def test_a_deal_that_changes_its_account_is_held_once(tmp_path):
    """It leaves the bucket of its old account in the same commit that puts it into the new one."""
    mirror = Mirror(tmp_path)
    many = accounts(*((f"account-{n}", "x", 1) for n in range(20_001)))
    mirror.load("account", COLUMNS, [many])
    assert mirror.buckets() == MANY_BUCKETS
    mirror.load("opportunity", DEAL_COLUMNS, [deals(("d", "account-1", 1), ("e", None, 1))])
    mirror.append("opportunity", deals(("d", "account-2", 2)))
    places = [
        (bucket, row["id"], row["account_id"])
        for bucket in range(MANY_BUCKETS)
        for row in mirror.read("opportunity", ("id", "account_id"), bucket).to_pylist()
    ]
    (new_home,) = bucket_of(pa.array(["account-2"]), MANY_BUCKETS).to_pylist()
    (own_home,) = bucket_of(pa.array(["e"]), MANY_BUCKETS).to_pylist()
    assert sorted(places, key=str) == sorted([(new_home, "d", "account-2"), (own_home, "e", None)], key=str)


def test_the_bucket_hash_is_the_documented_one():
    """CRC-32 of the id: the same in every process, on every machine, in every version."""
    assert bucket_of(pa.array(["0015g00000ABCD0AAA", "123"]), 32).to_pylist() == [
        zlib.crc32(text) % 32 for text in (b"0015g00000ABCD0AAA", b"123")
    ]


arrivals = st.lists(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(2, 9)),
        min_size=1,
        max_size=3,
        unique_by=lambda row: row[0],
    ),
    max_size=5,
)


@settings(max_examples=15, deadline=None)
@given(arrivals=arrivals, fold_after=st.integers(0, 5))
def test_the_newest_stamp_counts_in_any_order_of_arrival(tmp_path_factory, arrivals, fold_after):
    """However changes are cut into pages, ordered and folded, each record has its newest stamp."""
    mirror = Mirror(tmp_path_factory.mktemp("mirror"))
    mirror.load("account", COLUMNS, [accounts(("a", "1", 1))])
    newest = {"a": 1}
    for number, page in enumerate(arrivals):
        if number == fold_after:
            mirror.fold("account", force=True)
        mirror.append("account", accounts(*((id_, str(hour), hour) for id_, hour in page)))
        for id_, hour in page:
            newest[id_] = max(newest.get(id_, 0), hour)
    assert names(mirror) == {id_: str(hour) for id_, hour in newest.items()}


def test_a_large_book_is_cut_however_small_its_pages_are(tmp_path):
    """The CRM chooses the size of its pages; all rows count."""
    mirror = Mirror(tmp_path)
    rows = [(f"{number:05}", "x", 1) for number in range(ONE_BUCKET_ROWS + 1)]
    mirror.load("account", COLUMNS, [accounts(*rows[start : start + 9_000]) for start in (0, 9_000, 18_000)])
    assert (mirror.buckets(), mirror.count("account")) == (MANY_BUCKETS, ONE_BUCKET_ROWS + 1)


def test_a_book_that_has_grown_keeps_its_cut(mirror):
    """Accounts read anew must not part from the opportunities that lie in the old buckets."""
    mirror.load("opportunity", DEAL_COLUMNS, [deals(("o", "a", 1))])
    mirror.load("account", COLUMNS, [accounts(*((str(row), "x", 1) for row in range(ONE_BUCKET_ROWS + 1)))])
    assert mirror.buckets() == mirror.buckets("opportunity") == 1


def test_a_moved_record_is_there_for_those_who_read_all_buckets(tmp_path):
    """Leaving the old bucket is no deletion, whoever looks."""
    mirror = Mirror(tmp_path)
    mirror.load("account", COLUMNS, [accounts(*((str(row), "x", 1) for row in range(ONE_BUCKET_ROWS + 1)))])
    moving = [f"o{number}" for number in range(20)]
    mirror.load("opportunity", DEAL_COLUMNS, [deals(*((name, "1", 1) for name in moving))])
    mirror.append("opportunity", deals(*((name, "2", 2) for name in moving)))
    held = mirror.read("opportunity", ("id", "account_id")).sort_by("id").to_pylist()
    assert held == [{"id": name, "account_id": "2"} for name in sorted(moving)]


def test_what_we_wrote_stays_in_its_bucket(tmp_path):
    """A patch touches only the records it names, wherever they lie, and none that is gone."""
    mirror = Mirror(tmp_path)
    mirror.load("account", COLUMNS, [accounts(*((str(row), "x", 1) for row in range(ONE_BUCKET_ROWS + 1)))])
    mirror.load("opportunity", DEAL_COLUMNS, [deals(("o", "77", 1), ("p", None, 1))])
    mirror.remove("opportunity", ["p"], at(2))
    written = pa.table(
        {
            "id": ["o", "p"],
            "modified_at": pa.array([at(3)] * 2, STAMP),
            "foretag_tier": ["A", "B"],
            "clear": pa.array([[], []], pa.list_(pa.string())),
        }
    )
    mirror.patch("opportunity", written)
    mirror.patch("opportunity", written.slice(1))
    bucket = bucket_of(pa.array(["77"]), MANY_BUCKETS)[0].as_py()
    held = mirror.read("opportunity", ("id", "account_id"), bucket, bucketed=True).to_pylist()
    assert held == [{"id": "o", "account_id": "77", "bucket": bucket}]
    assert mirror.read("opportunity", ("id",)).num_rows == 1


def test_what_is_held_already_is_not_kept_twice(mirror):
    """Windows overlap: a row that comes again unchanged adds nothing; one with another stamp does."""

    def kept():
        return mirror.fold("account", force=True)

    mirror.append("account", accounts(("a", "Acme", 1), ("b", "Bolt", 1)))
    assert kept() is False
    mirror.append("account", accounts(("a", "Acme", 2), ("b", "Bolt", 1)))
    assert kept() is True


def test_records_are_found_by_id_in_whatever_bucket_they_lie(tmp_path):
    """Only the buckets of those asked for are read: of deals that moved to another account, the new one."""
    mirror = Mirror(tmp_path)
    many = [(f"a{number}", "", 1) for number in range(ONE_BUCKET_ROWS + 1)]
    mirror.load("account", COLUMNS, [accounts(*many)])
    mirror.load("opportunity", DEAL_COLUMNS, [deals(("d", "a1", 1), ("e", "a2", 1), ("f", None, 1))])
    mirror.append("opportunity", deals(("d", "a3", 2)))
    asked = pa.array(["d", "f", "gone", None])
    found = mirror.read("opportunity", ("id", "account_id"), ids=asked)
    assert sorted(found.to_pylist(), key=str) == [
        {"id": "d", "account_id": "a3"},
        {"id": "f", "account_id": None},
    ]
    assert mirror.read("opportunity", DEAL_COLUMNS, ids=pa.array(["gone"])).num_rows == 0
    assert mirror.read("account", COLUMNS, ids=pa.array(["a7", "gone", None]))["id"].to_pylist() == ["a7"]
    assert mirror.read("account", COLUMNS, ids=pa.array([], pa.string())).num_rows == 0
