"""Retry: send again what a run did not get done, and nothing else, once somebody has fixed the cause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.problems import ConfigProblem, Problem
from sync.pipeline import recorded
from sync.runs.earlier import earlier_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.job import Job
    from sync.report import Report

    Ids = Mapping[str, frozenset[str]]

# Refused now, refused before and not sent again, or sent and not confirmed.
RETRIED = ("refused", "quarantined", "unknown")


def retry(job: Job, run_id: str) -> Report:
    """Plan anew, as everything is now, for the records and tasks that a run did not get done, and write that.

    What was set aside after a refusal may be sent again from here on, also by other runs.
    """
    wanted = not_done(job, run_id)
    with recorded(job, "retry", of=run_id) as pass_:
        pass_.report.of = run_id
        for object_name, ids in wanted.items():
            pass_.waiting.lift(object_name, ids)
        plan = pass_.plan(replace(pass_.scope(), ids=wanted))
        if pass_.live:
            pass_.guard(plan)
            pass_.apply(plan)
    return pass_.report


def not_done(job: Job, run_id: str) -> Ids:
    """The ids of records, and keys of tasks, that a run did not get done, by object.

    Raises `ConfigProblem` if there is no such run, or if it was an undo: what scores want is not what it had to do.
    """
    row = earlier_run(job, run_id)
    if row["command"] == "undo":
        fix = f"undo once more, what is back already is left alone: foretag undo {row['of']}"
        raise ConfigProblem(Problem(f"run {run_id} is an undo: to retry it would write the scores", fix=fix))
    found: dict[str, set[str]] = {}
    for item in job.ledger.items(run_id):
        if item.status in RETRIED:
            found.setdefault(item.object, set()).add(item.record_id)
    return {name: frozenset(ids) for name, ids in found.items()}
