"""Whatever happens in whatever order, what always holds does hold: walks by chance, which a seed repeats."""

from __future__ import annotations

import random

import pytest

from tests.faults.walk import Walk

BOOK = "synthetic:5:14"
LONG, SHORT = 45, 8


def walked(make_world, monkeypatch, seed, steps):
    """A walk of so many steps; if it fails, all of them are told."""
    walk = Walk(make_world(data=BOOK), random.Random(seed), monkeypatch)
    try:
        for _ in range(steps):
            walk.step()
        walk.settle()
    except BaseException as error:
        error.add_note("\n".join(f"{number:3} {step}" for number, step in enumerate(walk.log)))
        raise


@pytest.mark.long
def test_a_short_walk_by_chance(make_world, monkeypatch, tried):
    """A few steps, each time the same, for every day."""
    walked(make_world, monkeypatch, 3, SHORT)
    tried(SHORT, "something that happened by chance")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_a_long_walk_by_chance(make_world, monkeypatch, tried, seed):
    """Edits, merges, undos, backfills, refusals, crashes: no order of them breaks what always holds."""
    walked(make_world, monkeypatch, seed, LONG)
    tried(LONG, "something that happened by chance")
