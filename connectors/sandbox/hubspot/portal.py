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
from connectors.sandbox.hubspot.portal_records import PortalRecords

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "STANDARD_TYPES", "Batch", "Caller", "Clock", "Faults", "Journal", "Listing", "ObjectType", "Person", "Portal",
    "SearchResult", "Source", "aliases",
]  # fmt: skip


class Portal(PortalRecords):
    """The portal. All methods are thread-safe; a refusal of the whole request raises `HubSpotError`.

    Wire dicts leave out nothing and add nothing but `url` and `paging.next.link`, which need the request. `object_name`
    is any alias of an object type. Lists of records are paged by `after`, always text; None begins.

    The account and its owners are in `PortalAccount`, records in `PortalRecords`; here is what admins shape.
    """

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

    # Association labels.

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

    def update_association_label(
        self, caller: Caller, from_type: str, to_type: str, body: Mapping[str, Any]
    ) -> None:
        """Another text for a label of the portal's own: `{"associationTypeId", "label", "inverseLabel"?}`."""
        with self._state.lock:
            self._associating.update_label(self.object_type(from_type), self.object_type(to_type), body)
            self._shaped(caller, "update", "association_labels", from_type, [str(body["associationTypeId"])])

    def remove_association_label(self, caller: Caller, from_type: str, to_type: str, type_id: str) -> None:
        """Take a label of the portal's own away, off every pair that has it."""
        with self._state.lock:
            self._associating.remove_label(self.object_type(from_type), self.object_type(to_type), type_id)
            self._shaped(caller, "archive", "association_labels", from_type, [type_id])

    # Pipelines.

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

    def _shaped(
        self, caller: Caller, operation: str, what: str, object_name: str, names: Sequence[str]
    ) -> None:
        """Tell the journal of a change of the portal's shape: `companies.foretag_tier` of `properties`."""
        one = self.object_type(object_name)
        if self._state.journal is not None and names:
            told = [f"{one.name}.{name}" for name in names]
            self._state.journal.write(caller, operation, what, told, (), len(told))
