"""The whole job on the bundled sandbox: fields made, records pulled, scored and written, twice."""

from __future__ import annotations

import shlex
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.crms import crm_named
from config.rules import load_rules
from config.sections.secret import Secret
from connectors.sandbox.server import Sandbox
from sync.exit_codes import DONE
from sync.opening import opened_ledger
from sync.pipeline import run as run_pipeline
from sync.workplace import chosen, connect_admin, opened_job

if TYPE_CHECKING:
    from config.crms import Crm
    from sync.report import Report
    from sync.talk import Talk

# The local CRM holds nobody's data: nothing there needs the guard against large first writes.
_SETTINGS = """\
state: state
connections:
  demo:
    crm: {crm}
    url: {url}
    ca_file: {ca_file}
    auth:
{secrets}
    rules: rules.yaml
    outputs: full
    limits: {{max_changes: 100000000, api_reserve: 0}}
"""

# Data sets whose seller has made the same fields share their rules.
_SAME_FIELDS = {"planted": "showcase"}


def demo(talk: Talk, *, crm: str, data: str, serve: bool) -> int:
    """Run the job on a fresh local CRM, tell what it did, and keep the CRM running if asked."""
    started, played = time.perf_counter(), crm_named(crm)
    with (
        Sandbox(crm=crm, data=data) as sandbox,
        tempfile.TemporaryDirectory(prefix="foretag-demo-") as folder,
    ):
        settings = write_settings(Path(folder), sandbox)
        talk.say(f"A local {played.label} with the data set {data!r} answers at {sandbox.url}")
        created = set_up(settings)
        talk.say(f"Made {created} {played.field.many}, as the admin.")
        first, tiers, segments, top = _first_run(talk, settings)
        position = sandbox.journal.position
        second = _second_run(talk, settings)
        result = _result(crm, data, first, second) | {
            "fields_created": created,
            "tiers": tiers,
            "segments": segments,
            "second_run_writes": sum(len(entry.ids) for entry in sandbox.journal.writes(since=position)),
            "seconds": round(time.perf_counter() - started, 1),
        }
        _show(talk, result, top, played)
        talk.result(result)
        if serve:
            talk.say(f"Look at it as a rep would: {sandbox.http_url}/   (Ctrl-C ends it)")
            talk.say("Ask of it, in another terminal:")
            for line in _asked(folder, top[0]["name"]):
                talk.say(f"  {line}")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
        return max(first.exit_code, second.exit_code, DONE)


def _asked(folder: str, name: str) -> tuple[str, ...]:
    """Commands that work on the demo's data: to look at it, and to try other rules."""
    return (
        f"cd {shlex.quote(folder)}",
        f"foretag explain {shlex.quote(name)}",
        "foretag book",
        "cp rules.yaml new.yaml     # change it, then:",
        "foretag plan --rules new.yaml --html new.html",
    )


def write_settings(folder: Path, sandbox: Sandbox) -> Path:
    """Settings, secrets and rules for a connection to a sandbox; returns the settings file."""
    secrets = crm_named(sandbox.crm).secrets
    for user, prefix in ((sandbox.credentials.worker, ""), (sandbox.credentials.admin, "admin_")):
        for name in secrets:
            secret = folder / f"{prefix}{name}"
            secret.touch(mode=0o600)
            secret.write_text(getattr(user, name), encoding="utf-8")
    data = sandbox.data.partition(":")[0]
    rules = files("config").joinpath("demo", f"{_SAME_FIELDS.get(data, data)}.yaml")
    text = rules.read_text(encoding="utf-8") if rules.is_file() else ""
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    for name, content in sandbox.lists.items():
        (folder / name).write_bytes(content)
    settings = folder / "foretag.yaml"
    settings.write_text(
        _SETTINGS.format(
            crm=sandbox.crm,
            url=sandbox.url,
            ca_file=sandbox.ca_file,
            secrets="\n".join(f"      {name}: {{file: {folder / name}}}" for name in secrets),
        ),
        encoding="utf-8",
    )
    return settings


def set_up(settings: Path) -> int:
    """Make our fields as the sandbox's admin; returns how many."""
    with opened_ledger(settings) as (loaded, ledger):
        name, connection = chosen(loaded, None, settings)
        secrets = crm_named(connection.crm).secrets
        auth = connection.auth.model_validate(
            {secret: Secret(file=settings.parent / f"admin_{secret}") for secret in secrets}
        )
        rules = load_rules(connection.rules)
        connector = connect_admin(name, connection, rules, ledger, auth)
        made = connector.ensure_fields(connector.missing(connection.outputs, rules.needed_objects))
    return sum(step.is_field for step in made)


def _first_run(
    talk: Talk, settings: Path
) -> tuple[Report, dict[str, int], dict[str, int], list[dict[str, Any]]]:
    with talk.progress() as tell, opened_job(settings, None, tell) as job:
        talk.banner(job.connector.org(), job.name)
        report = run_pipeline(job)
        held = job.mirror.read(
            "account",
            (
                "name",
                "foretag_tier",
                "foretag_score",
                "foretag_segment",
                "foretag_growth_potential",
                "foretag_reason",
            ),
        ).to_pylist()
    talk.say(f"First run: {report.last_line}")
    tiers = Counter(row["foretag_tier"] or "none" for row in held)
    segments = Counter(row["foretag_segment"] or "none" for row in held)
    top = sorted(
        held, key=lambda row: (row["foretag_tier"] or "Z", -(row["foretag_score"] or 0), row["name"])
    )[:8]
    return report, dict(sorted(tiers.items())), dict(sorted(segments.items())), top


def _second_run(talk: Talk, settings: Path) -> Report:
    with opened_job(settings, None, lambda *_: None) as job:
        report = run_pipeline(job)
    talk.say(f"Second run: {report.last_line}")
    return report


def _result(crm: str, data: str, first: Report, second: Report) -> dict[str, Any]:
    return {
        "crm": crm,
        "data": data,
        "today": first.today,
        "accounts": first.book["account"],
        "opportunities": first.pulled["opportunity"],
        "open_opportunities": first.book["opportunity"],
        "accounts_written": first.done.get("account", 0),
        "opportunities_written": first.done.get("opportunity", 0),
        "tasks_created": first.done.get("task", 0),
        "tasks_held_back": first.held_back,
        "api_calls": first.api_calls + second.api_calls,
        "refused": sum(first.refused.values()) + sum(second.refused.values()),
        "unknown": sum(first.unknown.values()) + sum(second.unknown.values()),
        "set_aside": first.set_aside + second.set_aside,
    }


def _show(talk: Talk, result: dict[str, Any], top: list[dict[str, Any]], crm: Crm) -> None:
    account, deal = crm.nouns["account"], crm.nouns["opportunity"]
    talk.table(
        "Whom to call first",
        ("tier", "score", account.one, "segment", "growth", "why"),
        [
            (
                row["foretag_tier"],
                row["foretag_score"],
                row["name"],
                row["foretag_segment"],
                row["foretag_growth_potential"],
                row["foretag_reason"],
            )
            for row in top
        ],
        right=("score",),
    )
    talk.table(
        "In all",
        ("", ""),
        [
            (f"{account.many} scored", result["accounts"]),
            ("tiers", ", ".join(f"{count} {tier}" for tier, count in result["tiers"].items())),
            ("segments", ", ".join(f"{count} {segment}" for segment, count in result["segments"].items())),
            (
                f"{deal.many} pulled / open",
                f"{result['opportunities']:,} / {result['open_opportunities']:,}",
            ),
            (
                f"{account.many}, {deal.many}, tasks written",
                f"{result['accounts_written']:,}, {result['opportunities_written']:,}, {result['tasks_created']:,}",
            ),
            ("written by the second run", result["second_run_writes"]),
            ("API calls", result["api_calls"]),
            ("seconds", result["seconds"]),
        ],
    )
