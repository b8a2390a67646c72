"""The faults that a sandbox can be told to have: one model for each kind, with what it takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

if TYPE_CHECKING:
    from collections.abc import Collection

SALESFORCE, HUBSPOT = frozenset({"salesforce"}), frozenset({"hubspot"})
BOTH = SALESFORCE | HUBSPOT

# Every call but those that get a token.
API_CALLS = r" /(services/(data|Soap)|(?!services/|id/|oauth/))"
QUERIES = r"/query(All)?\b"
# A bulk query job's own address looks alike.
LOCATORS = r"(?<!/jobs)/query(All)?/\w+|[?&]locator="


class Fault(BaseModel):
    """What all kinds share: which calls they meet, and when.

    `match` is a regular expression searched in `METHOD /path?query`. The first `after` matching calls pass
    unharmed; then the fault acts `times` times (null: for ever).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    crms: ClassVar[frozenset[str]] = BOTH

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

    def meets(self, line: str) -> bool:
        """Whether a call, as `METHOD /path?query`, is one that it can act on."""
        return re.search(self.match, line) is not None


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
    """The caller's session or token (or everybody's) has expired when the call arrives."""

    kind: Literal["expire_session"]
    everyone: bool = False


class Status(Fault):
    """The call is answered with an HTTP status, unprocessed, in the CRM's words: 503, 500, an empty 406, 423, 477."""

    kind: Literal["status"]
    status: int = Field(default=503, ge=400, le=599)
    body: Literal["error", "html", "empty"] | None = Field(
        default=None, description="default: as the CRM does"
    )
    code: str | None = Field(default=None, description="error code, or category")
    message: str | None = None
    retry_after: int | None = Field(default=None, ge=0, description="seconds")


class Html200(Fault):
    """A web page with status 200 where data should be, as proxies and maintenance pages do."""

    kind: Literal["html_200"]


class QueryTimeout(Fault):
    """QUERY_TIMEOUT, as after 120 seconds."""

    crms: ClassVar[frozenset[str]] = SALESFORCE
    kind: Literal["query_timeout"]
    match: str = QUERIES


class RequestLimit(Fault):
    """REQUEST_LIMIT_EXCEEDED: the daily allowance, or too many long calls at once."""

    crms: ClassVar[frozenset[str]] = SALESFORCE
    kind: Literal["request_limit"]
    scope: Literal["daily", "concurrent"] = "daily"


class RateLimit(Fault):
    """429 by one of three policies, whatever was used; HubSpot does not always send `Retry-After`."""

    crms: ClassVar[frozenset[str]] = HUBSPOT
    kind: Literal["rate_limit"]
    policy: Literal["ten_secondly_rolling", "secondly", "daily"] = "ten_secondly_rolling"
    retry_after: int | None = Field(default=None, ge=0, description="seconds")


class WrongRegion(Fault):
    """The portal is not known in this data region, but in another."""

    crms: ClassVar[frozenset[str]] = HUBSPOT
    kind: Literal["wrong_region"]
    hublet: str = "eu1"
    status: int = Field(
        default=488, ge=400, le=599, description="clients report this one; it is not documented"
    )


class MissingScopes(Standing):
    """Scopes are taken away from every token."""

    crms: ClassVar[frozenset[str]] = HUBSPOT
    kind: Literal["missing_scopes"]
    # What a token may do is told under /oauth, too.
    match: str = "."
    scopes: tuple[str, ...] = Field(min_length=1)


class LongAddress(Standing):
    """Addresses longer than this are refused with 414 and a page."""

    crms: ClassVar[frozenset[str]] = HUBSPOT
    kind: Literal["long_address"]
    characters: int = Field(default=2_000, ge=1)

    def meets(self, line: str) -> bool:
        """Whether the address of a call that it is about is too long."""
        return super().meets(line) and len(line.partition(" ")[2]) > self.characters


class BulkTouch(Fault):
    """When the call arrives, every record of an object gets one and the same new modification date."""

    crms: ClassVar[frozenset[str]] = HUBSPOT
    kind: Literal["bulk_touch"]
    object: str


class ArchiveOwner(Fault):
    """When the call arrives, an owner is deactivated; records keep pointing to it."""

    crms: ClassVar[frozenset[str]] = HUBSPOT
    kind: Literal["archive_owner"]
    owner: str = Field(description="owner id")


class ArchiveProperty(Fault):
    """When the call arrives, an admin archives a property."""

    crms: ClassVar[frozenset[str]] = HUBSPOT
    kind: Literal["archive_property"]
    object: str
    property: str


class RefuseRows(Standing):
    """Some records of batches of writes are refused: each by itself (207), or the whole batch for them (400)."""

    crms: ClassVar[frozenset[str]] = HUBSPOT
    kind: Literal["refuse_rows"]
    match: str = r"/batch/(create|update|upsert|archive)\b"
    percent: float = Field(default=5.0, gt=0, le=100)
    ids: tuple[str, ...] = Field(default=(), description="these records (or trace ids) instead of a share")
    whole_batch: bool = False
    category: str = "VALIDATION_ERROR"
    message: str = "This record does not meet the rules of the portal"


class TextObjectIds(Standing):
    """Associated ids come as text, as the vendor's documents say, and not as numbers, as its servers send them."""

    crms: ClassVar[frozenset[str]] = HUBSPOT
    kind: Literal["text_object_ids"]


class FloatExpansions(OnObject):
    """Numbers with a fraction come with all digits of their binary form."""

    crms: ClassVar[frozenset[str]] = HUBSPOT
    kind: Literal["float_expansions"]


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

    crms: ClassVar[frozenset[str]] = SALESFORCE
    kind: Literal["lose_locators"]
    match: str = LOCATORS


class ShortPages(Standing):
    """Pages of query results are shorter than asked for."""

    kind: Literal["short_pages"]
    rows: int = Field(default=7, ge=1)


# Of the data.


class LockRows(Standing):
    """Writes of some records meet a lock, as while somebody else saves their parent.

    Salesforce answers UNABLE_TO_LOCK_ROW for each record, HubSpot 423 for the whole call.
    """

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

    crms: ClassVar[frozenset[str]] = SALESFORCE
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

    crms: ClassVar[frozenset[str]] = SALESFORCE
    kind: Literal["validation_rule"]
    object: str
    formula: str
    message: str = "This record does not meet the rules of the org"


class JobFailed(Fault):
    """A bulk job ends as Failed after a share of its records was processed."""

    kind: Literal["job_failed"]
    match: str = "."
    object: str | None = None
    ids: tuple[str, ...] = Field(default=(), description="only a job to write one of these records")
    share: float = Field(default=0.5, ge=0, le=1)
    message: str = "InternalServerError : The job could not be completed"

    def strikes(self, object_name: str, ids: Collection[str]) -> bool:
        """Whether it is about a job on these records of an object."""
        return self.object in (None, object_name) and (not self.ids or not set(self.ids).isdisjoint(ids))


class JobAborted(JobFailed):
    """A bulk job is aborted, as by an admin, after a share of its records was processed."""

    kind: Literal["job_aborted"]  # type: ignore[assignment]
    message: str = "Aborted"


class ShuffleResults(Standing):
    """Result files of bulk jobs come in another order than the upload."""

    crms: ClassVar[frozenset[str]] = SALESFORCE
    kind: Literal["shuffle_results"]


class SlowJobs(Standing):
    """Bulk jobs show their end only at this poll, and this many seconds of the org's clock after their start."""

    kind: Literal["slow_jobs"]
    polls: int = Field(default=3, ge=1)
    seconds: float = Field(default=0.0, ge=0)


class PageLinks(Standing):
    """Parallel result pages are told under other keys: the vendor's documents disagree on them."""

    crms: ClassVar[frozenset[str]] = SALESFORCE
    kind: Literal["page_links"]
    result_key: Literal["resultUrl", "resultLink"] = "resultLink"
    next_key: Literal["nextRecordsUrl", "nextRecordUrl"] = "nextRecordUrl"


Poisons = Literal[
    "nan",
    "not_a_number",
    "huge_text",
    "ancient_date",
    "lone_surrogate",
    "bad_utf8",
    "html",
    "missing_id",
]


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
    | RateLimit
    | WrongRegion
    | MissingScopes
    | LongAddress
    | BulkTouch
    | ArchiveOwner
    | ArchiveProperty
    | RefuseRows
    | TextObjectIds
    | FloatExpansions
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


def kinds_of(crm: str) -> list[str]:
    """The names of the kinds that a CRM can have."""
    models: tuple[type[Fault], ...] = get_args(get_args(AnyFault)[0])
    return [get_args(model.model_fields["kind"].annotation)[0] for model in models if crm in model.crms]


class FaultFile(BaseModel):
    """A file of faults: `seed` makes the draws repeatable."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 0
    faults: tuple[AnyFault, ...] = ()
