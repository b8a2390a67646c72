"""One outcome for each record sent: what the CRM said of it, or that nobody knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from config.redaction import shortened
from connectors.contract import OUTCOME_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

MESSAGE_LENGTH = 300
# Sent, and no answer: it may have been done. Not sent: it certainly was not.
NO_ANSWER = "NO_ANSWER"
NOT_SENT = "NOT_SENT"
# Ours, before anything is sent: no text of the wire stands for this value.
NOT_SENDABLE = "VALUE_NOT_SENDABLE"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record. `code` and `message` are the CRM's, or ours when it said nothing.

    Of a refusal: `fix`, what a person can do about it, and `passing`, whether it may be gone without that.
    """

    status: Literal["done", "refused", "unknown"]
    code: str = ""
    message: str = ""
    modified_at: datetime | None = None
    crm_id: str | None = None
    fields: tuple[str, ...] = field(default=())
    fix: str = ""
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a person can do about a refusal, and whether it may pass by itself."""

    fix: str
    passing: bool = False


def refused(
    code: str, message: str, fields: Iterable[str] = (), remedies: Mapping[str, Remedy] | None = None
) -> Outcome:
    """The record was not written. What helps goes by a field that is blamed, else by the code."""
    blamed, known = tuple(fields), remedies or {}
    remedy = next((known[word] for word in (*blamed, code) if word in known), Remedy(""))
    return Outcome(
        "refused",
        code,
        shortened(message, MESSAGE_LENGTH),
        fields=blamed,
        fix=remedy.fix,
        passing=remedy.passing,
    )


def unknown(message: str, code: str = NO_ANSWER) -> Outcome:
    """Nobody knows whether it was done."""
    return Outcome("unknown", code, shortened(message, MESSAGE_LENGTH))


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
        "fix": [row.fix for row in rows],
        "passing": [row.passing for row in rows],
    }
    return pa.table(columns, schema=OUTCOME_SCHEMA)
