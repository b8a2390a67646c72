"""The stories of the showcase as rows of a book's tables, after the rows that are there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from connectors.sandbox.datasets import book as shape
from connectors.sandbox.datasets.book import Book, table
from connectors.sandbox.datasets.planted import CATALOGUE, YEAR, dates, stamps
from connectors.sandbox.datasets.planted.truth import GROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.sandbox.datasets.showcase.stories import Sale, Story

_PRODUCTS = {one[0]: row for row, one in enumerate(CATALOGUE)}
_ENDS = {"won": "Closed Won", "lost": "Closed Lost"}
_COST = {one[0]: one[3] / 100 for one in CATALOGUE}


def told(book: Book, stories: Sequence[Story]) -> Book:
    """The book with the stories' accounts, deals, plans, requests, contacts and truth added."""
    first = book.accounts.num_rows
    sales = [(first + row, story, sale) for row, story in enumerate(stories) for sale in story.sales]
    rows = {story.name: first + row for row, story in enumerate(stories)}
    return replace(
        book,
        accounts=_added(book.accounts, _accounts(stories, rows)),
        opportunities=_added(book.opportunities, _opportunities(sales)),
        cases=_added(book.cases, _cases(stories, rows)),
        line_items=_added(book.line_items, _line_items(sales, book.opportunities.num_rows)),
        activities=_added(book.activities, _activities(sales, book.opportunities.num_rows)),
        commitments=_added(book.commitments, _commitments(stories, rows)),
        truth={
            "account": _added(book.truth["account"], _account_truth(stories)),
            "opportunity": _added(book.truth["opportunity"], _opportunity_truth([one for *_, one in sales])),
            "commitment": _added(book.truth["commitment"], _commitment_truth(stories)),
        },
        notes=tuple(f"{story.name}: {story.shows}" for story in stories),
    )


def _added(before: pa.Table, more: pa.Table) -> pa.Table:
    return pa.concat_tables([before, more.select(before.column_names).cast(before.schema)])


def _days(days: Sequence[int | None]) -> pa.Array:
    """Dates, null where there is no day."""
    missing = np.array([day is None for day in days])
    return dates(np.array([day or 0 for day in days]), missing)


def _stamps(days: Sequence[int], salt: int) -> Any:
    return stamps(np.array(days, dtype=np.int64), salt)


def _accounts(stories: Sequence[Story], rows: dict[str, int]) -> pa.Table:
    born = [min([sale.begun for sale in story.sales], default=-300) - 20 for story in stories]
    # The plan that runs is the last one.
    plans = [story.plans[-1] if story.plans else None for story in stories]
    return table(shape.ACCOUNTS, {
        "name": [story.name for story in stories],
        "owner": [story.rep for story in stories],
        "parent": pa.array([rows[story.parent] if story.parent else None for story in stories], pa.int64()),
        "type": [story.type for story in stories],
        "industry": [story.industry for story in stories],
        "country": [story.country for story in stories],
        "employees": [story.employees for story in stories],
        "annual_revenue": [story.revenue for story in stories],
        "territory": [story.territory for story in stories],
        "company_growth": pa.array([story.own_growth for story in stories], pa.float64()),
        "opted_out": [story.opted_out for story in stories],
        "growth_plan": pa.array([plan and plan.amount for plan in plans], pa.float64()),
        "growth_plan_by": _days([plan.due if plan else None for plan in plans]),
        "created_at": _stamps(born, 3),
        "modified_at": _stamps([max(day, -30) for day in born], 5),
    })  # fmt: skip


def _opportunities(sales: list[tuple[int, Story, Sale]]) -> pa.Table:
    rows = [account for account, *_ in sales]
    deals = [sale for *_, sale in sales]
    moved = [
        sale.day if sale.end != "open" else sale.begun + 7 if sale.moved is None else sale.moved
        for sale in deals
    ]
    existing = [
        any(one.end == "won" and one.day <= sale.begun for one in story.sales) for _, story, sale in sales
    ]
    stamped = _stamps(moved, 7)
    return table(shape.OPPORTUNITIES, {
        "name": [f"{story.name}: {sale.product}" for _, story, sale in sales],
        "account": rows,
        "owner": [story.rep for _, story, _ in sales],
        "product": [_PRODUCTS[sale.product] for sale in deals],
        "stage": [_ENDS.get(sale.end, sale.stage) for sale in deals],
        "type": ["Existing Business" if one else "New Business" for one in existing],
        "pipeline": ["Customers" if one else "New Business" for one in existing],
        "amount": [round(sale.amount, 2) for sale in deals],
        "close_date": _days([sale.day for sale in deals]),
        "first_close_date": _days([sale.day if sale.first_day is None else sale.first_day for sale in deals]),
        "margin": pa.array([sale.margin for sale in deals], pa.float64()),
        "need_by": _days([sale.need_by for sale in deals]),
        "pain": pa.array([sale.pain for sale in deals], pa.string()),
        "created_at": _stamps([sale.begun for sale in deals], 1),
        "stage_changed_at": stamped,
        "modified_at": stamped,
    })  # fmt: skip


def _line_items(sales: list[tuple[int, Story, Sale]], first: int) -> pa.Table:
    """What was sold, at the catalogue's usual cost, or at the one that a deal's margin tells."""
    made = [(first + row, sale) for row, (*_, sale) in enumerate(sales) if sale.end == "won" or sale.margin]
    at = _stamps([max(sale.begun, min(sale.day, -1) - 20) for _, sale in made], 9)
    return table(shape.LINE_ITEMS, {
        "opportunity": [row for row, _ in made],
        "product": [_PRODUCTS[sale.product] for _, sale in made],
        "quantity": [1.0] * len(made),
        "amount": [round(sale.amount, 2) for _, sale in made],
        "cost": [
            round(sale.amount * (_COST[sale.product] if sale.margin is None else 1 - sale.margin / 100), 2)
            for _, sale in made
        ],
        "created_at": at,
        "modified_at": at,
    })  # fmt: skip


def _cases(stories: Sequence[Story], rows: dict[str, int]) -> pa.Table:
    made = [(story, request) for story in stories for request in story.requests]
    closed = [request.closed for _, request in made]
    ended = _stamps([day or 0 for day in closed], 13)
    created = _stamps([request.made for _, request in made], 11)
    is_open = np.array([day is None for day in closed])
    return table(shape.CASES, {
        "account": [rows[story.name] for story, _ in made],
        "owner": [story.rep for story, _ in made],
        "type": [request.type for _, request in made],
        "priority": [request.priority for _, request in made],
        "created_at": created,
        "closed_at": pa.array(ended, mask=is_open),
        "modified_at": np.where(is_open, created, ended),
    })  # fmt: skip


def _activities(sales: list[tuple[int, Story, Sale]], first: int) -> pa.Table:
    made = [
        (account, first + row, story.rep, kind, day)
        for row, (account, story, sale) in enumerate(sales)
        for kind, day in sale.contacts
    ]
    account, deal, rep, kind, day = zip(*made, strict=True)
    at = _stamps(day, 15)
    return table(
        shape.ACTIVITIES,
        {"kind": kind, "account": account, "opportunity": deal, "owner": rep, "at": at, "modified_at": at},
    )


def _commitments(stories: Sequence[Story], rows: dict[str, int]) -> pa.Table:
    made = [(rows[story.name], plan) for story in stories for plan in story.plans]
    return table(shape.COMMITMENTS, {
        "account": [row for row, _ in made],
        "amount": [plan.amount for _, plan in made],
        "by": _days([plan.due for _, plan in made]),
        "made_on": _days([plan.made for _, plan in made]),
    })  # fmt: skip


def _account_truth(stories: Sequence[Story]) -> pa.Table:
    spent = [_won(story, -YEAR - 1, -1) for story in stories]
    return pa.table({
        "growth": [story.growth for story in stories],
        "grows": [story.growth >= GROWS for story in stories],
        "alive": [story.growth > 0 for story in stories],
        "next_purchase": _days([story.next_purchase for story in stories]),
        "spend_last_year": spent,
        "spend_next_year": [sum_ * story.growth for sum_, story in zip(spent, stories, strict=True)],
    })  # fmt: skip


def _won(story: Story, after: int, until: int) -> float:
    return sum(sale.amount for sale in story.sales if sale.end == "won" and after < sale.day <= until)


def _opportunity_truth(deals: Sequence[Sale]) -> pa.Table:
    return pa.table({
        "won": [sale.end == "won" or sale.wins for sale in deals],
        "amount": [round(sale.amount, 2) for sale in deals],
        "closes": _days([sale.day if sale.ends is None else sale.ends for sale in deals]),
    })  # fmt: skip


def _commitment_truth(stories: Sequence[Story]) -> pa.Table:
    made = [(story, plan) for story in stories for plan in story.plans]
    reached = [
        _won(story, plan.due - YEAR, plan.due) if plan.due < 0 else plan.amount * (1.0 if plan.kept else 0.2)
        for story, plan in made
    ]
    return pa.table({"reached": reached, "kept": [plan.kept for _, plan in made]})
