"""What stands around the accounts and deals of a book in Salesforce: cases, line items, activities, quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.datasets.salesforce_columns import TYPED, pointed, touched
from connectors.sandbox.salesforce.ids import make_id, make_ids

if TYPE_CHECKING:
    from connectors.sandbox.datasets.book import Book

Ids = dict[str, pa.Array]

_TASKS = {"call": "Call", "email": "Email"}
_MINUTES = 60
_FORECASTING_TYPE = make_id("0Db", 1)


def around(book: Book, ids: Ids) -> dict[str, pa.Table]:
    """Tables by object; only those that have rows."""
    tables = {
        "Case": _cases(book, ids),
        "OpportunityLineItem": _line_items(book, ids),
        "Task": _tasks(book, ids),
        "Event": _events(book, ids),
        **_quotas(book, ids),
    }
    return {name: rows for name, rows in tables.items() if rows.num_rows}


def _cases(book: Book, ids: Ids) -> pa.Table:
    rows = book.cases
    closed = pc.is_valid(rows["closed_at"])
    numbers = pa.array(np.arange(1001, 1001 + rows.num_rows)).cast(pa.string())
    return pa.table(
        {
            "Id": make_ids("500", 1, rows.num_rows),
            "CaseNumber": pc.utf8_lpad(numbers, 8, "0"),
            "AccountId": pointed(ids["Account"], rows["account"]),
            "Type": rows["type"],
            "Subject": rows["type"],
            "Priority": rows["priority"],
            "Origin": pa.repeat("Phone", rows.num_rows),
            "Status": pc.if_else(closed, "Closed", "Working"),
            "IsClosed": closed,
            "ClosedDate": rows["closed_at"].cast(TYPED),
            "OwnerId": pointed(ids["User"], rows["owner"]),
            **touched(pointed(ids["User"], rows["owner"]), rows["created_at"], rows["modified_at"]),
        }
    )


def _line_items(book: Book, ids: Ids) -> pa.Table:
    rows = book.line_items
    owner = pointed(ids["User"], pointed(book.opportunities["owner"].combine_chunks(), rows["opportunity"]))
    return pa.table(
        {
            "Id": make_ids("00k", 1, rows.num_rows),
            "OpportunityId": pointed(ids["Opportunity"], rows["opportunity"]),
            "Product2Id": pointed(ids["Product2"], rows["product"]),
            "PricebookEntryId": pointed(make_ids("01u", 1, book.products.num_rows), rows["product"]),
            "Name": pointed(book.products["name"].combine_chunks(), rows["product"]),
            "Quantity": rows["quantity"],
            "UnitPrice": pc.round(pc.divide(rows["amount"], rows["quantity"]), 2),
            "TotalPrice": rows["amount"],
            "Cost__c": rows["cost"],
            **touched(owner, rows["created_at"], rows["modified_at"]),
        }
    )


def _activity(ids: Ids, rows: pa.Table, prefix: str) -> dict[str, Any]:
    """What tasks and events have in common."""
    owner, account = pointed(ids["User"], rows["owner"]), pointed(ids["Account"], rows["account"])
    about = pointed(ids["Opportunity"], rows["opportunity"])
    return {
        "Id": make_ids(prefix, 1, rows.num_rows),
        "OwnerId": owner,
        "AccountId": account,
        "WhatId": pc.coalesce(about, account),
        "Subject": pc.utf8_capitalize(rows["kind"]),
        "ActivityDate": rows["at"].cast(pa.date32(), safe=False),
        **touched(owner, rows["at"], rows["modified_at"]),
    }


def _tasks(book: Book, ids: Ids) -> pa.Table:
    """Calls and e-mails that somebody logged."""
    rows = book.activities.filter(pc.is_in(book.activities["kind"], pa.array(list(_TASKS))))
    count = rows.num_rows
    kinds = pa.array(list(_TASKS))
    return pa.table(
        {
            **_activity(ids, rows, "00T"),
            "TaskSubtype": pa.array(list(_TASKS.values())).take(pc.index_in(rows["kind"], value_set=kinds)),
            "Status": pa.repeat("Completed", count),
            "Priority": pa.repeat("Normal", count),
            "IsClosed": pa.repeat(pa.scalar(value=True), count),
            "CompletedDateTime": rows["at"].cast(TYPED),
        }
    )


def _events(book: Book, ids: Ids) -> pa.Table:
    """Meetings, of an hour each."""
    rows = book.activities.filter(pc.equal(book.activities["kind"], "meeting"))
    start, count = rows["at"].cast(TYPED), rows.num_rows
    return pa.table(
        {
            **_activity(ids, rows, "00U"),
            "StartDateTime": start,
            "ActivityDateTime": start,
            "EndDateTime": pc.add(start, pa.scalar(_MINUTES * 60_000_000, pa.duration("us"))),
            "DurationInMinutes": pa.repeat(_MINUTES, count),
            "IsAllDayEvent": pa.repeat(pa.scalar(value=False), count),
            "IsChild": pa.repeat(pa.scalar(value=False), count),
        }
    )


def _quotas(book: Book, ids: Ids) -> dict[str, pa.Table]:
    """Quotas with the periods that they are for."""
    rows = book.quotas
    spans = (
        rows.group_by(["start", "end"]).aggregate([]).sort_by([("start", "ascending"), ("end", "ascending")])
    )
    places = {(row["start"], row["end"]): place for place, row in enumerate(spans.to_pylist())}
    periods = make_ids("026", 1, spans.num_rows)
    which = [places[row["start"], row["end"]] for row in rows.select(["start", "end"]).to_pylist()]
    owner = pointed(ids["User"], rows["owner"])
    made = book.quotas_made_at
    return {
        "Period": pa.table(
            {
                "Id": periods,
                "StartDate": spans["start"],
                "EndDate": spans["end"],
                "Type": _lengths(spans),
                "IsForecastPeriod": pa.repeat(pa.scalar(value=True), spans.num_rows),
                "SystemModstamp": spans["start"].cast(TYPED),
            }
        ),
        "ForecastingType": _forecasting_type(book),
        "ForecastingQuota": pa.table(
            {
                "Id": make_ids("0J9", 1, rows.num_rows),
                "ForecastingTypeId": pa.repeat(_FORECASTING_TYPE, rows.num_rows),
                "QuotaOwnerId": owner,
                "PeriodId": periods.take(pa.array(which, pa.int64())),
                "StartDate": rows["start"],
                "QuotaAmount": rows["amount"],
                "IsAmount": pa.repeat(pa.scalar(value=True), rows.num_rows),
                "IsQuantity": pa.repeat(pa.scalar(value=False), rows.num_rows),
                **{name: one for name, one in touched(owner, made, made).items() if name != "IsDeleted"},
            }
        ),
    }


def _lengths(spans: pa.Table) -> Any:
    days = pc.days_between(spans["start"], spans["end"])
    return pc.if_else(pc.less(days, 32), "Month", pc.if_else(pc.less(days, 93), "Quarter", "Year"))


def _forecasting_type(book: Book) -> pa.Table:
    count = min(book.quotas.num_rows, 1)
    return pa.table(
        {
            "Id": pa.array([_FORECASTING_TYPE] * count, pa.string()),
            "DeveloperName": pa.array(["OpportunityRevenue"] * count, pa.string()),
            "MasterLabel": pa.array(["Opportunity Revenue"] * count, pa.string()),
            "IsActive": pa.array([True] * count),
            "IsAmount": pa.array([True] * count),
        }
    )
