"""Pipelines and stages as admins make, change and archive them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.errors import HubSpotError, invalid, resource_not_found
from connectors.sandbox.hubspot.schema import STAGE_PROPERTIES
from connectors.sandbox.hubspot.stages import Pipeline, Stage, metadata_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.sandbox.hubspot.object_types import ObjectType
    from connectors.sandbox.hubspot.state import State

MAX_STAGES = 100
_REQUIRED_METADATA = {"deals": "probability", "tickets": "ticketState"}
_FIRST_NEW_ID = 1_184_903_301


class PipelineAdmin:
    """The pipelines of one portal. The caller holds the lock."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._next_id = _FIRST_NEW_ID

    def all(self, one: ObjectType) -> list[dict[str, Any]]:
        """The living pipelines."""
        found = [each for each in self._state.pipelines.get(one.name, {}).values() if not each.archived]
        return [each.wire() for each in sorted(found, key=lambda each: (each.display_order, each.id))]

    def get(self, one: ObjectType, pipeline_id: str) -> dict[str, Any]:
        """One pipeline."""
        return self._pipeline(one, pipeline_id).wire()

    def create(self, one: ObjectType, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new pipeline with its stages."""
        if one.name not in STAGE_PROPERTIES:
            raise invalid(f"{one.plural_label} have no pipelines")
        _check_label(body)
        now = self._state.now()
        self._check_name(one, str(body["label"]), None)
        pipeline = Pipeline(
            self._new_id(body, "pipelineId"), str(body["label"]), int(body.get("displayOrder") or 0), now, now
        )
        for stage in body.get("stages") or ():
            self._add_stage(one, pipeline, stage)
        self._state.pipelines.setdefault(one.name, {})[pipeline.id] = pipeline
        self._state.describe_stages(one.name)
        return pipeline.wire()

    def update(
        self, one: ObjectType, pipeline_id: str, body: Mapping[str, Any], *, replace: bool
    ) -> dict[str, Any]:
        """Change a pipeline; with `replace`, its stages too: those not named are archived."""
        pipeline = self._pipeline(one, pipeline_id)
        if replace:
            _check_label(body)
        if body.get("label"):
            self._check_name(one, str(body["label"]), pipeline_id)
            pipeline.label = str(body["label"])
        if body.get("displayOrder") is not None:
            pipeline.display_order = int(body["displayOrder"])
        if replace:
            self._replace_stages(one, pipeline, body)
        self._edited(one, pipeline)
        return pipeline.wire()

    def archive(self, one: ObjectType, pipeline_id: str) -> None:
        """Archive a pipeline that no record is in."""
        pipeline = self._pipeline(one, pipeline_id)
        self._check_unused(one, STAGE_PROPERTIES[one.name][1], pipeline_id)
        pipeline.archived = True

    def stages(self, one: ObjectType, pipeline_id: str) -> list[dict[str, Any]]:
        """The living stages of a pipeline."""
        return [stage.wire() for stage in self._pipeline(one, pipeline_id).living()]

    def stage(self, one: ObjectType, pipeline_id: str, stage_id: str) -> dict[str, Any]:
        """One stage."""
        return self._stage(self._pipeline(one, pipeline_id), stage_id).wire()

    def create_stage(self, one: ObjectType, pipeline_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new stage."""
        pipeline = self._pipeline(one, pipeline_id)
        stage = self._add_stage(one, pipeline, body)
        self._state.describe_stages(one.name)
        self._edited(one, pipeline)
        return stage.wire()

    def update_stage(
        self, one: ObjectType, pipeline_id: str, stage_id: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change a stage."""
        pipeline = self._pipeline(one, pipeline_id)
        stage = self._stage(pipeline, stage_id)
        if body.get("label"):
            stage.label = str(body["label"])
        if body.get("displayOrder") is not None:
            stage.display_order = int(body["displayOrder"])
        stage.metadata |= _checked_metadata(one, stage.metadata | metadata_of(body))
        stage.updated = self._state.now()
        self._edited(one, pipeline)
        return stage.wire()

    def archive_stage(self, one: ObjectType, pipeline_id: str, stage_id: str) -> None:
        """Archive a stage that no record is in."""
        pipeline = self._pipeline(one, pipeline_id)
        stage = self._stage(pipeline, stage_id)
        self._check_unused(one, STAGE_PROPERTIES[one.name][0], stage_id)
        stage.archived = True
        self._edited(one, pipeline)

    def _pipeline(self, one: ObjectType, pipeline_id: str) -> Pipeline:
        found = self._state.pipelines.get(one.name, {}).get(pipeline_id)
        if found is None or found.archived:
            raise resource_not_found(f"No pipeline with ID '{pipeline_id}'")
        return found

    @staticmethod
    def _stage(pipeline: Pipeline, stage_id: str) -> Stage:
        found = pipeline.stages.get(stage_id)
        if found is None or found.archived:
            raise resource_not_found(f"No stage with ID '{stage_id}' in pipeline '{pipeline.id}'")
        return found

    def _check_name(self, one: ObjectType, label: str, pipeline_id: str | None) -> None:
        for other in self._state.pipelines.get(one.name, {}).values():
            if other.label == label and other.id != pipeline_id and not other.archived:
                raise HubSpotError("CONFLICT", f"A pipeline with the label '{label}' already exists.")

    def _check_unused(self, one: ObjectType, name: str, value: str) -> None:
        records = self._state.records(one)
        column = records.columns.get(name, [])
        users = [str(records.ids[row]) for row in records.living() if column and column[row] == value]
        if users:
            raise invalid(
                f"{value} is still used by {len(users)} {one.plural_label.lower()}",
                context={"ids": users[:100]},
            )

    def _add_stage(self, one: ObjectType, pipeline: Pipeline, body: Mapping[str, Any]) -> Stage:
        _check_label(body)
        if len(pipeline.living()) >= MAX_STAGES:
            raise invalid(f"A pipeline can have at most {MAX_STAGES} stages")
        metadata = _checked_metadata(one, metadata_of(body))
        now = self._state.now()
        place = int(body.get("displayOrder", len(pipeline.stages)))
        stage = Stage(self._new_id(body, "stageId"), str(body["label"]), place, metadata, now, now)
        pipeline.stages[stage.id] = stage
        return stage

    def _replace_stages(self, one: ObjectType, pipeline: Pipeline, body: Mapping[str, Any]) -> None:
        wanted = body.get("stages") or ()
        kept = {str(each.get("stageId") or each.get("id") or "") for each in wanted}
        for stage in pipeline.living():
            if stage.id not in kept:
                self._check_unused(one, STAGE_PROPERTIES[one.name][0], stage.id)
                stage.archived = True
        for each in wanted:
            held = pipeline.stages.get(str(each.get("stageId") or each.get("id") or ""))
            if held is None:
                self._add_stage(one, pipeline, each)
                continue
            held.label, held.archived = str(each.get("label") or held.label), False
            held.display_order = int(each.get("displayOrder", held.display_order))
            held.metadata |= _checked_metadata(one, held.metadata | metadata_of(each))
        self._state.describe_stages(one.name)

    def _edited(self, one: ObjectType, pipeline: Pipeline) -> None:
        """An edit stamps the pipeline, and all records that are in it at once."""
        pipeline.updated = now = self._state.now()
        records = self._state.records(one)
        column = records.columns.get(STAGE_PROPERTIES[one.name][1], [])
        for row in records.living():
            if column and column[row] == pipeline.id:
                self._state.remember(one.name, row)
                records.modified[row] = now

    def _new_id(self, body: Mapping[str, Any], key: str) -> str:
        given = body.get(key)
        if given:
            return str(given)
        self._next_id += 1
        return str(self._next_id)


def _check_label(body: Mapping[str, Any]) -> None:
    if not body.get("label"):
        raise invalid("Invalid input JSON. Some required fields were not set: [label]")


def _checked_metadata(one: ObjectType, metadata: dict[str, str]) -> dict[str, str]:
    """Metadata with what HubSpot derives: a deal stage is closed if it is won or lost for certain."""
    required = _REQUIRED_METADATA[one.name]
    if required not in metadata:
        raise invalid(f"Stage metadata must contain {required}")
    if one.name == "tickets":
        return metadata
    try:
        probability = float(metadata[required])
    except ValueError:
        probability = -1.0
    if not 0 <= probability <= 1:
        raise invalid(f"Stage probability must be between 0.0 and 1.0, not {metadata[required]}")
    return {
        **metadata,
        "isClosed": metadata.get("isClosed") or ("true" if probability in {0.0, 1.0} else "false"),
    }
