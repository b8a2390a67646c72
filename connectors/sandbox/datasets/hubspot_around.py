"""What stands around the companies and deals of a book in HubSpot: tickets, calls, e-mails, meetings, goals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.sandbox.datasets.hubspot_pipelines import TICKET_PIPELINE
from connectors.sandbox.datasets.hubspot_rows import (
    LinkRows,
    Rows,
    Texts,
    mapped,
    milliseconds,
    new_ids,
    numbers,
    option_value,
    pointed,
    present,
    stamp_texts,
    texts,
)

if TYPE_CHECKING:
    from connectors.sandbox.datasets.book import Book

_DAY = 86_400_000
_HOUR = 3_600_000
_OPEN, _CLOSED = "3", "4"
# Of each kind: its type, what its records say besides, and the kinds of associations (and of their ways back) with
# companies and with deals.
_Kinds = tuple[int, int]
_KINDS: dict[str, tuple[str, dict[str, str], _Kinds, _Kinds]] = {
    "call": (
        "calls",
        {"hs_call_status": "COMPLETED", "hs_call_direction": "OUTBOUND"},
        (182, 181),
        (206, 205),
    ),
    "email": ("emails", {"hs_email_status": "SENT", "hs_email_direction": "EMAIL"}, (186, 185), (210, 209)),
    "meeting": ("meetings", {"hs_meeting_outcome": "COMPLETED"}, (188, 187), (212, 211)),
}


def around(book: Book, ids: dict[str, Any]) -> dict[str, tuple[Rows, tuple[LinkRows, ...]]]:
    """Records and their associations, by type."""
    found = {"tickets": _tickets(book, ids), "goal_targets": (_goals(book, ids), ())}
    for kind, (type_name, _, _, _) in _KINDS.items():
        found[type_name] = _activities(book, ids, kind)
    return found


def _linked(type_name: str, own: Any, to: str, there: Any, rows: Any, kinds: tuple[_Kinds, ...]) -> LinkRows:
    """The associations of records with those that a column of row numbers points to."""
    known = present(rows)
    return LinkRows(
        type_name,
        to,
        own[known].tolist(),
        there[rows.take(pa.array(known)).to_numpy()].tolist(),
        tuple(way for way, _ in kinds),
        tuple(back for _, back in kinds),
    )


def _tickets(book: Book, ids: dict[str, Any]) -> tuple[Rows, tuple[LinkRows, ...]]:
    rows = book.cases
    own = new_ids("tickets", rows.num_rows)
    labels = pc.unique(rows["type"].drop_null()).to_pylist()
    columns: dict[str, Texts] = {
        "subject": texts(rows["type"]),
        "hs_ticket_category": mapped(rows["type"], {label: option_value(label) for label in labels}),
        "hs_ticket_priority": texts(pc.utf8_upper(rows["priority"])),
        "hs_pipeline": [TICKET_PIPELINE] * rows.num_rows,
        "hs_pipeline_stage": texts(pc.if_else(pc.is_valid(rows["closed_at"]), _CLOSED, _OPEN)),
        "closed_date": _moments(rows["closed_at"]),
        "hubspot_owner_id": pointed(ids["owners"], rows["owner"]),
    }
    records = Rows(
        own.tolist(),
        columns,
        milliseconds(rows["created_at"]).tolist(),
        milliseconds(rows["modified_at"]).tolist(),
    )
    link = _linked("tickets", own, "companies", ids["companies"], rows["account"], ((26, 25), (339, 340)))
    return records, (link,)


def _moments(column: Any) -> Texts:
    known = column.is_valid().to_pylist()
    told = stamp_texts(milliseconds(pc.fill_null(column, 0)))
    return [text if there else None for text, there in zip(told, known, strict=True)]


def _activities(book: Book, ids: dict[str, Any], kind: str) -> tuple[Rows, tuple[LinkRows, ...]]:
    type_name, said, company, deal = _KINDS[kind]
    rows = book.activities.filter(pc.equal(book.activities["kind"], kind))
    own, count, at = new_ids(type_name, rows.num_rows), rows.num_rows, milliseconds(rows["at"])
    columns: dict[str, Texts] = {
        "hs_timestamp": list(stamp_texts(at)),
        "hubspot_owner_id": pointed(ids["owners"], rows["owner"]),
        **{name: [value] * count for name, value in said.items()},
    }
    if kind == "meeting":
        columns["hs_meeting_start_time"] = columns["hs_timestamp"]
        columns["hs_meeting_end_time"] = list(stamp_texts(at + _HOUR))
    records = Rows(own.tolist(), columns, at.tolist(), milliseconds(rows["modified_at"]).tolist())
    return records, (
        _linked(type_name, own, "companies", ids["companies"], rows["account"], (company,)),
        _linked(type_name, own, "deals", ids["deals"], rows["opportunity"], (deal,)),
    )


def _goals(book: Book, ids: dict[str, Any]) -> Rows:
    rows = book.quotas
    start, end = (rows[name].cast(pa.int32()).to_numpy().astype(np.int64) * _DAY for name in ("start", "end"))
    days = (end - start) // _DAY
    made = milliseconds(book.quotas_made_at).tolist()
    lengths = np.where(days < 32, "monthly", np.where(days < 93, "quarterly", "yearly"))
    return Rows(
        new_ids("goal_targets", rows.num_rows).tolist(),
        {
            "hs_goal_name": ["Revenue quota"] * rows.num_rows,
            "hs_goal_type": ["sales_quota"] * rows.num_rows,
            "hs_target_amount": numbers(rows["amount"]),
            "hs_start_datetime": list(stamp_texts(start)),
            # To the last moment of the last day.
            "hs_end_datetime": list(stamp_texts(end + _DAY - 1)),
            "hs_milestone": lengths.tolist(),
            "hubspot_owner_id": pointed(ids["owners"], rows["owner"]),
        },
        made,
        made,
    )
