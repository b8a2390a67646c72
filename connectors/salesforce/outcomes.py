"""One outcome for each record sent: what Salesforce said of it, or that nobody knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from connectors.contract import OUTCOME_SCHEMA
from connectors.salesforce.ids import long_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

MESSAGE_LENGTH = 300
# Sent, and no answer: it may have been done. Not sent: it certainly was not.
NO_ANSWER = "NO_ANSWER"
NOT_SENT = "NOT_SENT"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record. `code` and `message` are Salesforce's, or ours when it said nothing."""

    status: Literal["done", "refused", "unknown"]
    code: str = ""
    message: str = ""
    modified_at: datetime | None = None
    crm_id: str | None = None
    fields: tuple[str, ...] = field(default=())


def from_save_result(result: Mapping[str, Any], moment: datetime | None) -> Outcome:
    """The outcome in a collections reply."""
    record_id = result.get("id")
    if result.get("success"):
        return Outcome("done", modified_at=moment, crm_id=long_id(record_id) if record_id else None)
    errors = result.get("errors") or [{}]
    first = errors[0]
    text = "; ".join(str(error.get("message", "")) for error in errors)
    return Outcome(
        "refused",
        str(first.get("statusCode") or first.get("errorCode") or "UNKNOWN"),
        text[:MESSAGE_LENGTH],
        fields=tuple(first.get("fields") or ()),
    )


def from_bulk_error(text: str) -> Outcome:
    """The outcome in a failedResults row: `CODE:message:fields--`."""
    code, _, rest = text.partition(":")
    message, _, fields = rest.rpartition(":")
    names = tuple(name for name in fields.removesuffix("--").split(",") if name.strip())
    return Outcome("refused", code, (message or rest)[:MESSAGE_LENGTH], fields=names)


def unknown(message: str, code: str = NO_ANSWER) -> Outcome:
    """Nobody knows whether it was done."""
    return Outcome("unknown", code, message[:MESSAGE_LENGTH])


def outcome_table(ids: Sequence[str], outcomes: Iterable[Outcome]) -> pa.Table:
    """Outcomes as the contract wants them, in the order of the ids."""
    rows = list(outcomes)
    columns: dict[str, list[Any]] = {
        "id": list(ids),
        "status": [row.status for row in rows],
        "code": [row.code for row in rows],
        "message": [row.message for row in rows],
        "modified_at": [row.modified_at for row in rows],
        "crm_id": [row.crm_id for row in rows],
    }
    return pa.table(columns, schema=OUTCOME_SCHEMA)
