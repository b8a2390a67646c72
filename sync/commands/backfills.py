"""Quote a backfill, ask, and write it; or take one up again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sync.commands.ending import confirm, end, tell_chosen
from sync.commands.past import tell_past
from sync.exit_codes import INTERRUPTED, PARKED, UNAVAILABLE
from sync.exits import exit_code
from sync.runs import backfill as backfills
from sync.runs.pace import lasting
from sync.stopping import cause
from sync.workplace import connection_of, opened_job

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from config.crms import Crm
    from sync.runs.backfill import Backfill, Quote, Terms
    from sync.talk import Talk
    from sync.writing.selection import Selection


def begin(  # noqa: PLR0913  # the options of the command
    talk: Talk,
    settings: Path,
    connection: str | None,
    selection: Selection,
    terms: Terms,
    *,
    as_of: date | None,
    max_changes: int | None,
    dry_run: bool,
    yes: bool,
) -> int:
    """The quote; and if it is said yes to, what it says."""
    with talk.progress() as tell, opened_job(settings, connection, tell) as job:
        org = job.connector.org()
        talk.banner(org, job.name)
        report, quote = backfills.quote(job, selection, terms, as_of)
        tell_past(talk, report, job)
        tell_chosen(talk, report, selection, job.crm)
        _show(talk, quote, terms, job.crm)
        if dry_run or not any(quote.planned.values()):
            backfills.drop(job, report.run)
            if not dry_run and not report.incomplete:
                talk.say("Nothing to write: the CRM holds all of it.")
            return end(talk, report, job.crm)
    if not yes:
        _agree(talk, settings, connection, report.run, production=org.production)
        max_changes = quote.records
    return _do(talk, settings, connection, report.run, replace(terms, most=max_changes))


def resume(
    talk: Talk, settings: Path, connection: str | None, run: str | None, terms: Terms, *, yes: bool
) -> int:
    """Take a backfill up again: the latest, or a named one; terms that are given take the place of the old ones."""
    connection = connection or (run and connection_of(settings, run))
    with opened_job(settings, connection, lambda *_: None) as job:
        org = job.connector.org()
        talk.banner(org, job.name)
        kept = backfills.found(job, run)
    old = kept.terms
    terms = replace(
        old, rate=terms.rate or old.rate, window=terms.window or old.window, most=terms.most or old.most
    )
    talk.say(f"Backfill {kept.run} of {kept.header.today}; what is written already is not repeated.")
    if not old.agreed and not yes:
        confirm(talk, f"Write {kept.plan.records:,} records?", production=org.production)
        terms = replace(terms, most=kept.plan.records)
    return _do(talk, settings, connection, kept.run, terms)


def _agree(talk: Talk, settings: Path, connection: str | None, run: str, *, production: bool) -> None:
    """Ask; a backfill that nobody wants is not kept."""
    try:
        confirm(talk, "Write this?", production=production)
    except BaseException:
        with opened_job(settings, connection, lambda *_: None) as job:
            backfills.drop(job, run)
        raise


def _do(talk: Talk, settings: Path, connection: str | None, run: str, terms: Terms) -> int:
    with talk.progress() as tell, opened_job(settings, connection, tell) as job:
        backfills.agree(job, run, terms)
        kept: Backfill = backfills.found(job, run)
        try:
            report = backfills.do(job, kept, talk.say)
        except BaseException as error:
            if exit_code(cause(error)) in (PARKED, UNAVAILABLE, INTERRUPTED):
                talk.say(f"What is left is kept. To go on: foretag backfill --resume {run}", "yellow")
            raise
    return end(talk, report, job.crm)


def _show(talk: Talk, quote: Quote, terms: Terms, crm: Crm) -> None:
    """What it would take, before anybody says yes."""
    talk.table(
        "",
        ("", "chosen", "as wanted", "to write"),
        [
            (noun.many, quote.chosen.get(name), quote.equal.get(name), quote.planned.get(name, 0))
            for name, noun in crm.nouns.items()
        ],
        right=("chosen", "as wanted", "to write"),
    )
    if not any(quote.planned.values()):
        return
    calls = quote.calls + quote.looking
    talk.say(
        f"Quote: {crm.counted(quote.planned)}, in about {calls:,} API calls ({quote.calls:,} to write,"
        f" {quote.looking:,} to see what changes meanwhile), {lasting(quote.seconds)}."
    )
    if quote.left is not None:
        share = f"; it takes {_percent(quote.share)} of a day's {quote.limit:,}" if quote.share else ""
        talk.say(f"{quote.left:,} calls are left to it today, the reserve for others kept{share}.")
        if calls > quote.left:
            talk.say(
                "That is not enough: it will stop, and go on with `foretag backfill --resume`.", "yellow"
            )
    if terms.window:
        talk.say(f"It writes within {terms.window} of the org's time zone alone.")


def _percent(share: float) -> str:
    return f"about {share:.1%}" if share >= 0.001 else "under 0.1%"
