"""Records over HTTP: lists, single records, batches, search and merge, the same for every object type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.fault_kinds import ShortPages
from connectors.sandbox.hubspot import shapes
from connectors.sandbox.hubspot.batches import batch_reply, written
from connectors.sandbox.hubspot.context import Call, Endpoint, found, no_content
from connectors.sandbox.hubspot.outgoing import shown
from connectors.sandbox.hubspot.paging import paged
from connectors.sandbox.hubspot.parties import Batch
from connectors.sandbox.hubspot.records import number_of
from connectors.sandbox.hubspot.scopes import reads_records, writes_records
from connectors.sandbox.wire import notes

if TYPE_CHECKING:
    from starlette.responses import Response


def endpoints() -> list[Endpoint]:
    """The endpoints of this module."""
    return [
        Endpoint(
            "objects",
            "/{object}",
            {"GET": (list_records, reads_records), "POST": (create, writes_records)},
        ),
        Endpoint("objects", "/{object}/search", {"POST": (search, reads_records)}, bucket="search"),
        Endpoint("objects", "/{object}/merge", {"POST": (merge, writes_records)}),
        Endpoint("objects", "/{object}/batch/read", {"POST": (read_batch, reads_records)}),
        Endpoint("objects", "/{object}/batch/create", {"POST": (create_batch, writes_records)}),
        Endpoint("objects", "/{object}/batch/update", {"POST": (update_batch, writes_records)}),
        Endpoint("objects", "/{object}/batch/upsert", {"POST": (upsert_batch, writes_records)}),
        Endpoint("objects", "/{object}/batch/archive", {"POST": (archive_batch, writes_records)}),
        Endpoint(
            "objects",
            "/{object}/{id}",
            {
                "GET": (get, reads_records),
                "PATCH": (update, writes_records),
                "DELETE": (archive, writes_records),
            },
        ),
    ]


def list_records(call: Call) -> Response:
    """GET /{object}: one page by id."""
    page = call.portal.list_records(
        call.params["object"],
        limit=_limit(call.whole("limit", 10)),
        after=call.after(),
        archived=call.flag("archived"),
        properties=call.names("properties"),
        history=call.names("propertiesWithHistory"),
        associations=call.names("associations"),
    )
    return found(paged(call, shown(call, page.results), page.after))


def get(call: Call) -> Response:
    """GET /{object}/{id}, or by a unique property."""
    record = call.portal.get(
        call.params["object"],
        call.params["id"],
        archived=call.flag("archived"),
        properties=call.names("properties"),
        history=call.names("propertiesWithHistory"),
        associations=call.names("associations"),
        id_property=call.query.get("idProperty"),
    )
    return found(shown(call, [record])[0])


def create(call: Call) -> Response:
    """POST /{object}."""
    record = call.portal.create_one(call.caller, call.params["object"], call.json_in(shapes.RECORD))
    response = found(shown(call, [record])[0], 201)
    response.headers["Location"] = f"{call.base_url}{call.path}/{record['id']}"
    return response


def update(call: Call) -> Response:
    """PATCH /{object}/{id}."""
    record = call.portal.update_one(
        call.caller,
        call.params["object"],
        call.params["id"],
        call.json_in(shapes.CHANGE)["properties"],
        id_property=call.query.get("idProperty"),
    )
    return found(shown(call, [record])[0])


def archive(call: Call) -> Response:
    """DELETE /{object}/{id}: into the recycle bin."""
    call.portal.archive(call.caller, call.params["object"], [call.params["id"]])
    return no_content()


def merge(call: Call) -> Response:
    """POST /{object}/merge."""
    body = call.json_in(shapes.MERGE)
    record = call.portal.merge(
        call.caller, call.params["object"], body["primaryObjectId"], body["objectIdToMerge"]
    )
    return found(shown(call, [record])[0])


def search(call: Call) -> Response:
    """POST /{object}/search. Its pages have a cursor, but no link."""
    body = call.json_in(shapes.SEARCH)
    body["limit"] = _limit(body.get("limit", 10))
    result = call.portal.search(call.params["object"], body)
    first = body.get("after", "0")
    records = shown(call, result.results, links=False, first=number_of(first) or 0)
    page: dict[str, Any] = {"total": result.total, "results": records}
    if result.after is not None:
        page["paging"] = {"next": {"after": result.after}}
    return found(page)


def read_batch(call: Call) -> Response:
    """POST /{object}/batch/read: 200, or 207 where some are missing."""
    begun, body = call.context.clock(), call.json_in(shapes.INPUTS)
    batch = call.portal.read_batch(
        call.params["object"],
        body["inputs"],
        properties=body.get("properties", ()),
        history=body.get("propertiesWithHistory", ()),
        id_property=body.get("idProperty"),
        archived=call.flag("archived"),
    )
    return batch_reply(call, begun, _shown(call, batch))


def create_batch(call: Call) -> Response:
    """POST /{object}/batch/create: 201, or 207."""
    begun, kind = call.context.clock(), call.params["object"]
    batch = written(
        call,
        call.inputs(shapes.INPUTS),
        lambda inputs: call.portal.create(call.caller, kind, inputs),
        traced=True,
    )
    return batch_reply(call, begun, _shown(call, batch), 201)


def update_batch(call: Call) -> Response:
    """POST /{object}/batch/update: 200, or 207."""
    begun, kind = call.context.clock(), call.params["object"]
    batch = written(
        call, call.inputs(shapes.INPUTS), lambda inputs: call.portal.update(call.caller, kind, inputs)
    )
    return batch_reply(call, begun, _shown(call, batch))


def upsert_batch(call: Call) -> Response:
    """POST /{object}/batch/upsert: 200, or 207."""
    begun, kind = call.context.clock(), call.params["object"]
    batch = written(
        call, call.inputs(shapes.INPUTS), lambda inputs: call.portal.upsert(call.caller, kind, inputs)
    )
    return batch_reply(call, begun, _shown(call, batch))


def archive_batch(call: Call) -> Response:
    """POST /{object}/batch/archive: 204."""
    begun, kind = call.context.clock(), call.params["object"]

    def archived(inputs: Any) -> Batch:
        call.portal.archive(call.caller, kind, [str(one.get("id", "")) for one in inputs])
        return Batch([], [])

    batch = written(call, call.inputs(shapes.INPUTS), archived)
    return batch_reply(call, begun, batch) if batch.errors else no_content()


def _limit(wanted: int) -> int:
    """Rows of this page: as asked for, unless a fault makes pages short."""
    return min([wanted, *(fault.rows for fault in notes().faults if isinstance(fault, ShortPages))])


def _shown(call: Call, batch: Batch) -> Batch:
    return Batch(shown(call, batch.results, links=False), batch.errors)
