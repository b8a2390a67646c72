"""A book of business as a Salesforce org would hold it: tables with Salesforce's columns, ids and stamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.datasets.book import Book, load_book
from connectors.sandbox.datasets.salesforce_around import around
from connectors.sandbox.datasets.salesforce_columns import TYPED, pointed, touched
from connectors.sandbox.salesforce.ids import make_ids
from connectors.sandbox.salesforce.objects import (
    FORECASTING_OBJECTS,
    STAGES,
    choice,
    day,
    flag,
    lookup,
    money,
    number,
    text,
)

if TYPE_CHECKING:
    from datetime import date

    from connectors.sandbox.salesforce.schema import Field, ObjectType

# Serial numbers of people below this one belong to the org itself (admin, worker).
FIRST_OWNER = 100


@dataclass(frozen=True, slots=True)
class Dataset:
    """Salesforce-shaped rows.

    `fields` are the org's own custom fields, `choices` picklist values that the rows use, `objects` those of
    features that are not on everywhere.
    """

    name: str
    today: date
    tables: dict[str, pa.Table]
    fields: tuple[tuple[str, Field], ...]
    choices: dict[tuple[str, str], tuple[str, ...]]
    description: str
    objects: tuple[ObjectType, ...] = ()


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
    tables |= _prices(book, ids) | around(book, ids) | _record_types(book)
    if book.history:
        tables["OpportunityHistory"] = _history(tables["Opportunity"], book)
    return Dataset(
        book.name,
        book.today,
        tables,
        _fields(book, tables),
        {
            ("Account", "Industry"): _words(book.accounts["industry"]),
            ("Product2", "Family"): _words(book.products["family"]),
            ("Case", "Type"): _words(book.cases["type"]),
        },
        book.description,
        FORECASTING_OBJECTS if book.quotas.num_rows else (),
    )


def _words(column: Any) -> tuple[str, ...]:
    return tuple(pc.unique(column.drop_null()).to_pylist())


# Fields that an admin made for columns of the book, and those that `foretag setup` makes for people to fill in.
_OWN: dict[str, dict[str, Field]] = {
    "Account": {
        "territory": text("Territory__c", "Territory", 80, custom=True),
        "company_growth": number("Company_Growth__c", "Company Growth", 8, 2, type="percent", custom=True),
        "opted_out": flag("Opted_Out__c", "Opted Out", custom=True),
        "growth_plan": money("Foretag_Growth_Plan__c", "Growth plan", custom=True),
        "growth_plan_by": day("Foretag_Growth_Plan_By__c", "Growth plan by", custom=True),
    },
    "Opportunity": {
        "margin": number("Margin__c", "Margin", 8, 2, type="percent", custom=True),
        "need_by": day("Need_By__c", "Need By", custom=True),
        "pain": text("Pain__c", "Pain", 255, custom=True),
    },
}
_COST = money("Cost__c", "Cost", custom=True)
_RECORD_TYPE = lookup("RecordTypeId", "Record Type ID", "RecordType", relationship="RecordType")


def _own(object_name: str, rows: pa.Table) -> dict[str, Any]:
    """Columns of own fields, by the field's name, as far as the book fills them in."""
    held = {
        column: one for column, one in _OWN[object_name].items() if rows[column].null_count < rows.num_rows
    }
    return {
        one.name: pc.fill_null(rows[column], False) if one.type == "boolean" else rows[column]  # noqa: FBT003 (Arrow's order)
        for column, one in held.items()
    }


def _fields(book: Book, tables: dict[str, pa.Table]) -> tuple[tuple[str, Field], ...]:
    """The org's own fields; one that no row fills in was never made."""
    names = tuple(book.products["name"].to_pylist())
    product = choice("Product__c", "Product", names, custom=True, help="The product the deal is about.")
    own = [
        (name, one)
        for name, fields in _OWN.items()
        for one in fields.values()
        if one.name in tables[name].column_names
    ]
    cost = [("OpportunityLineItem", _COST)] if "OpportunityLineItem" in tables else []
    kinds = [("Opportunity", _RECORD_TYPE)] if "RecordType" in tables else []
    return (("Opportunity", product), *own, *cost, *kinds)


def _record_types(book: Book) -> dict[str, pa.Table]:
    """A record type for each of several sales processes."""
    names = _words(book.opportunities["pipeline"])
    if not names:
        return {}
    born = pa.array([pc.min(book.accounts["created_at"]).as_py()] * len(names), pa.timestamp("ms"))
    system = touched(pa.nulls(len(names), pa.string()), born, born)
    return {
        "RecordType": pa.table(
            {
                **{name: column for name, column in system.items() if name != "IsDeleted"},
                "Id": make_ids("012", 1, len(names)),
                "Name": names,
                "DeveloperName": [name.replace(" ", "_") for name in names],
                "SobjectType": ["Opportunity"] * len(names),
                "IsActive": [True] * len(names),
            }
        )
    }


def _pipelines(book: Book) -> dict[str, Any]:
    names = pa.array(_words(book.opportunities["pipeline"]), pa.string())
    if not len(names):
        return {}
    places = pc.index_in(book.opportunities["pipeline"], value_set=names)
    return {"RecordTypeId": pointed(make_ids("012", 1, len(names)), places)}


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
            "ManagerId": pointed(ids["User"], book.owners["manager"]),
            "Division": book.owners["team"],
            "Department": ["Sales"] * len(names),
            "Title": book.owners["title"],
            "IsActive": pc.fill_null(book.owners["active"], True),  # noqa: FBT003 (Arrow's order)
            **{
                key: column
                for key, column in touched(ids["User"], stamps, stamps).items()
                if key != "IsDeleted"
            },
        }
    )


def _accounts(book: Book, ids: dict[str, pa.Array]) -> pa.Table:
    rows = book.accounts
    owner = pointed(ids["User"], rows["owner"])
    return pa.table(
        {
            "Id": ids["Account"],
            "Name": rows["name"],
            "OwnerId": owner,
            "ParentId": pointed(ids["Account"], rows["parent"]),
            "Type": rows["type"],
            "Industry": rows["industry"],
            "BillingCountry": rows["country"],
            "NumberOfEmployees": rows["employees"],
            "AnnualRevenue": rows["annual_revenue"],
            "YearStarted": rows["year_started"],
            **_own("Account", rows),
            **touched(owner, rows["created_at"], rows["modified_at"]),
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
            **touched(pa.array([None] * count, pa.string()), stamps, stamps),
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
                **touched(nobody, one, one),
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
                **touched(pa.array([None] * count, pa.string()), many, many),
            }
        ),
    }


def _by_stage(stage: Any, column: int, kind: pa.DataType) -> Any:
    """A property of the stages, for each row's stage."""
    codes = pc.index_in(stage, value_set=pa.array([one[0] for one in STAGES]))
    return pa.array([one[column] for one in STAGES], kind).take(codes)


def _opportunities(book: Book, ids: dict[str, pa.Array]) -> pa.Table:
    rows = book.opportunities
    owner, stage = pointed(ids["User"], rows["owner"]), rows["stage"]
    product = pointed(book.products["name"].combine_chunks(), rows["product"])
    probability = _by_stage(stage, 1, pa.float64())
    month = pc.month(rows["close_date"])
    quarter, year = pc.add(pc.divide(pc.subtract(month, 1), 3), 1), pc.year(rows["close_date"])
    return pa.table(
        {
            "Id": ids["Opportunity"],
            "Name": rows["name"],
            "AccountId": pointed(ids["Account"], rows["account"]),
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
            "LastStageChangeDate": rows["stage_changed_at"].cast(TYPED),
            "Product__c": product,
            "HasOpportunityLineItem": pc.is_in(
                pa.array(np.arange(rows.num_rows)), book.line_items["opportunity"].combine_chunks()
            ),
            **_pipelines(book),
            **_own("Opportunity", rows),
            **touched(owner, rows["created_at"], rows["modified_at"]),
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
