"""Send again what a run did not get done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.commands.ending import confirm, end
from sync.exit_codes import DONE
from sync.runs.retry import not_done
from sync.runs.retry import retry as retry_run
from sync.workplace import connection_of, opened_job

if TYPE_CHECKING:
    from pathlib import Path

    from sync.talk import Talk


def retry(
    talk: Talk, settings: Path, connection: str | None, run_id: str, *, max_changes: int | None, yes: bool
) -> int:
    """Retry a run's refusals and what was not confirmed; say so if it left none."""
    connection = connection or connection_of(settings, run_id)
    with talk.progress() as tell, opened_job(settings, connection, tell, max_changes) as job:
        counts = {name: len(ids) for name, ids in not_done(job, run_id).items()}
        if not counts:
            talk.result({"run": None, "of": run_id, "asked": counts})
            talk.say(f"Run {run_id} left nothing to retry: nothing was refused, all was confirmed.", "green")
            return DONE
        talk.banner(job.connector.org(), job.name)
        talk.say(f"Run {run_id} did not get done: {job.crm.counted(counts)}.")
        if not yes:
            confirm(talk, "Try these again?", production=job.connector.org().production)
        report = retry_run(job, run_id)
        idle = sum(counts.values()) - sum(report.planned.values())
        if idle > 0:
            talk.say(f"{idle:,} of them need no write any more.")
    return end(talk, report, job.crm)
