"""The reference of inputs is what the code knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.language.inputs import UNITS
from config.language.vocabulary import NAMES
from config.records import RECORDS, SIDE_TABLES
from sync import reference

COLUMNS = {
    f"{name}.{column.name}" for name, columns in {**RECORDS, **SIDE_TABLES}.items() for column in columns
}
ALL = [name for names in NAMES.values() for name in names.values()]


def test_the_page_is_what_the_code_says():
    """Whoever changes an input makes the page anew: `python -m sync.reference`."""
    path = Path(__file__).parents[2] / reference.PAGE
    assert path.read_text(encoding="utf-8") == reference.page()


@pytest.mark.parametrize("name", ALL, ids=lambda name: name.name)
def test_every_input_says_what_it_is(name):
    """A number has a unit, columns that it is read from are real, and what it means ends without a full stop."""
    assert (name.kind == "number") == (name.unit in UNITS)
    assert {*name.reads, *name.also} <= COLUMNS
    assert name.meaning
    assert not f"{name.meaning}{name.missing}".endswith(".")
