"""The purchase model: what its papers published, and that no history breaks it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox.datasets import load_book
from scoring.buying.purchase_model import (
    PurchaseModel,
    fitted_counts,
    fitted_values,
    log_likelihood,
    shape_of,
    value_log_likelihood,
)

CUT = np.datetime64("1997-09-30")
PRIOR = (0.5, 5.0, 0.8, 2.5)
PUBLISHED = PurchaseModel(r=0.243, alpha=4.414, a=0.793, b=2.426, p=6.25, q=3.74, gamma=15.44)


@pytest.fixture(scope="module")
def sample():
    """CDNOW's 2,357 customers until week 39: account and day of each purchase day, and its dollars."""
    bought = load_book("cdnow_sample").opportunities
    day = bought["close_date"].to_numpy().astype("datetime64[D]")
    known = day <= CUT
    days, place = np.unique(
        np.stack([bought["account"].to_numpy()[known], day[known].astype(np.int64)]),
        axis=1,
        return_inverse=True,
    )
    return days[0], days[1], np.bincount(place.reshape(-1), bought["amount"].to_numpy()[known])


@pytest.fixture(scope="module")
def histories(sample):
    """x, t_x, T in weeks and a count of one for each customer."""
    account, day, _ = sample
    first, last = np.full(2357, 10**9), np.zeros(2357)
    np.minimum.at(first, account, day)
    np.maximum.at(last, account, day)
    x = np.bincount(account) - 1.0
    return x, (last - first) / 7, (CUT.astype(np.int64) - first) / 7, np.ones(2357)


def test_the_published_parameters_of_cdnow_are_found(histories):
    """Fader, Hardie & Lee 2005, table 2: r 0.243, alpha 4.414, a 0.793, b 2.426, log-likelihood -9582.4."""
    found = fitted_counts(*histories, PRIOR)
    assert np.round(found, 3).tolist() == pytest.approx([0.243, 4.414, 0.793, 2.426], abs=0.0011)
    assert log_likelihood(np.log(found), *histories)[0] == pytest.approx(-9582.4, abs=0.05)


def test_the_published_expectation_of_a_customer_is_found():
    """The example of the paper's spreadsheet: two repeats, the last in week 30.43 of 38.86, buys 1.226 times in 39."""
    one = [np.array([number]) for number in (2.0, 30.43, 38.86)]
    assert PUBLISHED.expected_purchases(*one, 39.0)[0] == pytest.approx(1.226, abs=0.001)


def test_the_published_values_of_cdnow_are_found(sample):
    """Fader & Hardie's note on the gamma-gamma model: p 6.25, q 3.74, gamma 15.44 on repeat purchases."""
    account, day, dollars = sample
    first = np.full(2357, 10**9)
    np.minimum.at(first, account, day)
    repeat = day > first[account]
    number = np.bincount(account[repeat], minlength=2357).astype(np.float64)
    mean = np.bincount(account[repeat], dollars[repeat], 2357) / np.maximum(number, 1)
    paid = mean > 0
    found = fitted_values(number[paid], mean[paid], np.ones(paid.sum()), (2.0, 2.0, 20.0))
    assert [round(value, 2) for value in found] == [6.25, 3.74, 15.44]


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_weak_prior_moves_no_parameter_of_a_book_with_data(histories, weight):
    """What keeps small books sensible is nothing to two thousand customers."""
    assert fitted_counts(*histories, PRIOR, weight=weight) == pytest.approx(
        fitted_counts(*histories, PRIOR), rel=0.01
    )


@pytest.mark.parametrize("size", [0, 1])
def test_without_customers_the_prior_comes_back(size):
    """No histories: the prior itself. One customer who bought once: hardly another one."""
    none = [np.zeros(size)] * 3
    assert fitted_counts(*none, np.ones(size), PRIOR, weight=1.0) == pytest.approx(PRIOR, rel=0.3)
    assert fitted_values(*[np.ones(0)] * 3, (2.0, 2.0, 500.0), weight=1.0) == pytest.approx((2.0, 2.0, 500.0))


@pytest.mark.parametrize(
    ("function", "logs", "data"),
    [
        (log_likelihood, [-1.2, 1.6, -0.4, 0.7], ([0.0, 2, 5], [0.0, 30, 20], [39.0, 38, 100], [5, 1, 2])),
        (value_log_likelihood, [1.2, 1.1, 6.0], ([1.0, 2, 9], [100.0, 3000, 1], [4, 1, 1])),
    ],
)
def test_slopes_are_those_of_the_likelihoods(function, logs, data):
    """The slopes that the search follows agree with differences of the likelihood itself."""
    at, columns = np.array(logs), [np.array(column, dtype=np.float64) for column in data]
    steps = 1e-5 * np.eye(len(at))
    measured = [
        (function(at + step, *columns)[0] - function(at - step, *columns)[0]) / 2e-5 for step in steps
    ]
    assert function(at, *columns)[1] == pytest.approx(measured, rel=1e-4, abs=1e-6)


parameters = st.tuples(*[st.floats(np.log(low), np.log(high)) for low, high in (
    (0.01, 100), (0.01, 1e5), (0.001, 100), (0.01, 1e4), (0.01, 1e4), (1.05, 1e4), (1e-4, 1e14),
)]).map(lambda logs: PurchaseModel(*(float(np.exp(log)) for log in logs)))  # fmt: skip
numbers = st.integers(0, 5000)
weeks = st.floats(0, 6000)


@given(parameters, numbers, weeks, weeks, st.floats(0.1, 105))
def test_no_history_breaks_the_model(model, x, first, second, horizon):
    """Any parameters within bounds and any history: a chance from 0 to 1, purchases and values that are numbers."""
    last, today = sorted((first, second))
    one = [np.array([float(number)]) for number in (x, last if x else 0.0, today)]
    assert 0 <= model.chance(*one, horizon)[0] <= 1
    expected = model.expected_purchases(*one, horizon)[0]
    assert np.isfinite(expected)
    assert expected >= 0
    assert np.isfinite(model.expected_value(one[0] + 1, np.array([1e14]))[0])


@given(numbers.filter(bool), weeks, weeks, weeks)
def test_a_later_last_purchase_never_lowers_the_chance(x, first, second, third):
    """At the same number of purchases and the same age, who bought more recently is likelier to buy."""
    earlier, later, today = sorted((first, second, third))
    same = np.array([float(x)] * 2), np.array([earlier, later]), np.array([today] * 2)
    chances = PUBLISHED.chance(*same, 12.0)
    assert chances[0] <= chances[1] + 1e-12


@given(numbers, weeks, weeks)
def test_a_longer_horizon_never_lowers_chance_or_purchases(x, first, second):
    """Within a longer time, at least as much is bought."""
    last, today = sorted((first, second))
    one = [np.array([float(number)]) for number in (x, last if x else 0.0, today)]
    for measure in (PUBLISHED.chance, PUBLISHED.expected_purchases):
        found = [measure(*one, horizon)[0] for horizon in (1.0, 4.0, 13.0, 52.0)]
        assert found == sorted(found)


def test_expected_purchases_agree_with_simulated_customers():
    """A closed form against its story: rates and departures drawn at random, purchases counted."""
    rng = np.random.default_rng(5)
    model, size, horizon = replace(PUBLISHED, r=1.5, alpha=10.0), 60_000, 26.0
    rates = rng.gamma(model.r, 1 / model.alpha, size)
    leaves = rng.beta(model.a, model.b, size)
    bought, clock, here = np.zeros(size), np.zeros(size), np.ones(size, dtype=bool)
    while here.any():
        clock += rng.exponential(1 / rates)
        here &= clock <= horizon
        bought += here
        here &= rng.random(size) >= leaves
    new = [np.zeros(1)] * 3
    assert model.expected_purchases(*new, horizon)[0] == pytest.approx(bought.mean(), rel=0.02)
    assert model.chance(*new, horizon)[0] == pytest.approx((bought > 0).mean(), rel=0.02)


@pytest.mark.parametrize("a", [1.0, 1 - 1e-6, 1 + 1e-6])
def test_the_gap_in_the_formula_is_bridged(a):
    """At a = 1 the closed form is 0/0; beside it and there, purchases are the same."""
    one = [np.array([number]) for number in (2.0, 30.43, 38.86)]
    near = replace(PUBLISHED, a=1.001).expected_purchases(*one, 39.0)
    assert replace(PUBLISHED, a=a).expected_purchases(*one, 39.0) == pytest.approx(near, rel=0.01)


@pytest.mark.parametrize("shape", [0.2, 1.0, 3.4, 50.0])
def test_the_shape_of_values_is_read_from_their_spread(shape):
    """The variance of the logarithm of gamma distributed values gives their shape back."""
    values = np.random.default_rng(1).gamma(shape, 1.0, 400_000)
    assert shape_of(float(np.log(values).var())) == pytest.approx(shape, rel=0.02)


def test_where_the_series_fails_the_expectation_stays_within_what_is_certain():
    """Four purchases in one day of a book that buys by the hour: no number comes from the formula, one is given."""
    model = replace(PUBLISHED, r=0.139, alpha=0.01, a=1.113, b=1043.0)
    one = [np.array([number]) for number in (4.0, 0.0, 0.0)]
    assert model.chance(*one, 52.0) <= model.expected_purchases(*one, 52.0) <= 52 * (0.139 + 4) / 0.01


def test_who_bought_nothing_is_expected_to_buy_for_the_books_mean():
    """The mean of the gamma-gamma is p * gamma / (q - 1), and many purchases of one's own outweigh it."""
    model = replace(PUBLISHED, p=6.0, q=4.0, gamma=15.0)
    assert model.expected_value(np.array([0.0, 1e9]), np.array([0.0, 80.0])) == pytest.approx([30.0, 80.0])


def test_few_customers_are_drawn_towards_the_prior():
    """Three customers who bought daily: the fit alone runs off, the prior holds it."""
    few = [
        np.array(numbers) for numbers in ([5.0, 6.0, 7.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    ]
    alone, held = (fitted_counts(*few, PRIOR, weight=weight) for weight in (0.0, 1.0))
    far, near = (np.abs(np.log(np.array(found) / PRIOR)).max() for found in (alone, held))
    assert near < 0.6 * far


def test_a_given_spread_of_values_stays():
    """It is measured from each customer's own purchases: the fit of their means leaves it alone."""
    values = [np.array(numbers) for numbers in ([1.0, 2.0, 9.0], [10.0, 40.0, 25.0], [50.0, 30.0, 20.0])]
    assert fitted_values(*values, (3.5, 2.0, 10.0), weight=1.0, fixed_p=True)[0] == 3.5
