"""One HubSpot portal in memory, without HTTP: what it tells, what changes it, and how its admins shape it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from connectors.sandbox.datasets.hubspot import Dataset

__all__ = [
    "STANDARD_TYPES", "Batch", "Caller", "Clock", "Faults", "Journal", "Listing", "ObjectType", "Person", "Portal",
    "SearchResult", "Source", "aliases",
]  # fmt: skip


class Portal:
    """The portal. All methods are thread-safe; a refusal of the whole request raises `HubSpotError`.

    Wire dicts leave out nothing and add nothing but `url` and `paging.next.link`, which need the request. `type`
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
        raise NotImplementedError

    def object_type(self, alias: str) -> ObjectType:
        """The type that a path calls so (plural, singular, type id, `p_name`; any case); else 400."""
        raise NotImplementedError

    def account_details(self) -> dict[str, Any]:
        """GET account-info/details."""
        raise NotImplementedError

    # Records.

    def list_records(
        self,
        type: str,
        *,
        limit: int = 10,
        after: str | None = None,
        archived: bool = False,
        properties: Sequence[str] = (),
        history: Sequence[str] = (),
        associations: Sequence[str] = (),
    ) -> Listing:
        """One page by id. No `properties` means the type's defaults. 400 above 100 (50 with history)."""
        raise NotImplementedError

    def get(
        self,
        type: str,
        record_id: str,
        *,
        archived: bool = False,
        properties: Sequence[str] = (),
        history: Sequence[str] = (),
        associations: Sequence[str] = (),
        id_property: str | None = None,
    ) -> dict[str, Any]:
        """One record; the id of one that was merged away gives the winner. 404 if there is none."""
        raise NotImplementedError

    def read_batch(
        self,
        type: str,
        inputs: Sequence[Mapping[str, Any]],
        *,
        properties: Sequence[str] = (),
        history: Sequence[str] = (),
        id_property: str | None = None,
        archived: bool = False,
    ) -> Batch:
        """Up to 100 records (50 with history) by `{"id"}`; ids that do not exist are one error."""
        raise NotImplementedError

    def create_one(
        self, caller: Caller, type: str, body: Mapping[str, Any], *, source: Source = "INTEGRATION"
    ) -> dict[str, Any]:
        """`{"properties", "associations"?}` as a new record, told with its computed properties."""
        raise NotImplementedError

    def create(
        self,
        caller: Caller,
        type: str,
        inputs: Sequence[Mapping[str, Any]],
        *,
        source: Source = "INTEGRATION",
    ) -> Batch:
        """Up to 100 new records. Errors by input only if each has its own `objectWriteTraceId`; else one fails all."""
        raise NotImplementedError

    def update_one(
        self,
        caller: Caller,
        type: str,
        record_id: str,
        properties: Mapping[str, Any],
        *,
        id_property: str | None = None,
        source: Source = "INTEGRATION",
    ) -> dict[str, Any]:
        """Change one record, told with what was changed; follows a merged id to the winner. 404 if there is none."""
        raise NotImplementedError

    def update(
        self,
        caller: Caller,
        type: str,
        inputs: Sequence[Mapping[str, Any]],
        *,
        source: Source = "INTEGRATION",
    ) -> Batch:
        """Change up to 100 records by `{"id", "idProperty"?, "properties"}`; one bad value fails them all (400).

        Ids that do not exist are errors; ids of records that were merged away are neither results nor errors.
        """
        raise NotImplementedError

    def upsert(
        self,
        caller: Caller,
        type: str,
        inputs: Sequence[Mapping[str, Any]],
        *,
        source: Source = "INTEGRATION",
    ) -> Batch:
        """Change or make up to 100 records by a unique property; results carry `new`."""
        raise NotImplementedError

    def archive(self, caller: Caller, type: str, ids: Iterable[str]) -> None:
        """Put records into the recycle bin; ids that do not exist or are there already are passed over."""
        raise NotImplementedError

    def merge(self, caller: Caller, type: str, primary_id: str, other_id: str) -> dict[str, Any]:
        """Merge the other record into the primary one, and tell the winner."""
        raise NotImplementedError

    def search(self, type: str, body: Mapping[str, Any]) -> SearchResult:
        """Find living records by a search body (`filterGroups` or `filters`, `sorts`, `query`, `limit`, `after`)."""
        raise NotImplementedError

    # Associations.

    def read_associations(self, from_type: str, to_type: str, inputs: Sequence[Mapping[str, Any]]) -> Batch:
        """Up to 1,000 records' associations as `{"from", "to": [{"toObjectId", "associationTypes"}], "paging"?}`.

        Records without any are absent. `paging.next.after` goes back in as the input's `after`.
        """
        raise NotImplementedError

    def record_associations(
        self, from_type: str, record_id: str, to_type: str, *, limit: int = 500, after: str | None = None
    ) -> Listing:
        """One record's associations as `{"toObjectId", "associationTypes"}`, by id."""
        raise NotImplementedError

    def associate(
        self, caller: Caller, from_type: str, to_type: str, inputs: Sequence[Mapping[str, Any]]
    ) -> Batch:
        """Up to 2,000 labelled associations: `{"from": {"id"}, "to": {"id"}, "types": [...]}`."""
        raise NotImplementedError

    def associate_default(
        self, caller: Caller, from_type: str, to_type: str, inputs: Sequence[Mapping[str, Any]]
    ) -> Batch:
        """Up to 2,000 associations of the default type: `{"from": {"id"}, "to": {"id"}}`."""
        raise NotImplementedError

    def disassociate(
        self, caller: Caller, from_type: str, to_type: str, inputs: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take all associations away between `{"from": {"id"}, "to": [{"id"}]}`."""
        raise NotImplementedError

    def remove_labels(
        self, caller: Caller, from_type: str, to_type: str, inputs: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take these `types` away between `{"from": {"id"}, "to": {"id"}, "types": [...]}`."""
        raise NotImplementedError

    def association_labels(self, from_type: str, to_type: str) -> list[dict[str, Any]]:
        """The types from one object type to another: `{"category", "typeId", "label"}`."""
        raise NotImplementedError

    # Properties and groups.

    def properties(self, type: str, *, archived: bool = False) -> list[dict[str, Any]]:
        """All properties of a type, living or archived."""
        raise NotImplementedError

    def property(self, type: str, name: str, *, archived: bool = False) -> dict[str, Any]:
        """One property; else 404."""
        raise NotImplementedError

    def create_property(self, caller: Caller, type: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new custom property; 409 if the name is taken."""
        raise NotImplementedError

    def create_properties(self, caller: Caller, type: str, inputs: Sequence[Mapping[str, Any]]) -> Batch:
        """Several new custom properties, errors by property."""
        raise NotImplementedError

    def read_properties(self, type: str, names: Sequence[str], *, archived: bool = False) -> Batch:
        """Several properties by name, errors for unknown ones."""
        raise NotImplementedError

    def update_property(
        self, caller: Caller, type: str, name: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change a property's label, group, options and the like; 404."""
        raise NotImplementedError

    def archive_property(self, caller: Caller, type: str, name: str) -> None:
        """Archive a custom property: its values are no longer told or taken."""
        raise NotImplementedError

    def groups(self, type: str) -> list[dict[str, Any]]:
        """The property groups of a type."""
        raise NotImplementedError

    def group(self, type: str, name: str) -> dict[str, Any]:
        """One property group; else 404."""
        raise NotImplementedError

    def create_group(self, caller: Caller, type: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new property group; 409 if the name is taken."""
        raise NotImplementedError

    def update_group(self, caller: Caller, type: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change a group's label and place; 404."""
        raise NotImplementedError

    def archive_group(self, caller: Caller, type: str, name: str) -> None:
        """Archive a property group; 404."""
        raise NotImplementedError

    def property_limits(self) -> dict[str, Any]:
        """GET limits/custom-properties: how many custom properties there may be, and are."""
        raise NotImplementedError

    # Owners, teams, pipelines.

    def owners(
        self, *, archived: bool = False, email: str | None = None, after: str | None = None, limit: int = 100
    ) -> Listing:
        """One page of owners by id, living or archived (whose userId is null)."""
        raise NotImplementedError

    def owner(self, owner_id: str, *, id_property: str = "id", archived: bool = False) -> dict[str, Any]:
        """One owner by `id` or `userId`; else 404."""
        raise NotImplementedError

    def teams(self) -> list[dict[str, Any]]:
        """The teams: `{"id", "name", "userIds", "secondaryUserIds"}`."""
        raise NotImplementedError

    def pipelines(self, type: str) -> list[dict[str, Any]]:
        """The living pipelines of deals or tickets with their stages; none for other types."""
        raise NotImplementedError

    def pipeline(self, type: str, pipeline_id: str) -> dict[str, Any]:
        """One pipeline; else 404."""
        raise NotImplementedError

    def create_pipeline(self, caller: Caller, type: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new pipeline: `{"label", "displayOrder", "stages": [{"label", "displayOrder", "metadata"}]}`."""
        raise NotImplementedError

    def update_pipeline(
        self, caller: Caller, type: str, pipeline_id: str, body: Mapping[str, Any], *, replace: bool = False
    ) -> dict[str, Any]:
        """Change (or replace, with its stages) a pipeline; all its records are stamped anew."""
        raise NotImplementedError

    def archive_pipeline(self, caller: Caller, type: str, pipeline_id: str) -> None:
        """Archive a pipeline; refused while records are in it."""
        raise NotImplementedError

    def stages(self, type: str, pipeline_id: str) -> list[dict[str, Any]]:
        """The stages of a pipeline."""
        raise NotImplementedError

    def create_stage(
        self, caller: Caller, type: str, pipeline_id: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A new stage."""
        raise NotImplementedError

    def update_stage(
        self, caller: Caller, type: str, pipeline_id: str, stage_id: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change a stage; all records of the pipeline are stamped anew."""
        raise NotImplementedError

    def archive_stage(self, caller: Caller, type: str, pipeline_id: str, stage_id: str) -> None:
        """Archive a stage; refused while records are in it."""
        raise NotImplementedError

    # Hands of people in tests.

    def touch(self, type: str, ids: Iterable[str], stamp: datetime | None = None) -> None:
        """Give records one and the same modification stamp, as HubSpot's own recalculation does."""
        raise NotImplementedError

    def restore(self, type: str, record_id: str) -> None:
        """Take a record out of the recycle bin."""
        raise NotImplementedError

    def archive_owner(self, owner_id: str) -> None:
        """Deactivate an owner: records keep pointing to it."""
        raise NotImplementedError
