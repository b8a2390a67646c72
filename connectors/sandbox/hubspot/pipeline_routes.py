"""Pipelines and their stages over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.hubspot import shapes
from connectors.sandbox.hubspot.context import Call, Endpoint, found, no_content
from connectors.sandbox.hubspot.errors import resource_not_found
from connectors.sandbox.hubspot.scopes import reads_schema, writes_records

if TYPE_CHECKING:
    from starlette.responses import Response


def endpoints() -> list[Endpoint]:
    """The endpoints of this module."""
    return [
        Endpoint(
            "pipelines",
            "/{object}",
            {"GET": (pipelines, reads_schema), "POST": (create, writes_records)},
        ),
        Endpoint(
            "pipelines",
            "/{object}/{id}",
            {
                "GET": (pipeline, reads_schema),
                "PATCH": (update, writes_records),
                "PUT": (replace, writes_records),
                "DELETE": (archive, writes_records),
            },
        ),
        Endpoint(
            "pipelines",
            "/{object}/{id}/stages",
            {"GET": (stages, reads_schema), "POST": (create_stage, writes_records)},
        ),
        Endpoint(
            "pipelines",
            "/{object}/{id}/stages/{stage}",
            {
                "GET": (stage, reads_schema),
                "PATCH": (update_stage, writes_records),
                "PUT": (update_stage, writes_records),
                "DELETE": (archive_stage, writes_records),
            },
        ),
    ]


def pipelines(call: Call) -> Response:
    """GET /pipelines/{object}: all of them, as there are no pages."""
    return found({"results": call.portal.pipelines(call.params["object"])})


def pipeline(call: Call) -> Response:
    """GET /pipelines/{object}/{id}."""
    return found(call.portal.pipeline(call.params["object"], call.params["id"]))


def create(call: Call) -> Response:
    """POST /pipelines/{object}."""
    return found(
        call.portal.create_pipeline(call.caller, call.params["object"], call.json_in(shapes.PIPELINE)), 201
    )


def update(call: Call) -> Response:
    """PATCH /pipelines/{object}/{id}."""
    return _change(call, replace=False)


def replace(call: Call) -> Response:
    """PUT /pipelines/{object}/{id}: with all its stages."""
    return _change(call, replace=True)


def archive(call: Call) -> Response:
    """DELETE /pipelines/{object}/{id}."""
    call.portal.archive_pipeline(call.caller, call.params["object"], call.params["id"])
    return no_content()


def stages(call: Call) -> Response:
    """GET /pipelines/{object}/{id}/stages."""
    return found({"results": call.portal.stages(call.params["object"], call.params["id"])})


def stage(call: Call) -> Response:
    """GET /pipelines/{object}/{id}/stages/{stage}."""
    for one in call.portal.stages(call.params["object"], call.params["id"]):
        if one["id"] == call.params["stage"]:
            return found(one)
    raise resource_not_found()


def create_stage(call: Call) -> Response:
    """POST /pipelines/{object}/{id}/stages."""
    body = call.json_in(shapes.STAGE)
    return found(call.portal.create_stage(call.caller, call.params["object"], call.params["id"], body), 201)


def update_stage(call: Call) -> Response:
    """PATCH and PUT /pipelines/{object}/{id}/stages/{stage}."""
    kind, pipeline_id, stage_id = call.params["object"], call.params["id"], call.params["stage"]
    return found(
        call.portal.update_stage(call.caller, kind, pipeline_id, stage_id, call.json_in(shapes.STAGE))
    )


def archive_stage(call: Call) -> Response:
    """DELETE /pipelines/{object}/{id}/stages/{stage}."""
    call.portal.archive_stage(call.caller, call.params["object"], call.params["id"], call.params["stage"])
    return no_content()


def _change(call: Call, *, replace: bool) -> Response:
    kind, pipeline_id = call.params["object"], call.params["id"]
    body = call.json_in(shapes.PIPELINE)
    return found(call.portal.update_pipeline(call.caller, kind, pipeline_id, body, replace=replace))
