"""Jobs and batches of the first Bulk API, which some clients still speak: their state, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from connectors.sandbox.replies import json_response
from connectors.sandbox.salesforce.xml_trees import as_list, render

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.sandbox.salesforce.errors import SalesforceError
    from connectors.sandbox.salesforce.org import QueryResult

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
QUERIES = frozenset({"query", "queryAll"})
COMPLETED, FAILED, NOT_PROCESSED = "Completed", "Failed", "NotProcessed"
# This API's own names of errors that REST has too.
_CODES = {
    "INVALID_SESSION_ID": "InvalidSessionId",
    "REQUEST_LIMIT_EXCEEDED": "ExceededQuota",
    "EXCEEDEDQUOTA": "ExceededQuota",
    "JSON_PARSER_ERROR": "InvalidJob",
    "INVALID_XML": "InvalidJob",
    "NOT_FOUND": "InvalidUrl",
}
_MESSAGES = {"INVALID_SESSION_ID": "Invalid session id"}


@dataclass(slots=True)
class Batch:
    """What was sent at once, and what became of it: query results, or one outcome per row as it is told."""

    id: str
    job_id: str
    created: datetime
    request: bytes
    media_type: str
    state: str = COMPLETED
    problem: str | None = None
    processed: int = 0
    failed: int = 0
    results: dict[str, QueryResult] = field(default_factory=dict)
    outcome: bytes = b""

    def fail(self, problem: str) -> None:
        """Nothing of the batch was done."""
        self.state, self.problem = FAILED, problem

    def info(self, *, state: str | None = None) -> dict[str, Any]:
        """The keys of `batchInfo`."""
        return {
            "id": self.id,
            "jobId": self.job_id,
            "state": state or self.state,
            "stateMessage": self.problem,
            "createdDate": self.created,
            "systemModstamp": self.created,
            "numberRecordsProcessed": self.processed,
            "numberRecordsFailed": self.failed,
            "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0,
            "apexProcessingTime": 0,
        }


@dataclass(slots=True)
class BatchJob:
    """A job: what to do with which object, in which form. Its batches are done as they arrive."""

    id: str
    operation: str
    object_name: str
    content_type: str
    owner: str
    version: float
    created: datetime
    external_id: str | None = None
    concurrency: str = "Parallel"
    chunked: bool = False
    state: str = "Open"
    batches: dict[str, Batch] = field(default_factory=dict)

    @property
    def is_query(self) -> bool:
        """Whether its batches are queries."""
        return self.operation in QUERIES

    @property
    def in_json(self) -> bool:
        """Whether its batches are told of in JSON; else in XML."""
        return self.content_type == "JSON"

    def info(self) -> dict[str, Any]:
        """The keys of `jobInfo`."""
        states = [batch.state for batch in self.batches.values()]
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.object_name,
            "createdById": self.owner,
            "createdDate": self.created,
            "systemModstamp": self.created,
            "state": self.state,
            "externalIdFieldName": self.external_id,
            "concurrencyMode": self.concurrency,
            "contentType": self.content_type,
            "numberBatchesQueued": 0,
            "numberBatchesInProgress": 0,
            "numberBatchesCompleted": states.count(COMPLETED),
            "numberBatchesFailed": states.count(FAILED),
            "numberBatchesTotal": len(states),
            "numberRecordsProcessed": sum(batch.processed for batch in self.batches.values()),
            "numberRetries": 0,
            "apiVersion": self.version,
            "numberRecordsFailed": sum(batch.failed for batch in self.batches.values()),
            "totalProcessingTime": 0,
            "apiActiveProcessingTime": 0,
            "apexProcessingTime": 0,
        }


def told(name: str, content: Any, *, in_json: bool, status: int = 200) -> Response:
    """A reply: as JSON, or as an XML element of this name in the API's namespace."""
    if in_json:
        return json_response(_plain(content, "+0000"), status)
    inner = "".join(
        render(key, one)
        for key, value in _plain(content, "Z").items()
        for one in as_list(value)
        if one is not None
    )
    text = f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{NAMESPACE}">{inner}</{name}>'
    return Response(text.encode(), status, media_type="application/xml")


def refusal(error: SalesforceError, *, in_json: bool) -> Response:
    """The reply to a request that is refused as a whole; but for the version, always a 400."""
    content = {
        "exceptionCode": _CODES.get(error.code, error.code),
        "exceptionMessage": _MESSAGES.get(error.code, error.message),
    }
    return told("error", content, in_json=in_json, status=400)


def _plain(content: Any, zone: str) -> Any:
    """The same with moments as texts."""
    if isinstance(content, dict):
        return {key: _plain(value, zone) for key, value in content.items()}
    if isinstance(content, list):
        return [_plain(one, zone) for one in content]
    if hasattr(content, "strftime"):
        return content.strftime("%Y-%m-%dT%H:%M:%S.") + f"{content.microsecond // 1000:03d}{zone}"
    return content
