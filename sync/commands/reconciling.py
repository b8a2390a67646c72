"""Compare the local copy with the CRM, and tell what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.runs.reconcile import reconcile as run_reconcile
from sync.workplace import opened_job

if TYPE_CHECKING:
    from pathlib import Path

    from sync.talk import Talk


def reconcile(talk: Talk, settings: Path, connection: str | None) -> int:
    """One comparison of everything."""
    with talk.progress() as tell, opened_job(settings, connection, tell) as job:
        talk.banner(job.connector.org(), job.name)
        report = run_reconcile(job)
    talk.result(vars(report))
    talk.table(
        "",
        ("", "compared", "missing", "gone", "out of date"),
        [
            (
                job.crm.nouns[name].many if name in job.crm.nouns else f"{name.replace('_', ' ')}s",
                count,
                *(report.mended.get(name, {}).get(what, 0) for what in ("lost", "extra", "older")),
            )
            for name, count in report.compared.items()
        ],
        right=("compared", "missing", "gone", "out of date"),
    )
    talk.say(report.last_line)
    return report.exit_code
