"""Properties, their groups and validation rules over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.hubspot import shapes
from connectors.sandbox.hubspot.batches import batch_reply
from connectors.sandbox.hubspot.context import Call, Endpoint, found, no_content
from connectors.sandbox.hubspot.scopes import reads_schema, writes_schema

if TYPE_CHECKING:
    from starlette.responses import Response


def endpoints() -> list[Endpoint]:
    """The endpoints of this module."""
    return [
        Endpoint(
            "properties",
            "/{object}",
            {"GET": (properties, reads_schema), "POST": (create, writes_schema)},
        ),
        Endpoint("properties", "/{object}/batch/create", {"POST": (create_batch, writes_schema)}),
        Endpoint("properties", "/{object}/batch/read", {"POST": (read_batch, reads_schema)}),
        Endpoint("properties", "/{object}/batch/archive", {"POST": (archive_batch, writes_schema)}),
        Endpoint(
            "properties",
            "/{object}/groups",
            {"GET": (groups, reads_schema), "POST": (create_group, writes_schema)},
        ),
        Endpoint(
            "properties",
            "/{object}/groups/{name}",
            {
                "GET": (group, reads_schema),
                "PATCH": (update_group, writes_schema),
                "DELETE": (archive_group, writes_schema),
            },
        ),
        Endpoint(
            "properties",
            "/{object}/{name}",
            {
                "GET": (one_property, reads_schema),
                "PATCH": (update, writes_schema),
                "DELETE": (archive, writes_schema),
            },
        ),
        Endpoint("validations", "/{object}", {"GET": (rules, reads_schema)}),
        Endpoint("validations", "/{object}/{name}", {"GET": (rules_of_one, reads_schema)}),
    ]


def properties(call: Call) -> Response:
    """GET /properties/{object}: all of them, as there are no pages. The portal has no sensitive ones."""
    if call.query.get("dataSensitivity", "non_sensitive").lower() != "non_sensitive":
        return found({"results": []})
    return found({"results": call.portal.properties(call.params["object"], archived=call.flag("archived"))})


def one_property(call: Call) -> Response:
    """GET /properties/{object}/{name}."""
    archived = call.flag("archived")
    return found(call.portal.property(call.params["object"], call.params["name"], archived=archived))


def create(call: Call) -> Response:
    """POST /properties/{object}."""
    return found(
        call.portal.create_property(call.caller, call.params["object"], call.json_in(shapes.DEFINITION)), 201
    )


def update(call: Call) -> Response:
    """PATCH /properties/{object}/{name}."""
    kind, name = call.params["object"], call.params["name"]
    return found(call.portal.update_property(call.caller, kind, name, call.json_in(shapes.DEFINITION)))


def archive(call: Call) -> Response:
    """DELETE /properties/{object}/{name}."""
    call.portal.archive_property(call.caller, call.params["object"], call.params["name"])
    return no_content()


def create_batch(call: Call) -> Response:
    """POST /properties/{object}/batch/create: 201, or 207."""
    begun = call.context.clock()
    batch = call.portal.create_properties(call.caller, call.params["object"], call.inputs(shapes.DEFINITIONS))
    return batch_reply(call, begun, batch, 201)


def read_batch(call: Call) -> Response:
    """POST /properties/{object}/batch/read: 200, or 207."""
    begun, body = call.context.clock(), call.json_in(shapes.NAMES)
    names, archived = [one["name"] for one in body["inputs"]], body.get("archived", False)
    return batch_reply(
        call, begun, call.portal.read_properties(call.params["object"], names, archived=archived)
    )


def archive_batch(call: Call) -> Response:
    """POST /properties/{object}/batch/archive: 204."""
    for name in [one["name"] for one in call.inputs(shapes.NAMES)]:
        call.portal.archive_property(call.caller, call.params["object"], name)
    return no_content()


def groups(call: Call) -> Response:
    """GET /properties/{object}/groups."""
    return found({"results": call.portal.groups(call.params["object"])})


def group(call: Call) -> Response:
    """GET /properties/{object}/groups/{name}."""
    return found(call.portal.group(call.params["object"], call.params["name"]))


def create_group(call: Call) -> Response:
    """POST /properties/{object}/groups."""
    return found(
        call.portal.create_group(call.caller, call.params["object"], call.json_in(shapes.DEFINITION)), 201
    )


def update_group(call: Call) -> Response:
    """PATCH /properties/{object}/groups/{name}."""
    kind, name = call.params["object"], call.params["name"]
    return found(call.portal.update_group(call.caller, kind, name, call.json_in(shapes.DEFINITION)))


def archive_group(call: Call) -> Response:
    """DELETE /properties/{object}/groups/{name}."""
    call.portal.archive_group(call.caller, call.params["object"], call.params["name"])
    return no_content()


def rules(call: Call) -> Response:
    """GET /property-validations/{object}: no property of the portal has rules beyond its type and options."""
    call.portal.object_type(call.params["object"])
    return found({"results": []})


def rules_of_one(call: Call) -> Response:
    """GET /property-validations/{object}/{name}; 404 for a property that does not exist."""
    call.portal.property(call.params["object"], call.params["name"])
    return found({"results": []})
