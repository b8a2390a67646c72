"""One Bulk API 2.0 job, query or ingest: made, waited for with growing patience, and cleared away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.contract import RetryLater

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors.salesforce.api import Api

FINISHED = frozenset({"JobComplete", "Failed", "Aborted"})
RUNNING = frozenset({"Open", "UploadComplete", "InProgress"})
LONGEST_PAUSE = 10.0
# Salesforce itself gives a batch up to 20 tries of 5 minutes; after this long a person should look.
DEADLINE = 2 * 3600.0


@dataclass(slots=True)
class BulkJob:
    """A job by its id; `kind` is query or ingest. `patience` is the first pause between two looks at it."""

    api: Api
    kind: str
    id: str
    patience: float = 0.2

    @classmethod
    def create(cls, api: Api, kind: str, body: Mapping[str, Any], patience: float = 0.2) -> BulkJob:
        """Open a job. If the reply is lost another one is opened: an orphan does nothing, and expires."""
        reply = api.call("POST", f"jobs/{kind}", json=body, idempotent=True, kind="job")
        return cls(api, kind, reply["id"], patience)

    @property
    def path(self) -> str:
        """The job's address below the versioned base."""
        return f"jobs/{self.kind}/{self.id}"

    def report(self) -> dict[str, Any]:
        """The job as Salesforce sees it now."""
        report: dict[str, Any] = self.api.call("GET", self.path, kind="poll")
        return report

    def wait(self) -> dict[str, Any]:
        """The last report of the job, once it has finished, well or not."""
        for pause in self._pauses():
            if pause:
                self.api.transport.sleep(pause)
            report = self.report()
            if report["state"] in FINISHED:
                return report
            if report["state"] not in RUNNING:
                break
        raise RetryLater(
            f"the bulk job {self.id} did not finish in {DEADLINE / 3600:.0f} hours; "
            "see Setup > Bulk Data Load Jobs"
        )

    def _pauses(self) -> Iterator[float]:
        if self.kind == "query":
            yield 0.0
        pause, waited = self.patience, 0.0
        while waited < DEADLINE:
            yield pause
            waited += pause
            pause = min(pause * 2, LONGEST_PAUSE)

    def set_state(self, state: str) -> None:
        """Ask for another state (UploadComplete, Aborted); asking twice is harmless."""
        self.api.call("PATCH", self.path, json={"state": state}, idempotent=True, kind="job")

    def delete(self) -> None:
        """Remove the job and its results from the org."""
        self.api.call("DELETE", self.path, kind="job")
