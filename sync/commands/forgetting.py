"""Forget a record at a person's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.outputs import OBJECTS
from config.problems import ConfigProblem, Problem
from sync.commands.ending import confirm
from sync.exit_codes import DONE
from sync.forget import forget as forget_record
from sync.forget import kept_of
from sync.talk import quiet
from sync.workplace import opened_job

if TYPE_CHECKING:
    from pathlib import Path

    from config.crms import Crm
    from sync.forget import Kept
    from sync.talk import Talk


def forget(
    talk: Talk, settings: Path, connection: str | None, record_id: str, kind: str | None, *, yes: bool
) -> int:
    """Say what is kept of a record, ask, and erase it. The CRM is not asked: it may be gone, too."""
    with opened_job(settings, connection, quiet) as job:
        kept = kept_of(job, record_id, None if kind is None else _object_named(kind, job.crm))
        talk.say(_told(kept, job.crm))
        if not yes:
            confirm(talk, "Erase it for good?")
        forget_record(job, kept)
        talk.result(
            {"object": kept.object, "id": kept.id, "deals": list(kept.deals), "rows": dict(kept.rows)}
        )
        talk.say("Erased, and it will not be read again.", "green")
        talk.say(
            "Not touched: what the CRM holds, plan files that you keep elsewhere (`plan -o`), backups,"
            " and what was printed."
        )
    return DONE


def _object_named(word: str, crm: Crm) -> str:
    for name in OBJECTS:
        if word.casefold() in (name, crm.nouns[name].one, crm.nouns[name].many):
            return name
    known = " or ".join(crm.nouns[name].one for name in OBJECTS)
    raise ConfigProblem(Problem(f'there is no object "{word}" here', where="--object", fix=f"it is {known}"))


def _told(kept: Kept, crm: Crm) -> str:
    """Who it is, and how much is kept of it; of what was forgotten before only what is left."""
    who = f"{crm.nouns[kept.object].one} {kept.name or kept.id}".strip()
    deals = f" and {len(kept.deals):,} {crm.nouns['opportunity'].many} of it" if kept.deals else ""
    before = ", forgotten before" if kept.again else ""
    return f"Of the {who}{before}{deals}: {sum(kept.rows.values()):,} rows are kept, and what the history says of it."
