"""Check a connection, and set up what it needs in the CRM."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from config.crms import CRMS
from config.outputs import OBJECTS
from config.problems import ConfigProblem, Problem, has_errors, raise_if_any
from config.rules import load_rules
from config.settings import load_settings
from connectors.contract import ConnectorError
from sync.checking import all_problems
from sync.commands.ending import confirm, told_error
from sync.crm_check import crm_problems
from sync.exit_codes import DONE, FIX_CONFIGURATION, WORST_FIRST
from sync.opening import opened_ledger
from sync.secret_check import found_secrets, open_state
from sync.store.away import StoreAway
from sync.store_check import storage_problems
from sync.talk import quiet
from sync.workplace import admin_auth, chosen, connect, connect_admin, opened_job
from sync.writing.gates import shut

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from sync.talk import Talk


def check(talk: Talk, settings: Path, connection: str | None) -> int:
    """Both files, a connection or all, permissions and fields: every problem at once."""
    in_files = all_problems(settings)
    raise_if_any(in_files)
    loaded = load_settings(settings)
    names = [chosen(loaded, connection, settings)[0]] if connection is not None else list(loaded.connections)
    secrets = found_secrets(settings, names)
    columns = ("secret", "from", "")
    talk.table("Secrets", columns, [(one.key, one.place, one.state) for one in secrets])
    in_files += [one.problem for one in secrets if one.problem is not None]
    told_secrets = [one.as_dict() for one in secrets]
    if len(names) == 1:
        raise_if_any(in_files)
        told = _connection(talk, settings, names[0], in_files)
        talk.result(told | {"secrets": told_secrets})
        return int(told["exit_code"])
    code, told = _several(talk, settings, names, in_files)
    talk.result(told | {"secrets": told_secrets})
    return code


def _several(
    talk: Talk, settings: Path, names: Collection[str], known: Collection[Problem]
) -> tuple[int, dict[str, Any]]:
    """Each connection, and what is odd about all together; returns the worst exit code, and all of it for machines."""
    talk.problems(list(known))
    each = {name: _apart(talk, settings, name) for name in names}
    problems = [*known, *_twice(each)]
    talk.problems(problems[len(known) :])
    own = FIX_CONFIGURATION if has_errors(problems) else DONE
    code = min([own, *(told["exit_code"] for told in each.values())], key=WORST_FIRST.index)
    told = {"problems": [one.as_dict() for one in problems], "connections": each, "exit_code": code}
    return code, told


def _twice(each: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Connections that turned out to be one org."""
    orgs: dict[tuple[str, str], list[str]] = {}
    for name, told in each.items():
        if "org_id" in told:
            orgs.setdefault((told["org_id"], told["org"]), []).append(name)
    for (_, org), names in orgs.items():
        if len(names) > 1:
            words = f"are the same org, {org}: each writes over what another wrote, by its own rules"
            fix = "leave one, or let them write different fields (`writes`)"
            yield Problem(words, where=", ".join(names), fix=fix, severity="warning")


def _apart(talk: Talk, settings: Path, name: str) -> dict[str, Any]:
    """One connection of several: what ends its check keeps no other from being checked."""
    try:
        return _connection(talk, settings, name, ())
    except (ConfigProblem, ConnectorError, StoreAway) as error:
        talk.say(f"{name} could not be checked to the end:", "red")
        return told_error(talk, error)


def _connection(talk: Talk, settings: Path, name: str, known: Collection[Problem]) -> dict[str, Any]:
    """Sign in to a connection and tell every problem, those that are known already, too."""
    with opened_job(settings, name, quiet) as job:
        org = job.connector.org()
        talk.banner(org, job.name)
        written = {name: [field.name for field in job.written(name)] for name in OBJECTS}
        problems = [*known, *storage_problems(load_settings(settings), job.place)]
        problems += job.connector.check(job.columns(), written)
        if not has_errors(problems):
            problems += crm_problems(job)
            problems += [Problem(words, where=job.name, severity="warning") for words in shut(job)]
            problems += open_state(load_settings(settings))
        budget = job.connector.budget()
        talk.problems(problems)
        code = FIX_CONFIGURATION if has_errors(problems) else DONE
        if code == DONE:
            words = "No errors" if problems else "All is well"
            talk.say(f"{words}: files, sign-in, permissions, {job.crm.field.many}.", "green")
        return {
            "problems": [problem.as_dict() for problem in problems],
            "org": org.name,
            # All bundled ones have one id.
            "org_id": f"{org.id} at {job.connection.url}" if org.bundled_sandbox else org.id,
            "api_calls_used": budget.used,
            "api_calls_limit": budget.limit,
            "exit_code": code,
        }


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
