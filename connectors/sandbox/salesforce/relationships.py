"""REST over relationships: `/sobjects/Account/{id}/Owner` is a record, `.../Opportunities` a list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from starlette.convertors import Convertor, register_url_convertor

from connectors.sandbox.salesforce import records
from connectors.sandbox.salesforce.context import not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.routing import Route

    from connectors.sandbox.salesforce.context import Call, Handler, SandboxContext

_PATH = "/services/data/v{version}/sobjects/{object}/{id:record}/{relationship}"


class RecordId(Convertor[str]):
    """A record's id in a path, which no field's name looks like: that path means something else."""

    regex = "(?:[0-9][0-9A-Za-z]{2}|a[0-9][0-9A-Za-z])[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?"

    def convert(self, value: str) -> str:
        """The id as it is."""
        return value

    def to_string(self, value: str) -> str:
        """The id as it is."""
        return value


register_url_convertor("record", RecordId())


def routes(context: SandboxContext, query: Callable[[Call, str], Response]) -> list[Route]:
    """The resources of this module; `query` answers a SOQL query page by page."""
    ways = Relationships(query)
    to_one: dict[str, Handler] = {"PATCH": ways.update, "DELETE": ways.delete}
    return [context.resource(_PATH, {"GET": ways.get, **to_one})]


@dataclass(frozen=True, slots=True)
class Relationships:
    """Follows the relationships of one record."""

    query: Callable[[Call, str], Response]

    def get(self, call: Call) -> Response:
        """GET: the related record, or all related records; `?fields=` as for a single record."""
        described, name = _described(call), call.path_params["relationship"].lower()
        for child in described["childRelationships"]:
            if (child["relationshipName"] or "").lower() == name:
                return self._children(call, child)
        return records.retrieve(self._related(call, described))

    def update(self, call: Call) -> Response:
        """PATCH of a related record."""
        return records.update(self._related(call, _described(call)))

    def delete(self, call: Call) -> Response:
        """DELETE of a related record."""
        return records.delete(self._related(call, _described(call)))

    def _children(self, call: Call, child: dict[str, Any]) -> Response:
        # A record that does not exist has no list, rather than an empty one.
        record = call.org.retrieve(call.user, call.path_params["object"], call.path_params["id"], ["Id"])
        name = child["childSObject"]
        fields = call.query.get("fields") or ", ".join(
            one["name"] for one in call.org.describe(call.user, name, call.version)["fields"]
        )
        soql = f"SELECT {fields} FROM {name} WHERE {child['field']} = '{record['Id']}'"  # noqa: S608  # SOQL
        return self.query(call, soql)

    @staticmethod
    def _related(call: Call, described: dict[str, Any]) -> Call:
        """The call of the related record itself. Raises NOT_FOUND where nothing is related."""
        name = call.path_params["relationship"].lower()
        way = next(
            (one for one in described["fields"] if (one["relationshipName"] or "").lower() == name), None
        )
        if way is None:
            raise not_found()
        record = call.org.retrieve(call.user, described["name"], call.path_params["id"], [way["name"]])
        related = record[way["name"]]
        object_name = call.org.object_of(related) if related else None
        if object_name is None:
            raise not_found()
        return replace(call, path_params={**call.path_params, "object": object_name, "id": related})


def _described(call: Call) -> dict[str, Any]:
    return call.org.describe(call.user, call.path_params["object"], call.version)
