"""Families of companies: who belongs together, whatever the parents say, and what they spend together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import extract, read_book
from scoring.reading.groups import COLUMNS, kept_families, with_families


@dataclass(frozen=True)
class Part:
    """A bucket's accounts, and nothing else."""

    accounts: pa.Table


def families(company, buckets=1):
    """Size, yearly spend and open value of each account's family, by account."""
    found = {}
    for part in read_book(company.cut(buckets), company.rules, company.today)[1]:
        for row in part.accounts.to_pylist():
            found[row["id"]] = (row["group_size"], row["group_year_spend"], row["group_open_value"])
    return found


def test_a_family_counts_what_all_of_it_spends(company):
    """A small branch of a large group is seen as part of it: parents, children and their children together."""
    company.account("holding")
    company.account("north", parent_id="holding")
    company.account("branch", parent_id="north")
    company.account("alone")
    company.won("holding", 10, 1000)
    company.won("branch", 20, 50)
    company.won("alone", 20, 7)
    company.open("deal", "north", amount=300)
    together = (3, 105_000, 30_000)
    assert families(company) == {
        "holding": together, "north": together, "branch": together, "alone": (1, 700, 0),
    }  # fmt: skip


@pytest.mark.parametrize("parents", [["a", "a", "b"], ["b", "c", "a"], ["b", "a", "a"], ["x", "x", "a"]])
def test_rings_and_missing_parents_are_families_too(company, parents):
    """A parent of itself, a ring of parents, or a parent that nobody may see: they belong together all the same."""
    for name, parent in zip("abc", parents, strict=True):
        company.account(name, parent_id=parent)
    assert {size for size, _, _ in families(company).values()} == {3}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([*range(12), None, 99]), min_size=1, max_size=12), st.integers(1, 5))
def test_families_are_the_connected_ones(parents, buckets):
    """However parents point and buckets are cut, two accounts share a family exactly if parents connect them."""
    owner = {number: number for number in [*range(12), 99]}

    def head(number):
        while owner[number] != number:
            number = owner[number]
        return number

    for child, parent in enumerate(parents):
        if parent is not None:
            owner[head(child)] = head(parent)
    sizes = [
        sum(head(other) == head(child) for other in range(len(parents))) for child in range(len(parents))
    ]
    table = pa.table({
        "id": [str(number) for number in range(len(parents))],
        "parent_id": pa.array([None if parent is None else str(parent) for parent in parents], pa.string()),
        **dict.fromkeys(("year_spend", "open_value", *COLUMNS), np.ones(len(parents), dtype=np.int64)),
    })  # fmt: skip
    cut = [
        Part(table.filter(pa.array(np.arange(len(parents)) % buckets == place))) for place in range(buckets)
    ]
    found = {}
    for part in with_families(cut):
        found |= dict(
            zip(part.accounts["id"].to_pylist(), part.accounts["group_size"].to_pylist(), strict=True)
        )
    assert [found[str(number)] for number in range(len(parents))] == sizes


def test_one_bucket_alone_knows_its_families_from_what_was_kept(company):
    """What `explain` reads of one bucket cannot see the rest of a family: its sums were kept."""
    for number in range(6):
        company.account(f"a{number}", parent_id="a0")
        company.won(f"a{number}", 30, 100 * number)
    cut = company.cut(3)
    book, parts = read_book(cut, company.rules, company.today)
    for tables, part in zip(cut, parts, strict=True):
        kept = tables | {"family": kept_families(part)}
        alone = extract(kept, book.horizon, company.rules, company.today)
        assert alone.accounts.select(["id", "group_size", "group_year_spend"]) == part.accounts.select(
            ["id", "group_size", "group_year_spend"]
        )
        assert part.accounts.num_rows == 0 or pc.min(part.accounts["group_size"]).as_py() == 6


def test_families_of_absurd_sums_raise_nothing(company):
    """Sums stay within 64 bits whatever the CRM holds."""
    for number in range(30):
        company.account(f"a{number}", parent_id="a0")
        for _ in range(3):
            company.won(f"a{number}", 30, 99_999_999_999)
    _, spend, _ = families(company, buckets=4)["a7"]
    assert spend == 30 * 3 * 9_999_999_999_900
