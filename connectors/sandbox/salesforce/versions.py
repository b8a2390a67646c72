"""The resources around the data: API versions, the resource list, limits, counts, what was seen last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce.context import NEWEST_VERSION, OLDEST_VERSION
from connectors.sandbox.salesforce.errors import SalesforceError

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, SandboxContext

_SEASONS = ("Spring", "Summer", "Winter")
_RESOURCES = (
    "tooling",
    "metadata",
    "search",
    "query",
    "queryAll",
    "limits",
    "sobjects",
    "composite",
    "recent",
    "jobs",
    "parameterizedSearch",
)


def routes(context: SandboxContext) -> list[Route]:
    """The resources of this module."""
    root = "/services/data/v{version}"
    return [
        context.resource("/services/data", {"GET": versions}, authenticated=False),
        context.resource(root, {"GET": resource_list}),
        context.resource(f"{root}/limits", {"GET": limits}),
        context.resource(f"{root}/limits/recordCount", {"GET": record_count}),
        context.resource(f"{root}/recent", {"GET": recent}),
    ]


def versions(_call: Call) -> Response:
    """GET /services/data: every version that is served; needs no session."""
    return json_response(
        [
            {"label": _label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(OLDEST_VERSION, NEWEST_VERSION + 1)
        ]
    )


def _label(version: int) -> str:
    """The release's name: 67 is Summer '26, and there are three a year."""
    releases = version - 66  # 66 is Spring '26
    season = _SEASONS[releases % 3]
    year = 26 + releases // 3 + (season == "Winter")
    return f"{season} '{year:02d}"


def resource_list(call: Call) -> Response:
    """GET /services/data/vXX.X."""
    root = f"/services/data/v{call.version}"
    identity = f"{call.base_url}/id/{call.org.id}/{call.user.id}"
    return json_response({**{name: f"{root}/{name}" for name in _RESOURCES}, "identity": identity})


def limits(call: Call) -> Response:
    """GET /limits."""
    return json_response(call.context.limits.as_json())


def record_count(call: Call) -> Response:
    """GET /limits/recordCount?sObjects=Account,Opportunity."""
    wanted = [name for name in call.query.get("sObjects", "Account,Opportunity").split(",") if name]
    counts = []
    for name in wanted:
        try:
            described = call.org.describe(call.user, name)["name"]
        except SalesforceError:
            continue  # objects that do not exist are left out
        soql = f"SELECT COUNT() FROM {described}"  # noqa: S608  # a name out of a describe
        counts.append({"count": call.org.query(soql, call.user).total_size, "name": described})
    return json_response({"sObjects": counts})


def recent(_call: Call) -> Response:
    """GET /recent: nobody looked at anything."""
    return json_response([])
