"""What a portal consists of: rows, associations, schema, pipelines, owners, its time and currencies."""

from __future__ import annotations

import threading
from copy import deepcopy
from typing import TYPE_CHECKING

from connectors.sandbox.hubspot.association_types import AssociationTypes
from connectors.sandbox.hubspot.definitions import Property, with_options
from connectors.sandbox.hubspot.errors import HubSpotError
from connectors.sandbox.hubspot.history import Beginnings
from connectors.sandbox.hubspot.links import Links
from connectors.sandbox.hubspot.owners import Owners
from connectors.sandbox.hubspot.records import Records
from connectors.sandbox.hubspot.schema import STAGE_PROPERTIES, Schema, stage_properties
from connectors.sandbox.hubspot.stamps import milliseconds
from connectors.sandbox.hubspot.unindexed import Unindexed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from connectors.sandbox.datasets.hubspot import Dataset
    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.parties import Caller, Clock, Faults, Journal
    from connectors.sandbox.hubspot.stages import Pipeline, Stage

# First id and step between ids, by type: large numbers with gaps, as in a portal that has lived for years. Ids of
# different types may be equal.
_IDS = {
    "contacts": (51, 3),
    "companies": (8_214_503_311, 7),
    "deals": (11_467_902_885, 3),
    "products": (1_288_340_117, 11),
    "line_items": (8_214_503_318, 2),
    "tasks": (40_115_220_903, 5),
}
_OTHER_IDS = (21_700_418_065, 5)


class State:
    """The parts of a portal, before anybody reads or writes. Hold `lock` for as long as one state must be seen."""

    def __init__(
        self, dataset: Dataset, clock: Clock, portal_id: int, faults: Faults | None, journal: Journal | None
    ) -> None:
        self.id, self.clock, self.faults, self.journal = portal_id, clock, faults, journal
        self.lock = threading.RLock()
        self.schema, self.links, self.kinds = Schema(), Links(), AssociationTypes()
        self.tables = {name: Records(*_IDS.get(name, _OTHER_IDS)) for name in self.schema.types}
        self.unindexed = {name: Unindexed() for name in self.schema.types}
        self.owners = Owners(dataset.owners)
        self.pipelines: dict[str, dict[str, Pipeline]] = {}
        self.currency = "USD"
        # Units of the home currency for one of each other currency that the portal uses.
        self.exchange_rates: dict[str, float] = {}
        self._load(dataset)

    def _load(self, dataset: Dataset) -> None:
        for type_name, one in dataset.properties:
            self.schema.put(type_name, one)
        for (type_name, name), more in dataset.choices.items():
            self.schema.put(type_name, with_options(self.schema.properties[type_name][name], more))
        for type_name, pipelines in dataset.pipelines.items():
            # Copies, as admins change them: a data set may be loaded twice.
            self.pipelines[type_name] = {one.id: deepcopy(one) for one in pipelines}
            self.describe_stages(type_name)
        for type_name, rows in dataset.tables.items():
            records = self.tables[type_name]
            records.load(rows.ids, rows.columns, rows.created, rows.modified)
            records.history.beginnings = {
                name: Beginnings(values, stamps) for name, (values, stamps) in rows.beginnings.items()
            }
        for type_name, properties in self.schema.properties.items():
            for one in properties.values():
                if one.unique:
                    self.tables[type_name].index(one.name)
        for link in dataset.links:
            pairs = list(zip(link.from_ids, link.to_ids, strict=True))
            self.links.load(link.from_type, link.to_type, pairs, link.kinds)
            self.links.load(link.to_type, link.from_type, ((two, one) for one, two in pairs), link.kinds_back)

    def describe_stages(self, type_name: str) -> None:
        """Give a type the properties that come with its stages."""
        group = self.schema.properties[type_name][STAGE_PROPERTIES[type_name][0]].group
        for pipeline in self.pipelines[type_name].values():
            for stage in pipeline.stages.values():
                for one in stage_properties(stage.id, stage.label, group):
                    if self.schema.find(type_name, one.name) is None:
                        self.schema.put(type_name, one)

    def now(self) -> int:
        """The portal's time in milliseconds."""
        return milliseconds(self.clock())

    def records(self, one: ObjectType) -> Records:
        """The rows of a type."""
        return self.tables[one.name]

    def stage_of(self, type_name: str, row: int) -> Stage | None:
        """The stage that a record is in."""
        names = STAGE_PROPERTIES.get(type_name)
        if names is None:
            return None
        records = self.tables[type_name]
        return self.stage(type_name, records.value(row, names[0]))

    def stage(self, type_name: str, stage_id: str | None) -> Stage | None:
        """The stage of this id, in whatever pipeline."""
        for pipeline in self.pipelines.get(type_name, {}).values():
            found = pipeline.stages.get(stage_id or "")
            if found is not None:
                return found
        return None

    def allowed(self, type_name: str, one: Property) -> Collection[str]:
        """The values that an enumeration takes now."""
        if one.refers is None:
            return one.values if len(one.options) > 20 else [option.value for option in one.options]
        living = [each for each in self.pipelines.get(type_name, {}).values() if not each.archived]
        if one.refers == "pipeline":
            return [each.id for each in living]
        if one.refers == "stage":
            return [stage.id for each in living for stage in each.living()]
        if one.refers == "owner":
            return self.owners.active_ids()
        if one.refers == "team":
            return [team["id"] for team in self.owners.teams()]
        return [self.currency, *self.exchange_rates]

    def read_only(self, type_name: str, one: Property) -> bool:
        """Whether nobody may write a property, now."""
        suddenly = self.faults.read_only_fields(type_name) if self.faults is not None else ()
        return one.read_only or one.calculated or one.name in suddenly

    def check_lock(self, ids: Iterable[int]) -> None:
        """Refuse the call if one of the records is locked: 423, for two seconds."""
        if self.faults is not None and any(self.faults.lock_row(str(one)) for one in ids):
            raise HubSpotError(
                "LOCKED", "The resource is locked by another request. Please try again in a few seconds."
            )

    def note(
        self,
        caller: Caller,
        operation: str,
        one: ObjectType,
        ids: Sequence[int],
        fields: Iterable[str],
        changed: int,
    ) -> None:
        """Tell the journal of an effective write."""
        if self.journal is not None and ids:
            self.journal.write(
                caller, operation, one.name, [str(record_id) for record_id in ids], tuple(fields), changed
            )

    def remember(self, type_name: str, row: int, *, new: bool = False) -> None:
        """Before a change: keep what search still tells of the row, while its index lags."""
        delay = self.faults.commit_delay(type_name) if self.faults is not None else None
        if delay:
            seen_at = self.now() + int(delay.total_seconds() * 1000)
            self.unindexed[type_name].keep(self.tables[type_name], row, seen_at, new=new)
