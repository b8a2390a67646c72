"""Check a connection, and set up what it needs in the CRM."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from config.crms import CRMS
from config.outputs import OBJECTS
from config.problems import Problem, has_errors, raise_if_any
from config.rules import load_rules
from config.settings import load_settings
from sync.checking import all_problems
from sync.commands.ending import confirm
from sync.crm_check import crm_problems
from sync.exit_codes import DONE, FIX_CONFIGURATION
from sync.opening import opened_ledger
from sync.secret_check import found_secrets, open_state
from sync.store_check import storage_problems
from sync.talk import quiet
from sync.workplace import admin_auth, chosen, connect, connect_admin, opened_job
from sync.writing.gates import shut

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sync.talk import Talk


def check(talk: Talk, settings: Path, connection: str | None) -> int:
    """Both files, the connection, permissions and fields: every problem at once."""
    in_files = all_problems(settings)
    raise_if_any(in_files)
    name, _ = chosen(load_settings(settings), connection, settings)
    secrets = found_secrets(settings, name)
    columns = ("secret", "from", "")
    talk.table("Secrets", columns, [(one.key, one.place, one.state) for one in secrets])
    in_files += [one.problem for one in secrets if one.problem is not None]
    raise_if_any(in_files)
    with opened_job(settings, connection, quiet) as job:
        talk.banner(job.connector.org(), job.name)
        written = {name: [field.name for field in job.written(name)] for name in OBJECTS}
        problems = [*in_files, *storage_problems(load_settings(settings), job.place)]
        problems += job.connector.check(job.columns(), written)
        if not has_errors(problems):
            problems += crm_problems(job)
            problems += [Problem(words, where=job.name, severity="warning") for words in shut(job)]
            problems += open_state(load_settings(settings))
        budget = job.connector.budget()
        talk.result(
            {
                "problems": [problem.as_dict() for problem in problems],
                "secrets": [one.as_dict() for one in secrets],
                "org": job.connector.org().name,
                "api_calls_used": budget.used,
                "api_calls_limit": budget.limit,
            }
        )
        talk.problems(problems)
        if has_errors(problems):
            return FIX_CONFIGURATION
        words = "No errors" if problems else "All is well"
        talk.say(f"{words}: files, sign-in, permissions, {job.crm.field.many}.", "green")
        return DONE


def setup(talk: Talk, settings: Path, connection: str | None, *, yes: bool, print_to: Path | None) -> int:
    """Make what is missing in the CRM, or print it for an admin to make by hand."""
    with opened_ledger(settings) as (loaded, ledger):
        name, chosen_connection = chosen(loaded, connection, settings)
        rules = load_rules(chosen_connection.rules)
        outputs = chosen_connection.outputs
        if print_to is not None:
            connector = connect(name, chosen_connection, rules, ledger)
            return _print_setup(talk, connector.setup_files(outputs, rules.needed_objects), print_to)
        admin = connect_admin(name, chosen_connection, rules, ledger, admin_auth(chosen_connection))
        talk.banner(admin.org(), name)
        missing = admin.missing(outputs, rules.needed_objects)
        talk.table(
            "To be made",
            ("what", "name", "detail"),
            [(step.kind, step.name, step.detail) for step in missing],
        )
        if not missing:
            talk.say("Nothing is missing.", "green")
        elif not yes:
            confirm(talk, "Make this?" if len(missing) == 1 else f"Make these {len(missing)}?")
        made = admin.ensure_fields(missing) if missing else []
        talk.result({"made": [asdict(step) for step in made], "org": admin.org().name})
        if made:
            talk.say(f"Made {len(made)} of {len(missing)}.", "green")
            talk.say(f"Next: {CRMS[chosen_connection.crm].showing}; `foretag check`; `foretag plan`.")
        return DONE


def _print_setup(talk: Talk, files: Mapping[str, str], folder: Path) -> int:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
    talk.result({"files": sorted(files)})
    talk.say(f"Wrote {len(files)} files to {folder}; README.md there says how to make them.", "green")
    return DONE
