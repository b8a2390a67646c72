"""Show what people decided against the scores, so that sales ops can tune the rules, and reps renew what ends."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from config.outputs import OBJECTS, TIERS
from config.problems import ConfigProblem, Problem
from config.sections.edits import LABELS
from sync.book.overridden import Override, by_owner, disagreement, overrides
from sync.exit_codes import DONE
from sync.talk import quiet
from sync.workplace import opened_job

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from sync.job import Job
    from sync.ledger.edits import Edit
    from sync.talk import Talk

# Of long lists the first; machines get all.
MOST = 50
_IDS = 10
_SCORES = tuple(f"score {tier}" for tier in TIERS)
_OWNER_HEADS = ("owner", "overrides", "disagree", "higher", "lower", "tiers apart")


def show_overrides(talk: Talk, settings: Path, connection: str | None) -> int:
    """What people said and changed, as of the last plan or run; who they are only where the settings allow it."""
    with opened_job(settings, connection, quiet) as job:
        day = job.tags.day()
        if day is None:
            raise ConfigProblem(Problem("nothing was scored yet", fix="run `foretag plan` first"))
        found = overrides(job.mirror, job.tags, job.rules, day)
        # An override goes before a changed tier.
        pinned = {(one.object, one.id) for one in found if one.word in TIERS and not one.ended}
        edits = [
            edit
            for edit in job.ledger.edits.of(job.name)
            if edit.respected(day)
            and not (edit.field == "foretag_tier" and (edit.object, edit.record_id) in pinned)
        ]
        owners = _owners(job) if job.connection.people == "names" else None
        talk.result({"as_of": str(day), **_as_data(found, edits, owners)})
        _show(talk, job, found, owners)
        _show_edits(talk, job, edits)
        talk.say(f"As of {day}, from the local copy; `foretag plan` brings it up to date.")
    return DONE


def show_ending(talk: Talk, job: Job, day: date, owner_ids: set[str] | None) -> list[dict[str, Any]]:
    """The overrides that end soon, of some owners (None: of all), for the list of those who may renew them."""
    ending = [
        one
        for one in overrides(job.mirror, job.tags, job.rules, day)
        if one.ends_soon and (owner_ids is None or one.owner_id in owner_ids)
    ]
    talk.table(
        f"\nOverrides that end within {job.rules.overrides.notice_days} days: renew or empty them",
        ("record", "name", "said", "score says", "until", "why"),
        [
            (job.crm.nouns[one.object], one.name, one.word, one.score_tier, one.until, one.reason)
            for one in ending[:MOST]
        ],
    )
    return [_record(one, None) for one in ending]


def _owners(job: Job) -> dict[str, str]:
    table = job.mirror.read("owner", ("id", "name"))
    pairs = zip(table["id"].to_pylist(), table["name"].to_pylist(), strict=True)
    return {owner_id: name or owner_id for owner_id, name in pairs}


def _as_data(found: list[Override], edits: list[Edit], owners: Mapping[str, str] | None) -> dict[str, Any]:
    standing = [one for one in found if not one.ended]
    score = disagreement(standing)
    tiers = [
        {"said": said, "score": tier, "count": count}
        for (said, tier), count in sorted(score["tiers"].items())
    ]
    data: dict[str, Any] = {
        "standing": len(standing),
        "end_soon": sum(one.ends_soon for one in found),
        "ended": sum(one.ended for one in found),
        "books": len({one.owner_id for one in standing}),
        "score": score | {"tiers": tiers},
        "records": [_record(one, owners) for one in found],
        "changed_values": [asdict(edit) for edit in edits],
    }
    return data if owners is None else data | {"by_owner": by_owner(standing, owners)}


def _record(one: Override, owners: Mapping[str, str] | None) -> dict[str, Any]:
    """One record for machines; its owner only where people are named."""
    data = asdict(one) | {"tiers_apart": one.apart}
    owner_id = data.pop("owner_id")
    return data if owners is None else data | {"owner": owners.get(owner_id, owner_id)}


def _show(talk: Talk, job: Job, found: list[Override], owners: Mapping[str, str] | None) -> None:
    standing = [one for one in found if not one.ended]
    _sum_up(talk, job, standing, len(found) - len(standing))
    tiers = disagreement(standing)["tiers"]
    talk.table(
        "\nWhat people said, and what the score says",
        ("said", *_SCORES),
        [
            (said, *(tiers[said, tier] or "" for tier in TIERS))
            for said in TIERS
            if any(tiers[said, tier] for tier in TIERS)
        ],
        right=_SCORES,
    )
    if owners is not None:
        talk.table(
            "\nIn whose books",
            _OWNER_HEADS,
            [tuple(row.values()) for row in by_owner(standing, owners)],
            right=_OWNER_HEADS[1:],
        )
    _show_records(talk, job, sorted(found, key=lambda one: one.ended), owners)


def _sum_up(talk: Talk, job: Job, standing: list[Override], ended: int) -> None:
    counted = Counter(one.object for one in standing)
    where = ", ".join(f"{counted[name]:,} {job.crm.nouns[name].many}" for name in OBJECTS)
    books = len({one.owner_id for one in standing})
    talk.say(f"Overrides: {where}; owners: {books:,}." if standing else "Nobody overrides a tier.")
    score = disagreement(standing)
    if score["compared"]:
        talk.say(
            f"The score says another tier for {score['disagree']:,} of {score['compared']:,}, by"
            f" {score['tiers_apart']:g} tiers on average: people put {score['higher']:,} higher,"
            f" {score['lower']:,} lower."
        )
    if ended:
        talk.say(f"Ended, but still on their records: {ended:,}; renew or empty them.")


def _show_records(talk: Talk, job: Job, found: list[Override], owners: Mapping[str, str] | None) -> None:
    more = f" ({MOST} of {len(found):,}: see --json)" if len(found) > MOST else ""
    talk.table(
        f"\nRecords{more}",
        (
            "record",
            "name",
            *(("owner",) if owners else ()),
            "said",
            "score says",
            "score",
            "until",
            "",
            "why",
        ),
        [
            (
                job.crm.nouns[one.object],
                one.name,
                *((owners.get(one.owner_id, one.owner_id),) if owners else ()),
                one.word,
                one.score_tier,
                one.score,
                one.until,
                "ended" if one.ended else "ends soon" if one.ends_soon else "",
                one.reason,
            )
            for one in found[:MOST]
        ],
        right=("score",),
    )


def _show_edits(talk: Talk, job: Job, edits: list[Edit]) -> None:
    """Values of ours that somebody changed, by field: which records, and until when the first of them is respected."""
    groups: dict[tuple[str, str], list[Edit]] = {}
    for edit in edits:
        groups.setdefault((edit.object, edit.field), []).append(edit)
    talk.table(
        "\nValues of ours that others changed, and that are respected",
        ("record", "field", "count", "the first until", "ids"),
        [
            (
                job.crm.nouns[object_name],
                LABELS[field],
                len(rows),
                min(edit.until for edit in rows if edit.until is not None),
                ", ".join(edit.record_id for edit in rows[:_IDS])
                + (f" and {len(rows) - _IDS:,} more: see --json" if len(rows) > _IDS else ""),
            )
            for (object_name, field), rows in groups.items()
        ],
        right=("count",),
    )
