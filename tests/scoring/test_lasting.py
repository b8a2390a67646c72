"""How long a deal has been open says something only of deals whose age is known, and within the rules' limit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from scoring.winning.lasting import Lasting, lasting, lasting_points

TABLE = Lasting(ages=(30, 90), points=(40, 0, -60), percent=30, deals=500)


def test_age_gives_points_within_the_limit_and_none_where_it_is_unknown():
    """`win.age` is the most that age may give or take; a deal of which nobody knows when it was made gets none."""
    deals = pa.table({"created_day": pa.array([100, 50, 0, None], pa.int64())})
    assert lasting_points(deals, TABLE, 25, 110).tolist() == [25, 0, -25, 0]
    assert lasting_points(deals, TABLE, 100, 110).tolist() == [40, 0, -60, 0]


def test_a_book_that_hardly_ever_wins_gives_no_age_points_for_that():
    """The win rate is the whole's: ages are compared with it, however low it is."""
    ages = np.arange(0, 400, 4)
    ended = pa.table({
        "month": np.zeros(len(ages), dtype=np.int64),
        "age": ages,
        "won": np.where(ages == 200, 1, 0),
        "deals": np.full(len(ages), 10),
    })  # fmt: skip
    assert max(map(abs, lasting(ended, 365).points)) <= 3
