"""The guards: limits that stop a run before its first write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from sync.exits import Guarded

if TYPE_CHECKING:
    from sync.pipeline import Pass
    from sync.writing.plan import Plan

# A guard for the first mistake, not a quota: whichever is larger.
DEFAULT_MAX_CHANGES = 500
DEFAULT_MAX_SHARE = 0.10
# Fewer unreadable records than this are single bad records, whatever share of a small book they are.
FEW_UNREADABLE = 20


def check_guards(pass_: Pass, plan: Plan) -> None:
    """Raise `Guarded` (exit 4), or `RetryLater` for the API allowance (exit 75), before anything is written."""
    _guard_reading(pass_)
    _guard_size(pass_, plan)
    pass_.spending.require()


def _guard_size(pass_: Pass, plan: Plan) -> None:
    job = pass_.job
    limit = job.max_changes or job.connection.limits.max_changes
    limit = limit or max(DEFAULT_MAX_CHANGES, int(DEFAULT_MAX_SHARE * sum(plan.book.values())))
    if plan.records > limit:
        raise Guarded(
            f"{plan.records:,} records would change, the limit is {limit:,}: nothing was written; look at the"
            f" plan, then raise it for once with --max-changes {plan.records}"
        )


def _guard_reading(pass_: Pass) -> None:
    """Many unreadable records mean that something is wrong with the reading: scores would mislead."""
    job = pass_.job
    share, mirror = job.connection.limits.max_unreadable, job.mirror
    for name, ids in pass_.unreadable.items():
        count = len(ids)
        # Those that were readable before are still held.
        held = mirror.read(name, ("id",), ids=pa.array(ids, pa.string())).num_rows
        records = mirror.count(name) + count - held
        if count >= FEW_UNREADABLE and count > records * share / 100:
            raise Guarded(
                f"{count:,} of {records:,} {job.crm.nouns.get(name, name)} records cannot be read, more"
                f" than the {share:g} % that `limits.max_unreadable` allows: nothing was written;"
                f" `foretag runs {pass_.report.run}` names records and {job.crm.field.many}"
            )
