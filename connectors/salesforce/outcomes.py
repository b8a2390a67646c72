"""Reading an outcome from what Salesforce says of one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.outcomes import Outcome, refused
from connectors.salesforce.ids import long_id
from connectors.salesforce.refusals import REMEDIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def from_save_result(result: Mapping[str, Any], moment: datetime | None) -> Outcome:
    """The outcome in a collections reply."""
    record_id = result.get("id")
    if result.get("success"):
        return Outcome("done", modified_at=moment, crm_id=long_id(record_id) if record_id else None)
    errors = result.get("errors") or [{}]
    first = errors[0]
    text = "; ".join(str(error.get("message", "")) for error in errors)
    code = str(first.get("statusCode") or first.get("errorCode") or "UNKNOWN")
    return refused(code, text, first.get("fields") or (), REMEDIES)


def from_bulk_error(text: str) -> Outcome:
    """The outcome in a failedResults row: `CODE:message:fields--`."""
    code, _, rest = text.partition(":")
    message, _, fields = rest.rpartition(":")
    names = tuple(name for name in fields.removesuffix("--").split(",") if name.strip())
    return refused(code, message or rest, names, REMEDIES)
