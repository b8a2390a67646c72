"""The one exception of the sandbox's portal, carrying what HubSpot puts into an error body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# HTTP status by category; every other category is a 400.
STATUS = {
    "OBJECT_NOT_FOUND": 404,
    "CONFLICT": 409,
    "OBJECT_ALREADY_EXISTS": 409,
    "LOCKED": 423,
}


class HubSpotError(Exception):
    """A request that HubSpot refuses as a whole: `{"status": "error", "message", "category", ...}`."""

    def __init__(  # one argument for each key of the body
        self,
        category: str,
        message: str,
        *,
        status: int | None = None,
        sub_category: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        context: Mapping[str, Sequence[str]] | None = None,
        links: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{category}: {message}")
        self.status = status if status is not None else STATUS.get(category, 400)
        self.category = category
        self.message = message
        self.sub_category = sub_category
        self.errors = [dict(error) for error in errors]
        self.context = {name: list(values) for name, values in (context or {}).items()}
        self.links = dict(links or {})

    def body(self, correlation_id: str) -> dict[str, Any]:
        """The wire form of a refused request."""
        return {
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id,
            **self._details(),
        }

    def entry(self, context: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
        """The form inside `errors` of a batch that succeeded in part (207); `context` adds to the error's own."""
        more = {name: list(values) for name, values in (context or {}).items()}
        details = self._details() | {"context": self.context | more}
        return {"status": "error", "message": self.message, "errors": [], "links": {}, **details}

    def _details(self) -> dict[str, Any]:
        details: dict[str, Any] = {"category": self.category}
        if self.sub_category is not None:
            details["subCategory"] = self.sub_category
        if self.errors:
            details["errors"] = self.errors
        if self.context:
            details["context"] = self.context
        if self.links:
            details["links"] = self.links
        return details


def invalid(message: str, **more: Any) -> HubSpotError:
    """A request that HubSpot finds wrong: 400 VALIDATION_ERROR."""
    return HubSpotError("VALIDATION_ERROR", message, **more)


def not_found(record_id: str) -> HubSpotError:
    """One record that does not exist: 404."""
    return HubSpotError(
        "OBJECT_NOT_FOUND",
        "Object not found.  objectId are usually numeric.",
        context={"id": [record_id]},
    )


def resource_not_found(message: str = "resource not found") -> HubSpotError:
    """A thing that is no record (a type, a property, a pipeline) and does not exist: 404."""
    return HubSpotError("OBJECT_NOT_FOUND", message)


def invalid_values(problems: Sequence[Mapping[str, Any]]) -> HubSpotError:
    """Property values that HubSpot does not take: each problem has `message`, `error` (the code) and `name`."""
    return HubSpotError(
        "VALIDATION_ERROR",
        f"Property values were not valid: {json.dumps(problems, separators=(',', ':'), ensure_ascii=False)}",
        errors=[
            {
                "message": problem["message"],
                "code": problem["error"],
                "context": {"propertyName": [problem["name"]]},
            }
            for problem in problems
        ],
    )
