"""What a failed reply means: a status table, whose rows turn a status and a code into an action."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests


class Action(Enum):
    """What to do about a failed request."""

    RETRY = "wait and send it again"
    REFRESH = "sign in again, once, and send it again"
    REFUSE = "this request is refused; the caller decides, the run goes on"
    FAIL = "a person must change something: stop"
    PARK = "an allowance is used up: stop, go on later"


@dataclass(frozen=True, slots=True)
class Failure:
    """What the CRM said went wrong, whatever form its API family says it in."""

    status: int
    code: str
    message: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a status table; `None` and "" match anything, and the first row that matches counts.

    `message` says what happened (the CRM's own words follow); `fix` what a person can do. `harmless`: the
    CRM turned the request away before it did anything, so even a create may be sent again. `pause`: seconds to
    wait at least before that, whatever the CRM says of waiting.
    """

    status: int | range | None
    code: str
    action: Action
    message: str
    fix: str = ""
    text: str = ""
    harmless: bool = False
    pause: float = 0.0

    def matches(self, failure: Failure) -> bool:
        """Whether this row speaks of the failure."""
        statuses = self.status if isinstance(self.status, range) else (self.status,)
        return (
            (self.status is None or failure.status in statuses)
            and self.code in ("", failure.code)
            and self.text.lower() in failure.message.lower()
        )


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one CRM speaks of failures: its status table, and how to read its error bodies."""

    rules: tuple[Rule, ...]
    read_failure: Callable[[requests.Response], Failure]

    def rule(self, failure: Failure) -> Rule:
        """The row of the table for a failure; the table ends with rows that match anything."""
        return next(rule for rule in self.rules if rule.matches(failure))
