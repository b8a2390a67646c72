"""A portal's records as the API reads, writes, searches and associates them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.merging import merge
from connectors.sandbox.hubspot.portal_account import PortalAccount
from connectors.sandbox.hubspot.stamps import milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from connectors.sandbox.hubspot.parties import Batch, Caller, Listing, SearchResult, Source


class PortalRecords(PortalAccount):
    """Reads and writes of records; a refusal of the whole request raises `HubSpotError`."""

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
        """One record; the id of one that was merged gives what it became part of. 404 if there is none."""
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
        """Merge two records into a new one, and tell it; what both hold comes from the primary one."""
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

        Records without any are errors. `paging.next.after` goes back in as the input's `after`.
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

    def tell_missing_associations(self, *, tells: bool) -> None:
        """Whether batch reads of associations tell records without any as errors (207); at first they do."""
        with self._state.lock:
            self._associating.tells_missing = tells

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

    def plant(self, object_name: str, record_id: str, name: str, value: str | None) -> None:
        """Put a value into a property as it is: portals hold what older checks let through. No stamp moves."""
        with self._state.lock:
            records = self._state.records(self.object_type(object_name))
            records.set(records.row_of(int(record_id)), name, value)

    def restore(self, object_name: str, record_id: str) -> None:
        """Take a record out of the recycle bin."""
        with self._state.lock:
            self._writer.restore(self.object_type(object_name), record_id)
