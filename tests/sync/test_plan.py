"""The plan: a record is rewritten when it is worth a write, and then to the last field."""

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.outputs import written
from config.records import schema
from config.sections.writing import Writing
from sync.writing.plan import changes, valid_until

FIELDS = written("account", "full")
NAMES = [field.name for field in FIELDS]
HELD = {
    "id": "1",
    "name": "Acme",
    "owner_id": "o",
    "foretag_tier": "B",
    "foretag_score": 60,
    "foretag_segment": "Nurture",
    "foretag_growth_potential": "Medium",
    "foretag_reason": "B 60 · closes 14 Mar +41 · good margin +12 · 95k +7",
    "foretag_next_step": "Call.",
    "foretag_alert": None,
    "foretag_valid_until": date(2026, 3, 10),
    "foretag_likelihood": 50,
    "foretag_growth_score": 40,
    "foretag_stamp": "old",
}


def planned(new, old=HELD, **leave):
    """The planned row for an account that wants `new` over `old`, or None."""
    wanted_schema = pa.schema(
        [schema("account").field(name) for name in ["id", *NAMES]] + [("leave", pa.bool_())]
    )
    wanted = pa.Table.from_pylist([{**old, **new, "leave": leave.get("leave", False)}], schema=wanted_schema)
    held = pa.Table.from_pylist([old], schema=schema("account"))
    rows = changes("account", wanted, held, FIELDS, Writing()).to_pylist()
    return rows[0] if rows else None


def test_nothing_new_is_nothing_to_write():
    """A second look at the same record plans nothing, even under a new stamp."""
    assert planned({"foretag_stamp": "new"}) is None


@pytest.mark.parametrize(
    "new",
    [
        {"foretag_tier": "A"},
        {"foretag_segment": "Prioritize"},
        {"foretag_growth_potential": "High"},
        {"foretag_next_step": "Write."},
        {"foretag_alert": "18 % of your book"},
        {"foretag_score": 65},
        {"foretag_score": None},
        {"foretag_likelihood": 45},
        {"foretag_reason": "B 60 · closes 21 Mar +41 · good margin +12 · 95k +7"},
        {"foretag_reason": "B 60 · needed by 9 Mar +43 · closes 14 Mar +10 · good margin +7"},
        {"foretag_reason": "B 60 · good margin +55 · 95k +5"},
        {"foretag_reason": "Set to B by a person until 9 Mar: asked for · score 60"},
        {"foretag_valid_until": date(2026, 3, 24)},
    ],
)
def test_a_telling_change_is_worth_a_write(new):
    """A tier, a segment, a text, a top reason, a renewal, or a score that moved by the tolerance."""
    assert planned(new) is not None


@pytest.mark.parametrize(
    "new",
    [
        {"foretag_score": 64},
        {"foretag_likelihood": 54, "foretag_growth_score": 36},
        {"foretag_reason": "B 60 · good margin +27 · closes 14 Mar +26 · 95k +7"},
        {"foretag_reason": "B 60 · closes 14 Mar +41 · good margin +12 · other +7"},
        {"foretag_reason": "B 60 · 95k +27 · closes 14 Mar +26 · good margin +7"},
        {"foretag_valid_until": date(2026, 3, 9)},
    ],
)
def test_a_small_move_is_not(new):
    """Points within the tolerance, reasons that both lines show in another order, an earlier validity."""
    assert planned(new) is None


@pytest.mark.parametrize(
    ("held", "new", "worth"),
    [
        ("B 60 by own value · expected spend 4.2k +40", "B 61 by own value · expected spend 4.3k +41", False),
        ("Set to B by a person until 9 Mar: no · score 60", "Set to B by a person until 9 Mar: no · score 61", False),
        ("Set to B by a person until 9 Mar: no · score 60", "Set to B by a person until 9 Mar: yes · score 60", True),
        ("Set to B by a person until 9 Mar: no · score 60", "Set to B by a person until 9 May: no · score 60", True),
        ("B 60 · stage Engaging, a good customer +40", "B 61 · stage Engaging, like deals often won +41", False),
        ("B 60 · stage Phase 2, a good customer +40", "B 61 · stage Phase 3, a good customer +41", True),
        ("Not scored: opted out", "Not scored: partner or reseller", True),
        ("B 60 · amount 95k +60", None, True),
    ],
)  # fmt: skip
def test_an_estimate_that_moves_with_the_book_is_no_news(held, new, worth):
    """Every day moves what is estimated a little, for everybody; what a person or a record says is told at once."""
    assert (planned({"foretag_reason": new}, HELD | {"foretag_reason": held}) is not None) is worth


def test_a_rewritten_record_gets_every_field_that_differs():
    """Once a record is touched it is brought up to date, stamp included; equal fields are left alone."""
    row = planned({"foretag_tier": "A", "foretag_score": 61, "foretag_stamp": "new"})
    assert {name: row[name] for name in NAMES if row[name] is not None} == {
        "foretag_tier": "A",
        "foretag_score": 61,
        "foretag_stamp": "new",
    }
    assert (row["old_foretag_tier"], row["old_foretag_score"], row["clear"]) == ("B", 60, [])


def test_a_value_that_goes_is_cleared_not_left():
    """Null in the wanted state means empty in the CRM, which is something else than leaving it."""
    row = planned({"foretag_tier": None, "foretag_score": None})
    assert row["clear"] == ["foretag_tier", "foretag_score"]


def test_a_record_that_a_person_wants_left_alone_is_left_alone():
    """`Leave alone` stops every change of the record."""
    assert planned({"foretag_tier": "A"}, leave=True) is None


@given(
    ids=st.lists(st.text(min_size=1), min_size=1, unique=True),
    day=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
)
def test_validity_is_renewed_once_in_a_window(ids, day):
    """Valid until lies between half a window and one and a half ahead, and moves once in each window."""
    array = pa.array(ids)
    days = [valid_until(array, day + timedelta(days=n), 14).to_pylist() for n in range(15)]
    for column in zip(*days, strict=True):
        assert day + timedelta(days=7) <= column[0] < day + timedelta(days=21)
        assert len(set(column)) == 2
        assert column[14] - column[0] == timedelta(days=14)
