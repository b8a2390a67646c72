"""An earlier run that a command names, to undo it or to try again what it did not get done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.problems import ConfigProblem, Problem

if TYPE_CHECKING:
    from sync.job import Job


def earlier_run(job: Job, run_id: str) -> dict[str, Any]:
    """Its row in the history. Raises `ConfigProblem` if there is none, or if it is another connection's."""
    row = job.ledger.run(run_id)
    if row is None:
        raise ConfigProblem(Problem(f'there is no run "{run_id}"', fix="`foretag runs` lists them"))
    if row["connection"] != job.name:
        words = f"run {run_id} is one of {row['connection']}, not of {job.name}"
        raise ConfigProblem(Problem(words, fix=f"repeat with --connection {row['connection']}"))
    return row
