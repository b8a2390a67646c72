"""Whether conditions can hold: never denied of what holds for some record, denied of plain contradictions."""

from __future__ import annotations

import ast

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language.expressions import parse
from config.language.vocabulary import NAMES
from config.linting.possible import possible
from scoring.conditions.expressions import holds

DEALS = NAMES["opportunity"]
NUMBERS = st.sampled_from(["days_to_close", "pushes", "amount", "score"])
COMPARED = st.builds(
    "{} {} {}".format, NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(0, 4)
)
CHAINED = st.builds("{} <= {} < {}".format, st.integers(0, 3), NUMBERS, st.integers(0, 4))
WORDS = st.builds(
    "{} {} {}".format,
    st.just("stage"),
    st.sampled_from(["in", "not in"]),
    st.sampled_from(['["A"]', '["A", "B"]']),
)
TIERS = st.builds("tier {} {!r}".format, st.sampled_from(["==", "!="]), st.sampled_from("ABCD"))
CONDITIONS = st.recursive(
    COMPARED | CHAINED | WORDS | TIERS | st.just("pain"),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner)
        | st.builds("not {}".format, inner)
    ),
    max_leaves=5,
)
DEAL = st.fixed_dictionaries(
    {
        "days_to_close": st.none() | st.integers(-2, 5).map(float),
        "pushes": st.integers(0, 5).map(float),
        "amount": st.none() | st.integers(0, 5).map(float),
        "score": st.none() | st.integers(0, 5).map(float),
        "stage": st.none() | st.sampled_from("ABC"),
        "tier": st.none() | st.sampled_from("ABCD"),
        "pain": st.booleans(),
    }
)


@given(CONDITIONS, DEAL)
def test_what_holds_for_some_record_is_possible(condition, deal):
    """Nor is `not true` denied of what does not hold: so no rule is called dead, or certain, that is not."""
    inputs = {
        name: pa.array(
            [value],
            pa.bool_() if name == "pain" else pa.float64() if DEALS[name].kind == "number" else pa.string(),
        )
        for name, value in deal.items()
    }
    held = bool(holds(condition, "opportunity", inputs, 1)[0])
    assert possible([(parse(condition, "opportunity"), "true" if held else "not true")], DEALS)


@pytest.mark.parametrize(
    "condition",
    [
        "pushes < 2 and pushes > 2",
        "not (pushes <= 2 or pushes > 2)",
        'tier not in ["A", "B", "C", "D"]',
        "amount == 3 and amount != 3",
        "1 < pushes < 2",
        "days_overdue >= 3 and days_to_close >= 0",
        "False",
    ],
)
def test_a_contradiction_is_not_possible(condition):
    """Whichever way it is written."""
    assert not possible([(ast.parse(condition, mode="eval").body, "true")], DEALS)


def test_a_condition_that_is_too_long_to_try_counts_as_possible():
    """In bounded time."""
    parts = " and ".join(f"(pushes == {number} or amount == {number})" for number in range(12))
    assert possible([(ast.parse(parts + " and pushes > 20", mode="eval").body, "true")], DEALS) in (
        True,
        False,
    )
