"""What people are told of a worker's events, in words, and by what it is known that they were told before."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.problems import Problem
from sync.exit_codes import FIX_CONFIGURATION, STOPPED, UNAVAILABLE
from sync.logs import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from config.sections.notify import EventName
    from sync.ledger import Item
    from sync.ledger.notices import Notice
    from sync.service.events import Ended, Missed, Unusable

# Problems, codes or moves in one message; more are counted.
MOST = 10

TITLES = {
    FIX_CONFIGURATION: "something must be put right",
    STOPPED: "a limit stopped the run, nothing was written",
}
# What is away, by the error that ended the run; anything else is the CRM.
AWAY = {"HistoryAway": "the history's database", "StoreAway": "the store of local copies"}


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `kind` and `digest` say what trouble it is of, for the history; a title ends without a period."""

    event: EventName
    connection: str
    kind: str
    digest: str
    title: str
    lines: tuple[str, ...]


def unusable(event: Unusable) -> Message:
    """The settings or a connection's rules cannot be used."""
    lines = _some(event.problems)
    what = "its settings or rules cannot be used" if event.connection else "the settings cannot be used"
    return _message("unusable", event.connection, "unusable", digest_of(*event.problems), what, lines)


def missed(event: Missed) -> Message:
    """Scheduled work did not take place."""
    lines = (f"It was due at {event.due:%Y-%m-%d %H:%M} UTC: {event.why}.",)
    what = f"{_work(event)} did not take place"
    return _message("missed", event.connection, f"missed:{event.job}", digest_of(event.why), what, lines)


def failed(event: Ended) -> Message:
    """A run came to nothing; trouble with the CRM as a whole is one, whichever job met it."""
    kind = "away" if event.exit_code == UNAVAILABLE else f"failed:{event.job}"
    lines = _said(event.report) or (f"Its process ended with code {event.exit_code} and left no word.",)
    why = TITLES.get(event.exit_code, "see the logs")
    if event.exit_code == UNAVAILABLE:
        why = f"{AWAY.get(event.report.get('error', ''), 'the CRM')} cannot be reached"
    what = f"{_work(event)} failed: {why}"
    return _message(
        "failed", event.connection, kind, digest_of(str(event.exit_code), *lines), what, _run(event, lines)
    )


def stopped(event: Ended) -> Message:
    """A limit stopped a run before it wrote."""
    lines = _said(event.report)
    what = f"{_work(event)}: {TITLES[STOPPED]}"
    return _message("stopped", event.connection, "stopped", digest_of(*lines), what, _run(event, lines))


def parked(event: Ended) -> Message | None:
    """A limit ended a run that goes on later. Another run at work, a stop or a pause need nobody."""
    if event.took_too_long:
        told = "It goes on where it was; if it never comes to an end, give it longer: `service.longest_run`."
        lines: tuple[str, ...] = (told,)
        what = f"{_work(event)} was stopped: it took too long"
    elif event.report.get("error") == "RetryLater":
        lines, what = _said(event.report), f"{_work(event)} was parked: no API calls are left to it"
    else:
        return None
    return _message("stopped", event.connection, "parked", digest_of(what), what, _run(event, lines))


def approval(event: Ended) -> Message:
    """Changed rules wait for somebody's word. Its digest is that of the rules, so that an approval ends it."""
    awaiting = event.report["awaiting"]
    lines = [
        f"Tiers of {name}: "
        + (", ".join(_some([f"{count:,} {old} to {new}" for old, new, count in moves])) or "none")
        for name, moves in awaiting["tiers"].items()
    ]
    lines.append(f"Nothing is written until `foretag approve -c {event.connection}`, which shows it in full.")
    what = f"changed rules ({awaiting['rules']}) wait for approval"
    return _message("approval", event.connection, "approval", awaiting["rules"], what, lines)


def refused(event: Ended, items: Sequence[Item]) -> Message:
    """The CRM refused records, or confirmed nothing of them; told by object and code, never by record."""
    counts = Counter((item.object, item.status, item.code) for item in items)
    lines = _some(
        [
            f"{count:,} of {name}: {'refused' if status == 'refused' else 'not confirmed'}, {code}"
            for (name, status, code), count in sorted(counts.items())
        ]
    )
    what = f"{_work(event)}: {len(items):,} not written"
    told = digest_of(*(" ".join(key) for key in sorted(counts)))
    return _message("refused", event.connection, "refused", told, what, _run(event, lines))


def recovered(event: Ended, over: Sequence[Notice]) -> Message:
    """What lasted has ended."""
    lines = [f"{_KINDS[one.kind.partition(':')[0]]}, since {one.since:%Y-%m-%d %H:%M} UTC" for one in over]
    return _message("recovered", event.connection, "", "", f"{_work(event)} went well again", lines)


_KINDS = {
    "failed": "Runs failed",
    "away": "The CRM, or what runs work with, could not be reached",
    "stopped": "A limit stopped runs",
    "parked": "A limit parked runs",
    "approval": "Rules waited for approval",
    "unusable": "Settings or rules could not be used",
    "missed": "Scheduled work did not take place",
}


def digest_of(*texts: str) -> str:
    """Of what is said, but for its numbers: they differ each time, and are no news."""
    return hashlib.sha256("\n".join(re.sub(r"\d+", "0", text) for text in texts).encode()).hexdigest()


def _message(
    event: EventName, connection: str, kind: str, digest: str, what: str, lines: Iterable[str]
) -> Message:
    title = f"{connection}: {what}" if connection else what
    return Message(event, connection, kind, digest, shown(title), tuple(shown(line) for line in lines))


def _work(event: Ended | Missed) -> str:
    return f"{event.job} run" + (f" for {event.zone}" if event.zone else "")


def _said(report: Mapping[str, Any]) -> tuple[str, ...]:
    """A failed run's own words: its problems, or what ended it."""
    problems = [_problem(one) for one in report.get("problems", ())]
    told = str(report.get("message") or report.get("last_line") or "")
    return tuple(_some(problems)) or ((told,) if told else ())


def _problem(problem: Mapping[str, Any]) -> str:
    """As a person's command says it: where, what, and what to do."""
    known = {name: problem[name] for name in Problem.__match_args__ if name in problem}
    return str(Problem(**known))


def _run(event: Ended, lines: Iterable[str]) -> list[str]:
    run = event.report.get("run")
    return [*lines, f"Everything about it: `foretag runs {run}`"] if run else list(lines)


def _some(lines: Sequence[str]) -> list[str]:
    left = len(lines) - MOST
    return [*lines[:MOST], *([f"and {left:,} more"] if left > 0 else [])]
