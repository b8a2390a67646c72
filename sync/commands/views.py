"""Show what the last run said of records and of the book."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.outputs import OBJECTS
from config.problems import ConfigProblem, Problem
from sync.commands.overrides import show_ending
from sync.exit_codes import DONE
from sync.explaining.apart import apart
from sync.explaining.explain import explain_record
from sync.explaining.rule_lines import RuleLines
from sync.explaining.waterfall import draw
from sync.talk import quiet
from sync.workplace import opened_job

if TYPE_CHECKING:
    from pathlib import Path

    from sync.job import Job
    from sync.talk import Talk


def explain(talk: Talk, settings: Path, connection: str | None, record: str) -> int:
    """Where every point of a record's score came from, as of the last run."""
    with opened_job(settings, connection, quiet) as job:
        lines = RuleLines.read(job.connection.rules)
        found = _last(talk, job, record)
        explained = explain_record(job.mirror, job.tags, job.rules, lines, job.crm, found)
        day = job.tags.day()
        if day is not None:
            explained = replace(explained, apart=tuple(apart(job, explained, day)))
        talk.result(explained.as_dict())
        draw(explained, talk)
    return DONE


def _last(talk: Talk, job: Job, record: str) -> str:
    """The record that this one was merged into, by id, if it was: what was asked of it is asked of that one."""
    for name in OBJECTS:
        winner = job.ledger.merges.winners(job.name, name).get(record)
        if winner is not None:
            talk.say(f"{record} was merged into {winner}.")
            return winner
    return record


def book(talk: Talk, settings: Path, connection: str | None, owner: str | None) -> int:
    """The book as of the last run: who matters, what hangs on whom, who looks after whom."""
    # Late: only this command and comparisons need pandas.
    from sync.book.tables import MOST, show  # noqa: PLC0415  # late on purpose
    from sync.book.view import view_book  # noqa: PLC0415  # late on purpose

    with opened_job(settings, connection, quiet) as job:
        day = job.tags.day()
        if day is None:
            raise ConfigProblem(Problem("nothing was scored yet", fix="run `foretag plan` first"))
        view = view_book(job.mirror, job.tags, job.rules, day).of(owner)
        show(talk, view, job.crm)
        ending = show_ending(talk, job, day, None if owner is None else set(view.owners["owner_id"]))
        talk.result({"as_of": str(day)} | view.as_dict(MOST) | {"overrides_ending": ending})
        talk.say(f"As of {day}, from the local copy; `foretag plan` brings it up to date.")
    return DONE
