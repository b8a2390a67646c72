"""The Salesforce connector: the contract's methods, each handed to the part that does it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from config.clocks import zone_of
from config.records import RECORDS
from config.sections.loopback import LOOPBACK_HOSTS
from connectors.contract import AuthProblem, ConfigProblem, Org, RecordRefused, RetryLater
from connectors.salesforce.checks import Checks
from connectors.salesforce.effort import PORTION, effort, least_calls
from connectors.salesforce.metadata import setup_files
from connectors.salesforce.pulls import Pulls
from connectors.salesforce.schema import Schema
from connectors.salesforce.setup import Setup
from connectors.salesforce.tasks import Tasks
from connectors.salesforce.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from connectors.contract import Budget, Checkpoint, Deleted, Effort, FieldInfo, Page, Problem, SetupStep
    from connectors.salesforce.api import Api

_ORG_FIELDS = "Id, Name, IsSandbox, TimeZoneSidKey"


class SalesforceConnector:
    """A Salesforce org, as `sync` sees it; made by `connectors.salesforce.connect`."""

    crm: Literal["salesforce"] = "salesforce"
    # Salesforce stamps every change of a reference.
    unstamped_links: frozenset[str] = frozenset()

    def __init__(
        self,
        api: Api,
        mapping: Mapping[str, Mapping[str, str]],
        *,
        bulk_threshold: int,
        worker: str,
        reserve: float,
    ) -> None:
        self._api = api
        self._schema = Schema(api, mapping)
        self._pulls = Pulls(
            api, self._schema, bulk_threshold, lambda: str(self._organization["TimeZoneSidKey"])
        )
        self._updates = Updates(api, self._schema, bulk_threshold)
        self._tasks = Tasks(api, self._schema)
        self._worker = worker
        self._reserve = reserve
        self._bulk_threshold = bulk_threshold

    # The org.

    def org(self) -> Org:
        """The org behind the connection."""
        row = self._organization
        loopback = urlsplit(self._api.transport.origin).hostname in LOOPBACK_HOSTS
        return Org(
            id=row["Id"],
            name=row["Name"],
            production=not row["IsSandbox"],
            timezone=zone_of(row["TimeZoneSidKey"]).key,
            currency=self._currency,
            bundled_sandbox=loopback and bool(row["IsSandbox"]),
        )

    @cached_property
    def _organization(self) -> dict[str, Any]:
        return self._api.rows(f"SELECT {_ORG_FIELDS} FROM Organization")[0]  # noqa: S608  # a constant

    @cached_property
    def _currency(self) -> str:
        """The org's own currency; empty where Salesforce does not tell."""
        try:
            features = self._api.call("GET", "connect/organization").get("features") or {}
        except (RecordRefused, ConfigProblem):
            return ""
        return str(features.get("defaultCurrencyIsoCode") or "")

    @cached_property
    def username(self) -> str:
        """The user that these credentials belong to; empty if the app's scopes hide it."""
        try:
            user: dict[str, Any] = self._api.call("GET", "/services/oauth2/userinfo", kind="userinfo")
        except AuthProblem:
            raise
        except (RecordRefused, ConfigProblem):
            return ""
        return str(user.get("preferred_username") or "")

    def server_time(self) -> datetime:
        """Salesforce's clock (UTC)."""
        self._api.limits()
        date = self._api.transport.server_date
        if date is None:
            raise RetryLater("Salesforce's replies carry no date; a proxy may strip it")
        return date

    def budget(self) -> Budget:
        """The API allowance, as of the last reply."""
        return self._api.budget()

    # What may be read and written.

    def check(
        self, fields: Mapping[str, Sequence[str]], written: Mapping[str, Sequence[str]]
    ) -> list[Problem]:
        """Everything that would stop a run, at once; wrong credentials are the only problem then."""
        try:
            checks = Checks(self._api, self._schema, self.username, self._reserve)
            return checks.problems(fields, written)
        except ConfigProblem as error:
            return list(error.problems)

    def schema(self, object_name: str) -> Mapping[str, FieldInfo]:
        """The fields of a canonical object that the worker may read, by canonical name."""
        found = {column.name: self._schema.info(object_name, column.name) for column in RECORDS[object_name]}
        return {name: info for name, info in found.items() if info is not None}

    def choices(self, object_name: str) -> Mapping[str, tuple[str, ...]]:
        """The active values of picklists."""
        return {name: info.values for name, info in self.schema(object_name).items() if info.values}

    # Reading.

    def pull(self, object_name: str, fields: Sequence[str], since: str | None) -> Iterator[Page | Checkpoint]:
        """Records changed since the cursor, or all of them; pages first, then one `Checkpoint`."""
        return self._pulls.pull(object_name, fields, since)

    def recent(self, object_name: str, fields: Sequence[str], since: datetime) -> Iterator[pa.Table]:
        """Records stamped since a moment, to look at in the midst of a run."""
        return self._pulls.recent(object_name, fields, since)

    def deleted(self, object_name: str, since: str) -> Deleted:
        """Records deleted or merged away since the cursor."""
        return self._pulls.deleted(object_name, since)

    def ids(self, object_name: str) -> pa.Array:
        """The ids of all living records."""
        return self._pulls.ids(object_name)

    def stamps(self, object_name: str) -> pa.Table:
        """Ids and stamps of all records that a pull from the beginning would bring."""
        return self._pulls.stamps(object_name)

    def named(self, object_name: str, fields: Sequence[str], ids: Sequence[str]) -> Iterator[Page]:
        """These records as they are now."""
        return self._pulls.named(object_name, fields, ids)

    def relinked(self, object_name: str, held: pa.Table) -> pa.Table:  # noqa: ARG002  # the contract's
        """None: an increment shows them all."""
        return held.slice(0, 0)

    def history(
        self, object_name: str, fields: Sequence[str], held: pa.Table, as_of: datetime
    ) -> Iterator[pa.Table]:
        """Records as they were just before a moment gone by, from the histories that the org keeps."""
        return self._pulls.history(object_name, fields, held, as_of)

    # Writing.

    def portion(self, records: int) -> int:  # noqa: ARG002  # the contract's
        """One bulk job's worth."""
        return PORTION

    def effort(self, object_name: str, records: int) -> Effort:
        """The least that one write of so many records takes."""
        return effort(object_name, records, self._bulk_threshold)

    def least_calls(self, read: Mapping[str, int], written: Mapping[str, int]) -> int:
        """The fewest API calls in which a run can read, and write, so many records of each object."""
        return least_calls(read, written, self._bulk_threshold)

    def update(self, object_name: str, changes: pa.Table) -> pa.Table:
        """Set fields of existing records; rows that were not sent because the org went away say NOT_SENT."""
        return self._updates.update(object_name, changes)

    def tasks(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Ids of the tasks of ours that exist, deleted ones too, by key."""
        return self._tasks.find(keys)

    def upsert_tasks(self, tasks: pa.Table) -> pa.Table:
        """Create tasks by key, once."""
        return self._tasks.upsert(tasks)

    def our_tasks(self, ids: Sequence[str]) -> pa.Table:
        """Our tasks as they are now."""
        return self._tasks.held(ids)

    def update_tasks(self, changes: pa.Table) -> pa.Table:
        """Change texts, owner and due date of tasks."""
        return self._tasks.update(changes)

    def close_tasks(self, ids: Sequence[str], comment: str) -> pa.Table:
        """Complete tasks, adding a comment."""
        return self._tasks.close(ids, comment)

    def delete_tasks(self, ids: Sequence[str]) -> pa.Table:
        """Delete tasks."""
        return self._tasks.delete(ids)

    # Setting up.

    def missing(self, outputs: Literal["basic", "full"], reads: Collection[str] = ()) -> list[SetupStep]:
        """What `setup` would have to make; asks for an administrator's credentials."""
        return Setup(self._api, self._worker).missing(outputs, reads)

    def ensure_fields(self, steps: Sequence[SetupStep]) -> list[SetupStep]:
        """Make these things, with an administrator's credentials."""
        made = Setup(self._api, self._worker).ensure(steps)
        self._schema.forget()
        return made

    def setup_files(
        self, outputs: Literal["basic", "full"], reads: Collection[str] = ()
    ) -> Mapping[str, str]:
        """Path to content of an SFDX project with the same metadata."""
        return setup_files(outputs, self._api.base.rpartition("v")[2], reads)
