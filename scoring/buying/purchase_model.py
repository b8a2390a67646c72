"""How often customers buy, whether they still do, and for how much: BG/NBD with gamma-gamma, in closed form.

Fader, Hardie & Lee (2005), "'Counting Your Customers' the Easy Way: An Alternative to the Pareto/NBD Model",
Marketing Science 24(2), 275-284. While a customer is alive, purchases come at random at a rate that is gamma
distributed over customers (`r`, `alpha`); after each purchase the customer leaves with a probability that is beta
distributed (`a`, `b`).

Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value" (brucehardie.com/notes/025). The values of a
customer's purchases are gamma distributed around a mean that differs between customers (`p`, `q`, `gamma`).

A customer's history is (x, t_x, T): the number of days with a purchase after the day of the first, and, both since
that first day, the time of the last purchase and of today. Times are in weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import digamma, gammaln, hyp2f1, polygamma

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from threadpoolctl import ThreadpoolController

    Floats = NDArray[np.float64]

_MOST = 700.0  # beyond this exponent a double overflows
_NOT_ONE = 1e-5  # where a is 1, expected purchases are 0/0: a hair beside it they are not
_DIGITS = 6  # significant, of each fitted parameter
# Lowest and highest r, alpha, a, b, and p, q, gamma: a search that runs away ends there. q above 1 has a mean.
_COUNT_BOUNDS = ((1e-2, 1e2), (1e-2, 1e5), (1e-3, 1e2), (1e-2, 1e4))
_VALUE_BOUNDS = ((1e-2, 1e4), (1.05, 1e4), (1e-4, 1e14))
_SPREAD = 2.0  # of the prior: how far, as a power of e, a parameter may lie off before it counts against it


@dataclass(frozen=True, slots=True)
class PurchaseModel:
    """Fitted parameters: r, alpha (weeks), a, b of the BG/NBD; p, q, gamma (cents) of the gamma-gamma."""

    r: float
    alpha: float
    a: float
    b: float
    p: float
    q: float
    gamma: float

    def chance(self, x: Floats, t_x: Floats, T: Floats, horizon: float) -> Floats:  # noqa: N803 (the papers' T)
        """P(buys within `horizon` weeks), 0 to 1, for customers with these histories (one number each).

        P(alive) times P(at least one purchase | alive): equations 7 and 10 of "Computing P(alive) Using the BG/NBD
        Model" (Fader, Hardie & Lee 2008) and the negative binomial with the posterior gamma(r + x, alpha + T).
        """
        none = np.exp(-(self.r + x) * np.log1p(horizon / (self.alpha + T)))
        chance: Floats = self.alive(x, t_x, T) * (1 - none)
        return chance

    def alive(self, x: Floats, t_x: Floats, T: Floats) -> Floats:  # noqa: N803 (the papers' T)
        """P(alive): 1 for who bought once only, so never to be ranked by alone."""
        found: Floats = 1 / (1 + self._gone(x, t_x, T))
        return found

    def _gone(self, x: Floats, t_x: Floats, T: Floats) -> Floats:  # noqa: N803 (the papers' T)
        """The odds of having left after the last purchase."""
        silent = (self.r + x) * (np.log(self.alpha + T) - np.log(self.alpha + t_x))
        odds = self.a / (self.b + np.maximum(x, 1) - 1) * np.exp(np.minimum(silent, _MOST))
        return np.where(x > 0, odds, 0.0)

    def expected_purchases(self, x: Floats, t_x: Floats, T: Floats, horizon: float) -> Floats:  # noqa: N803  # the paper's own name
        """Days with a purchase to expect within `horizon` weeks: equation 10 of the paper.

        Its hypergeometric function is taken after Euler's transformation, 2F1(A, B; C; z) =
        (1 - z)^(C - A - B) 2F1(C - A, C - B; C; z): then nothing overflows for customers who bought hundreds of times.
        """
        a = self.a if abs(self.a - 1) > _NOT_ONE else 1 + _NOT_ONE
        share = horizon / (self.alpha + T + horizon)
        series = hyp2f1(a + self.b - 1 - self.r, a - 1, a + self.b + x - 1, share)
        left = 1 - np.exp((a - 1) * np.log1p(-share)) * series
        expected: Floats = (a + self.b + x - 1) / (a - 1) * left / (1 + self._gone(x, t_x, T))
        # Where the series fails (a gap of minutes, a horizon of years), what holds for certain still does: not less
        # than the chance of one purchase, not more than at the customer's rate without ever leaving.
        most = self.alive(x, t_x, T) * (self.r + x) / (self.alpha + T) * horizon
        least = np.minimum(self.chance(x, t_x, T, horizon), most)
        return np.clip(np.where(np.isfinite(expected), expected, most), least, most)

    def expected_value(self, purchases: Floats, mean: Floats) -> Floats:
        """Cents of the next purchase of who made so many with this `mean` (cents); the book's without any.

        The conditional expectation of the note, its equation 5: a mean of the customer's own and the book's.
        """
        own = self.p * purchases
        rest = max(self.q - 1, _NOT_ONE)
        value: Floats = (own * mean + self.p * self.gamma) / (own + rest)
        return value


def log_likelihood(logs: Floats, x: Floats, t_x: Floats, T: Floats, counts: Floats) -> tuple[float, Floats]:  # noqa: N803  # the paper's own name
    """The log-likelihood (equation 6 of the paper) at the logarithms of r, alpha, a, b, and its slope there.

    `counts` tells how many customers have each history.
    """
    r, alpha, a, b = np.exp(logs)
    # What hangs on x alone is worked out once for each x, which are few.
    place = x.astype(np.int64)
    kinds = np.arange(place.max(initial=0) + 1.0)
    n = np.bincount(place, weights=counts, minlength=len(kinds))
    again = np.maximum(kinds, 1)
    often = gammaln(r + kinds) - gammaln(r) + r * np.log(alpha)
    stays = gammaln(a + b) + gammaln(b + kinds) - gammaln(b) - gammaln(a + b + kinds)
    log_today, log_last = np.log(alpha + T), np.log(alpha + t_x)
    leaves = np.log(a / (b + again - 1))[place] + (r + x) * (log_today - log_last)
    odds = np.where(x > 0, np.exp(np.minimum(leaves, _MOST)), 0.0)
    total = float((n * (often + stays)).sum() + (counts * (np.log1p(odds) - (r + x) * log_today)).sum())
    lost = counts * odds / (1 + odds)
    here = counts - lost
    per_kind = np.bincount(place, weights=lost, minlength=len(kinds))
    by_r = (n * (digamma(r + kinds) - digamma(r) + np.log(alpha))).sum()
    by_r -= (here * log_today + lost * log_last).sum()
    by_alpha = r / alpha * n.sum() - ((r + x) * (here / (alpha + T) + lost / (alpha + t_x))).sum()
    both = (n * (digamma(a + b) - digamma(a + b + kinds))).sum()
    by_a = both + lost.sum() / a
    by_b = both + (n * (digamma(b + kinds) - digamma(b))).sum() - (per_kind / (b + again - 1)).sum()
    return total, np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])


def fitted_counts(
    x: Floats,
    t_x: Floats,
    T: Floats,  # noqa: N803 (the papers' T)
    counts: Floats,
    prior: Sequence[float],
    *,
    weight: float = 0.0,
) -> tuple[float, ...]:
    """r, alpha, a, b by maximum likelihood, within bounds.

    `prior` is where the search starts and, with a `weight` above 0, what little data are drawn towards (as far as it
    is worth `weight` standard deviations of 2 in the logarithm): so the fit needs no least number of customers, and
    with none at all gives the prior back.
    """
    return _fitted(lambda logs: log_likelihood(logs, x, t_x, T, counts), prior, _COUNT_BOUNDS, weight)


def value_log_likelihood(
    logs: Floats, purchases: Floats, means: Floats, counts: Floats
) -> tuple[float, Floats]:
    """The log-likelihood of mean values (equation 1a of the note) at the logarithms of p, q, gamma, and its slope."""
    p, q, gamma = np.exp(logs)
    shape, scale = p * purchases, gamma + means * purchases
    each = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(gamma / scale)
    each += shape * np.log(means * purchases / scale) - np.log(means)
    by_p = purchases * (digamma(shape + q) - digamma(shape) + np.log(means * purchases / scale))
    by_q = digamma(shape + q) - digamma(q) + np.log(gamma / scale)
    by_gamma = q / gamma - (shape + q) / scale
    slope = np.array(
        [(counts * by_p).sum() * p, (counts * by_q).sum() * q, (counts * by_gamma).sum() * gamma]
    )
    return float((counts * each).sum()), slope


def fitted_values(
    purchases: Floats,
    means: Floats,
    counts: Floats,
    prior: Sequence[float],
    *,
    weight: float = 0.0,
    fixed_p: bool = False,
) -> tuple[float, ...]:
    """p, q, gamma by maximum likelihood from numbers and mean values (above 0) of purchases, as `fitted_counts`.

    `fixed_p`: p stays what the prior says. Means alone tell it only where customers bought differently often.
    """
    bounds = ((prior[0], prior[0]), *_VALUE_BOUNDS[1:]) if fixed_p else _VALUE_BOUNDS
    return _fitted(lambda logs: value_log_likelihood(logs, purchases, means, counts), prior, bounds, weight)


def shape_of(variance: float) -> float:
    """The shape p of a gamma distribution whose logarithm has this variance: the inverse of the trigamma function."""
    low, high = _VALUE_BOUNDS[0]
    for _ in range(60):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if polygamma(1, middle) > variance else (low, middle)
    return float(f"{low:.{_DIGITS}g}")


def _fitted(
    likelihood: Callable[[Floats], tuple[float, Floats]],
    prior: Sequence[float],
    bounds: Sequence[tuple[float, float]],
    weight: float,
) -> tuple[float, ...]:
    """Where likelihood and prior are highest; rounded, so that nothing hangs on the last digit of the search."""
    # Late: half a second that only a full run needs.
    from scipy.optimize import minimize  # noqa: PLC0415  # late on purpose

    start = np.log(np.array(prior))

    def loss(logs: Floats) -> tuple[float, Floats]:
        total, slope = likelihood(logs)
        off = weight * (logs - start) / _SPREAD**2
        return 0.5 * float((off * (logs - start)).sum()) - total, off - slope

    # Four numbers are searched for: a second thread would only spin, and cost as much again.
    with _threads().limit(limits=1):
        found = minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=np.log(bounds),
            options={"ftol": 1e-12, "gtol": 1e-6},
        )
    return tuple(float(f"{value:.{_DIGITS}g}") for value in np.exp(found.x))


@cache
def _threads() -> ThreadpoolController:
    """What decides on threads in the libraries that are loaded; looking through all of them takes long."""
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415  # late, as above

    return ThreadpoolController()
