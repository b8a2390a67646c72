"""How a command that writes begins and ends: the question, the table, the last line, and errors in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from config.problems import ConfigProblem, Problem
from connectors.contract import ConnectorError
from sync.exit_codes import BUG
from sync.exits import Guarded, exit_code
from sync.ledger.away import HistoryAway
from sync.stopping import LeaseLost, Parked
from sync.store.away import StoreAway

if TYPE_CHECKING:
    from config.crms import Crm
    from sync.report import Report
    from sync.talk import Talk
    from sync.writing.selection import Selection


def explain_error(talk: Talk, error: BaseException) -> int:
    """Say what ended a command: what, where, what to do; the traceback only for our own bugs."""
    told = told_error(talk, error)
    talk.result(told)
    return int(told["exit_code"])


def told_error(talk: Talk, error: BaseException) -> dict[str, Any]:
    """The same, for people; returns it for machines."""
    code = exit_code(error)
    problems = error.problems if isinstance(error, ConfigProblem) else ()
    talk.problems(problems)
    # A run that it ended has noted its last line there, with what was done before.
    told = next(iter(getattr(error, "__notes__", ())), str(error))
    if isinstance(error, ConnectorError | Guarded | Parked | LeaseLost | StoreAway | HistoryAway):
        talk.say(told, "red")
    elif isinstance(error, KeyboardInterrupt):
        talk.say(told or "Interrupted.", "yellow")
    elif code == BUG:
        talk.bug(error)
    return {
        # What was done before, of a run that had begun.
        **getattr(error, "report", {}),
        "error": type(error).__name__,
        # A library's words may show content, and what machines read is kept.
        "message": "a bug in Foretag" if code == BUG else told,
        "problems": [one.as_dict() for one in problems],
        "exit_code": code,
    }


def confirm(talk: Talk, question: str, *, production: bool = True) -> None:
    """Ask the person at the terminal; where nobody is there, only what leaves production alone goes on.

    Raises `ConfigProblem` if nobody is there to answer for production, `Guarded` if the answer is no.
    """
    if not talk.is_interactive:
        if not production:
            return
        raise ConfigProblem(Problem("nobody is there to answer", fix="repeat with --yes"))
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        # The terminal was closed, or its input ended, instead of an answer.
        agreed = False
    if not agreed:
        raise Guarded("not confirmed: nothing was written")


def tell_chosen(talk: Talk, report: Report, selection: Selection, crm: Crm) -> None:
    """Say how many records were chosen, and so if that is all of them."""
    if not report.chosen:
        return
    told = ", ".join(
        f"{count:,} of {report.book[name]:,} {crm.nouns[name].many}" for name, count in report.chosen.items()
    )
    talk.say(f"Chosen by {selection.asked}: {told}.")
    if report.chosen == report.book:
        talk.say("That is everything: nothing is left out.", "yellow")


def end(talk: Talk, report: Report, crm: Crm) -> int:
    """Tell what a run planned and did; returns its exit code."""
    talk.result(vars(report))
    counts = {"planned": report.planned}
    if report.mode != "preview":
        counts |= {"written": report.done, "refused": report.refused, "not confirmed": report.unknown}
    talk.table(
        "",
        ("", *counts),
        [(noun.many, *(count.get(name, 0) for count in counts.values())) for name, noun in crm.nouns.items()],
        right=tuple(counts),
    )
    if report.least_calls:
        talk.say(f"{report.api_calls:,} API calls; for what was done, {report.least_calls:,} at the least.")
    if report.writes:
        talk.say(f"To take this back: foretag undo {report.run}")
    talk.say(report.last_line)
    return report.exit_code
