"""Why the CRM shows something else on a record than its score says: people's words and hands, and what is held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from config.sections.edits import LABELS
from sync.writing.edits import TOLD
from sync.writing.gates import held_words, holds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sync.explaining.explain import Explained
    from sync.job import Job


def apart(job: Job, explained: Explained, day: date) -> Iterator[str]:
    """One line for each reason, as of a day."""
    if explained.tags.get("leave"):
        yield f"A person said to leave it alone, until {explained.tags['override_until']}: nothing is written to it."
    yield from _edited(job, explained, day)
    held = [hold for hold in holds(job) if hold.object == explained.object]
    if held:
        words = held_words(job, held)
        yield f"An undo holds back {words}: not written until the rules change or `foretag resume`."


def _edited(job: Job, explained: Explained, day: date) -> Iterator[str]:
    """Values of ours that somebody changed; their texts are theirs, and not repeated."""
    edits = [
        edit
        for edit in job.ledger.edits.of(job.name)
        if (edit.object, edit.record_id) == (explained.object, explained.id)
        and edit.respected(day)
        and not (edit.field == "foretag_tier" and explained.tags["overridden"])
    ]
    if not edits:
        return
    names = ("id", *(edit.field for edit in edits))
    held = job.mirror.read(explained.object, names, ids=pa.array([explained.id])).to_pylist()[0]
    for edit in edits:
        value = "nothing" if held[edit.field] is None else held[edit.field]
        what = f"is {value} in the CRM" if edit.field in TOLD else "has other words in the CRM"
        yield f"{LABELS[edit.field]} {what}: somebody changed it, which is respected until {edit.until}."
