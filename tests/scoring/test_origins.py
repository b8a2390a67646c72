"""Every item of a score can be traced to its rule and to what it read."""

from __future__ import annotations

import pytest

from config.records import RECORDS
from config.rules import Rules
from scoring.saying.origins import ORIGINS, origin

COLUMNS = {f"{name}.{column.name}" for name, columns in RECORDS.items() for column in columns}


def test_every_item_of_every_dimension_has_an_origin(company):
    """Points and origins name the same items, so that `explain` can trace each of them."""
    company.crowd()
    company.open("deal", company.account("Acme"))
    tagged = company.tagged()
    items = {*tagged.account_points.column_names[1:], *tagged.opportunity_points.column_names[1:]}
    assert items == set(ORIGINS)


@pytest.mark.parametrize("name", list(ORIGINS))
def test_an_origin_names_rules_and_columns_that_exist(name):
    """A path leads to a value of the rules, and what is read is a canonical column."""
    dimension, item = name.split(":", 1)
    found = origin(dimension, item, Rules())
    node = Rules().model_dump()
    for step in found.rule:
        node = node[step]
    assert set(found.reads) <= COLUMNS
