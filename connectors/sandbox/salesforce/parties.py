"""Who an org deals with: its users, the switched-on faults, the journal; and what a columnar save tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

Operation = Literal["insert", "update", "upsert", "delete", "hardDelete", "undelete", "merge"]
Clock = Callable[[], datetime]
Row = Mapping[str, Any]


class Faults(Protocol):
    """What the org asks of the switched-on faults while it acts on data."""

    def lock_row(self, record_id: str) -> bool:
        """Whether this write of this record ends with UNABLE_TO_LOCK_ROW (asked once per record and write)."""
        ...

    def read_only_fields(self, object_name: str) -> frozenset[str]:
        """Fields that suddenly cannot be written, though visible."""
        ...

    def hidden_fields(self, object_name: str) -> frozenset[str]:
        """Fields whose field-level security is taken away from everybody."""
        ...

    def validation_rules(self, object_name: str) -> Sequence[tuple[str, str]]:
        """(formula that is true for a bad record, error message) pairs in force besides the org's own."""
        ...

    def commit_delay(self, object_name: str) -> timedelta:
        """How long after its stamp a save becomes visible (zero: at once)."""
        ...


class Journal(Protocol):
    """Where effective writes are recorded: one call per object and operation of a save, bulk or not."""

    def write(
        self,
        user: User,
        operation: str,
        object_name: str,
        record_ids: Sequence[str],
        fields: Sequence[str],
        changed: int,
    ) -> None:
        """Note that `record_ids` were written: `fields` were sent, `changed` field values really differ now."""
        ...


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in."""

    id: str
    username: str
    name: str
    profile: Literal["System Administrator", "Integration", "Standard User"]
    is_admin: bool


@dataclass(frozen=True, slots=True)
class SaveTable:
    """Outcomes of a columnar save: one entry per input row, in order; `errors[i]` is None where it succeeded."""

    ids: list[str | None]
    created: list[bool]
    errors: list[str | None]
