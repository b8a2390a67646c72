"""The history as people read it: the latest runs, or one with everything it did not do."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from config.crms import CRMS
from config.problems import ConfigProblem, Problem
from connectors.outcomes import NOT_SENT
from sync.exits import DONE
from sync.workplace import opened_ledger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from config.crms import Noun
    from config.settings import Settings
    from sync.talk import Talk

_WORDS_OF_STATUS = {
    "set_aside": "set aside",
    "held_back": "held back",
    "unknown": "not confirmed",
    "unprocessed": "not processed",
}
_IDS_SHOWN = 10


def runs(talk: Talk, settings: Path, connection: str | None, run_id: str | None) -> int:
    """The history: all runs, or one with everything it did not do."""
    with opened_ledger(settings) as (loaded, ledger):
        if run_id is None:
            found = ledger.runs(connection)
            talk.result(found)
            talk.table(
                "",
                ("run", "command", "state", "exit", "what it said"),
                [
                    (row["id"], row["command"], row["state"], row["exit_code"], row["last_line"])
                    for row in found
                ],
                right=("exit",),
            )
            if not found:
                talk.say("No runs yet.")
            return DONE
        row = ledger.run(run_id)
        if row is None:
            raise ConfigProblem(Problem(f'there is no run "{run_id}"', fix="`foretag runs` lists them"))
        items, batches = ledger.items(run_id), ledger.batches(run_id)
        talk.result(row | {"batches": batches, "items": [asdict(item) for item in items]})
        _show_run(talk, row, batches, items, _nouns(loaded, row["connection"]))
        return DONE


def _nouns(settings: Settings, connection: str) -> Mapping[str, Noun]:
    """The words of the CRM behind a connection; ours, if the settings no longer have it."""
    known = settings.connections.get(connection)
    return {} if known is None else CRMS[known.crm].nouns


def _show_run(
    talk: Talk,
    row: dict[str, Any],
    batches: list[dict[str, Any]],
    items: list[Any],
    nouns: Mapping[str, Noun],
) -> None:
    talk.say(f"{row['command']} {row['id']}: {row['state']}, exit {row['exit_code']}, for {row['today']}")
    talk.say(row["last_line"] or "")
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
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for item in items:
        status = "unprocessed" if item.code == NOT_SENT else item.status
        key = (_WORDS_OF_STATUS.get(status, status), item.object, item.code, item.message)
        groups.setdefault(key, []).append(item.record_id or "(no id)")
    talk.table(
        "Not done",
        ("what", "count", "record", "code", "reason", "ids"),
        [
            (what, len(ids), nouns.get(name, name), code, message, _some(ids))
            for (what, name, code, message), ids in sorted(groups.items(), key=lambda group: -len(group[1]))
        ],
        right=("count",),
    )


def _some(ids: list[str]) -> str:
    """The first ids, and where to find the others."""
    more = len(ids) - _IDS_SHOWN
    return ", ".join(ids[:_IDS_SHOWN]) + (f" and {more:,} more: see --json" if more > 0 else "")
