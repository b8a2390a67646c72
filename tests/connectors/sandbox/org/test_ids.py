"""Record ids: both lengths mean the same record, and columns of ids equal single ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox.salesforce.ids import DIGITS, checksum, long_id, make_id, make_ids, serial_of


@pytest.mark.parametrize(("short", "full"), [
    ("001D000000IqhSL", "001D000000IqhSLIAZ"), ("00530000003xqAb", "00530000003xqAbAAI"),
])  # fmt: skip
def test_known_ids_have_their_checksum(short, full):
    """The suffix of published ids is found."""
    assert long_id(short) == full


@given(st.integers(0, 62**10 - 10))
def test_columns_of_ids_equal_single_ids(serial):
    """The vectorised way makes the same ids, and they can be read back."""
    assert make_ids("001", serial, 3).to_pylist() == [make_id("001", serial + step) for step in range(3)]
    assert serial_of(make_id("001", serial)) == serial


@given(st.text(DIGITS, min_size=15, max_size=15))
def test_a_long_id_survives_the_loss_of_its_case(short):
    """An 18-character id in capitals is repaired from its checksum."""
    full = short + checksum(short)
    assert long_id(full.upper()) == full
    assert long_id(full) == long_id(short) == full


@pytest.mark.parametrize("text", ["", "001", "0015g000000000!AAA", "0015g00000000001", "x" * 19])
def test_other_texts_are_no_ids(text):
    """Anything else is None."""
    assert long_id(text) is None
