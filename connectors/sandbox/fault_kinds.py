"""The faults that a sandbox can be told to have: one model for each kind, with what it takes."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

API_CALLS = r" /services/(data|Soap)"
QUERIES = r"/query(All)?\b"
# A bulk query job's own address looks alike.
LOCATORS = r"(?<!/jobs)/query(All)?/\w+|[?&]locator="


class Fault(BaseModel):
    """What all kinds share: which calls they meet, and when.

    `match` is a regular expression searched in `METHOD /path?query`. The first `after` matching calls pass
    unharmed; then the fault acts `times` times (null: for ever).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: str = API_CALLS
    after: int = Field(default=0, ge=0, description="matching calls that pass before the fault acts")
    times: int | None = Field(default=1, ge=1, description="how often it acts; null for ever")

    @field_validator("match")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from None
        return value


class Standing(Fault):
    """A fault that acts until it is taken away, unless told otherwise."""

    times: int | None = Field(default=None, ge=1)


class OnObject(Standing):
    """A standing fault of one object, or of all."""

    object: str | None = Field(default=None, description="API name; null for every object")

    def concerns(self, object_name: str) -> bool:
        """Whether it acts on this object."""
        return self.object is None or self.object.lower() == object_name.lower()


# Of a call.


class ExpireSession(Fault):
    """The caller's session (or everybody's) has expired when the call arrives."""

    kind: Literal["expire_session"]
    everyone: bool = False


class Status(Fault):
    """The call is answered with an HTTP status, unprocessed: 503, 500, 429, an empty 406, a 420 page."""

    kind: Literal["status"]
    status: int = Field(default=503, ge=400, le=599)
    body: Literal["error", "html", "empty"] | None = Field(
        default=None, description="default: as the CRM does"
    )
    code: str | None = None
    message: str | None = None
    retry_after: int | None = Field(default=None, ge=0, description="seconds")


class Html200(Fault):
    """A web page with status 200 where data should be, as proxies and maintenance pages do."""

    kind: Literal["html_200"]


class QueryTimeout(Fault):
    """QUERY_TIMEOUT, as after 120 seconds."""

    kind: Literal["query_timeout"]
    match: str = QUERIES


class RequestLimit(Fault):
    """REQUEST_LIMIT_EXCEEDED: the daily allowance, or too many long calls at once."""

    kind: Literal["request_limit"]
    scope: Literal["daily", "concurrent"] = "daily"


class Latency(Standing):
    """Replies come this much later."""

    kind: Literal["latency"]
    seconds: float = Field(gt=0, le=600)


class LostReply(Fault):
    """The call is processed in full; then the connection is cut before any byte of the answer."""

    kind: Literal["lost_reply"]


class Truncate(Fault):
    """The connection ends after some bytes of the response body (as sent: compressed, if asked for)."""

    kind: Literal["truncate"]
    bytes: int = Field(default=1000, ge=0)
    framing: Literal["as_is", "length", "chunked", "close"] = Field(
        default="as_is",
        description="how the body's end is announced: by length, by chunks, or only by closing",
    )


class LoseLocators(Fault):
    """INVALID_QUERY_LOCATOR: the rest of a query result is gone."""

    kind: Literal["lose_locators"]
    match: str = LOCATORS


class ShortPages(Standing):
    """Pages of query results are shorter than asked for."""

    kind: Literal["short_pages"]
    rows: int = Field(default=7, ge=1)


# Of the data.


class LockRows(Standing):
    """Writes of some records end with UNABLE_TO_LOCK_ROW, as while somebody else saves their parent."""

    kind: Literal["lock_rows"]
    percent: float = Field(default=5.0, gt=0, le=100)
    prefix: str = Field(default="", description="only ids that begin so: 001 for accounts")
    hold: int | None = Field(
        default=1, ge=1, description="attempts that fail before a record is free; null for ever"
    )


class LateCommit(OnObject):
    """What is saved becomes visible only later than its stamp says."""

    kind: Literal["late_commit"]
    seconds: float = Field(default=120.0, gt=0)


class FlsOff(OnObject):
    """Field-level security of a field is taken away from everybody."""

    kind: Literal["fls_off"]
    object: str
    field: str


class ReadOnly(OnObject):
    """A field that can be seen, but no longer written."""

    kind: Literal["read_only"]
    object: str
    field: str


class ValidationRule(OnObject):
    """One more validation rule: records for which the formula is true are refused with the message."""

    kind: Literal["validation_rule"]
    object: str
    formula: str
    message: str = "This record does not meet the rules of the org"


class JobFailed(Fault):
    """A bulk job ends as Failed after a share of its records was processed."""

    kind: Literal["job_failed"]
    match: str = "."
    object: str | None = None
    share: float = Field(default=0.5, ge=0, le=1)
    message: str = "InternalServerError : The job could not be completed"


class JobAborted(JobFailed):
    """A bulk job is aborted, as by an admin, after a share of its records was processed."""

    kind: Literal["job_aborted"]  # type: ignore[assignment]
    message: str = "Aborted"


class ShuffleResults(Standing):
    """Result files of bulk jobs come in another order than the upload."""

    kind: Literal["shuffle_results"]


class SlowJobs(Standing):
    """Bulk jobs show their end only at this poll, and this many seconds of the org's clock after their start."""

    kind: Literal["slow_jobs"]
    polls: int = Field(default=3, ge=1)
    seconds: float = Field(default=0.0, ge=0)


class PageLinks(Standing):
    """Parallel result pages are told under other keys: the vendor's documents disagree on them."""

    kind: Literal["page_links"]
    result_key: Literal["resultUrl", "resultLink"] = "resultLink"
    next_key: Literal["nextRecordsUrl", "nextRecordUrl"] = "nextRecordUrl"


Poisons = Literal["nan", "huge_text", "ancient_date", "lone_surrogate", "bad_utf8", "html", "missing_id"]


class Poison(OnObject):
    """Some records of query results carry what no client expects in one field."""

    kind: Literal["poison"]
    what: Poisons
    field: str = "Name"
    rows: tuple[int, ...] = Field(default=(0,), description="places in the result, from 0")
    id: str | None = Field(default=None, description="this record instead of places")
    size: int = Field(default=10_000_000, ge=1, description="characters of a huge_text")


AnyFault = Annotated[
    ExpireSession
    | Status
    | Html200
    | QueryTimeout
    | RequestLimit
    | Latency
    | LostReply
    | Truncate
    | LoseLocators
    | ShortPages
    | LockRows
    | LateCommit
    | FlsOff
    | ReadOnly
    | ValidationRule
    | JobFailed
    | JobAborted
    | ShuffleResults
    | SlowJobs
    | PageLinks
    | Poison,
    Field(discriminator="kind"),
]


class FaultFile(BaseModel):
    """A file of faults: `seed` makes the draws repeatable."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    faults: tuple[AnyFault, ...] = ()
