"""Take back what a run wrote: show what would go back, ask, and do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.commands.ending import confirm, end
from sync.runs.undo import undo as undo_run
from sync.workplace import connection_of, opened_job

if TYPE_CHECKING:
    from pathlib import Path

    from sync.talk import Talk
    from sync.writing.selection import Selection


def undo(
    talk: Talk,
    settings: Path,
    connection: str | None,
    run: str,
    selection: Selection,
    *,
    dry_run: bool,
    yes: bool,
) -> int:
    """Old values back where the CRM still holds the run's; untouched tasks of it deleted."""
    connection = connection or connection_of(settings, run)
    if dry_run or not yes:
        with talk.progress() as tell, opened_job(settings, connection, tell) as job:
            org = job.connector.org()
            talk.banner(org, job.name)
            report = undo_run(job, run, selection, dry_run=True)
        if dry_run or not any(report.planned.values()):
            return end(talk, report, job.crm)
        talk.say(report.last_line)
        confirm(talk, "Take this back?", production=org.production)
    # Looked at anew, now that the answer is there: people work on meanwhile.
    with talk.progress() as tell, opened_job(settings, connection, tell) as job:
        if yes:
            talk.banner(job.connector.org(), job.name)
        report = undo_run(job, run, selection)
    return end(talk, report, job.crm)
