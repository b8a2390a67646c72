"""What is known of accounts and deals before any score, by the names that conditions use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from config.language.account_names import ACCOUNT_FACTS
from config.language.deal_names import OF_ACCOUNT
from scoring.arithmetic.columns import looked_up, numbers, whole
from scoring.buying.habits import large, quiet, usual_gap
from scoring.growing.growth import basket, season_trend
from scoring.growing.promises import kept_share, promises
from scoring.reading.features import day_number
from scoring.reading.roundness import roundness
from scoring.reading.trend import QUARTERS, spend_trend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from numpy.typing import NDArray

    from config.rules import Rules
    from scoring.book import Book
    from scoring.reading.features import Features

    Floats = NDArray[np.float64]

    Makers = dict[str, Callable[[], Any]]


class Inputs(Mapping[str, pa.Array]):
    """Columns by name, each made once and only when asked for; numbers are doubles, and what is unknown is null."""

    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers = makers
        self._made: dict[str, pa.Array] = {}

    def __getitem__(self, name: str) -> pa.Array:
        if name not in self._made:
            self._made[name] = _as_arrow(self._makers[name]())
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def _as_arrow(column: Any) -> pa.Array:
    if isinstance(column, np.ndarray) and column.dtype != np.bool_:
        return pa.array(column.astype(np.float64), from_pandas=True)  # NaN becomes null
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        return column.cast(pa.float64(), safe=False) if pa.types.is_integer(column.type) else column
    return column if isinstance(column, pa.Array) else pa.array(column)


def account_facts(features: Features, book: Book, rules: Rules, today: date) -> Makers:
    """Facts about the accounts of a bucket: `config.language.account_names.ACCOUNT_FACTS`."""
    table, now = features.accounts, day_number(today)
    return {
        **_as_given(
            table, "industry", "type", "country", "territory", "employees", "annual_revenue", "company_growth",
            "opted_out", "purchases", "purchase_days", "lost", "touches", "open_cases", "urgent_cases", "need_cases",
            "plans_due", "group_size", "in_territory",
        ),
        **_in_money(table, {
            "spend_total": "spend", "spend_last_year": "year_spend", "open_pipeline": "open_value",
            "promised": "promised", "group_spend_last_year": "group_year_spend", "group_pipeline": "group_open_value",
            **{f"spend_q{place}": f"q{place}" for place in range(QUARTERS)},
        }),
        **_days_since(table, now, {
            "days_known": "created_day", "days_since_purchase": "last_day", "days_a_customer": "first_day",
            "days_since_activity": "last_activity_day", "days_since_call": "last_call_day",
            "days_since_email": "last_email_day", "days_since_meeting": "last_meeting_day",
        }),
        **_buying(table, book, rules, now),
        **_owner_facts(table, book),
        "days_to_promise": lambda: numbers(table, "promised_day") - now,
        "promised_rise": lambda: promises(table, basket(table, book), book.kept_percent).rise,
        "plans_kept": lambda: 100 * kept_share(table),
    }  # fmt: skip


def _buying(table: pa.Table, book: Book, rules: Rules, now: int) -> Makers:
    """How the account buys: rates, habits and trends."""
    customer = partial(_only, table, "purchases")
    return {
        "win_rate": lambda: 100 * _ratio(numbers(table, "purchases"), numbers(table, "closed")),
        "first_purchase": lambda: customer(whole(table, "first_value") / 100),
        "usual_purchase": lambda: basket(table, book) / 100,
        "usual_gap": lambda: usual_gap(table, book),
        "spend_trend": lambda: spend_trend(table, now),
        "season_change": lambda: season_trend(table, book, now),
        "quiet": lambda: quiet(table, book, rules, now),
        "large": lambda: large(table, book),
    }


def deal_facts(features: Features, book: Book, rules: Rules, today: date) -> Makers:
    """Facts about the deals of a bucket: `deal_names.DEAL_FACTS`, and of their accounts as `account_…`."""
    table, now = features.deals, day_number(today)
    days = partial(numbers, table, "close_day")
    return {
        **_as_given(
            table, "stage", "type", "product", "pipeline", "probability", "pushes", "touches", "items_margin", "pain",
            "need_case", "urgent_case",
        ),
        **_in_money(table, {"amount": "cents"}),
        **_days_since(table, now, {"age": "created_day", "days_in_stage": "stage_day", "days_idle": "moved_day"}),
        **_owner_facts(table, book),
        "days_to_close": lambda: days() - now,
        "days_overdue": lambda: np.maximum(now - days(), 0),
        "days_to_need": lambda: numbers(table, "need_day") - now,
        "amount_roundness": lambda: 100 * roundness(numbers(table, "cents")),
        "idle_share": lambda: 100 * np.minimum(_since(table, "moved_day", now) / _age(table, now), 1.0),
        "touches_per_month": lambda: 30 * numbers(table, "touches") / _age(table, now),
        **_of_account(features, account_facts(features, book, rules, today)),
    }  # fmt: skip


def _of_account(features: Features, makers: Makers) -> Makers:
    """Each deal's account's facts."""
    facts, rows = Inputs(makers), whole(features.deals, "account_row")

    def taken(name: str) -> pa.Array:
        return facts[name].take(pa.array(rows, mask=rows < 0))

    names = {fact.name for fact in ACCOUNT_FACTS}
    return {
        of.name: partial(taken, name)
        for of in OF_ACCOUNT
        if (name := of.name.removeprefix("account_")) in names
    }


def _owner_facts(table: pa.Table, book: Book) -> Makers:
    """What the owner of each record has to look after."""

    def of_owner(counted: Mapping[str, int], per: int = 1) -> Floats:
        found = {owner: number / per for owner, number in counted.items()}
        return looked_up(table["owner_id"], found, found.get("", 0.0))

    def load() -> Floats:
        return 100 * _ratio(of_owner(book.owner_accounts), numbers(table, "owner_capacity"))

    return {
        **_as_given(table, "owner_active", "team", "owner_capacity"),
        **_in_money(table, {"owner_quota": "owner_quota"}),
        "owner_accounts": lambda: of_owner(book.owner_accounts),
        "owner_open_deals": lambda: of_owner(book.owner_deals),
        "owner_pipeline": lambda: of_owner(book.owner_pipeline, 100),
        "owner_load": load,
    }


def _as_given(table: pa.Table, *names: str) -> Makers:
    return {name: partial(table.column, name) for name in names}


def _in_money(table: pa.Table, columns: Mapping[str, str]) -> Makers:
    """Cents as units of the currency, by the name of the fact."""
    return {name: partial(_money, table, column) for name, column in columns.items()}


def _money(table: pa.Table, column: str) -> Floats:
    return numbers(table, column) / 100


def _days_since(table: pa.Table, now: int, columns: Mapping[str, str]) -> Makers:
    return {name: partial(_since, table, column, now) for name, column in columns.items()}


def _since(table: pa.Table, column: str, now: int) -> Floats:
    """Days since a day; one that lies ahead counts as today."""
    days: Floats = np.maximum(now - numbers(table, column), 0)
    return days


def _age(table: pa.Table, now: int) -> Floats:
    """Days since creation, at least one, so that ratios to it exist."""
    days: Floats = np.maximum(now - numbers(table, "created_day"), 1)
    return days


def _ratio(part: Floats, whole_: Floats) -> Floats:
    """NaN where the whole is nothing."""
    ratio: Floats = np.divide(part, whole_, out=np.full(len(part), np.nan), where=whole_ > 0)
    return ratio


def _only(table: pa.Table, column: str, values: Floats) -> Floats:
    """The values where a count is above 0; NaN elsewhere."""
    return np.where(whole(table, column) > 0, values, np.nan)
