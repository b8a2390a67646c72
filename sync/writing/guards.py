"""The guards: limits that stop a run before its first write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from sync.exits import Guarded
from sync.writing.plan import written_fields
from sync.writing.tier_guards import tier_objections

if TYPE_CHECKING:
    from sync.job import Job
    from sync.pipeline import Pass
    from sync.writing.plan import Plan

# A guard for the first mistake, not a quota: whichever is larger.
DEFAULT_MAX_CHANGES = 500
DEFAULT_MAX_SHARE = 0.10
# What puts the old values back moves tiers as far as they were moved before.
TAKES_BACK = ("undo",)
# Fewer unreadable records than this are single bad records, whatever share of a small book they are.
FEW_UNREADABLE = 20


def check_guards(pass_: Pass, plan: Plan) -> None:
    """Raise `Guarded` (exit 4), or `RetryLater` for the API allowance (exit 75), before anything is written."""
    _guard_reading(pass_)
    _guard_fields(pass_, plan)
    _guard_size(pass_, plan)
    _guard_tiers(pass_, plan)
    pass_.spending.require()


def _guard_fields(pass_: Pass, plan: Plan) -> None:
    """A plan that was kept may want what is no longer allowed (invariant I6)."""
    for name, changes in plan.changes.items():
        allowed = {field.name for field in pass_.job.written(name)}
        over = sorted(set(written_fields(changes)) - allowed)
        if over:
            raise Guarded(
                f"this would write {', '.join(over)} on {pass_.job.crm.nouns[name].many}, which `writes:` or"
                " `outputs:` in the settings do not allow: nothing was written; make a new plan"
            )


def _guard_size(pass_: Pass, plan: Plan) -> None:
    if pass_.report.command in TAKES_BACK:
        return
    found = _most_changes(pass_.job, sum(plan.book.values()))
    if pass_.report.command == "backfill" and not found:
        # It writes much on purpose, and began with a quote: only what somebody set holds for it.
        return
    limit, why = found or _usual(sum(plan.book.values()))
    if plan.records > limit:
        sample = "" if pass_.live else "begin with a few, `foretag plan --sample 50 -o FILE`, or "
        raise Guarded(
            f"{plan.records:,} records would change, the limit is {limit:,} ({why}): nothing was written; look at"
            f" the plan, then {sample}raise the limit for once with --max-changes {plan.records}"
        )


def _most_changes(job: Job, book: int) -> tuple[int, str] | None:
    """How many records a run may change, and which setting says so; None if none does."""
    limits = job.connection.limits
    if job.max_changes:
        return job.max_changes, "--max-changes"
    found = []
    if limits.max_changes is not None:
        found.append((limits.max_changes, "`limits.max_changes`"))
    if limits.max_share is not None:
        found.append(
            (int(book * limits.max_share / 100), f"`limits.max_share`, {limits.max_share:g} % of {book:,}")
        )
    return min(found, default=None)


def _usual(book: int) -> tuple[int, str]:
    usual = max(DEFAULT_MAX_CHANGES, int(DEFAULT_MAX_SHARE * book))
    return usual, f"by default, {DEFAULT_MAX_CHANGES} or 10 % of {book:,}"


def _guard_tiers(pass_: Pass, plan: Plan) -> None:
    if pass_.report.command in TAKES_BACK:
        return
    found = list(tier_objections(pass_.job, plan))
    if found:
        raise Guarded(
            f"{'; '.join(found)}: nothing was written; look at the plan, then raise the limit in the settings, or"
            " write a part of it"
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
