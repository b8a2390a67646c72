"""A book of business as a Salesforce org would hold it: tables with Salesforce's columns, ids and stamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.datasets.book import Book, load_book
from connectors.sandbox.salesforce.ids import make_ids
from connectors.sandbox.salesforce.objects import STAGES, choice

if TYPE_CHECKING:
    from datetime import date

    from connectors.sandbox.salesforce.schema import Field

# Serial numbers of people below this one belong to the org itself (admin, worker).
FIRST_OWNER = 100
_TYPED = pa.timestamp("us")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Salesforce-shaped rows. `fields` are the org's own custom fields, `choices` picklist values the rows use."""

    name: str
    today: date
    tables: dict[str, pa.Table]
    fields: tuple[tuple[str, Field], ...]
    choices: dict[tuple[str, str], tuple[str, ...]]
    description: str


def load_dataset(name: str, book: Book | None = None) -> Dataset:
    """The data set of this name (see `load_book`) in Salesforce's shape; a book may be given instead."""
    book = book or load_book(name)
    ids = {
        "User": make_ids("005", FIRST_OWNER, book.owners.num_rows),
        "Account": make_ids("001", 1, book.accounts.num_rows),
        "Product2": make_ids("01t", 1, book.products.num_rows),
        "Opportunity": make_ids("006", 1, book.opportunities.num_rows),
    }
    tables = {
        "User": _users(book, ids),
        "Account": _accounts(book, ids),
        "Product2": _products(book, ids),
        "Opportunity": _opportunities(book, ids),
    }
    tables |= _prices(book, ids)
    if book.history:
        tables["OpportunityHistory"] = _history(tables["Opportunity"], book)
    names = tuple(book.products["name"].to_pylist())
    return Dataset(
        book.name,
        book.today,
        tables,
        (
            (
                "Opportunity",
                choice("Product__c", "Product", names, custom=True, help="The product the deal is about."),
            ),
        ),
        {
            ("Account", "Industry"): tuple(pc.unique(book.accounts["industry"].drop_null()).to_pylist()),
            ("Product2", "Family"): tuple(pc.unique(book.products["family"].drop_null()).to_pylist()),
        },
        book.description,
    )


def _pointed(ids: pa.Array, rows: Any) -> Any:
    """Row numbers as ids; null stays null."""
    return ids.take(rows.combine_chunks() if isinstance(rows, pa.ChunkedArray) else rows)


def _touched(owner: Any, created: Any, modified: Any) -> dict[str, Any]:
    """The system columns: made and last changed by the owner."""
    return {
        "IsDeleted": pa.repeat(pa.scalar(value=False), len(created)),
        "CreatedDate": created.cast(_TYPED),
        "CreatedById": owner,
        "LastModifiedDate": modified.cast(_TYPED),
        "LastModifiedById": owner,
        "SystemModstamp": modified.cast(_TYPED),
    }


def _users(book: Book, ids: dict[str, pa.Array]) -> pa.Table:
    names = book.owners["name"].to_pylist()
    # A rep is hired before the book begins.
    hired = pc.min(book.accounts["created_at"]).as_py()
    first = [name.partition(" ")[0] for name in names]
    last = [name.partition(" ")[2] or name for name in names]
    logins = [f"{name.lower().replace(' ', '.')}@{book.name.split(':')[0]}.example" for name in names]
    stamps = pa.array([hired] * len(names), pa.timestamp("ms"))
    return pa.table(
        {
            "Id": ids["User"],
            "Name": names,
            "FirstName": first,
            "LastName": last,
            "Username": logins,
            "Email": logins,
            "Alias": [
                (one[0] + two)[:8].lower().replace(" ", "") for one, two in zip(first, last, strict=True)
            ],
            "ManagerId": _pointed(ids["User"], book.owners["manager"]),
            "Division": book.owners["team"],
            "Department": ["Sales"] * len(names),
            "Title": book.owners["title"],
            "IsActive": [True] * len(names),
            **{
                key: column
                for key, column in _touched(ids["User"], stamps, stamps).items()
                if key != "IsDeleted"
            },
        }
    )


def _accounts(book: Book, ids: dict[str, pa.Array]) -> pa.Table:
    rows = book.accounts
    owner = _pointed(ids["User"], rows["owner"])
    return pa.table(
        {
            "Id": ids["Account"],
            "Name": rows["name"],
            "OwnerId": owner,
            "ParentId": _pointed(ids["Account"], rows["parent"]),
            "Type": rows["type"],
            "Industry": rows["industry"],
            "BillingCountry": rows["country"],
            "NumberOfEmployees": rows["employees"],
            "AnnualRevenue": rows["annual_revenue"],
            "YearStarted": rows["year_started"],
            **_touched(owner, rows["created_at"], rows["modified_at"]),
        }
    )


def _products(book: Book, ids: dict[str, pa.Array]) -> pa.Table:
    count = book.products.num_rows
    first = pc.min(book.accounts["created_at"]).as_py()
    stamps = pa.array([first] * count, pa.timestamp("ms"))
    return pa.table(
        {
            "Id": ids["Product2"],
            "Name": book.products["name"],
            "Family": book.products["family"],
            "IsActive": [True] * count,
            **_touched(pa.array([None] * count, pa.string()), stamps, stamps),
        }
    )


def _prices(book: Book, ids: dict[str, pa.Array]) -> dict[str, pa.Table]:
    """The standard price book with each product's list price."""
    count = book.products.num_rows
    stamp = pc.min(book.accounts["created_at"]).as_py()
    nobody = pa.array([None], pa.string())
    one = pa.array([stamp], pa.timestamp("ms"))
    many = pa.array([stamp] * count, pa.timestamp("ms"))
    pricebook = make_ids("01s", 1, 1)
    return {
        "Pricebook2": pa.table(
            {
                "Id": pricebook,
                "Name": ["Standard Price Book"],
                "IsActive": [True],
                "IsStandard": [True],
                **_touched(nobody, one, one),
            }
        ),
        "PricebookEntry": pa.table(
            {
                "Id": make_ids("01u", 1, count),
                "Name": book.products["name"],
                "Product2Id": ids["Product2"],
                "Pricebook2Id": [pricebook[0].as_py()] * count,
                "UnitPrice": pc.fill_null(book.products["price"], 0.0),
                "IsActive": [True] * count,
                "UseStandardPrice": [False] * count,
                **_touched(pa.array([None] * count, pa.string()), many, many),
            }
        ),
    }


def _by_stage(stage: Any, column: int, kind: pa.DataType) -> Any:
    """A property of the stages, for each row's stage."""
    codes = pc.index_in(stage, value_set=pa.array([one[0] for one in STAGES]))
    return pa.array([one[column] for one in STAGES], kind).take(codes)


def _opportunities(book: Book, ids: dict[str, pa.Array]) -> pa.Table:
    rows = book.opportunities
    owner, stage = _pointed(ids["User"], rows["owner"]), rows["stage"]
    product = _pointed(book.products["name"].combine_chunks(), rows["product"])
    probability = _by_stage(stage, 1, pa.float64())
    month = pc.month(rows["close_date"])
    quarter, year = pc.add(pc.divide(pc.subtract(month, 1), 3), 1), pc.year(rows["close_date"])
    return pa.table(
        {
            "Id": ids["Opportunity"],
            "Name": rows["name"],
            "AccountId": _pointed(ids["Account"], rows["account"]),
            "OwnerId": owner,
            "StageName": stage,
            "Amount": rows["amount"],
            "Probability": probability,
            "ExpectedRevenue": pc.round(pc.divide(pc.multiply(rows["amount"], probability), 100.0), 2),
            "CloseDate": rows["close_date"],
            "Type": rows["type"],
            "TotalOpportunityQuantity": rows["quantity"],
            "IsClosed": _by_stage(stage, 2, pa.bool_()),
            "IsWon": _by_stage(stage, 3, pa.bool_()),
            "ForecastCategory": _by_stage(stage, 4, pa.string()),
            "ForecastCategoryName": _by_stage(stage, 5, pa.string()),
            "FiscalQuarter": quarter,
            "FiscalYear": year,
            "Fiscal": pc.binary_join_element_wise(year.cast(pa.string()), quarter.cast(pa.string()), " "),
            "PushCount": pa.array(np.zeros(rows.num_rows, dtype=np.int64)),
            "LastStageChangeDate": rows["stage_changed_at"].cast(_TYPED),
            "Product__c": product,
            **_touched(owner, rows["created_at"], rows["modified_at"]),
        }
    )


def _history(opportunities: pa.Table, book: Book) -> pa.Table:
    """Two snapshots of a deal that moved after it was made (as it was expected, then as it is), one of any other."""
    expected = {
        name: pc.coalesce(book.opportunities[column], opportunities[name])
        for name, column in (("Amount", "first_amount"), ("CloseDate", "first_close_date"))
    }
    moved = pc.less(opportunities["CreatedDate"], opportunities["LastStageChangeDate"])
    began = opportunities
    for name, column in expected.items():
        began = began.set_column(began.schema.get_field_index(name), name, column)
    began = began.filter(moved)
    first = pa.repeat("Engaging", began.num_rows)
    start = _snapshot(began, first, began["CreatedDate"])
    end = _snapshot(opportunities, opportunities["StageName"], opportunities["LastStageChangeDate"])
    both = pa.concat_tables([start, end]).sort_by(
        [("CreatedDate", "ascending"), ("OpportunityId", "ascending")]
    )
    return both.append_column("Id", make_ids("008", 1, both.num_rows))


def _snapshot(rows: pa.Table, stage: Any, at: Any) -> pa.Table:
    probability = _by_stage(stage, 1, pa.float64())
    return pa.table(
        {
            "OpportunityId": rows["Id"],
            "StageName": stage,
            "Amount": rows["Amount"],
            "CloseDate": rows["CloseDate"],
            "Probability": probability,
            "ForecastCategory": _by_stage(stage, 4, pa.string()),
            "ExpectedRevenue": pc.round(pc.divide(pc.multiply(rows["Amount"], probability), 100.0), 2),
            "CreatedDate": at,
            "SystemModstamp": at,
            "CreatedById": rows["OwnerId"],
            "IsDeleted": pa.repeat(pa.scalar(value=False), rows.num_rows),
        }
    )
