"""Open and shut the way to the CRM: pause, resume, approve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.outputs import OBJECTS, TIERS
from config.problems import ConfigProblem, Problem
from sync.commands.ending import confirm
from sync.exit_codes import DONE
from sync.opening import opened_ledger
from sync.person import person
from sync.talk import quiet
from sync.workplace import chosen, opened_job
from sync.writing.gates import held_words, holds, shut, unapproved

if TYPE_CHECKING:
    from pathlib import Path

    from config.crms import Crm
    from sync.talk import Talk
    from sync.writing.moves import Moves


def pause(talk: Talk, settings: Path, connection: str | None, reason: str, by: str | None) -> int:
    """Write nothing to the CRM until resumed; a run under way stops before its next portion."""
    # The CRM is not asked: the way must be shut even while it does not answer.
    with opened_ledger(settings) as (loaded, ledger):
        name, _ = chosen(loaded, connection, settings)
        before = ledger.gates.paused(name)
        if before is None and not ledger.gates.pause(name, by or person(), reason):
            raise ConfigProblem(
                Problem(
                    "nothing has run here yet, so there is nothing to pause", where=name, fix="`foretag plan`"
                )
            )
        found = ledger.gates.paused(name) if before is None else before
        talk.result({"connection": name, "paused_by": found and found.by, "reason": found and found.reason})
        if before is not None:
            why = f" ({before.reason})" if before.reason else ""
            talk.say(f"{name} was paused already, by {before.by}{why}: that stands.", "yellow")
        else:
            talk.say(
                f"{name} is paused: nothing is written until `foretag resume`. `foretag undo` still works.",
                "yellow",
            )
    return DONE


def resume(talk: Talk, settings: Path, connection: str | None) -> int:
    """Let a paused connection write again, and what an undo took back be written."""
    with opened_job(settings, connection, quiet) as job:
        talk.banner(job.connector.org(), job.name)
        gates = job.ledger.gates
        pause, held = gates.paused(job.name), holds(job)
        gates.unpause(job.name)
        gates.release(job.name)
        left = list(shut(job))
        talk.result(
            {
                "connection": job.name,
                "was_paused": pause is not None,
                "released": [[hold.object, hold.field] for hold in held],
                "still_shut": left,
            }
        )
        if pause is None and not held:
            talk.say(f"{job.name} was neither paused nor held.")
        if pause is not None:
            talk.say(f"{job.name} is no longer paused.", "green")
        if held:
            talk.say(f"May be written again: {held_words(job, held)}.", "green")
        for words in left:
            talk.say(f"Still {words}.", "yellow")
    return DONE


def approve(talk: Talk, settings: Path, connection: str | None, by: str | None, *, yes: bool) -> int:
    """Show what the rules as they are now would change, and let them be used."""
    # Late: only this command of the three scores.
    from sync.pipeline import preview  # noqa: PLC0415  # late on purpose
    from sync.writing.moves import matrix  # noqa: PLC0415  # late on purpose

    with talk.progress() as tell, opened_job(settings, connection, tell) as job:
        talk.banner(job.connector.org(), job.name)
        digest, last = job.rules.digest, job.ledger.gates.approval(job.name)
        if not unapproved(job):
            talk.result({"rules": digest, "approved": True, "asked": False})
            told = (
                "need no approval here" if last is None or last.rules != digest else f"approved by {last.by}"
            )
            talk.say(f"These rules ({digest}): {told}. Nothing to do.", "green")
            return DONE
        report, _ = preview(job, to_keep=False)
        found = {name: matrix(job.mirror, job.tags, name) for name in OBJECTS}
        _show(talk, found, job.crm)
        talk.say(report.last_line)
        live = job.ledger.gates.live(job.name)
        production = job.connector.org().production
    if not yes:
        before = "" if last is None else f" (until now {last.rules}, by {last.by})"
        confirm(talk, f"Approve these rules, {digest}{before}?", production=production)
    with opened_ledger(settings) as (_, ledger):
        ledger.gates.approve(job.name, digest, by or person(), f"approve, after plan {report.run}")
    talk.result(
        {
            "rules": digest,
            "approved": True,
            "asked": True,
            "by": by or person(),
            "planned": report.planned,
            "tiers": {
                name: [[*step, count] for step, count in moves.items()] for name, moves in found.items()
            },
        }
    )
    then = "the next `foretag run` writes" if live else "once the preview is over, runs write"
    talk.say(f"Approved: {then} by these rules ({digest}).", "green")
    return DONE


def _show(talk: Talk, found: dict[str, Moves], crm: Crm) -> None:
    """For each object, how many records go from which tier (down) to which (across)."""
    tiers = [*TIERS, "none"]
    for name, moves in found.items():
        talk.table(
            f"{crm.nouns[name].many.capitalize()}: tier now (down) and then (across)",
            ("", *tiers),
            [
                (old, *(f"{moves[old, new]:,}" if (old, new) in moves else "·" for new in tiers))
                for old in tiers
                if any(step[0] == old for step in moves)
            ],
            right=tiers,
        )
