"""Try other rules on a connection's book: pull, score by both, compare; nothing is written."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sync.pipeline import recorded
from sync.pull import NoCursors, pull
from sync.store.files import COPY
from sync.store.growth_plans import remember_plans
from sync.store.mirror import Mirror
from sync.trial.comparing import Comparison, Side, compare
from sync.workplace import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from config.rules import Rules
    from sync.job import Job
    from sync.report import Report


def try_rules(job: Job, rules: Rules) -> tuple[Report, Comparison]:
    """What other rules would do to the whole book, as it stands in the CRM now."""
    with recorded(job, "plan") as pass_:
        pass_.report.mode = "comparison"
        pass_.pull()
        with _copy(job, rules, pass_.today, pass_.report) as mirror, pass_.timed("score"):
            found = compare(
                Side(job.rules, job.mirror),
                Side(rules, mirror),
                job.tags,
                pass_.today,
                pass_.due,
            )
    return pass_.report, found


@contextmanager
def _copy(job: Job, rules: Rules, today: date, report: Report) -> Iterator[Mirror]:
    """The local copy that the rules can read: the connection's, or one made for this once if they read other fields."""
    if reads_alike(job, rules):
        yield job.mirror
        return
    with TemporaryDirectory(prefix=COPY, dir=job.scratch) as folder:
        mirror = Mirror(folder)
        connector = connect(job.name, job.connection, rules, job.ledger)
        columns = replace(job, rules=rules, connector=connector).columns()
        pull(job.name, connector, NoCursors(), mirror, columns, job.tell, forgotten=job.forgotten)
        report.api_calls += connector.budget().calls
        # Plans that the CRM holds no more are remembered here alone.
        plans = job.mirror.read("commitment")
        mirror.load("commitment", plans.column_names, [plans])
        remember_plans(mirror, today)
        yield mirror


def reads_alike(job: Job, rules: Rules) -> bool:
    """Whether a job's local copy holds all that other rules read, from the same fields."""
    held, wanted, crm = job.columns(), replace(job, rules=rules).columns(), job.connection.crm
    return job.rules.mapping(crm) == rules.mapping(crm) and all(
        set(columns) <= set(held.get(name, ())) for name, columns in wanted.items()
    )
