"""HubSpot's own Python client for the small lists: properties, owners, pipelines.

The SDK knows their addresses and parameters. Its pool, which has no timeout, retries nothing that matters and
is made anew for each interface, is replaced by our transport; its numbered paths are moved to the version
that the connection wants; and replies are read as plain JSON, so that a property type or a key that its models
do not know breaks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hubspot import HubSpot

from connectors.contract import Truncated
from connectors.hubspot.paths import kind_of, moved
from connectors.transport import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import requests

    from connectors.transport import Transport

OWNERS_IN_A_PAGE = 500


class Sdk:
    """The official client, on the transport of one connection."""

    def __init__(self, transport: Transport, version: str) -> None:
        self._rest = _Rest(transport, version)
        self.client = HubSpot(access_token="the transport's", api_factory=self._api)  # noqa: S106  # never sent
        self._made: dict[tuple[str, str], Any] = {}

    def properties(self, hs_object: str) -> list[dict[str, Any]]:
        """All properties of an object that these credentials may see, as HubSpot words them."""
        reply = self.client.crm.properties.core_api.get_all(hs_object, _preload_content=False)
        found: list[dict[str, Any]] = read_json(reply)["results"]
        return found

    def pipelines(self, hs_object: str) -> list[dict[str, Any]]:
        """All pipelines of an object, each with its stages."""
        reply = self.client.crm.pipelines.pipelines_api.get_all(hs_object, _preload_content=False)
        found: list[dict[str, Any]] = read_json(reply)["results"]
        return found

    def owners(self, *, archived: bool) -> Iterator[list[dict[str, Any]]]:
        """Pages of owners: the living ones, or those that left. Raises `Truncated` if the pages do not advance."""
        after: str | None = None
        seen: set[str] = set()
        while after is None or after not in seen:
            given = {} if after is None else {"after": after}
            seen.update(given.values())
            body = read_json(
                self.client.crm.owners.owners_api.get_page(
                    limit=OWNERS_IN_A_PAGE, archived=archived, _preload_content=False, **given
                )
            )
            yield body["results"]
            after = (body.get("paging") or {}).get("next", {}).get("after")
            if after is None:
                return
        raise Truncated("owners: the pages of the list do not advance")

    def _api(self, package: Any, api_name: str, _: Mapping[str, Any]) -> Any:
        """One interface of the client, made once, that sends through us."""
        key = (package.__name__, api_name)
        if key not in self._made:
            client = package.ApiClient(configuration=package.Configuration(host=""))
            client.rest_client = self._rest
            self._made[key] = getattr(package, api_name)(api_client=client)
        return self._made[key]


class _Rest:
    """Stands where the client's own REST object stood; same methods, other way."""

    def __init__(self, transport: Transport, version: str) -> None:
        self._transport = transport
        self._version = version

    def request(
        self,
        method: str,
        url: str,
        query_params: Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        **_: Any,
    ) -> requests.Response:
        """Send it, and hand the reply back as it is."""
        path = moved(urlsplit(url).path, self._version)
        return self._transport.request(
            method,
            path,
            params=[(name, _query(value)) for name, value in query_params or ()],
            headers={"Accept": (headers or {}).get("Accept", "application/json")},
            kind=kind_of(path) or "other",
            **({} if body is None else {"json": body}),
        )

    def GET(self, url: str, **request: Any) -> requests.Response:  # noqa: N802  # the client's name for it
        """Read."""
        return self.request("GET", url, **request)

    def POST(self, url: str, **request: Any) -> requests.Response:  # noqa: N802  # the client's name for it
        """Create."""
        return self.request("POST", url, **request)

    def PATCH(self, url: str, **request: Any) -> requests.Response:  # noqa: N802  # the client's name for it
        """Change."""
        return self.request("PATCH", url, **request)

    def DELETE(self, url: str, **request: Any) -> requests.Response:  # noqa: N802  # the client's name for it
        """Archive."""
        return self.request("DELETE", url, **request)


def _query(value: Any) -> Any:
    """A value as HubSpot writes it: flags in lower case."""
    return str(value).lower() if isinstance(value, bool) else value
