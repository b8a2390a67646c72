"""Points learned from what happened: drawn towards what one started from, and never backwards."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.arithmetic.fitting import fitted_card, fitted_points

PRIOR = np.array([20, 0, -20])


def ints(*numbers):
    """Whole numbers."""
    return np.array(numbers, dtype=np.int64)


def test_without_outcomes_the_prior_comes_back():
    """Nothing seen, or only hits: nothing learned."""
    assert fitted_points(ints(0, 0, 0), ints(0, 0, 0), PRIOR, weight=20).tolist() == PRIOR.tolist()
    found = fitted_card(ints(*range(3)).reshape(1, 3), ints(5, 5, 5), ints(0, 0, 0), [PRIOR], weight=20)
    assert found[0].tolist() == PRIOR.tolist()


def test_many_outcomes_overrule_the_prior():
    """With ten thousand in each band, points are their weight of evidence: here odds of 1, 1/2 and 1/4."""
    hits, misses = ints(5000, 3333, 2000), ints(5000, 6667, 8000)
    for found in (
        fitted_points(hits, misses, -PRIOR, weight=20),
        fitted_card(ints(0, 1, 2).reshape(1, 3), hits, misses, [-PRIOR], weight=20)[0],
    ):
        assert np.diff(found).tolist() == pytest.approx([-20, -20], abs=1)


def test_few_outcomes_move_points_a_little():
    """A band of three is drawn to its prior."""
    found = fitted_points(ints(100, 100, 3), ints(100, 300, 0), PRIOR, weight=50)
    assert found[2] < 0


def test_inputs_that_say_the_same_are_not_counted_twice():
    """Two copies of one input share the points that one alone would have."""
    band, hits, misses = ints(0, 1, 2), ints(500, 333, 200), ints(500, 667, 800)
    (alone,) = fitted_card(band.reshape(1, 3), hits, misses, [0 * PRIOR], weight=1)
    twice = fitted_card(np.stack([band, band]), hits, misses, [0 * PRIOR, 0 * PRIOR], weight=1)
    assert (twice[0] + twice[1]).tolist() == pytest.approx(alone.tolist(), abs=2)


def test_no_band_reads_backwards():
    """A band whose points would contradict its own outcomes counts as the whole."""
    # The second input only repeats the first but for one cell, so that a regression turns its sign.
    bands = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
    hits, misses = ints(600, 300, 10, 150), ints(400, 100, 190, 850)
    prior = [ints(0, 0), ints(0, 0)]
    _, found = fitted_card(bands, hits, misses, prior, weight=1)
    whole = hits.sum() / misses.sum()
    for band in (0, 1):
        mine = bands[1] == band
        evidence = np.log(hits[mine].sum() / misses[mine].sum() / whole)
        level = (found[bands[1]] * (hits + misses)).sum() / (hits + misses).sum()
        assert round(found[band] - level) * evidence >= 0


def test_a_few_outcomes_more_throw_no_band():
    """Where a band's outcomes pass from contradicting its points to agreeing with them, points go by degrees."""
    bands, prior = np.array([[0, 0, 1, 1], [0, 1, 0, 1]]), [ints(0, 0), ints(0, 0)]
    hits, misses = ints(600, 300, 10, 150), ints(400, 100, 190, 850)
    found = [
        fitted_card(bands, hits + ints(0, 3 * more, 0, 0), misses + ints(0, more, 0, 0), prior, weight=1)[1]
        for more in range(400)
    ]
    assert found[0].tolist() != found[-1].tolist()
    assert np.abs(np.diff(found, axis=0)).max() <= 1


def test_order_of_cells_does_not_matter():
    """The same counts in another order give the same points."""
    rng = np.random.default_rng(3)
    bands = rng.integers(0, 3, (2, 40))
    hits, misses = rng.integers(0, 9, 40), rng.integers(0, 9, 40)
    order = rng.permutation(40)
    first = fitted_card(bands, hits, misses, [PRIOR, PRIOR], weight=10)
    second = fitted_card(bands[:, order], hits[order], misses[order], [PRIOR, PRIOR], weight=10)
    assert [points.tolist() for points in first] == [points.tolist() for points in second]


@pytest.mark.parametrize("count", [10**12, 1])
def test_no_counts_break_the_fit(count):
    """Bands in which all, or none, happened: points stay within 200."""
    found = fitted_points(ints(count, 0, 0), ints(0, count, count), PRIOR, weight=1)
    assert (np.abs(found) <= 200).all()
    (card,) = fitted_card(
        ints(0, 1, 2).reshape(1, 3), ints(count, 0, 0), ints(0, count, count), [PRIOR], weight=1
    )
    assert (np.abs(card) <= 200).all()


def test_bands_take_no_points_for_what_the_whole_book_does():
    """Where one in a hundred buys, whatever the band, the bands say nothing: the base does."""
    few, all_ = ints(1, 1, 1), ints(99, 99, 99)
    (card,) = fitted_card(ints(0, 1, 2).reshape(1, 3), few, all_, [ints(0, 0, 0)], weight=10)
    assert card.tolist() == [0, 0, 0]
    assert fitted_points(100 * few, 100 * all_, ints(20, 20, 20), weight=1000).tolist() == [20, 20, 20]
