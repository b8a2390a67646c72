"""The columns behind the names that conditions may use, each made only when a condition asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from config.outputs import LEVELS, SEGMENTS, TIERS
from scoring.alerts import large, quiet
from scoring.columns import numbers, taken, whole
from scoring.features import day_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.value import Scored

    Ints = NDArray[np.int64]


class Inputs(Mapping[str, pa.Array]):
    """Columns by name; numbers are doubles, and what is unknown is null."""

    def __init__(self, columns: Mapping[str, Callable[[], Any]]) -> None:
        self._columns = columns
        self._made: dict[str, pa.Array] = {}

    def __getitem__(self, name: str) -> pa.Array:
        if name not in self._made:
            self._made[name] = _as_arrow(self._columns[name]())
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _as_arrow(column: Any) -> pa.Array:
    if isinstance(column, np.ndarray) and column.dtype != np.bool_:
        return pa.array(column.astype(np.float64), from_pandas=True)  # NaN becomes null
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        return column.cast(pa.float64()) if pa.types.is_integer(column.type) else column
    return column if isinstance(column, pa.Array) else pa.array(column)


def level(scored: Scored, rules: Rules) -> Ints:
    """Growth potential as a place in LEVELS."""
    found = scored.growth.card.score
    return np.where(found >= rules.growth.high, 0, np.where(found >= rules.growth.medium, 1, 2))


def _as_given(table: pa.Table, *names: str) -> dict[str, Callable[[], Any]]:
    return {name: partial(table.column, name) for name in names}


def account_inputs(scored: Scored, tier: Ints, book: Book, rules: Rules, today: date) -> Inputs:
    """What conditions on accounts may name (`config.vocabulary.ACCOUNT_NAMES`)."""
    table, best, now = scored.features.accounts, scored.best, day_number(today)
    return Inputs({
        "tier": lambda: taken(TIERS, tier),
        "score": lambda: scored.score,
        "segment": lambda: taken(SEGMENTS, scored.segment),
        "growth_potential": lambda: taken(LEVELS, level(scored, rules)),
        "growth_score": lambda: scored.growth.card.score,
        "likelihood": lambda: scored.likelihood.score,
        "expected_spend": lambda: scored.expected / 100,
        "expected_spend_rank": lambda: scored.rank,
        "open_deals": lambda: best.count,
        "best_deal_score": lambda: np.where(best.row >= 0, best.score, np.nan),
        "purchases": lambda: table["purchases"],
        "spend_total": lambda: whole(table, "spend") / 100,
        "spend_last_year": lambda: whole(table, "year_spend") / 100,
        "days_since_purchase": lambda: now - numbers(table, "last_day"),
        "quiet": lambda: quiet(table, book, rules, now),
        "large": lambda: large(table, book),
        **_as_given(table, "industry", "type", "country", "employees", "annual_revenue", "owner_active"),
    })  # fmt: skip


def deal_inputs(scored: Scored, tier: Ints, today: date) -> Inputs:
    """What conditions on opportunities may name (`config.vocabulary.OPPORTUNITY_NAMES`)."""
    table, deals, now = scored.features.deals, scored.deals, day_number(today)
    segment = np.append(scored.segment, -1)
    return Inputs({
        "tier": lambda: taken(TIERS, tier),
        "score": lambda: np.where(deals.scored, deals.priority.score, np.nan),
        "amount": lambda: numbers(table, "cents") / 100,
        "chance": lambda: deals.chance,
        "margin": lambda: deals.margin,
        "days_to_close": lambda: deals.days_to_close,
        "days_overdue": lambda: np.maximum(-deals.days_to_close, 0),
        "days_idle": lambda: deals.idle,
        "days_to_need": lambda: numbers(table, "need_day") - now,
        "account_segment": lambda: taken(SEGMENTS, segment[whole(table, "account_row")]),
        **_as_given(table, "stage", "type", "product", "pushes", "pain", "owner_active"),
    })  # fmt: skip
