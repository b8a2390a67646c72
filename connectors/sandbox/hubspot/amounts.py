"""Numbers between the texts that HubSpot keeps and the sums that it works out."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation


def number(text: str | None) -> Decimal | None:
    """A number property's value; None if there is none, or none that is a number."""
    try:
        value = None if text is None else Decimal(text)
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def plain(value: Decimal | None) -> str | None:
    """A number as HubSpot writes it: without an exponent and without zeros at the end."""
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
