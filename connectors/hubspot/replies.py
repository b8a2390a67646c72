"""What a batch's reply says of each record: its results, its errors (207), and those it does not mention."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.hubspot.failures import read_body
from connectors.hubspot.refusals import REMEDIES
from connectors.outcomes import Outcome, refused, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Record = Mapping[str, Any]

# Ours, for a record that a reply passes over in silence.
NOT_RETURNED = "NOT_RETURNED"
# Where an error names the records that it speaks of, by what they were sent under.
_NAMED_BY = ("ids", "id", "objectWriteTraceId")


def moment(stamp: Any) -> datetime | None:
    """A stamp of a reply; none where it cannot be read, for what it speaks of was done all the same."""
    try:
        return datetime.fromisoformat(stamp)
    except (TypeError, ValueError):
        return None


def outcomes_of(
    reply: Any, sent: Iterable[str], name_of: Callable[[Record], str | None]
) -> dict[str, Outcome]:
    """An outcome for each name that was sent; `name_of` tells under which one a result was."""
    wanted = list(sent)
    if not isinstance(reply, dict) or not isinstance(reply.get("results"), list):
        return dict.fromkeys(wanted, unknown("the reply is no list of results"))
    found: dict[str | None, Outcome] = {name_of(result): _done(result) for result in reply["results"]}
    found.update(_errors(reply.get("errors") or ()))
    silent = _silent(reply)
    return {name: found.get(name, silent) for name in wanted}


def _done(result: Record) -> Outcome:
    return Outcome(
        "done", modified_at=moment(result.get("updatedAt")), crm_id=str(result.get("id") or "") or None
    )


def from_error(error: Mapping[str, Any]) -> Outcome:
    """The outcome of a record that an error of a 207 speaks of."""
    failure = read_body(207, error)
    return refusal(failure.code or "UNKNOWN", failure.message or "HubSpot gives no reason", failure.fields)


def refusal(code: str, message: str, fields: Sequence[str] = ()) -> Outcome:
    """A record that HubSpot refuses: why, and what to do about it."""
    return refused(code, message, fields, REMEDIES)


def _errors(errors: Iterable[Mapping[str, Any]]) -> dict[str, Outcome]:
    return {str(name): from_error(error) for error in errors for name in _named(error)}


def _named(error: Mapping[str, Any]) -> list[Any]:
    context = error.get("context") or {}
    named = [name for word in _NAMED_BY for name in context.get(word) or ()]
    return named or [error["id"]] if error.get("id") else named


def _silent(reply: Mapping[str, Any]) -> Outcome:
    """What to say of records that are neither among the results nor named by an error."""
    nameless = [error for error in reply.get("errors") or () if not _named(error)]
    if nameless:
        return from_error(nameless[0])
    return unknown("HubSpot does not mention the record in its reply", NOT_RETURNED)
