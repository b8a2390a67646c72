"""The history as people read it: the latest runs, or one with what it did, what it did not do, and what helps."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

from config.crms import CRMS
from config.problems import ConfigProblem, Problem
from connectors.outcomes import NOT_SENT
from sync.exit_codes import DONE
from sync.opening import opened_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from config.crms import Noun
    from config.settings import Settings
    from sync.ledger import Item, Ledger
    from sync.talk import Talk

    Row = Mapping[str, Any]

_WORDS_OF_STATUS = {
    "set_aside": "unreadable",
    "held_back": "held back",
    "unknown": "not confirmed",
    "unprocessed": "not processed",
    "quarantined": "set aside after a refusal",
    "edited": "changed by people",
    "left": "left as it is",
    "mended": "mended in the local copy",
}
# What `foretag retry` sends again.
_RETRIED = ("refused", "quarantined", "unknown")
_IDS_SHOWN = 10
# Where a CRM words each refusal differently, so many wordings of one kind are told apart.
_WORDINGS = 10


def runs(talk: Talk, settings: Path, connection: str | None, run_id: str | None) -> int:
    """The history: all runs, or one with everything it did and did not do."""
    with opened_ledger(settings) as (loaded, ledger):
        if run_id is None:
            found = ledger.runs(connection)
            states = {row["id"]: _state(row, ledger) for row in found}
            _show_runs(talk, found, states, several=len(loaded.connections) > 1)
            _show_shut(talk, ledger, found)
            return DONE
        row = ledger.run(run_id)
        if row is None:
            raise ConfigProblem(Problem(f'there is no run "{run_id}"', fix="`foretag runs` lists them"))
        items, batches = ledger.items(run_id), ledger.batches(run_id)
        told = row | {"batches": batches, "items": [asdict(item) for item in items]}
        later = ledger.past.later(run_id)
        talk.result(told | {"later": [one["id"] for one in later]})
        _show_run(talk, row, _state(row, ledger), batches, _nouns(loaded, row["connection"]))
        _show_not_done(talk, row, list(_about_records(items, ledger, row["connection"])), loaded)
        _show_later(talk, later)
        return DONE


def _show_runs(talk: Talk, found: Sequence[Row], states: Mapping[str, str], *, several: bool) -> None:
    """The table; whose runs they are only where there are several connections."""
    talk.result(found)
    talk.table(
        "",
        ("run", *(("connection",) if several else ()), "command", "state", "exit", "what it said"),
        [
            (
                row["id"],
                *((row["connection"],) if several else ()),
                _what(row),
                states[row["id"]],
                row["exit_code"],
                row["last_line"],
            )
            for row in found
        ],
        right=("exit",),
    )
    if not found:
        talk.say("No runs yet.")


def _show_shut(talk: Talk, ledger: Ledger, found: Sequence[Row]) -> None:
    """What keeps connections from being written now, as far as the history knows without asking the CRM."""
    newest = {row["connection"]: row for row in reversed(found)}
    for name, row in newest.items():
        pause, held = ledger.gates.paused(name), ledger.gates.holds(name, row["rules"])
        if pause is not None:
            talk.say(f"{name} is paused by {pause.by}: `foretag resume`.", "yellow")
        if held:
            undos = ", ".join(sorted({hold.run for hold in held}))
            talk.say(
                f"{name}: what undo {undos} took back is not written: `foretag check` names it.", "yellow"
            )


def _what(row: Row) -> str:
    if not row["of"]:
        return str(row["command"])
    looked = row["command"] == "undo" and (row["report"] or {}).get("mode") == "preview"
    return f"{row['command']} of {row['of']}{', dry run' if looked else ''}"


def _state(row: Row, ledger: Ledger) -> str:
    """How far a run came, and whether it was taken back since. One that was killed has written down no end."""
    if row["state"] == "running" and not ledger.leases.at_work(row["connection"]):
        return "died"
    return f"{row['state']}, taken back" if ledger.undone.by(row["id"]) else str(row["state"])


def _nouns(settings: Settings, connection: str) -> Mapping[str, Noun]:
    """The words of the CRM behind a connection; ours, if the settings no longer have it."""
    known = settings.connections.get(connection)
    return {} if known is None else CRMS[known.crm].nouns


def _option(name: str, value: Any) -> str:
    """`owners Ann, Bob`."""
    return f"{name.replace('_', ' ')} {', '.join(value) if isinstance(value, list) else value}"


def _show_run(talk: Talk, row: Row, state: str, batches: Sequence[Row], nouns: Mapping[str, Noun]) -> None:
    """What it was, what came of it by object and batch, and what it took."""
    ended = "" if row["exit_code"] is None else f", exit {row['exit_code']}"
    talk.say(f"{row['id']}, {_what(row)} on {row['connection']}: {state}{ended}, for {row['today']}")
    report = row["report"] or {}
    asked = (row["options"] or {}) | report.get("asked", {})
    if asked:
        talk.say(f"Asked for: {'; '.join(_option(*pair) for pair in asked.items())}.")
    talk.say(row["last_line"] or "")
    counted = [report.get(name) or {} for name in ("planned", "done", "refused", "unknown")]
    talk.table(
        "What came of it",
        ("", "planned", "written", "refused", "not confirmed"),
        [
            (noun.many, *(counts.get(name, 0) for counts in counted))
            for name, noun in nouns.items()
            if any(counts.get(name) for counts in counted)
        ],
        right=("planned", "written", "refused", "not confirmed"),
    )
    talk.table(
        "Batches",
        ("no", "what", "state", "records", "done", "refused", "not confirmed"),
        [
            (
                one["number"],
                nouns.get(one["object"], one["object"]),
                one["state"],
                one["records"],
                one["done"],
                one["refused"],
                one["unknown"],
            )
            for one in batches
        ],
        right=("no", "records", "done", "refused", "not confirmed"),
    )
    if report.get("seconds"):
        stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in report["seconds"].items())
        talk.say(f"It took: {stages}; {_calls(report)}.")


def _calls(report: Row) -> str:
    least = report.get("least_calls")
    return f"{report.get('api_calls', 0):,} API calls" + (f", {least:,} at the least" if least else "")


def _about_records(items: Sequence[Item], ledger: Ledger, connection: str) -> Iterator[tuple[Item, str]]:
    """Each item with the record that it is about: of a task the history knows it by the key."""
    keys = [item.record_id for item in items if item.object == "task"]
    about = ledger.past.records_of(connection, keys) if keys else {}
    for item in items:
        yield item, about.get(item.record_id, item.record_id) or "(no id)"


def _show_not_done(talk: Talk, row: Row, items: Sequence[tuple[Item, str]], settings: Settings) -> None:
    """What is on the run's list, grouped by reason, with some ids and what a person can do."""
    nouns = _nouns(settings, row["connection"])
    talk.table(
        "What differed" if row["command"] == "reconcile" else "Not done",
        ("what", "count", "record", "code", "reason", "what helps", "ids"),
        [
            (what, len(ids), nouns.get(name, name), code, message, fix, _some(ids))
            for (what, name, code, message, fix), ids in _grouped(items)
        ],
        right=("count",),
    )
    if any(item.status in _RETRIED for item, _ in items):
        talk.say(f"Once the cause is fixed: foretag retry {row['id']}")


def _grouped(items: Sequence[tuple[Item, str]]) -> list[tuple[tuple[str, ...], list[str]]]:
    """The ids behind each reason, most first; many wordings of one kind are one."""
    worded = sorted(((_key(item), about) for item, about in items), key=lambda one: one[0])
    groups: list[tuple[tuple[str, ...], list[str]]] = []
    for kind, some in groupby(worded, key=lambda one: one[0][:3]):
        wordings: dict[tuple[str, ...], list[str]] = {}
        for key, about in some:
            wordings.setdefault(key, []).append(about)
        if len(wordings) > _WORDINGS:
            first = max(wordings, key=lambda key: len(wordings[key]))
            message = f"{first[3]} (and {len(wordings) - 1:,} other wordings: see --json)"
            wordings = {(*kind, message, first[4]): [one for ids in wordings.values() for one in ids]}
        groups += wordings.items()
    return sorted(groups, key=lambda group: -len(group[1]))


def _key(item: Item) -> tuple[str, ...]:
    status = "unprocessed" if item.code == NOT_SENT else item.status
    return _WORDS_OF_STATUS.get(status, status), item.object, item.code, item.message, item.fix


def _show_later(talk: Talk, later: Sequence[Row]) -> None:
    for one in later:
        talk.say(f"Since then: {one['command']} {one['id']}: {one['last_line'] or one['state']}")


def _some(ids: list[str]) -> str:
    """The first ids, and where to find the others."""
    more = len(ids) - _IDS_SHOWN
    return ", ".join(ids[:_IDS_SHOWN]) + (f" and {more:,} more: see --json" if more > 0 else "")
