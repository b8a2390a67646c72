"""Turn the opportunities of one bucket into one row of numbers per account, and one per open deal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from config.rules import Rules

# `account`, `opportunity`, `owner` and `stage`, each a pyarrow Table or Dataset with (some) columns of its
# canonical record; a column that is absent counts as null in every row. Owner and stage are whole each time.
Tables = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Features:
    """One bucket: `accounts` has one row per account, `deals` one per open deal, both sorted by id."""

    accounts: pa.Table
    deals: pa.Table


def extract(tables: Tables, horizon: int, rules: Rules, today: date) -> Features:
    """The features of one bucket. `horizon` is in days: the book's (`Book.horizon`)."""
    raise NotImplementedError
