"""How deals alike ended: points only for what one column says beyond the others, and beyond chance."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from scoring.reading.past_deals import level_of, levels
from scoring.winning.like_deals import like_effects

BY = ("owner", "product")


def counted(cells):
    """`PastDeals.like` of deals of today: `cells` gives won and closed deals by owner and product."""
    rows = []
    for level in levels(BY):
        sums = {}
        for (owner, product), (won, closed) in cells.items():
            key = tuple(
                value if name in level else None for name, value in zip(BY, (owner, product), strict=True)
            )
            before = sums.get(key, (0, 0))
            sums[key] = before[0] + won, before[1] + closed
        rows += [
            {"level": level_of(level, BY), "owner": key[0], "product": key[1], "won": 1024 * won,
             "seen": 1024 * closed, "squares": 1024**2 * closed}
            for key, (won, closed) in sums.items()
        ]  # fmt: skip
    return pa.Table.from_pylist(rows).sort_by([("level", "ascending"), *((name, "ascending") for name in BY)])


def test_two_columns_that_add_up_leave_nothing_for_their_pair():
    """Ann and the good product each double or triple the odds; together they do no more than both."""
    odds = {("Ann", "good"): 6.0, ("Ann", "bad"): 2.0, ("Bob", "good"): 3.0, ("Bob", "bad"): 1.0}
    cells = {cell: (round(4000 * one / (1 + one)), 4000) for cell, one in odds.items()}
    found = like_effects(counted(cells), BY)
    assert found["owner"]["Ann"] > 5
    assert found["product"]["good"] > 10
    assert all(abs(points) <= 2 for points in found.get("owner product", {}).values())


def test_what_a_pair_does_beyond_both_is_its_own():
    """Each sells his own product: neither owner nor product says anything alone."""
    cells = {("Ann", "new"): (3000, 4000), ("Ann", "old"): (1000, 4000)}
    cells |= {("Bob", "new"): (1000, 4000), ("Bob", "old"): (3000, 4000)}
    found = like_effects(counted(cells), BY)
    assert set(found) == {"owner product"}
    assert found["owner product"]["Ann\x1fnew"] > 25


def test_owners_who_differ_by_chance_seldom_get_points():
    """Of thirty books in which all sell alike, few are read as if they did not."""
    random = np.random.default_rng(11)
    taught = 0
    for _ in range(30):
        cells = {(f"o{place}", "one"): (int(random.binomial(60, 0.4)), 60) for place in range(25)}
        taught += "owner" in like_effects(counted(cells), BY)
    assert taught <= 7


def test_one_who_wins_where_nobody_does_is_no_certainty():
    """Where one deal in a hundred is won, an owner who wins all is worth a chance twenty times as good, not more."""
    cells = {(f"o{place}", "one"): (1, 400) for place in range(40)} | {("star", "one"): (200, 200)}
    assert like_effects(counted(cells), BY)["owner"]["star"] == round(3.0 * 20 / np.log(2))
