"""What `sync` knows of any CRM: one protocol, its values, and errors named after the next step.

A connector translates between the CRM's words and the canonical records of `config.records`. It keeps no
state between runs: cursors go out and come back in as opaque text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import pyarrow as pa

from config.problems import ConfigProblem, Problem
from config.records import STAMP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

__all__ = [
    "OUTCOME_SCHEMA",
    "TASK_STATE_SCHEMA",
    "AuthProblem",
    "Budget",
    "Checkpoint",
    "ConfigProblem",
    "Connector",
    "ConnectorError",
    "Deleted",
    "FieldInfo",
    "Org",
    "Page",
    "Problem",
    "RecordRefused",
    "RetryLater",
    "SetAside",
    "SetupStep",
    "Truncated",
]


# Errors, by what to do next. The message says what happened, where, and what a person can do about it.


class ConnectorError(Exception):
    """Something between us and the CRM went wrong."""


class AuthProblem(ConfigProblem):
    """The CRM does not accept our credentials, even after one refresh: stop, exit 2."""


class RetryLater(ConnectorError):  # noqa: N818
    """The CRM is unavailable or a limit is reached, after all retries.

    `after` is how many seconds to wait if the CRM said so. `quota` is true when a daily allowance is used
    up: the run parks (exit 75) rather than fails (exit 69).
    """

    def __init__(self, message: str, *, after: float | None = None, quota: bool = False) -> None:
        super().__init__(message)
        self.after = after
        self.quota = quota


class RecordRefused(ConnectorError):  # noqa: N818
    """The CRM refuses this one record: set it aside, go on with the others."""

    def __init__(self, message: str, *, code: str = "", fields: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.fields = tuple(fields)


class Truncated(ConnectorError):  # noqa: N818
    """Less arrived than the CRM says it sent: fetch it again."""


# Values.


@dataclass(frozen=True, slots=True)
class Org:
    """The CRM behind a connection. `timezone` is an IANA name, one that this machine knows; `currency` an ISO code."""

    id: str
    name: str
    production: bool
    timezone: str
    currency: str
    bundled_sandbox: bool = False


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that could not be read. The reason names the field, never the content."""

    object: str
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some pulled records: a table in the canonical schema (the asked-for columns), and what was unreadable."""

    table: pa.Table
    set_aside: tuple[SetAside, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The end of a pull: every change up to `cursor` has been handed over.

    Records that were set aside with their id are asked for again by the next pull from `cursor`, whenever they
    changed, until they can be read or are gone.
    `read` rows arrived (readable or set aside); `expected` is the CRM's own count for the same query.
    """

    cursor: str
    read: int
    expected: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """Records that are gone. `merged` maps a loser's id to the last winner's; losers are in `ids` too.

    `complete` is false if the cursor is older than what the CRM remembers of deletions: then compare the
    ids of the whole object (`Connector.ids`) with what is held, so that nothing deleted is missed.
    `at` is a moment of the CRM's clock before it was asked: whatever is stamped later was restored since.
    """

    at: datetime
    ids: tuple[str, ...] = ()
    merged: Mapping[str, str] = field(default_factory=dict)
    complete: bool = True


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field as the CRM describes it to the worker: absent from the schema if it may not be read."""

    name: str
    label: str
    type: str
    updateable: bool
    createable: bool
    values: tuple[str, ...] = ()
    length: int = 0
    unique: bool = False


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One thing `setup` would make: a field, a permission set, a grant, an assignment. `done` once made."""

    kind: str
    name: str
    detail: str
    done: bool = False

    @property
    def is_field(self) -> bool:
        """Whether it makes a field of a record, however the CRM calls those."""
        return self.kind in ("field", "property")


@dataclass(frozen=True, slots=True)
class Budget:
    """The API allowance of the org (all integrations together), and the calls that this process made."""

    used: int | None
    limit: int | None
    calls: int

    @property
    def left(self) -> int | None:
        """Calls that the org has left today, if the CRM told."""
        return None if self.used is None or self.limit is None else max(self.limit - self.used, 0)


@dataclass(frozen=True, slots=True)
class Effort:
    """What a write takes at the least: API calls, and about how many seconds."""

    calls: int
    seconds: float


# One row for each record sent, in any order. `code` and `message` are the CRM's (empty when done);
# `modified_at` is a lower bound of the CRM's new stamp (null unless done); `crm_id` is the id that a create got.
# Of a refusal: `fix`, what a person can do about it, and `passing`, whether it may be gone without that.
OUTCOME_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("status", pa.string()),
        ("code", pa.string()),
        ("message", pa.string()),
        ("modified_at", STAMP),
        ("crm_id", pa.string()),
        ("fix", pa.string()),
        ("passing", pa.bool_()),
    ]
)

# A task of ours as the CRM holds it; `description` are its readable words. `begun`: somebody gave it another status
# than a new task has.
TASK_STATE_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "key", "subject", "description", "owner_id")),
        ("due", pa.date32()),
        ("begun", pa.bool_()),
        ("is_closed", pa.bool_()),
    ]
)


class Connector(Protocol):
    """A CRM, as `sync` sees it. One instance serves one run, from one thread.

    Any method may raise `ConfigProblem`, `AuthProblem`, `RetryLater` or `Truncated`.
    """

    @property
    def crm(self) -> Literal["salesforce", "hubspot"]:
        """Which CRM this is."""
        ...

    def org(self) -> Org:
        """The org behind the connection."""
        ...

    @property
    def username(self) -> str:
        """The CRM's name of the user that the connection signs in as."""
        ...

    def check(
        self, fields: Mapping[str, Sequence[str]], written: Mapping[str, Sequence[str]]
    ) -> list[Problem]:
        """Everything that would stop a run, at once: permissions, unreadable and unwritable fields, quota.

        `fields` and `written` hold the canonical names, by object, that the run reads and writes.
        """
        ...

    def schema(self, object_name: str) -> Mapping[str, FieldInfo]:
        """The fields of a canonical object that the worker may read, by canonical name."""
        ...

    def choices(self, object_name: str) -> Mapping[str, tuple[str, ...]]:
        """The words that people may choose now, as records hold them, by canonical column that has a list of them.

        Older records may still hold others.
        """
        ...

    def pull(self, object_name: str, fields: Sequence[str], since: str | None) -> Iterator[Page | Checkpoint]:
        """Records changed since the cursor, or all of them; pages first, then exactly one `Checkpoint`.

        `fields` are canonical names; key columns always come along. A record may come twice (overlap), the
        later row is the newer. An object of `config.records.OPTIONAL` that the org lacks has no rows. Raises
        `Truncated` if, after retries, fewer rows arrive than the CRM counts.
        """
        ...

    def deleted(self, object_name: str, since: str) -> Deleted:
        """Records deleted or merged away since the cursor, as far back as the CRM remembers."""
        ...

    def ids(self, object_name: str) -> pa.Array:
        """The ids of all living records, for reconciliation; an empty text for each that came without one."""
        ...

    def stamps(self, object_name: str) -> pa.Table:
        """Ids and stamps (`id`, `modified_at`) of all records that a pull from the beginning would bring.

        A record that came without an id has an empty one, one whose stamp cannot be read has none.
        """
        ...

    def named(self, object_name: str, fields: Sequence[str], ids: Sequence[str]) -> Iterator[Page]:
        """These records as they are now, whenever they were changed; those that are gone are left out."""
        ...

    @property
    def unstamped_links(self) -> frozenset[str]:
        """The objects whose records may move to another account without a stamp, so that no increment shows it."""
        ...

    def relinked(self, object_name: str, held: pa.Table) -> pa.Table:
        """Those rows of `held` (id, account_id) whose account is another one now, with that account (null: none)."""
        ...

    def recent(self, object_name: str, fields: Sequence[str], since: datetime) -> Iterator[pa.Table]:
        """Records stamped since a moment of the CRM's clock, in the midst of a run: a look that moves no cursor.

        One call if there are none. Our own writes are among them: a person may have edited such a record since. What
        cannot be read is left to the next pull, and so are changes that the CRM shows late.
        """
        ...

    def history(
        self, object_name: str, fields: Sequence[str], held: pa.Table, as_of: datetime
    ) -> Iterator[pa.Table]:
        """Records of `held` (id, and `fields` as they are now) as they were just before a moment gone by, in parts.

        Each has `id`, `fields` with the values of then, and for each field `told_FIELD`: whether the CRM tells what
        the value was. Where it does not, the value is null, whatever it was. A record without a row tells nothing.
        """
        ...

    def portion(self, records: int) -> int:
        """Of so many records to write, how many to hand to `update` at once: what an interruption leaves in doubt."""
        ...

    def effort(self, object_name: str, records: int) -> Effort:
        """The least that one `update` (of tasks: `upsert_tasks`) of so many records takes, if none is refused."""
        ...

    def least_calls(self, read: Mapping[str, int], written: Mapping[str, int]) -> int:
        """The fewest API calls in which a run can read, and write, so many records of each object."""
        ...

    def update(self, object_name: str, changes: pa.Table) -> pa.Table:
        """Set fields of existing records; one row of `OUTCOME_SCHEMA` for each row of `changes`.

        `changes` has `id`, `parent_id` (may be null; records of one parent are never written concurrently),
        one column per canonical field (null: leave as it is), and `clear`, a list of canonical fields to empty.
        """
        ...

    def tasks(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Ids of the tasks of ours that exist (deleted ones too, so that none is made twice), by key."""
        ...

    def upsert_tasks(self, tasks: pa.Table) -> pa.Table:
        """Create tasks by key, once; outcomes carry the key as `id` and the CRM's id as `crm_id`.

        `tasks` has key, subject, description, owner_id, account_id, opportunity_id, due, priority
        (high or normal).
        """
        ...

    def our_tasks(self, ids: Sequence[str]) -> pa.Table:
        """Tasks as they are now, in `TASK_STATE_SCHEMA`; those that are gone, or bear no key of ours, are left out."""
        ...

    def update_tasks(self, changes: pa.Table) -> pa.Table:
        """Change tasks; one outcome for each row.

        `changes` has id, subject, description, owner_id and due (null: left as it is).
        """
        ...

    def close_tasks(self, ids: Sequence[str], comment: str) -> pa.Table:
        """Complete tasks, adding a comment; one outcome for each id."""
        ...

    def delete_tasks(self, ids: Sequence[str]) -> pa.Table:
        """Delete tasks; one outcome for each id; a task already gone is done."""
        ...

    def missing(self, outputs: Literal["basic", "full"], reads: Collection[str] = ()) -> list[SetupStep]:
        """What `setup` would have to make for the worker to run; empty when all is there.

        `reads` are the canonical objects that the rules name: the worker gets the rights to read those of
        `config.records.OPTIONAL` that are among them, and no others.
        """
        ...

    def ensure_fields(self, steps: Sequence[SetupStep]) -> list[SetupStep]:
        """Make these things; idempotent: what already exists counts as done."""
        ...

    def setup_files(
        self, outputs: Literal["basic", "full"], reads: Collection[str] = ()
    ) -> Mapping[str, str]:
        """Path → content of the metadata that an admin can deploy himself instead of `ensure_fields`."""
        ...

    def server_time(self) -> datetime:
        """The CRM's clock (UTC); ours is never trusted."""
        ...

    def budget(self) -> Budget:
        """The API allowance, as of the last reply."""
        ...
