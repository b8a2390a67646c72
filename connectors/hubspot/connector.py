"""The HubSpot connector: the contract's methods, each handed to the part that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from config.clocks import zone_of
from config.records import RECORDS
from config.sections.loopback import LOOPBACK_HOSTS
from connectors.contract import ConfigProblem, Org
from connectors.hubspot.checks import Checks
from connectors.hubspot.effort import effort, least_calls
from connectors.hubspot.fields import LINKS, OBJECTS
from connectors.hubspot.pulls import Pulls
from connectors.hubspot.schema import Schema
from connectors.hubspot.setup import Setup
from connectors.hubspot.setup_files import setup_files
from connectors.hubspot.stages import stages
from connectors.hubspot.tasks import Tasks
from connectors.hubspot.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from connectors.contract import Budget, Checkpoint, Deleted, Effort, FieldInfo, Page, Problem, SetupStep
    from connectors.hubspot.api import Api

PRODUCTION = "STANDARD"
# Records in a portion: a file may have 1,048,576 rows; a hundred batches take five seconds or so.
_IMPORTED = 1_000_000
_IN_BATCHES = 10_000


class HubSpotConnector:
    """A HubSpot portal, as `sync` sees it; made by `connectors.hubspot.connect`."""

    crm: Literal["hubspot"] = "hubspot"
    # A deal or a ticket that gets another company keeps its stamp.
    unstamped_links = frozenset(name for name, links in LINKS.items() if "account_id" in links)

    def __init__(
        self, api: Api, mapping: Mapping[str, Mapping[str, str]], *, bulk_threshold: int, reserve: float
    ) -> None:
        self._api = api
        self._schema = Schema(api, mapping)
        self._pulls = Pulls(api, self._schema, bulk_threshold)
        self._updates = Updates(api, self._schema, bulk_threshold)
        self._tasks = Tasks(api, self._schema)
        self._reserve = reserve
        self._bulk_threshold = bulk_threshold

    # The portal.

    def org(self) -> Org:
        """The portal behind the connection; every kind of account but the standard one is for trying things."""
        account = self._api.account
        loopback = urlsplit(self._api.transport.origin).hostname in LOOPBACK_HOSTS
        production = account.get("accountType") == PRODUCTION
        return Org(
            id=str(account["portalId"]),
            name=str(account.get("portalName") or f"HubSpot {account['portalId']}"),
            production=production,
            timezone=zone_of(account.get("timeZone")).key,
            currency=str(account.get("companyCurrency") or ""),
            bundled_sandbox=loopback and not production,
        )

    @property
    def username(self) -> str:
        """Nobody: a HubSpot token belongs to an app, and signs in as no user."""
        return ""

    def server_time(self) -> datetime:
        """HubSpot's clock (UTC)."""
        return self._api.server_time()

    def budget(self) -> Budget:
        """The portal's daily allowance, as of the last reply that told."""
        return self._api.budget()

    # What may be read and written.

    def check(
        self, fields: Mapping[str, Sequence[str]], written: Mapping[str, Sequence[str]]
    ) -> list[Problem]:
        """Everything that would stop a run, at once; wrong credentials are the only problem then."""
        try:
            return Checks(self._api, self._schema, self._reserve).problems(fields, written)
        except ConfigProblem as error:
            return list(error.problems)

    def schema(self, object_name: str) -> Mapping[str, FieldInfo]:
        """The properties of a canonical object, by canonical name."""
        found = {column.name: self._schema.info(object_name, column.name) for column in RECORDS[object_name]}
        return {name: info for name, info in found.items() if info is not None}

    def choices(self, object_name: str) -> Mapping[str, tuple[str, ...]]:
        """The labels of options that are not hidden; of stages and pipelines, those in use."""
        labels = {
            column.name: self._schema.labels(object_name, column.name) for column in RECORDS[object_name]
        }
        if object_name == "opportunity":
            pipelines = self._api.sdk.pipelines(OBJECTS[object_name])
            names = [stage.label for stage in stages(pipelines) if stage.active]
            # Several pipelines may have a stage of the same name.
            labels["stage"] = tuple(dict.fromkeys(names))
            labels["pipeline"] = tuple(
                str(one.get("label") or one["id"]) for one in pipelines if not one.get("archived")
            )
        return {name: found for name, found in labels.items() if found}

    # Reading.

    def pull(self, object_name: str, fields: Sequence[str], since: str | None) -> Iterator[Page | Checkpoint]:
        """Records changed since the cursor, or all of them; pages first, then one `Checkpoint`."""
        return self._pulls.pull(object_name, fields, since)

    def recent(self, object_name: str, fields: Sequence[str], since: datetime) -> Iterator[pa.Table]:
        """Records stamped since a moment, to look at in the midst of a run."""
        return self._pulls.recent(object_name, fields, since)

    def deleted(self, object_name: str, since: str) -> Deleted:
        """Records archived or merged away since the cursor."""
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

    def relinked(self, object_name: str, held: pa.Table) -> pa.Table:
        """Those rows of `held` (id, account_id) whose company is another one now."""
        return self._pulls.relinked(object_name, held)

    def history(
        self, object_name: str, fields: Sequence[str], held: pa.Table, as_of: datetime
    ) -> Iterator[pa.Table]:
        """Records as they were just before a moment gone by, from the history of their properties."""
        return self._pulls.history(object_name, fields, held, as_of)

    # Writing.

    def portion(self, records: int) -> int:
        """Some seconds' worth of batches; or one import, if there are so many."""
        return _IMPORTED if records >= self._bulk_threshold else _IN_BATCHES

    def effort(self, object_name: str, records: int) -> Effort:
        """The least that one write of so many records takes."""
        return effort(object_name, records, self._bulk_threshold)

    def least_calls(self, read: Mapping[str, int], written: Mapping[str, int]) -> int:
        """The fewest API calls in which a run can read, and write, so many records of each object."""
        return least_calls(read, written, self._bulk_threshold)

    def update(self, object_name: str, changes: pa.Table) -> pa.Table:
        """Set properties of existing records; one outcome for each."""
        return self._updates.update(object_name, changes)

    def tasks(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Ids of the tasks of ours that exist, archived ones too, by key."""
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
        """Archive tasks."""
        return self._tasks.delete(ids)

    # Setting up.

    def missing(
        self,
        outputs: Literal["basic", "full"],
        reads: Collection[str] = (),  # noqa: ARG002  # the contract's: only people give scopes
    ) -> list[SetupStep]:
        """What `setup` would have to make; asks for an administrator's credentials."""
        return Setup(self._api).missing(outputs)

    def ensure_fields(self, steps: Sequence[SetupStep]) -> list[SetupStep]:
        """Make these things, with an administrator's credentials."""
        made = Setup(self._api).ensure(steps)
        self._schema.forget()
        return made

    def setup_files(
        self, outputs: Literal["basic", "full"], reads: Collection[str] = ()
    ) -> Mapping[str, str]:
        """Path to content of what an administrator can send himself instead of `ensure_fields`."""
        return setup_files(outputs, self._api.version, reads)
