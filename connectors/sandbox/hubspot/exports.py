"""Exports: asked for, worked off one at a time, and downloaded from an address that is good for five minutes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from connectors.sandbox.hubspot import shapes
from connectors.sandbox.hubspot.batches import stamp
from connectors.sandbox.hubspot.context import Endpoint, found
from connectors.sandbox.hubspot.errors import HubSpotError, not_found
from connectors.sandbox.hubspot.export_files import RECORD_ID, ExportFile, export_table, make_file
from connectors.sandbox.hubspot.export_requests import ExportRequest
from connectors.sandbox.hubspot.jobs import Job, Lanes
from connectors.sandbox.hubspot.scopes import nothing, one_of
from connectors.sandbox.hubspot.stamps import milliseconds
from connectors.sandbox.poison import poison_table

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.sandbox.hubspot.context import Call, HubSpotContext

DOWNLOADS = "/exported-files"
GOOD_FOR = timedelta(minutes=5)
MOST_PER_DAY = 30
_DAY = timedelta(hours=24)
_MAY = one_of("crm.export")


@dataclass(slots=True, kw_only=True)
class ExportJob(Job):
    """One export; `file` and `rows` once it is done."""

    request: ExportRequest
    context: HubSpotContext
    file: ExportFile | None = None
    rows: int | None = None

    def work(self) -> None:
        """Make the file, unless a fault ends the job."""
        fault = self.context.faults.job_end(self.request.object_type.name)
        if fault is not None:
            self.failure = fault.message
            return
        table = poison_table(
            self.context.faults,
            self.request.object_type.name,
            export_table(self.context.portal, self.request),
            first=0,
            id_columns=(RECORD_ID, "hs_object_id"),
        )
        self.rows = table.num_rows
        self.file = make_file(table, self.request.name, self.context.clock().date())

    @property
    def status(self) -> str:
        """As the status endpoint says it."""
        if self.cancelled or (self.ended and self.file is None):
            return "CANCELED"
        if self.ended:
            return "COMPLETE"
        return "PENDING" if self.waiting else "PROCESSING"


class Exports:
    """The exports of one portal, and the replies about them."""

    def __init__(self) -> None:
        self._lanes: Lanes[ExportJob] = Lanes(1)
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._last_id = 31_000_000

    def start(self, call: Call) -> Response:
        """POST export/async: 202 and where to ask."""
        request = ExportRequest.of_json(call.json_in(shapes.EXPORT), call.portal)
        now = call.context.clock()
        with self._lock:
            self._check_allowance(now)
            self._last_id += 1
            job = ExportJob(id=str(self._last_id), created=now, request=request, context=call.context)
            self._lanes.add(job, call.context)
        status = f"{call.base_url}{call.path}/tasks/{job.id}/status"
        return found({"id": job.id, "links": {"status": status}}, HTTPStatus.ACCEPTED)

    def _check_allowance(self, now: datetime) -> None:
        recent = [job for job in self._lanes.all() if job.created > now - _DAY]
        if len(recent) >= MOST_PER_DAY:
            message = f"You have reached the limit of {MOST_PER_DAY} exports in 24 hours"
            raise HubSpotError("RATE_LIMITS", message, status=HTTPStatus.TOO_MANY_REQUESTS)

    def status(self, call: Call) -> Response:
        """GET export/async/tasks/{id}/status: each look at a finished export gives a new address."""
        job = self._lanes.find(call.params["id"])
        self._lanes.look(job, call.context)
        told: dict[str, Any] = {"status": job.status, "requestedAt": stamp(job.created)}
        told["startedAt"] = stamp(job.started or job.created)
        told["completedAt"] = stamp(job.ended or call.context.clock())
        if job.status == "COMPLETE":
            told["result"] = self._address(job, call)
        if job.failure:
            told |= {"numErrors": 1, "errors": [_failure(job.failure)]}
        return found(told)

    def details(self, call: Call) -> Response:
        """GET export/{id}: what was asked for, and how many records it has."""
        job = self._lanes.find(call.params["id"])
        self._lanes.look(job, call.context)
        request = job.request
        states = {"PENDING": "ENQUEUED", "COMPLETE": "DONE"}
        return found(
            {
                "id": job.id,
                "exportName": request.name,
                "exportState": states.get(job.status, job.status),
                "exportType": "VIEW",
                "objectType": request.object_type.singular.upper(),
                "objectProperties": list(request.properties),
                "recordCount": job.rows,
                "createdAt": stamp(job.created),
                "updatedAt": stamp(job.ended or job.started or job.created),
            }
        )

    def download(self, call: Call) -> Response:
        """GET a signed address: no token, only the signature, which is good for five minutes."""
        job = self._lanes.find(call.params["id"])
        expires, signature = call.query.get("expires", ""), call.query.get("signature", "")
        name = call.params["name"]
        if job.file is None or job.file.name != name:
            raise not_found(job.id)
        if not hmac.compare_digest(signature.encode(), self._signature(job, expires).encode()):
            return _denied("SignatureDoesNotMatch", "The request signature we calculated does not match")
        if milliseconds(call.context.clock()) > int(expires):
            return _denied("AccessDenied", "Request has expired")
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(job.file.content, media_type=job.file.media_type, headers=headers)

    def _address(self, job: ExportJob, call: Call) -> str:
        if job.file is None:
            raise not_found(job.id)
        expires = str(milliseconds(call.context.clock() + GOOD_FOR))
        query = urlencode({"expires": expires, "signature": self._signature(job, expires)})
        return f"{call.base_url}{DOWNLOADS}/{job.id}/{quote(job.file.name)}?{query}"

    def _signature(self, job: ExportJob, expires: str) -> str:
        return hmac.new(self._secret, f"{job.id}:{expires}".encode(), hashlib.sha256).hexdigest()


def _failure(message: str) -> dict[str, Any]:
    return HubSpotError("INTERNAL_ERROR", message).entry()


def _denied(code: str, message: str) -> Response:
    """What the file store, not the API, says."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, HTTPStatus.FORBIDDEN, media_type="application/xml")


def endpoints() -> list[Endpoint]:
    """The endpoints of exports."""
    exports = Exports()
    return [
        Endpoint("exports", "/export/async", {"POST": (exports.start, _MAY)}),
        Endpoint("exports", "/export/async/tasks/{id}/status", {"GET": (exports.status, _MAY)}),
        Endpoint("exports", "/export/{id}", {"GET": (exports.details, _MAY)}),
        Endpoint(
            "legacy",
            f"{DOWNLOADS}/{{id}}/{{name}}",
            {"GET": (exports.download, nothing)},
            authenticated=False,
        ),
    ]
