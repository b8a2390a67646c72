"""The one exception of the sandbox's org, carrying what Salesforce puts into an error body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# HTTP status by error code; every other code is a 400.
STATUS = {
    "INVALID_SESSION_ID": 401,
    "REQUEST_LIMIT_EXCEEDED": 403,
    "API_DISABLED_FOR_ORG": 403,
    "INSUFFICIENT_ACCESS": 403,
    "INSUFFICIENT_ACCESS_OR_READONLY": 403,
    "NOT_FOUND": 404,
    "ENTITY_IS_DELETED": 404,
    "METHOD_NOT_ALLOWED": 405,
    "SERVER_UNAVAILABLE": 503,
    "UNKNOWN_EXCEPTION": 500,
}


class SalesforceError(Exception):
    """A request that Salesforce refuses as a whole: REST answers `[{"message", "errorCode", "fields"?}]`."""

    def __init__(
        self, code: str, message: str, fields: tuple[str, ...] = (), status: int | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = fields
        self.status = status if status is not None else STATUS.get(code, 400)

    def body(self) -> list[dict[str, Any]]:
        """The wire form."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields:
            error["fields"] = list(self.fields)
        return [error]


class AmbiguousExternalId(SalesforceError):  # noqa: N818 (named by what it means)
    """An external id that several records carry: HTTP 300, whose body lists the records' URLs.

    `ids` are the records' ids; the front builds `/services/data/vXX.X/sobjects/T/{id}` from them.
    """

    def __init__(self, object_name: str, field: str, ids: tuple[str, ...]) -> None:
        super().__init__(
            "DUPLICATE_EXTERNAL_ID",
            f"{field}: more than one record found for external id field: {list(ids)}",
            (field,),
            status=300,
        )
        self.object_name = object_name
        self.ids = ids


@dataclass(frozen=True, slots=True)
class SaveError:
    """Why one record was not saved. Collections write `{"statusCode", "message", "fields"}`."""

    status_code: str
    message: str
    fields: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """The form inside a SaveResult."""
        return {"statusCode": self.status_code, "message": self.message, "fields": list(self.fields)}

    def line(self) -> str:
        """The form of Bulk API's `sf__Error` column: `CODE:message:fields--`."""
        return f"{self.status_code}:{self.message}:{','.join(self.fields)}--"

    def raised(self) -> SalesforceError:
        """The same as a refusal of a single-record REST request."""
        return SalesforceError(self.status_code, self.message, self.fields)


@dataclass(frozen=True, slots=True)
class SaveResult:
    """The outcome for one record of a save, in the order of the request."""

    id: str | None
    success: bool
    created: bool = False
    errors: tuple[SaveError, ...] = ()

    def body(self, *, with_created: bool = False) -> dict[str, Any]:
        """The wire form of a collections result; upserts carry `created`."""
        result: dict[str, Any] = {"id": self.id} if self.id is not None else {}
        result |= {"success": self.success, "errors": [error.body() for error in self.errors]}
        return result | {"created": self.created} if with_created else result


def failed(code: str, message: str, *fields: str, record_id: str | None = None) -> SaveResult:
    """The outcome of one record that was refused for one reason."""
    return SaveResult(record_id, success=False, errors=(SaveError(code, message, fields),))
