"""How much of what an account may hold is used: records, properties, pipelines, labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.context import Call, Endpoint, found
from connectors.sandbox.hubspot.object_types import STANDARD_TYPES, ObjectType
from connectors.sandbox.hubspot.scopes import nothing

if TYPE_CHECKING:
    from starlette.responses import Response

# As an Enterprise portal has them.
MAX_RECORDS, MAX_CALCULATED, MAX_CUSTOM_TYPES, MAX_LABELS = 15_000_000, 200, 10, 50
MAX_PIPELINES = 100
MAX_ASSOCIATED = 50_000
_WITH_PIPELINES = ("deals", "tickets")


def endpoints() -> list[Endpoint]:
    """The endpoints of this module."""
    handlers = {
        "/custom-properties": custom_properties,
        "/calculated-properties": calculated_properties,
        "/records": records,
        "/pipelines": pipelines,
        "/custom-object-types": custom_types,
        "/associations/labels": labels,
        "/associations/records/from": crowded,
        "/associations/records/{object}/to": crowded,
        "/associations/records/{object}/{other}": crowded_between,
    }
    return [Endpoint("limits", path, {"GET": (handler, nothing)}) for path, handler in handlers.items()]


def custom_properties(call: Call) -> Response:
    """GET /limits/custom-properties."""
    return found(call.portal.property_limits())


def calculated_properties(call: Call) -> Response:
    """GET /limits/calculated-properties: those that the portal made for itself."""
    by_type = [{**_labels(one), "usage": _calculated(call, one)} for one in STANDARD_TYPES]
    return found({"byObjectType": by_type, **_overall(MAX_CALCULATED, sum(one["usage"] for one in by_type))})


def records(call: Call) -> Response:
    """GET /limits/records."""
    portal = call.portal
    told = [
        {**_labels(one), **_used(MAX_RECORDS, portal.search(one.name, {"limit": 1}).total)}
        for one in STANDARD_TYPES
    ]
    return found({"hubspotDefinedObjectTypes": told, "customObjectTypes": _no_custom_types()})


def pipelines(call: Call) -> Response:
    """GET /limits/pipelines."""
    told = [
        {**_labels(one), **_used(MAX_PIPELINES, len(call.portal.pipelines(one.name)))}
        for one in STANDARD_TYPES
        if one.name in _WITH_PIPELINES
    ]
    return found({"hubspotDefinedObjectTypes": told, "customObjectTypes": _no_custom_types()})


def custom_types(_call: Call) -> Response:
    """GET /limits/custom-object-types."""
    return found(_used(MAX_CUSTOM_TYPES, 0))


def labels(call: Call) -> Response:
    """GET /limits/associations/labels: of pairs of types for which the portal made labels of its own."""
    told = []
    for start in STANDARD_TYPES:
        for end in STANDARD_TYPES:
            known = call.portal.association_labels(start.name, end.name)
            names = [one["label"] for one in known if one["category"] == "USER_DEFINED"]
            if names:
                ends = {"fromObjectType": _labels(start), "toObjectType": _labels(end)}
                told.append({**ends, **_used(MAX_LABELS, len(names)), "allLabels": names})
    return found({"results": told})


def crowded(_call: Call) -> Response:
    """GET /limits/associations/records/...: types with records near their limit; the sandbox has none."""
    return found({"results": []})


def crowded_between(call: Call) -> Response:
    """GET /limits/associations/records/{from}/{to}: none of the sandbox's records comes near."""
    for alias in (call.params["object"], call.params["other"]):
        call.portal.object_type(alias)
    nobody: dict[str, Any] = {
        "totalRecordsNearLimit": 0,
        "totalRecordsAtLimit": 0,
        "nearLimitFromRecordSamples": [],
        "atLimitFromRecordSamples": [],
    }
    return found({"limit": MAX_ASSOCIATED, **nobody})


def _calculated(call: Call, one: ObjectType) -> int:
    made = (each for each in call.portal.properties(one.name) if not each.get("hubspotDefined"))
    return sum(bool(each.get("calculated")) for each in made)


def _labels(one: ObjectType) -> dict[str, Any]:
    return {"objectTypeId": one.type_id, "singularLabel": one.label, "pluralLabel": one.plural_label}


def _used(limit: int, usage: int) -> dict[str, Any]:
    return {"limit": limit, "usage": usage, "percentage": round(100 * usage / limit, 3)}


def _overall(limit: int, usage: int) -> dict[str, Any]:
    return {f"overall{name.capitalize()}": value for name, value in _used(limit, usage).items()}


def _no_custom_types() -> dict[str, Any]:
    return {"byObjectType": [], **_overall(MAX_RECORDS, 0)}
