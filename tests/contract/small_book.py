"""A book of a handful of rows in which everything occurs that the connectors read, for tests that name each of them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from connectors.sandbox.datasets.book import (
    ACCOUNTS,
    ACTIVITIES,
    CASES,
    LINE_ITEMS,
    OPPORTUNITIES,
    OWNERS,
    PRODUCTS,
    QUOTAS,
    Book,
    table,
)

TODAY = date(2026, 2, 10)
_BORN = datetime(2025, 1, 2, 9, tzinfo=UTC)
_LATER = datetime(2026, 1, 20, 12, tzinfo=UTC)


def small_book() -> Book:
    """Two owners, three accounts, three deals in two sales processes, and what stands around them."""
    return Book(
        name="small",
        today=TODAY,
        description="Made for tests.",
        owners=table(OWNERS, {"name": ["Ada Berg", "Bo Lind"], "team": ["North", "South"]}),
        accounts=table(
            ACCOUNTS,
            {
                "name": ["Acme", "Birch", "Cedar"],
                "owner": [0, 1, 1],
                "type": ["Customer - Direct", "Prospect", "Prospect"],
                "territory": ["Nordics", None, "Nordics"],
                "company_growth": [12.5, None, -3.0],
                "opted_out": [False, None, True],
                "growth_plan": [50_000.0, None, None],
                "growth_plan_by": [date(2026, 12, 31), None, None],
                "created_at": [_BORN] * 3,
                "modified_at": [_LATER] * 3,
            },
        ),
        products=table(
            PRODUCTS, {"name": ["Pump", "Valve"], "family": ["Flow", "Flow"], "price": [500.0, 80.0]}
        ),
        opportunities=table(
            OPPORTUNITIES,
            {
                "name": ["Pumps", "Valves", "Renewal"],
                "account": [0, 1, 0],
                "owner": [0, 1, 0],
                "product": [0, 1, 0],
                "stage": ["Engaging", "Prospecting", "Closed Won"],
                "amount": [1_500.0, 800.0, 500.0],
                "close_date": [date(2026, 3, 1), date(2026, 4, 1), date(2026, 1, 15)],
                "pipeline": ["New Business", "New Business", "Renewals"],
                "margin": [35.5, None, 60.0],
                "need_by": [date(2026, 6, 30), None, None],
                "pain": ["Leaks every week", None, None],
                "created_at": [_BORN] * 3,
                "stage_changed_at": [_LATER] * 3,
                "modified_at": [_LATER] * 3,
            },
        ),
        cases=table(
            CASES,
            {
                "account": [0, 0, 1],
                "owner": [0, 0, 1],
                "type": ["Breakdown", "Capacity", None],
                "priority": ["High", "Low", "Medium"],
                "created_at": [_BORN, _LATER, _LATER],
                "closed_at": [_LATER, None, None],
                "modified_at": [_LATER] * 3,
            },
        ),
        line_items=table(
            LINE_ITEMS,
            {
                "opportunity": [0, 0],
                "product": [0, 1],
                "quantity": [2.0, 4.0],
                "amount": [1_000.0, 500.0],
                "cost": [700.0, None],
                "created_at": [_BORN] * 2,
                "modified_at": [_LATER] * 2,
            },
        ),
        activities=table(
            ACTIVITIES,
            {
                "kind": ["call", "call", "email", "meeting", "meeting"],
                "account": [0, 1, 1, 0, 1],
                "opportunity": [0, None, 1, 2, None],
                "owner": [0, 1, 1, 0, 1],
                # The second call is so old that Salesforce has archived it; the last meeting is to come.
                "at": [
                    datetime(2026, 1, 20, 12, tzinfo=UTC),
                    datetime(2025, 1, 14, 12, tzinfo=UTC),
                    datetime(2026, 1, 5, 12, tzinfo=UTC),
                    datetime(2026, 1, 12, 12, tzinfo=UTC),
                    datetime(2026, 3, 3, 12, tzinfo=UTC),
                ],
                "modified_at": [_LATER] * 5,
            },
        ),
        quotas=table(
            QUOTAS,
            {
                "owner": [0, 1],
                "amount": [90_000.0, 20_000.0],
                "start": [date(2026, 1, 1), date(2026, 2, 1)],
                "end": [date(2026, 3, 31), date(2026, 2, 28)],
            },
        ),
    )
