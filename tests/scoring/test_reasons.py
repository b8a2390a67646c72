"""The line that a rep reads: what it may show, how it is cut, and what it says where there is no score."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.rules import Rules
from config.sections.showing import Show
from scoring import read_book, tag
from scoring.arithmetic.texts import Texts
from scoring.saying.reasons import BETWEEN, LONGEST, Items, reasons

words = st.text(st.characters(codec="utf-8", exclude_characters="·+-"), min_size=1, max_size=90)
records = st.integers(1, 4)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_reason_is_cut_between_items_and_still_adds_up(data):
    """However long its texts, a reason fits its field; what it names is whole, heaviest first, and adds up."""
    rows, size = data.draw(records), data.draw(st.integers(1, 9))
    tables = [data.draw(st.lists(words, min_size=1, max_size=2)) for _ in range(size)]
    codes = [
        np.array(data.draw(st.lists(st.integers(-1, len(table) - 1), min_size=rows, max_size=rows)))
        for table in tables
    ]
    shares = np.array(
        data.draw(
            st.lists(
                st.lists(st.integers(-60, 60), min_size=rows, max_size=rows), min_size=size, max_size=size
            )
        )
    )
    items = Items([Texts(table, code) for table, code in zip(tables, codes, strict=True)], shares)
    notes = [pa.array([BETWEEN + data.draw(words)] * rows) for _ in range(data.draw(st.integers(0, 4)))]
    found = reasons(pa.array(["A 50"] * rows), items.lines, notes).to_pylist()
    for row, line in enumerate(found):
        assert len(line) <= LONGEST
        named = {
            f"{table[code[row]]} {share[row]:+d}": abs(share[row])
            for table, code, share in zip(tables, codes, shares, strict=True)
            if code[row] >= 0 and share[row]
        }
        said = line.split(BETWEEN)[1:]
        points = [piece.rsplit(" ", 1)[1] for piece in said if piece in named or piece.startswith("other ")]
        assert sum(map(int, points)) == shares[:, row].sum()
        told = [named[piece] for piece in said if piece in named]
        assert told == sorted(told, reverse=True)
        whole = {*named, *(note[row].as_py().removeprefix(BETWEEN) for note in notes)}
        assert all(piece in whole or piece.startswith("other ") for piece in said)


def test_a_reason_that_is_too_long_without_items_loses_its_last_notes():
    """A person's long sentence and many notes: the first notes stay, each whole, and the numbers stay complete."""
    items = Items([Texts(["x" * 200], np.array([0]))], np.array([[42]]))
    notes = [pa.array([BETWEEN + letter * 70]) for letter in "abc"]
    (line,) = reasons(pa.array(["h" * 80]), items.lines, notes).to_pylist()
    assert line.split(BETWEEN) == ["h" * 80, "other +42", "a" * 70, "b" * 70]


@pytest.fixture
def shop(company):
    """One account with one deal that has everything that a reason can name."""
    company.account("acme")
    company.won("acme", 40, 500)
    company.open(
        "deal", "acme", closes_in=20, amount=4000, margin=41.0, push_count=3, need_by=company.day(-10), pain="slow",
        last_activity_date=company.day(100),
    )  # fmt: skip
    return company


def test_an_input_can_be_shown_by_value_by_band_or_not_at_all(shop, find):
    """Each input that a reason names has all three ways; what is hidden is in "other", and the score stays."""
    book, (part,) = read_book([shop.tables()], shop.rules, shop.today)
    lines = {}
    for way in ("value", "band", "hide"):
        rules = Rules.model_validate({"show": dict.fromkeys(Show.model_fields, way)})
        tagged = tag(part, book, None, rules, shop.today)
        lines[way] = find(tagged.opportunities, "deal")["foretag_reason"].split(BETWEEN)
        own = find(tagged.accounts, "acme")["foretag_reason"]
        assert (way == "hide") == ("closes" not in own and "deal" not in own.split(BETWEEN, 1)[1])
    score = lines["value"][0]
    assert [line[0] for line in lines.values()] == [score] * 3
    assert any(piece.startswith("closes 12 Dec ") for piece in lines["value"])
    assert any(piece.startswith("margin 41 % ") for piece in lines["value"])
    assert any(piece.startswith("closes soon ") for piece in lines["band"])
    assert any(piece.startswith("good margin ") for piece in lines["band"])
    assert not any(
        character.isdigit() for piece in lines["band"][1:] for character in piece.rsplit(" ", 1)[0]
    )
    assert lines["hide"][1:] == [f"other +{score.split()[1]}"]


def test_money_secrets_are_bands_unless_the_rules_say_otherwise():
    """A text field does not leak what field security hides: margin and growth plans are words for their size."""
    assert (Show().margin, Show().growth_plan) == ("band", "band")


def test_what_to_fill_in_is_called_as_the_crm_calls_it(shop, find):
    """With the CRM's labels, the reason of a record without a score names the field as people see it."""
    shop.open("dateless", "acme", closes_in=None)
    shop.account("empty", industry=None)
    book, (part,) = read_book([shop.tables()], shop.rules, shop.today)
    labels = {"opportunity.close_date": "Expected close", "account.industry": "Branche"}
    tagged = tag(part, book, None, shop.rules, shop.today, labels)
    assert find(tagged.opportunities, "dateless")["foretag_reason"] == "Not scored: fill in Expected close"
    assert find(tagged.accounts, "empty")["foretag_reason"] == "Not scored: fill in Branche, or add a deal"
