"""Interfaces from before v3 that common connectors still read: the same records in their older shapes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.context import Endpoint, found
from connectors.sandbox.hubspot.scopes import one_of, record_scopes, schema_scopes
from connectors.sandbox.hubspot.stamps import parse_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.responses import Response

    from connectors.sandbox.hubspot.context import Call, Handler
    from connectors.sandbox.hubspot.portal import Portal
    from connectors.sandbox.hubspot.scopes import Need, Needs

# Pages of the lists below: what is asked for by default, and the most there is.
_PAGE, _MOST = 100, 250
_PAGE_WITH_HISTORY = 50
_ENGAGEMENTS = {"tasks": "TASK", "notes": "NOTE", "calls": "CALL", "meetings": "MEETING", "emails": "EMAIL"}
_ENDS = {"contactIds": "contacts", "companyIds": "companies", "dealIds": "deals", "ticketIds": "tickets"}
# What an engagement's metadata are called, and the properties behind them.
_METADATA = {
    "body": ("hs_task_body", "hs_note_body", "hs_call_body", "hs_meeting_body"),
    "subject": ("hs_task_subject", "hs_email_subject"),
    "status": ("hs_task_status", "hs_call_status", "hs_email_status"),
    "priority": ("hs_task_priority",),
    "taskType": ("hs_task_type",),
    "title": ("hs_call_title", "hs_meeting_title"),
}


def endpoints() -> list[Endpoint]:
    """The endpoints of this module."""
    schemas = one_of(*(f"crm.schemas.{name}.read" for name in ("custom", "companies", "contacts", "deals")))
    table: list[tuple[str, str, str, Handler, Need]] = [
        ("legacy", "/properties/v2/{object}/properties", "GET", properties, _reads_schema),
        ("legacy", "/properties/v1/{object}/properties", "GET", properties, _reads_schema),
        (
            "legacy",
            "/companies/v2/properties",
            "GET",
            partial(properties, object_name="companies"),
            _reads("companies"),
        ),
        ("legacy", "/companies/v2/companies/paged", "GET", companies, _reads("companies")),
        ("legacy", "/companies/v2/companies/{id}", "GET", company, _reads("companies")),
        ("legacy", "/deals/v1/deal/paged", "GET", deals, _reads("deals")),
        ("legacy", "/deals/v1/pipelines", "GET", deal_pipelines, _reads("deals")),
        ("legacy", "/crm-pipelines/v1/pipelines/{object}", "GET", pipelines, _reads_schema),
        ("legacy", "/engagements/v1/engagements/paged", "GET", engagements, _reads("contacts")),
        (
            "legacy",
            "/engagements/v1/engagements/recent/modified",
            "GET",
            partial(engagements, newest_first=True),
            _reads("contacts"),
        ),
        (
            "legacy",
            "/crm/v3/lists/search",
            "POST",
            lists,
            one_of("crm.lists.read", "crm.objects.contacts.read"),
        ),
        ("schemas", "", "GET", no_schemas, schemas),
    ]
    return [Endpoint(kind, path, {method: (handler, need)}) for kind, path, method, handler, need in table]


def _reads(object_name: str) -> Need:
    return one_of(*record_scopes(object_name, "read"))


def _reads_schema(call: Call) -> Needs:
    return (schema_scopes(call.object_name, "read"),)


# Properties and pipelines.


def properties(call: Call, object_name: str | None = None) -> Response:
    """All properties of a type as a bare array."""
    name = object_name or call.object_name
    return found([_property(one) for one in call.portal.properties(name)])


def _property(one: Mapping[str, Any]) -> dict[str, Any]:
    limits = one.get("modificationMetadata") or {}
    return {
        "name": one["name"],
        "label": one["label"],
        "description": one.get("description", ""),
        "groupName": one["groupName"],
        "type": one["type"],
        "fieldType": one["fieldType"],
        "options": one.get("options", []),
        "displayOrder": one.get("displayOrder", -1),
        "hidden": one.get("hidden", False),
        "formField": one.get("formField", False),
        "calculated": one.get("calculated", False),
        "hubspotDefined": one.get("hubspotDefined", False),
        "readOnlyValue": limits.get("readOnlyValue", False),
        "readOnlyDefinition": limits.get("readOnlyDefinition", False),
        "deleted": False,
    }


def deal_pipelines(call: Call) -> Response:
    """The pipelines of deals as a bare array."""
    return found([_deal_pipeline(one) for one in call.portal.pipelines("deals")])


def _deal_pipeline(one: Mapping[str, Any]) -> dict[str, Any]:
    stages = [
        {
            "stageId": stage["id"],
            "label": stage["label"],
            "displayOrder": stage["displayOrder"],
            "probability": float(stage["metadata"].get("probability") or 0),
            "closedWon": stage["metadata"].get("isClosed") == "true"
            and float(stage["metadata"].get("probability") or 0) == 1,
            "active": not stage["archived"],
        }
        for stage in one["stages"]
    ]
    return _named(one) | {"stages": stages}


def pipelines(call: Call) -> Response:
    """The pipelines of a type, with stamps in milliseconds."""
    one = call.object_type
    results = [
        _named(pipeline)
        | _stamped(pipeline)
        | {
            "objectType": one.singular.upper(),
            "objectTypeId": one.type_id,
            "default": pipeline["id"] in {"default", "0"},
            "stages": [_stage(stage) for stage in pipeline["stages"]],
        }
        for pipeline in call.portal.pipelines(one.name)
    ]
    return found({"results": results})


def _named(pipeline: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "pipelineId": pipeline["id"],
        "label": pipeline["label"],
        "displayOrder": pipeline["displayOrder"],
        "active": not pipeline["archived"],
    }


def _stage(stage: Mapping[str, Any]) -> dict[str, Any]:
    return _stamped(stage) | {
        "stageId": stage["id"],
        "label": stage["label"],
        "displayOrder": stage["displayOrder"],
        "metadata": stage["metadata"],
        "active": not stage["archived"],
    }


def _stamped(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"createdAt": parse_stamp(one["createdAt"]), "updatedAt": parse_stamp(one["updatedAt"])}


# Records.


def companies(call: Call) -> Response:
    """A page of companies, by id."""
    rows, offset = _page(call, "companies", call.names("properties"))
    told = [_company(call.portal, row) for row in rows]
    return found({"companies": told, "has-more": offset is not None, "offset": offset or 0})


def company(call: Call) -> Response:
    """One company with all its properties."""
    names = [one["name"] for one in call.portal.properties("companies")]
    return found(_company(call.portal, call.portal.get("companies", call.params["id"], history=names)))


def _company(portal: Portal, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "portalId": portal.id,
        "companyId": int(row["id"]),
        "isDeleted": False,
        "properties": _versions(row),
    }


def deals(call: Call) -> Response:
    """A page of deals, by id, with associations where asked for."""
    every = call.flag("includeAllProperties")
    names = [one["name"] for one in call.portal.properties("deals")] if every else call.names("properties")
    rows, offset = _page(call, "deals", names)
    told: list[dict[str, Any]] = [
        {
            "portalId": call.portal.id,
            "dealId": int(row["id"]),
            "isDeleted": False,
            "properties": _versions(row),
        }
        for row in rows
    ]
    if call.flag("includeAssociations"):
        ids = [row["id"] for row in rows]
        for key, end in (
            ("associatedVids", "contacts"),
            ("associatedCompanyIds", "companies"),
            ("associatedDealIds", "deals"),
        ):
            for one, targets in zip(told, call.portal.associated("deals", ids, end), strict=True):
                one.setdefault("associations", {})[key] = list(targets)
    return found({"deals": told, "hasMore": offset is not None, "offset": offset or 0})


def _page(call: Call, object_name: str, names: Sequence[str]) -> tuple[list[Mapping[str, Any]], int | None]:
    """Rows with history from `offset` on, and where the next page begins."""
    one = call.portal.object_type(object_name)
    wanted = list(names) or list(one.defaults)
    left = min(max(call.whole("limit", _PAGE), 1), _MOST)
    rows: list[Mapping[str, Any]] = []
    after = call.query.get("offset") or None
    while left:
        size = min(left, _PAGE_WITH_HISTORY)
        page = call.portal.list_records(object_name, limit=size, after=after, history=wanted)
        rows += page.results
        left, after = left - size, page.after
        if after is None:
            break
    return rows, int(after) if after else None


def _versions(row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a record, each with where it came from; what is empty is left out."""
    told = {}
    for name, versions in row.get("propertiesWithHistory", {}).items():
        if versions:
            newest = versions[0]
            told[name] = {
                "value": newest["value"],
                "timestamp": parse_stamp(newest["timestamp"]),
                "source": newest["sourceType"],
                "sourceId": newest["sourceId"],
            }
    return told


# Engagements.


def engagements(call: Call, *, newest_first: bool = False) -> Response:
    """Tasks, notes, calls, meetings and emails in one list: by id, or the last changed ones first."""
    rows = sorted(_engaged(call.portal), key=lambda one: _order(one, newest_first=newest_first))
    start = max(call.whole("offset", 0), 0)
    limit = min(max(call.whole("limit" if not newest_first else "count", _PAGE), 1), _MOST)
    page = rows[start : start + limit]
    more = start + limit < len(rows)
    told: dict[str, Any] = {
        "results": [_engagement(call.portal, name, row) for name, row in page],
        "hasMore": more,
        "offset": start + len(page),
    }
    return found(told | ({"total": len(rows)} if newest_first else {}))


def _engaged(portal: Portal) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in _ENGAGEMENTS:
        wanted = {one for names in _METADATA.values() for one in names}
        properties = [
            *sorted(wanted),
            "hs_createdate",
            "hs_lastmodifieddate",
            "hs_timestamp",
            "hubspot_owner_id",
        ]
        for row in portal.table(name, properties, {}).to_pylist():
            yield name, row


def _order(one: tuple[str, Mapping[str, Any]], *, newest_first: bool) -> tuple[int, int]:
    row = one[1]
    changed = parse_stamp(row["hs_lastmodifieddate"]) or 0
    return (-changed if newest_first else 0, int(row["hs_object_id"]))


def _engagement(portal: Portal, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    owner = row["hubspot_owner_id"]
    told = {
        "id": int(row["hs_object_id"]),
        "portalId": portal.id,
        "active": True,
        "createdAt": parse_stamp(row["hs_createdate"]),
        "lastUpdated": parse_stamp(row["hs_lastmodifieddate"]),
        "ownerId": int(owner) if owner else None,
        "type": _ENGAGEMENTS[name],
        "timestamp": parse_stamp(row["hs_timestamp"] or row["hs_createdate"]),
    }
    ends = {key: list(portal.associated(name, [row["hs_object_id"]], end)[0]) for key, end in _ENDS.items()}
    metadata = {key: row[one] for key, names in _METADATA.items() for one in names if row[one] is not None}
    associations = ends | {"ownerIds": [int(owner)] if owner else []}
    return {"engagement": told, "associations": associations, "metadata": metadata}


# What this portal has none of.


def lists(_call: Call) -> Response:
    """The portal has no lists."""
    return found({"lists": [], "hasMore": False, "offset": 0, "total": 0})


def no_schemas(_call: Call) -> Response:
    """The portal has no custom objects."""
    return found({"results": []})
