"""Associations over HTTP: v4's and the dated numbers with labels, and v3's names, over the same links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.fault_kinds import TextObjectIds
from connectors.sandbox.hubspot import shapes
from connectors.sandbox.hubspot.addresses import DATED
from connectors.sandbox.hubspot.batches import batch_reply
from connectors.sandbox.hubspot.context import Call, Endpoint, found, no_content
from connectors.sandbox.hubspot.errors import invalid, resource_not_found
from connectors.sandbox.hubspot.paging import next_page, paged
from connectors.sandbox.hubspot.parties import Batch
from connectors.sandbox.hubspot.scopes import reads_links, writes_links
from connectors.sandbox.wire import notes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from connectors.sandbox.hubspot.context import Handlers
    from connectors.sandbox.hubspot.parties import Listing

_NEW = ("v4", DATED)


def endpoints() -> list[Endpoint]:
    """The endpoints of this module."""
    pair = "/{object}/{other}"
    one = "/{object}/{id}/associations"
    return [
        _links("definitions", "/all", {"GET": (no_configurations, lambda _call: ())}),
        _links("definitions", pair, {"GET": (no_configurations, reads_links)}),
        _links(
            "associations",
            f"{pair}/labels",
            {
                "GET": (labels, reads_links),
                "POST": (create_label, writes_links),
                "PUT": (update_label, writes_links),
            },
            *_NEW,
        ),
        _links(
            "associations", f"{pair}/labels/{{type_id}}", {"DELETE": (archive_label, writes_links)}, *_NEW
        ),
        _links("associations", f"{pair}/batch/read", {"POST": (read_batch, reads_links)}, *_NEW),
        _links("associations", f"{pair}/batch/create", {"POST": (create_batch, writes_links)}, *_NEW),
        _links(
            "associations",
            f"{pair}/batch/associate/default",
            {"POST": (create_default_batch, writes_links)},
            *_NEW,
        ),
        _links("associations", f"{pair}/batch/archive", {"POST": (archive_batch, writes_links)}, *_NEW),
        _links(
            "associations", f"{pair}/batch/labels/archive", {"POST": (archive_labels, writes_links)}, *_NEW
        ),
        _links("objects", f"{one}/{{other}}", {"GET": (read_one, reads_links)}, *_NEW),
        _links(
            "objects",
            f"{one}/default/{{other}}/{{other_id}}",
            {"PUT": (create_default, writes_links)},
            *_NEW,
        ),
        _links(
            "objects",
            f"{one}/{{other}}/{{other_id}}",
            {"PUT": (create_one, writes_links), "DELETE": (archive_one, writes_links)},
            *_NEW,
        ),
        _links("associations", f"{pair}/types", {"GET": (named_types, reads_links)}, "v3"),
        _links("associations", f"{pair}/batch/read", {"POST": (read_named, reads_links)}, "v3"),
        _links("associations", f"{pair}/batch/create", {"POST": (create_named, writes_links)}, "v3"),
        _links("associations", f"{pair}/batch/archive", {"POST": (archive_named, writes_links)}, "v3"),
        _links("objects", f"{one}/{{other}}", {"GET": (read_one_named, reads_links)}, "v3"),
        _links(
            "objects",
            f"{one}/{{other}}/{{other_id}}/{{name}}",
            {"PUT": (create_one_named, writes_links), "DELETE": (archive_one_named, writes_links)},
            "v3",
        ),
    ]


def _links(kind: str, path: str, handlers: Handlers, *versions: str) -> Endpoint:
    return Endpoint(kind, path, handlers, versions=versions, bucket="associations")


def _ends(call: Call) -> tuple[str, str]:
    return call.params["object"], call.params["other"]


# Numbers and labels.


def labels(call: Call) -> Response:
    """GET /associations/{from}/{to}/labels."""
    return found({"results": call.portal.association_labels(*_ends(call))})


def create_label(call: Call) -> Response:
    """POST /associations/{from}/{to}/labels: a label of the portal's own, both ways."""
    return found(
        {
            "results": call.portal.create_association_label(
                call.caller, *_ends(call), call.json_in(shapes.LABEL)
            )
        }
    )


def update_label(call: Call) -> Response:
    """PUT /associations/{from}/{to}/labels: 204, with another text for a label of the portal's own."""
    call.portal.update_association_label(call.caller, *_ends(call), call.json_in(shapes.RELABEL))
    return no_content()


def archive_label(call: Call) -> Response:
    """DELETE /associations/{from}/{to}/labels/{typeId}: 204, off every pair that has it."""
    call.portal.remove_association_label(call.caller, *_ends(call), call.params["type_id"])
    return no_content()


def no_configurations(_call: Call) -> Response:
    """GET /associations/definitions/configurations/...: no limits were set on any association."""
    return found({"results": []})


def read_batch(call: Call) -> Response:
    """POST /associations/{from}/{to}/batch/read: 200, or 207."""
    begun = call.context.clock()
    batch = call.portal.read_associations(*_ends(call), call.inputs(shapes.LINKED))
    results = [_numbered(_continued(call, result)) for result in batch.results]
    return batch_reply(call, begun, Batch(results, batch.errors))


def _page_of_one(call: Call) -> Listing:
    """A page of one record's associations, of 500 unless asked otherwise."""
    return call.portal.record_associations(
        call.params["object"],
        call.params["id"],
        call.params["other"],
        limit=call.whole("limit", 500),
        after=call.after(),
    )


def read_one(call: Call) -> Response:
    """GET /objects/{from}/{id}/associations/{to}: up to 500."""
    page = _page_of_one(call)
    return found(paged(call, _numbered({"to": page.results})["to"], page.after))


def create_batch(call: Call) -> Response:
    """POST /associations/{from}/{to}/batch/create: 201, or 207."""
    begun = call.context.clock()
    batch = call.portal.associate(call.caller, *_ends(call), call.inputs(shapes.LINKS))
    return batch_reply(call, begun, batch, 201)


def create_default_batch(call: Call) -> Response:
    """POST /associations/{from}/{to}/batch/associate/default: 200, or 207."""
    begun = call.context.clock()
    batch = call.portal.associate_default(call.caller, *_ends(call), call.inputs(shapes.LINKS))
    return batch_reply(call, begun, batch)


def archive_batch(call: Call) -> Response:
    """POST /associations/{from}/{to}/batch/archive: 204."""
    call.portal.disassociate(call.caller, *_ends(call), call.inputs(shapes.UNLINKS))
    return no_content()


def archive_labels(call: Call) -> Response:
    """POST /associations/{from}/{to}/batch/labels/archive: 204."""
    call.portal.remove_labels(call.caller, *_ends(call), call.inputs(shapes.LINKS))
    return no_content()


def create_one(call: Call) -> Response:
    """PUT /objects/{from}/{id}/associations/{to}/{id}, with a list of types."""
    types = call.json_in(shapes.TYPES)
    portal = call.portal
    batch = portal.associate(call.caller, *_ends(call), [{**_pair(call), "types": types}])
    _raise_first(batch)
    wanted = {one["associationTypeId"] for one in types}
    known = portal.association_labels(*_ends(call))
    body = {
        "fromObjectTypeId": call.object_type.type_id,
        "fromObjectId": int(call.params["id"]),
        "toObjectTypeId": portal.object_type(call.params["other"]).type_id,
        "toObjectId": int(call.params["other_id"]),
        "labels": [one["label"] for one in known if one["typeId"] in wanted and one["label"]],
    }
    return found(body, 201)


def create_default(call: Call) -> Response:
    """PUT /objects/{from}/{id}/associations/default/{to}/{id}: 200 with a batch of its own."""
    begun = call.context.clock()
    batch = call.portal.associate_default(call.caller, *_ends(call), [_pair(call)])
    return batch_reply(call, begun, batch)


def archive_one(call: Call) -> Response:
    """DELETE /objects/{from}/{id}/associations/{to}/{id}: every association of the pair."""
    pair = _pair(call)
    call.portal.disassociate(call.caller, *_ends(call), [{"from": pair["from"], "to": [pair["to"]]}])
    return no_content()


# Names, as v3 has them.


def named_types(call: Call) -> Response:
    """GET /associations/{from}/{to}/types."""
    return found(
        {
            "results": [
                {"id": str(number), "name": name}
                for number, name in call.portal.association_names(*_ends(call)).items()
            ]
        }
    )


def read_named(call: Call) -> Response:
    """POST /v3/associations/{from}/{to}/batch/read: one entry for each kind of association."""
    begun = call.context.clock()
    names = call.portal.association_names(*_ends(call))
    batch = call.portal.read_associations(*_ends(call), call.inputs(shapes.LINKED))
    results = [{"from": result["from"], "to": _named(result["to"], names)} for result in batch.results]
    return batch_reply(call, begun, Batch(results, batch.errors))


def create_named(call: Call) -> Response:
    """POST /v3/associations/{from}/{to}/batch/create: 201, or 207."""
    begun, inputs = call.context.clock(), call.inputs(shapes.LINKS)
    numbered = [
        {"from": one.get("from"), "to": one.get("to"), "types": [_type(call, str(one.get("type", "")))]}
        for one in inputs
    ]
    batch = call.portal.associate(call.caller, *_ends(call), numbered)
    results = [{"from": one["from"], "to": one["to"], "type": one["type"]} for one in inputs]
    return batch_reply(call, begun, Batch([] if batch.errors else results, batch.errors), 201)


def archive_named(call: Call) -> Response:
    """POST /v3/associations/{from}/{to}/batch/archive: 204."""
    inputs = [
        {"from": one.get("from"), "to": one.get("to"), "types": [_type(call, str(one.get("type", "")))]}
        for one in call.inputs(shapes.LINKS)
    ]
    call.portal.remove_labels(call.caller, *_ends(call), inputs)
    return no_content()


def read_one_named(call: Call) -> Response:
    """GET /v3/objects/{from}/{id}/associations/{to}."""
    page = _page_of_one(call)
    return found(paged(call, _named(page.results, call.portal.association_names(*_ends(call))), page.after))


def create_one_named(call: Call) -> Response:
    """PUT /v3/objects/{from}/{id}/associations/{to}/{id}/{type}: 200 with the record."""
    batch = call.portal.associate(
        call.caller, *_ends(call), [{**_pair(call), "types": [_type(call, call.params["name"])]}]
    )
    _raise_first(batch)
    return found(
        call.portal.get(call.params["object"], call.params["id"], associations=[call.params["other"]])
    )


def archive_one_named(call: Call) -> Response:
    """DELETE /v3/objects/{from}/{id}/associations/{to}/{id}/{type}: 204."""
    pair = {**_pair(call), "types": [_type(call, call.params["name"])]}
    call.portal.remove_labels(call.caller, *_ends(call), [pair])
    return no_content()


def _pair(call: Call) -> dict[str, dict[str, str]]:
    return {"from": {"id": call.params["id"]}, "to": {"id": call.params["other_id"]}}


def _raise_first(batch: Batch) -> None:
    """Refuse a single association as its batch of one was refused."""
    if batch.errors:
        error = batch.errors[0]
        if error["category"] == "OBJECT_NOT_FOUND":
            raise resource_not_found(error["message"])
        raise invalid(error["message"], context=error.get("context"))


def _type(call: Call, name: str) -> dict[str, Any]:
    """A kind of association by v3's name or by its number. Raises 400."""
    for number, known in call.portal.association_names(*_ends(call)).items():
        if name.lower() in {known, str(number)}:
            return {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number}
    raise invalid(f"No association type with name {name!r} exists between these objects")


def _named(to: list[dict[str, Any]], names: Mapping[int, str]) -> list[dict[str, str]]:
    return [
        {"id": str(one["toObjectId"]), "type": names[kind["typeId"]]}
        for one in to
        for kind in one["associationTypes"]
    ]


def _numbered(result: dict[str, Any]) -> dict[str, Any]:
    """Associated ids as numbers, or as text where a fault wants what the vendor's documents say."""
    if not any(isinstance(fault, TextObjectIds) for fault in notes().faults):
        return result
    return {**result, "to": [{**one, "toObjectId": str(one["toObjectId"])} for one in result["to"]]}


def _continued(call: Call, result: dict[str, Any]) -> dict[str, Any]:
    after = result.get("paging", {}).get("next", {}).get("after")
    if after is None:
        return result
    address = f"{call.base_url}/crm/v4/objects/{call.object_name}/{result['from']['id']}/associations/{call.other_name}"
    return {**result, "paging": next_page(address, str(after))}
