"""Say of scores as of a past day what the CRM could not tell of that day."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.job import Job
    from sync.report import Report
    from sync.talk import Talk

_CHANGED = "changed since, by us too"


def tell_past(talk: Talk, report: Report, job: Job) -> None:
    """What was taken as it is today, though the records changed since; nothing for scores of today."""
    if not report.as_of:
        return
    talk.say(
        f"Scores as of the end of {report.as_of}. Records made since are left out;"
        " those deleted or merged since are gone."
    )
    labels, fields = job.tags.labels(), job.tags.fields()
    rows = []
    for place, count in report.untold.items():
        name, _, column = place.partition(".")
        noun = job.crm.nouns.get(name)
        linked = job.crm.nouns.get(column.removesuffix("_id"), column)
        called = labels.get(place) or fields.get(name, {}).get(column) or str(linked)
        rows.append((noun.one if noun else name, called, count))
    if rows:
        field = job.crm.field.many
        talk.table(
            f"Taken as it is today: {job.crm.label} tells no history of these {field}",
            ("record", job.crm.field.one, _CHANGED),
            sorted(rows),
            right=(_CHANGED,),
        )
