"""What a run did, and the one line that sums it up and is true."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.problems import ConfigProblem
from sync.exit_codes import BUG
from sync.exits import exit_code

if TYPE_CHECKING:
    from config.crms import Crm


@dataclass
class Report:
    """What a run did, as it is printed, kept in the history and given to machines."""

    run: str = ""
    command: str = ""
    org: str = ""
    production: bool = False
    today: str = ""
    mode: str = "live"
    pulled: dict[str, int] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    compared: dict[str, int] = field(default_factory=dict)
    mended: dict[str, dict[str, int]] = field(default_factory=dict)
    book: dict[str, int] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    chosen: dict[str, int] = field(default_factory=dict)
    planned: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    unprocessed: int = 0
    stale: int = 0
    already: int = 0
    set_aside: int = 0
    held_back: int = 0
    quarantined: int = 0
    respected: int = 0
    held: str = ""
    awaiting: dict[str, Any] = field(default_factory=dict)
    left: int = 0
    of: str = ""
    only: list[str] = field(default_factory=list)
    as_of: str = ""
    untold: dict[str, int] = field(default_factory=dict)
    api_calls: int = 0
    least_calls: int = 0
    quote: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    exit_code: int = 0
    last_line: str = ""

    @property
    def incomplete(self) -> bool:
        """Whether anything that should have been written was not, or could not be read."""
        return bool(
            sum(self.refused.values()) + sum(self.unknown.values()) + self.stale + self.set_aside + self.left
        )

    @property
    def writes(self) -> int:
        """How many records and tasks were written."""
        return sum(self.done.values())


def last_line(report: Report, error: BaseException | None, crm: Crm) -> str:
    """The one line that sums a run up, and is true."""
    if error is not None:
        before = f" Written before that: {crm.counted(report.done)}." if report.writes else ""
        if isinstance(error, ConfigProblem):
            return f"Stopped, to fix first: {_first(error)}.{before or ' Nothing was written.'}"
        return f"{_ending(error)}{before}{_not_done(report)}"
    if report.mode == "comparison":
        return f"Compared on {report.today}. Nothing was written.{_not_done(report)}"
    if report.command in ("undo", "reconcile"):
        told = _mended(report) if report.command == "reconcile" else _taken_back(report, crm)
        return f"{told}{_not_done(report)}"
    if report.mode == "preview":
        day = f" as of {report.as_of}" if report.as_of else ""
        return f"Preview{day}: would write {crm.counted(report.planned)}. Nothing was written.{_not_done(report)}"
    already = f" {report.already:,} were done already." if report.already else ""
    return f"Wrote {crm.counted(report.done)} in {report.api_calls} API calls.{already}{_not_done(report)}"


_DIFFERENCES = {"lost": "missing", "extra": "gone from the CRM", "older": "out of date"}


def _mended(report: Report) -> str:
    """What a comparison of the local copy with the CRM found."""
    before = f"Compared {sum(report.compared.values()):,} records with the local copy:"
    counts = {
        word: sum(found.get(name, 0) for found in report.mended.values())
        for name, word in _DIFFERENCES.items()
    }
    if not any(counts.values()):
        return f"{before} all alike."
    told = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return f"{before} {told}; mended, see `foretag runs {report.run}`."


def _taken_back(report: Report, crm: Crm) -> str:
    """What an undo did, or would do."""
    if report.mode == "preview":
        return f"Would take back of {report.of}: {crm.counted(report.planned)}. Nothing was written."
    return f"Took back of {report.of}: {crm.counted(report.done)}, in {report.api_calls} API calls."


def _ending(error: BaseException) -> str:
    """Why a run ended early; of a bug its kind and place alone, since a library's words may show content."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted; what was sent is recorded, the next run takes up what is open."
    if exit_code(error) != BUG:
        told = str(error)
        return told if told.endswith(".") else f"{told}."
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"Stopped by a bug in Foretag: {type(error).__name__}{place}."


def _first(error: ConfigProblem) -> str:
    """The first problem in full; how many more there are."""
    more = len(error.problems) - 1
    return f"{error.problems[0]}{f'; {more:,} more, see `foretag check`' if more else ''}"


def _not_done(report: Report) -> str:
    """What is on the run's list, by kind; empty if all is done."""
    counts = (
        (sum(report.refused.values()), "refused"),
        (sum(report.unknown.values()) - report.unprocessed, "sent, not confirmed"),
        (report.unprocessed, "not processed"),
        (report.stale, "stale"),
        (report.set_aside, "unreadable"),
        (report.quarantined, "set aside after a refusal"),
        (report.left, "left as they are"),
    )
    told = "".join(f" {count:,} {what}: see `foretag runs {report.run}`." for count, what in counts if count)
    held = (
        f" Held since an undo, until the rules change or `foretag resume`: {report.held}."
        if report.held
        else ""
    )
    theirs = (
        f" Left as others changed them: {report.respected:,} of our values; see `foretag overrides`."
        if report.respected
        else ""
    )
    return told + held + theirs
