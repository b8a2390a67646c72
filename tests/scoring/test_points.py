"""Bands, chances and shares, to the number."""

from __future__ import annotations

import numpy as np
import pytest

from config.sections.cards import Bands
from scoring.arithmetic.points import chance, in_bands, level_for, points_of, whole_shares


def test_a_range_holds_its_bound_and_what_is_missing_has_its_own():
    """`<=5` is five, too; only what is not known is `none`."""
    bands = Bands({"none": -7, "<=1": 1, "<=5": 2, ">5": 3})
    assert in_bands(np.array([0, 1, 1.01, 5, 5.01, np.inf, np.nan]), bands).tolist() == [1, 1, 2, 2, 3, 3, -7]


def test_twenty_points_double_the_odds():
    """In points and in tenths of them; certainty counts as 1 or 99 percent."""
    assert chance(np.array([0, 20, -20])) == pytest.approx([50, 200 / 3, 100 / 3])
    assert chance(np.array([200, -200]), 10) == pytest.approx([200 / 3, 100 / 3])
    assert points_of(np.array([0, 1, 50, 67, 99, 100])).tolist() == [-133, -133, 0, 20, 133, 133]


def test_the_first_of_equal_remainders_is_rounded_up():
    """Shares add up to their total, the same way each time."""
    assert whole_shares(np.array([[1.5], [1.5], [2.0]]), np.array([5])).tolist() == [[2], [1], [2]]


def test_a_level_is_the_lowest_that_brings_the_mean_to_what_is_wanted():
    """Within its limits, in points and in tenths of them."""
    assert level_for({0: 3}, 200 / 3 - 0.01, 100) == 20
    assert level_for({-200: 1, 200: 1}, 50.0, 100, 10) == 0
    assert [level_for({0: 1}, percent, 40) for percent in (0.0, 100.0)] == [-40, 40]
