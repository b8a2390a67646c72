"""A book of business that no CRM has shaped yet: owners, accounts, products, opportunities as columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

KNOWN = (
    "pipeline, showcase, cdnow, cdnow_sample, synthetic:ACCOUNTS:OPPORTUNITIES[:SEED] "
    "or planted:ACCOUNTS:OPPORTUNITIES[:SEED]"
)

_STAMP = pa.timestamp("ms")

# References are row numbers (from 0) into the other tables; stamps are UTC. What was expected of an opportunity when
# it was made is `first_amount` and `first_close_date`; null where it is still what is expected.
OWNERS = pa.schema(
    [
        ("name", pa.string()),
        ("manager", pa.int64()),
        ("team", pa.string()),
        ("title", pa.string()),
        ("active", pa.bool_()),  # null: is there
    ]
)
ACCOUNTS = pa.schema(
    [
        ("name", pa.string()),
        ("owner", pa.int64()),
        ("parent", pa.int64()),
        ("type", pa.string()),
        ("industry", pa.string()),
        ("country", pa.string()),
        ("employees", pa.int64()),
        ("annual_revenue", pa.float64()),
        ("year_started", pa.string()),
        ("territory", pa.string()),
        ("company_growth", pa.float64()),  # percent per year
        ("opted_out", pa.bool_()),
        ("growth_plan", pa.float64()),  # money per year, as people fill in Foretag's own field
        ("growth_plan_by", pa.date32()),
        ("created_at", _STAMP),
        ("modified_at", _STAMP),
    ]
)
PRODUCTS = pa.schema([("name", pa.string()), ("family", pa.string()), ("price", pa.float64())])
OPPORTUNITIES = pa.schema(
    [
        ("name", pa.string()),
        ("account", pa.int64()),
        ("owner", pa.int64()),
        ("product", pa.int64()),
        ("stage", pa.string()),
        ("type", pa.string()),
        ("amount", pa.float64()),
        ("quantity", pa.float64()),
        ("close_date", pa.date32()),
        ("first_amount", pa.float64()),
        ("first_close_date", pa.date32()),
        ("pipeline", pa.string()),  # the sales process; null is the only one, or the first
        ("margin", pa.float64()),  # percent of the amount
        ("need_by", pa.date32()),
        ("pain", pa.string()),
        ("created_at", _STAMP),
        ("stage_changed_at", _STAMP),
        ("modified_at", _STAMP),
    ]
)
CASES = pa.schema(
    [
        ("account", pa.int64()),
        ("owner", pa.int64()),
        ("type", pa.string()),
        ("priority", pa.string()),  # High, Medium or Low
        ("created_at", _STAMP),
        ("closed_at", _STAMP),  # null while it is open
        ("modified_at", _STAMP),
    ]
)
LINE_ITEMS = pa.schema(
    [
        ("opportunity", pa.int64()),
        ("product", pa.int64()),
        ("quantity", pa.float64()),
        ("amount", pa.float64()),  # what the customer pays for all of them
        ("cost", pa.float64()),  # what all of them cost the seller
        ("created_at", _STAMP),
        ("modified_at", _STAMP),
    ]
)
# What took place between a seller and an account; `opportunity` is null where it was about none.
ACTIVITIES = pa.schema(
    [
        ("kind", pa.string()),  # call, email or meeting
        ("account", pa.int64()),
        ("opportunity", pa.int64()),
        ("owner", pa.int64()),
        ("at", _STAMP),
        ("modified_at", _STAMP),
    ]
)
# What an owner is asked to sell from `start` to `end`, both days included.
QUOTAS = pa.schema(
    [
        ("owner", pa.int64()),
        ("amount", pa.float64()),
        ("start", pa.date32()),
        ("end", pa.date32()),
    ]
)
# What no CRM has a place for, and companies keep in lists of their own: growth plans that were agreed with customers,
# who works which territory, and how many accounts an owner can look after.
COMMITMENTS = pa.schema(
    [("account", pa.int64()), ("amount", pa.float64()), ("by", pa.date32()), ("made_on", pa.date32())]
)
TERRITORIES = pa.schema([("territory", pa.string()), ("owner", pa.int64())])
CAPACITIES = pa.schema([("owner", pa.int64()), ("accounts", pa.int64())])


@dataclass(frozen=True, slots=True)
class Book:
    """One data set. `history` tells whether every opportunity's way through the stages is to be kept too.

    Cases, line items, activities, quotas and what follows are what most data sets have none of. `truth` is what comes
    after today, by row of the table it is named after: for tests and benchmarks, and shown by no CRM.
    """

    name: str
    today: date
    description: str
    owners: pa.Table
    accounts: pa.Table
    products: pa.Table
    opportunities: pa.Table
    history: bool = True
    notes: tuple[str, ...] = field(default=())
    cases: pa.Table = field(default_factory=CASES.empty_table)
    line_items: pa.Table = field(default_factory=LINE_ITEMS.empty_table)
    activities: pa.Table = field(default_factory=ACTIVITIES.empty_table)
    quotas: pa.Table = field(default_factory=QUOTAS.empty_table)
    commitments: pa.Table = field(default_factory=COMMITMENTS.empty_table)
    territories: pa.Table = field(default_factory=TERRITORIES.empty_table)
    capacities: pa.Table = field(default_factory=CAPACITIES.empty_table)
    truth: Mapping[str, pa.Table] = field(default_factory=dict)

    @property
    def quotas_made_at(self) -> pa.ChunkedArray:
        """When each quota was entered: two weeks before it begins, or before today if that is sooner."""
        begun = pc.min_element_wise(self.quotas["start"], pa.scalar(self.today, pa.date32()))
        return pc.subtract(begun.cast(_STAMP), pa.scalar(14 * 86_400_000, pa.duration("ms")))


def table(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    """The columns in the schema's order and types; a column that is not given is null in every row."""
    length = max(len(column) for column in columns.values())
    arrays = [
        _typed(columns[one.name], one.type) if one.name in columns else pa.nulls(length, one.type)
        for one in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _typed(column: Any, kind: pa.DataType) -> Any:
    return column.cast(kind) if isinstance(column, (pa.Array, pa.ChunkedArray)) else pa.array(column, kind)


def source(name: str, **options: object) -> pa.Table:
    """A bundled source file, read as CSV."""
    with files("connectors.sandbox.datasets").joinpath("sources", name).open("rb") as packed:
        return csv.read_csv(pa.CompressedInputStream(packed, "gzip"), **options)


def load_book(name: str) -> Book:
    """The data set of this name: one of those in `KNOWN`."""
    # Late, so that starting with one data set does not read the others' modules.
    if name == "pipeline":
        from connectors.sandbox.datasets.pipeline import pipeline  # noqa: PLC0415 (late on purpose)

        return pipeline()
    if name in {"cdnow", "cdnow_sample"}:
        from connectors.sandbox.datasets.cdnow import cdnow  # noqa: PLC0415 (late on purpose)

        return cdnow(sample=name == "cdnow_sample")
    if name.startswith("synthetic:"):
        from connectors.sandbox.datasets.synthetic import synthetic  # noqa: PLC0415 (late on purpose)

        return synthetic(*_sizes(name))
    if name == "showcase":
        from connectors.sandbox.datasets.showcase import showcase  # noqa: PLC0415 (late on purpose)

        return showcase()
    if name.startswith("planted:"):
        from connectors.sandbox.datasets.planted import planted  # noqa: PLC0415 (late on purpose)

        return planted(*_sizes(name))
    raise ConfigProblem(Problem(f"there is no data set {name!r}", fix=f"choose {KNOWN}"))


def _sizes(name: str) -> tuple[int, int, int]:
    kind, *parts = name.split(":")
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in {2, 3} or min(numbers) < 0 or numbers[0] < 1:
        raise ConfigProblem(
            Problem(
                f"{name!r} is not a size",
                fix=f"write {kind}:ACCOUNTS:OPPORTUNITIES[:SEED], for example {kind}:1000:5000",
            )
        )
    return numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else 7
