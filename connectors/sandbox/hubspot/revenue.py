"""Money that HubSpot works out: deals in the home currency, line items and what recurs of them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.amounts import number
from connectors.sandbox.hubspot.records import LIVING

if TYPE_CHECKING:
    from connectors.sandbox.hubspot.state import State

# Months from one bill to the next; a fraction for weeks.
_MONTHS = {
    "weekly": Decimal(12) / Decimal(52),
    "monthly": Decimal(1),
    "quarterly": Decimal(3),
    "per_six_months": Decimal(6),
    "annually": Decimal(12),
    "per_two_years": Decimal(24),
    "per_three_years": Decimal(36),
}
_TERM = re.compile(r"P(\d+)([MY])")
_CENT = Decimal("0.01")


def home_amount(state: State, row: int) -> Decimal | None:
    """A deal's amount in the portal's home currency."""
    deals = state.tables["deals"]
    amount, code = number(deals.value(row, "amount")), deals.value(row, "deal_currency_code")
    if amount is None or code is None or code == state.currency:
        return amount
    return (amount * Decimal(str(state.exchange_rates.get(code, 1)))).quantize(_CENT)


def of_deal(state: State, row: int, name: str) -> Decimal | None:
    """A deal's recurring revenue or contract value: the sum over its line items that have one."""
    items, total = state.tables["line_items"], None
    for record_id in state.links.of("deals", "line_items", state.tables["deals"].ids[row]):
        item = items.row_of(record_id)
        value = of_line_item(state, item, name) if items.state[item] == LIVING else None
        if value is not None:
            total = value if total is None else total + value
    return total


def of_line_item(state: State, row: int, name: str) -> Decimal | None:
    """A line item's `amount`, `hs_margin`, `hs_mrr`, `hs_arr`, `hs_acv` or `hs_tcv`."""
    recurs = state.tables["line_items"].value(row, "recurringbillingfrequency") is not None
    amount = _net(state, row) if recurs or name not in {"hs_mrr", "hs_arr"} else None
    if amount is None:
        return None
    if name == "amount":
        return amount
    if name == "hs_margin":
        return _margin(state, row, amount)
    return _over_time(state, row, amount, name)


def _over_time(state: State, row: int, amount: Decimal, name: str) -> Decimal | None:
    """What a line item brings per month or year, and over its term; one bill without a frequency."""
    items = state.tables["line_items"]
    months = _MONTHS.get(items.value(row, "recurringbillingfrequency") or "")
    if months is None:
        return amount if name in {"hs_acv", "hs_tcv"} else None
    monthly = amount / months
    term = _term(items.value(row, "hs_recurring_billing_period")) or Decimal(12)
    values = {
        "hs_mrr": monthly,
        "hs_arr": monthly * 12,
        "hs_acv": monthly * min(term, Decimal(12)),
        "hs_tcv": monthly * term,
    }
    return values[name].quantize(_CENT)


def _net(state: State, row: int) -> Decimal | None:
    items = state.tables["line_items"]
    price, quantity = number(items.value(row, "price")), number(items.value(row, "quantity"))
    if price is None:
        return None
    share = number(items.value(row, "hs_discount_percentage")) or Decimal(0)
    off = number(items.value(row, "discount")) or Decimal(0)
    return ((price * (1 - share / 100) - off) * (Decimal(1) if quantity is None else quantity)).quantize(
        _CENT
    )


def _margin(state: State, row: int, amount: Decimal) -> Decimal | None:
    items = state.tables["line_items"]
    cost, quantity = number(items.value(row, "hs_cost_of_goods_sold")), number(items.value(row, "quantity"))
    return None if cost is None else amount - cost * (Decimal(1) if quantity is None else quantity)


def _term(text: str | None) -> Decimal | None:
    found = _TERM.fullmatch(text or "")
    return Decimal(found[1]) * (12 if found[2] == "Y" else 1) if found else None
