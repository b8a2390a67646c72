"""Growth potential finds who will grow, on books that are made up: what `make bench` prints, as promises."""

from __future__ import annotations

import pytest

from tests.benchmarks.growing_books import young_book
from tests.benchmarks.quality_growth import cells, first_months, grown


@pytest.mark.parametrize("kind", ["one cohort", "seasonal", "large first"])
def test_growers_are_found_in_their_first_months(kind):
    """Growth potential ranks next year's growers better than the naive trend, and within each third of spend, too."""
    ours, naive, thirds = first_months(grown(young_book(kind, seed=11, size=1500)))
    assert ours > naive + 0.01
    assert min(thirds) > 0.5


def test_segments_separate_buying_and_growing():
    """The likelier buy again more often in both halves of potential, and more of high potential grow in both others."""
    book = grown(young_book("at random", seed=11, size=2000))
    bought, grew = {}, {}
    for name, among in cells(book):
        bought[name] = (book.ahead[among] > 0).mean()
        grew[name] = (book.ahead[among] > book.rate[among]).mean()
    for potential in ("high potential", "low potential"):
        assert bought[f"likely, {potential}"] > bought[f"unlikely, {potential}"]
    for likely in ("likely", "unlikely"):
        assert grew[f"{likely}, high potential"] > grew[f"{likely}, low potential"]
