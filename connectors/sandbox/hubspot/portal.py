"""One HubSpot portal in memory, without HTTP: what it tells, what changes it, and how its admins shape it."""

from __future__ import annotations

from dataclasses import replace as with_changes
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from connectors.sandbox.hubspot.associating import Associating
from connectors.sandbox.hubspot.columns import Columns
from connectors.sandbox.hubspot.linking import Linker
from connectors.sandbox.hubspot.merging import merge
from connectors.sandbox.hubspot.object_types import STANDARD_TYPES, ObjectType, aliases
from connectors.sandbox.hubspot.parties import (
    Batch,
    Caller,
    Clock,
    Faults,
    Journal,
    Listing,
    Person,
    SearchResult,
    Source,
)
from connectors.sandbox.hubspot.pipeline_admin import PipelineAdmin
from connectors.sandbox.hubspot.property_admin import PropertyAdmin
from connectors.sandbox.hubspot.reading import Reader
from connectors.sandbox.hubspot.search import Searcher
from connectors.sandbox.hubspot.stamps import milliseconds
from connectors.sandbox.hubspot.state import State
from connectors.sandbox.hubspot.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from connectors.sandbox.datasets.hubspot import Dataset

__all__ = [
    "STANDARD_TYPES", "Batch", "Caller", "Clock", "Faults", "Journal", "Listing", "ObjectType", "Person", "Portal",
    "SearchResult", "Source", "aliases",
]  # fmt: skip

_PORTAL_ID = 62_518_840


class Portal:
    """The portal. All methods are thread-safe; a refusal of the whole request raises `HubSpotError`.

    Wire dicts leave out nothing and add nothing but `url` and `paging.next.link`, which need the request. `object_name`
    is any alias of an object type. Lists of records are paged by `after`, always text; None begins.

    Attributes: id (portal id, int), name, timezone (IANA), currency, additional_currencies, account_type
    (STANDARD or SANDBOX), ui_domain, data_hosting, clock, dataset, person (somebody who works in the pages).
    """

    def __init__(
        self,
        dataset: Dataset,
        clock: Clock,
        *,
        faults: Faults | None = None,
        journal: Journal | None = None,
        production: bool = False,
        timezone: str = "GMT",
    ) -> None:
        """Load a data set. `clock` is the portal's own time (UTC, aware); every stamp comes from it."""
        self._state = State(dataset, clock, _PORTAL_ID, faults, journal)
        self.id, self.clock, self.timezone = _PORTAL_ID, clock, timezone
        self.name = f"HubSpot {_PORTAL_ID}"
        self.dataset = with_changes(dataset, tables={}, links=())
        self.account_type = "STANDARD" if production else "SANDBOX"
        self.ui_domain, self.data_hosting = "app.hubspot.com", "na1"
        self.person = Person("person@portal.example", "userId:7000003")
        self._reader, self._linker = Reader(self._state), Linker(self._state)
        self._writer = Writer(self._state, self._reader)
        self._searcher = Searcher(self._state, self._reader)
        self._columns = Columns(self._state, self._reader)
        self._associating = Associating(self._state)
        self._properties, self._pipelines = PropertyAdmin(self._state), PipelineAdmin(self._state)

    def object_type(self, alias: str) -> ObjectType:
        """The type that a path calls so (plural, singular, type id, `p_name`; any case); else 400."""
        return self._state.schema.find_type(alias)

    def account_details(self) -> dict[str, Any]:
        """GET account-info/details."""
        return {
            "portalId": self.id,
            "accountType": self.account_type,
            "timeZone": self.timezone,
            "companyCurrency": self.currency,
            "additionalCurrencies": self.additional_currencies,
            "utcOffset": self._utc_offset(),
            "utcOffsetMilliseconds": self._utc_offset_milliseconds(),
            "uiDomain": self.ui_domain,
            "dataHostingLocation": self.data_hosting,
        }

    @property
    def currency(self) -> str:
        """The home currency, an ISO code."""
        return self._state.currency

    @property
    def additional_currencies(self) -> list[str]:
        """The other currencies that deals may be in."""
        return list(self._state.exchange_rates)

    def use_currencies(self, home: str, rates: Mapping[str, float]) -> None:
        """Choose the home currency, and what one unit of each other currency is worth in it."""
        with self._state.lock:
            self._state.currency, self._state.exchange_rates = home, dict(rates)

    def _utc_offset_milliseconds(self) -> int:
        offset = self.clock().astimezone(ZoneInfo(self.timezone)).utcoffset()
        return 0 if offset is None else int(offset.total_seconds() * 1000)

    def _utc_offset(self) -> str:
        minutes = self._utc_offset_milliseconds() // 60_000
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"

    # Records.

    def list_records(
        self,
        object_name: str,
        *,
        limit: int = 10,
        after: str | None = None,
        archived: bool = False,
        properties: Sequence[str] = (),
        history: Sequence[str] = (),
        associations: Sequence[str] = (),
    ) -> Listing:
        """One page by id. No `properties` means the type's defaults. 400 above 100 (50 with history)."""
        with self._state.lock:
            return self._reader.page(
                self.object_type(object_name),
                limit=limit,
                after=after,
                archived=archived,
                properties=properties,
                history=history,
                associations=associations,
            )

    def get(
        self,
        object_name: str,
        record_id: str,
        *,
        archived: bool = False,
        properties: Sequence[str] = (),
        history: Sequence[str] = (),
        associations: Sequence[str] = (),
        id_property: str | None = None,
    ) -> dict[str, Any]:
        """One record; the id of one that was merged away gives the winner. 404 if there is none."""
        with self._state.lock:
            return self._reader.get(
                self.object_type(object_name),
                record_id,
                archived=archived,
                properties=properties,
                history=history,
                associations=associations,
                id_property=id_property,
            )

    def read_batch(
        self,
        object_name: str,
        inputs: Sequence[Mapping[str, Any]],
        *,
        properties: Sequence[str] = (),
        history: Sequence[str] = (),
        id_property: str | None = None,
        archived: bool = False,
    ) -> Batch:
        """Up to 100 records (50 with history) by `{"id"}`; ids that do not exist are one error."""
        with self._state.lock:
            return self._reader.batch(
                self.object_type(object_name),
                inputs,
                properties=properties,
                history=history,
                id_property=id_property,
                archived=archived,
            )

    def create_one(
        self, caller: Caller, object_name: str, body: Mapping[str, Any], *, source: Source = "INTEGRATION"
    ) -> dict[str, Any]:
        """`{"properties", "associations"?}` as a new record, told with its computed properties."""
        with self._state.lock:
            return self._writer.create(
                caller, self.object_type(object_name), [{**body, "objectWriteTraceId": None}], source
            ).results[0]

    def create(
        self,
        caller: Caller,
        object_name: str,
        inputs: Sequence[Mapping[str, Any]],
        *,
        source: Source = "INTEGRATION",
    ) -> Batch:
        """Up to 100 new records. Errors by input only if each has its own `objectWriteTraceId`; else one fails all."""
        with self._state.lock:
            return self._writer.create(caller, self.object_type(object_name), inputs, source)

    def update_one(
        self,
        caller: Caller,
        object_name: str,
        record_id: str,
        properties: Mapping[str, Any],
        *,
        id_property: str | None = None,
        source: Source = "INTEGRATION",
    ) -> dict[str, Any]:
        """Change one record, told with what was changed; follows a merged id to the winner. 404 if there is none."""
        with self._state.lock:
            one = self.object_type(object_name)
            return self._writer.update_one(caller, one, record_id, properties, id_property, source)

    def update(
        self,
        caller: Caller,
        object_name: str,
        inputs: Sequence[Mapping[str, Any]],
        *,
        source: Source = "INTEGRATION",
    ) -> Batch:
        """Change up to 100 records by `{"id", "idProperty"?, "properties"}`; one bad value fails them all (400).

        Ids that do not exist are errors; ids of records that were merged away are neither results nor errors.
        """
        with self._state.lock:
            return self._writer.update(caller, self.object_type(object_name), inputs, source)

    def upsert(
        self,
        caller: Caller,
        object_name: str,
        inputs: Sequence[Mapping[str, Any]],
        *,
        source: Source = "INTEGRATION",
    ) -> Batch:
        """Change or make up to 100 records by a unique property; results carry `new`."""
        with self._state.lock:
            return self._writer.upsert(caller, self.object_type(object_name), inputs, source)

    def archive(self, caller: Caller, object_name: str, ids: Iterable[str]) -> None:
        """Put records into the recycle bin; ids that do not exist or are there already are passed over."""
        with self._state.lock:
            self._writer.archive(caller, self.object_type(object_name), ids)

    def merge(self, caller: Caller, object_name: str, primary_id: str, other_id: str) -> dict[str, Any]:
        """Merge the other record into the primary one, and tell the winner."""
        with self._state.lock:
            one = self.object_type(object_name)
            row = merge(self._state, self._linker, caller, one, (primary_id, other_id))
            return self._reader.view(one, [*one.defaults, "hs_merged_object_ids"])(row)

    def search(self, object_name: str, body: Mapping[str, Any]) -> SearchResult:
        """Find living records by a search body (`filterGroups` or `filters`, `sorts`, `query`, `limit`, `after`)."""
        with self._state.lock:
            return self._searcher.search(self.object_type(object_name), body)

    def table(
        self,
        object_name: str,
        properties: Sequence[str],
        search: Mapping[str, Any] | None = None,
        ids: Iterable[str] | None = None,
    ) -> pa.Table:
        """`hs_object_id` and properties of living records as columns of text: all, those found, or these ids."""
        with self._state.lock:
            one = self.object_type(object_name)
            if ids is not None:
                rows = [row for each in ids if (row := self._state.records(one).find(each)) is not None]
            else:
                rows = self._searcher.rows(one, search or {})
            return self._columns.table(one, properties, rows)

    def associated(
        self, from_type: str, ids: Sequence[str], to_type: str
    ) -> list[dict[int, tuple[int, ...]]]:
        """For each record the living ones of another type that it is associated with, by id, and how."""
        with self._state.lock:
            return self._columns.associated(self.object_type(from_type), ids, self.object_type(to_type))

    # Associations.

    def read_associations(self, from_type: str, to_type: str, inputs: Sequence[Mapping[str, Any]]) -> Batch:
        """Up to 1,000 records' associations as `{"from", "to": [{"toObjectId", "associationTypes"}], "paging"?}`.

        Records without any are absent. `paging.next.after` goes back in as the input's `after`.
        """
        with self._state.lock:
            return self._associating.read(self.object_type(from_type), self.object_type(to_type), inputs)

    def record_associations(
        self, from_type: str, record_id: str, to_type: str, *, limit: int = 500, after: str | None = None
    ) -> Listing:
        """One record's associations as `{"toObjectId", "associationTypes"}`, by id."""
        with self._state.lock:
            start, end = self.object_type(from_type), self.object_type(to_type)
            return self._associating.of_record(start, record_id, end, limit=limit, after=after)

    def associate(
        self, caller: Caller, from_type: str, to_type: str, inputs: Sequence[Mapping[str, Any]]
    ) -> Batch:
        """Up to 2,000 labelled associations: `{"from": {"id"}, "to": {"id"}, "types": [...]}`."""
        with self._state.lock:
            start, end = self.object_type(from_type), self.object_type(to_type)
            return self._associating.create(caller, start, end, inputs)

    def associate_default(
        self, caller: Caller, from_type: str, to_type: str, inputs: Sequence[Mapping[str, Any]]
    ) -> Batch:
        """Up to 2,000 associations of the default type: `{"from": {"id"}, "to": {"id"}}`."""
        with self._state.lock:
            start, end = self.object_type(from_type), self.object_type(to_type)
            return self._associating.create_default(caller, start, end, inputs)

    def disassociate(
        self, caller: Caller, from_type: str, to_type: str, inputs: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take all associations away between `{"from": {"id"}, "to": [{"id"}]}`."""
        with self._state.lock:
            self._associating.archive(caller, self.object_type(from_type), self.object_type(to_type), inputs)

    def remove_labels(
        self, caller: Caller, from_type: str, to_type: str, inputs: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take these `types` away between `{"from": {"id"}, "to": {"id"}, "types": [...]}`."""
        with self._state.lock:
            start, end = self.object_type(from_type), self.object_type(to_type)
            self._associating.archive_labels(caller, start, end, inputs)

    def association_labels(self, from_type: str, to_type: str) -> list[dict[str, Any]]:
        """The types from one object type to another: `{"category", "typeId", "label"}`."""
        with self._state.lock:
            return self._associating.labels(self.object_type(from_type), self.object_type(to_type))

    def association_names(self, from_type: str, to_type: str) -> dict[int, str]:
        """v3's name of each type from one object type to another, by number."""
        with self._state.lock:
            return self._associating.names(self.object_type(from_type), self.object_type(to_type))

    def create_association_label(
        self, caller: Caller, from_type: str, to_type: str, body: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """A new label of the portal's own: `{"label", "name", "inverseLabel"?}`."""
        with self._state.lock:
            told = self._associating.create_label(
                self.object_type(from_type), self.object_type(to_type), body
            )
            self._shaped(caller, "create", "association_labels", from_type, [str(told[0]["typeId"])])
            return told

    def tell_missing_associations(self, *, tells: bool) -> None:
        """Whether batch reads of associations tell records without any as errors (207); at first they do not."""
        with self._state.lock:
            self._associating.tells_missing = tells

    # Properties and groups.

    def properties(self, object_name: str, *, archived: bool = False) -> list[dict[str, Any]]:
        """All properties of a type, living or archived."""
        with self._state.lock:
            return self._properties.all(self.object_type(object_name), archived=archived)

    def property(self, object_name: str, name: str, *, archived: bool = False) -> dict[str, Any]:
        """One property; else 404."""
        with self._state.lock:
            return self._properties.get(self.object_type(object_name), name, archived=archived)

    def create_property(self, caller: Caller, object_name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new custom property; 409 if the name is taken."""
        with self._state.lock:
            told = self._properties.create(self.object_type(object_name), body)
            self._shaped(caller, "create", "properties", object_name, [told["name"]])
            return told

    def create_properties(
        self, caller: Caller, object_name: str, inputs: Sequence[Mapping[str, Any]]
    ) -> Batch:
        """Several new custom properties, errors by property."""
        with self._state.lock:
            told = self._properties.create_many(self.object_type(object_name), inputs)
            self._shaped(caller, "create", "properties", object_name, [one["name"] for one in told.results])
            return told

    def read_properties(self, object_name: str, names: Sequence[str], *, archived: bool = False) -> Batch:
        """Several properties by name, errors for unknown ones."""
        with self._state.lock:
            return self._properties.read_many(self.object_type(object_name), names, archived=archived)

    def update_property(
        self, caller: Caller, object_name: str, name: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change a property's label, group, options and the like; 404."""
        with self._state.lock:
            told = self._properties.update(self.object_type(object_name), name, body)
            self._shaped(caller, "update", "properties", object_name, [name])
            return told

    def archive_property(self, caller: Caller, object_name: str, name: str) -> None:
        """Archive a custom property: its values are no longer told or taken."""
        with self._state.lock:
            self._properties.archive(self.object_type(object_name), name)
            self._shaped(caller, "archive", "properties", object_name, [name])

    def groups(self, object_name: str) -> list[dict[str, Any]]:
        """The property groups of a type."""
        with self._state.lock:
            return self._properties.groups(self.object_type(object_name))

    def group(self, object_name: str, name: str) -> dict[str, Any]:
        """One property group; else 404."""
        with self._state.lock:
            return self._properties.group(self.object_type(object_name), name)

    def create_group(self, caller: Caller, object_name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new property group; 409 if the name is taken."""
        with self._state.lock:
            told = self._properties.create_group(self.object_type(object_name), body)
            self._shaped(caller, "create", "property_groups", object_name, [told["name"]])
            return told

    def update_group(
        self, caller: Caller, object_name: str, name: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change a group's label and place; 404."""
        with self._state.lock:
            told = self._properties.update_group(self.object_type(object_name), name, body)
            self._shaped(caller, "update", "property_groups", object_name, [name])
            return told

    def archive_group(self, caller: Caller, object_name: str, name: str) -> None:
        """Archive a property group; 404."""
        with self._state.lock:
            self._properties.archive_group(self.object_type(object_name), name)
            self._shaped(caller, "archive", "property_groups", object_name, [name])

    def property_limits(self) -> dict[str, Any]:
        """GET limits/custom-properties: how many custom properties there may be, and are."""
        with self._state.lock:
            return self._properties.limits()

    # Owners, teams, pipelines.

    def owners(
        self, *, archived: bool = False, email: str | None = None, after: str | None = None, limit: int = 100
    ) -> Listing:
        """One page of owners by id, living or archived (whose userId is null)."""
        with self._state.lock:
            return self._state.owners.page(archived=archived, email=email, after=after, limit=limit)

    def owner(self, owner_id: str, *, id_property: str = "id", archived: bool = False) -> dict[str, Any]:
        """One owner by `id` or `userId`; else 404."""
        with self._state.lock:
            return self._state.owners.get(owner_id, id_property=id_property, archived=archived)

    def teams(self) -> list[dict[str, Any]]:
        """The teams: `{"id", "name", "userIds", "secondaryUserIds"}`."""
        with self._state.lock:
            return self._state.owners.teams()

    def pipelines(self, object_name: str) -> list[dict[str, Any]]:
        """The living pipelines of deals or tickets with their stages; none for other types."""
        with self._state.lock:
            return self._pipelines.all(self.object_type(object_name))

    def pipeline(self, object_name: str, pipeline_id: str) -> dict[str, Any]:
        """One pipeline; else 404."""
        with self._state.lock:
            return self._pipelines.get(self.object_type(object_name), pipeline_id)

    def create_pipeline(self, caller: Caller, object_name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new pipeline: `{"label", "displayOrder", "stages": [{"label", "displayOrder", "metadata"}]}`."""
        with self._state.lock:
            told = self._pipelines.create(self.object_type(object_name), body)
            self._shaped(caller, "create", "pipelines", object_name, [told["id"]])
            return told

    def update_pipeline(
        self,
        caller: Caller,
        object_name: str,
        pipeline_id: str,
        body: Mapping[str, Any],
        *,
        replace: bool = False,
    ) -> dict[str, Any]:
        """Change (or replace, with its stages) a pipeline; all its records are stamped anew."""
        with self._state.lock:
            told = self._pipelines.update(self.object_type(object_name), pipeline_id, body, replace=replace)
            self._shaped(caller, "update", "pipelines", object_name, [pipeline_id])
            return told

    def archive_pipeline(self, caller: Caller, object_name: str, pipeline_id: str) -> None:
        """Archive a pipeline; refused while records are in it."""
        with self._state.lock:
            self._pipelines.archive(self.object_type(object_name), pipeline_id)
            self._shaped(caller, "archive", "pipelines", object_name, [pipeline_id])

    def stages(self, object_name: str, pipeline_id: str) -> list[dict[str, Any]]:
        """The stages of a pipeline."""
        with self._state.lock:
            return self._pipelines.stages(self.object_type(object_name), pipeline_id)

    def stage(self, object_name: str, pipeline_id: str, stage_id: str) -> dict[str, Any]:
        """One stage; else 404."""
        with self._state.lock:
            return self._pipelines.stage(self.object_type(object_name), pipeline_id, stage_id)

    def create_stage(
        self, caller: Caller, object_name: str, pipeline_id: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A new stage."""
        with self._state.lock:
            told = self._pipelines.create_stage(self.object_type(object_name), pipeline_id, body)
            self._shaped(caller, "create", "stages", object_name, [told["id"]])
            return told

    def update_stage(
        self, caller: Caller, object_name: str, pipeline_id: str, stage_id: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change a stage; all records of the pipeline are stamped anew."""
        with self._state.lock:
            told = self._pipelines.update_stage(self.object_type(object_name), pipeline_id, stage_id, body)
            self._shaped(caller, "update", "stages", object_name, [stage_id])
            return told

    def archive_stage(self, caller: Caller, object_name: str, pipeline_id: str, stage_id: str) -> None:
        """Archive a stage; refused while records are in it."""
        with self._state.lock:
            self._pipelines.archive_stage(self.object_type(object_name), pipeline_id, stage_id)
            self._shaped(caller, "archive", "stages", object_name, [stage_id])

    # Hands of people in tests.

    def touch(self, object_name: str, ids: Iterable[str], stamp: datetime | None = None) -> None:
        """Give records one and the same modification stamp, as HubSpot's own recalculation does."""
        with self._state.lock:
            records = self._state.records(self.object_type(object_name))
            at = self._state.now() if stamp is None else milliseconds(stamp)
            for record_id in ids:
                row = records.find(str(record_id))
                if row is not None:
                    records.modified[row] = at

    def restore(self, object_name: str, record_id: str) -> None:
        """Take a record out of the recycle bin."""
        with self._state.lock:
            self._writer.restore(self.object_type(object_name), record_id)

    def archive_owner(self, owner_id: str) -> None:
        """Deactivate an owner: records keep pointing to it."""
        with self._state.lock:
            self._state.owners.archive(owner_id)

    def _shaped(
        self, caller: Caller, operation: str, what: str, object_name: str, names: Sequence[str]
    ) -> None:
        """Tell the journal of a change of the portal's shape: `companies.foretag_tier` of `properties`."""
        one = self.object_type(object_name)
        if self._state.journal is not None and names:
            told = [f"{one.name}.{name}" for name in names]
            self._state.journal.write(caller, operation, what, told, (), len(told))
