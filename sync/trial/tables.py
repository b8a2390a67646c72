"""Show a comparison of rules on a terminal: who moves where, why, for whom, and what it asks of the reps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.store.frames import whole

if TYPE_CHECKING:
    import pandas as pd

    from config.crms import Crm
    from sync.talk import Talk
    from sync.trial.comparing import Comparison

_MOVERS, _OWNERS = 10, 30


def show(talk: Talk, found: Comparison, crm: Crm) -> None:
    """Matrices, biggest movers, owners, and tasks."""
    for name in found.records:
        many = crm.nouns[name].many
        _matrix(talk, f"{many.capitalize()}: tier now (down) and then (across)", found.matrix(name))
        if name == "account":
            _matrix(talk, "Segment now (down) and then (across)", found.matrix(name, "segment"))
        _movers(talk, many, found.moved(name))
        _owners(talk, many, found.owners(name))
    _tasks(talk, found.tasks)


def _matrix(talk: Talk, title: str, counts: pd.DataFrame) -> None:
    columns = ("", *counts.columns, "all")
    rows = [
        (name, *(f"{n:,}" if n else "·" for n in row), f"{row.sum():,}") for name, row in counts.iterrows()
    ]
    talk.table(title, columns, rows, right=columns[1:])


def _movers(talk: Talk, many: str, moved: pd.DataFrame) -> None:
    talk.table(
        f"Biggest movers of {len(moved):,} {many} whose tier, segment or score changes",
        ("name", "owner", "tier", "score", "why then"),
        [
            (row.name_, row.owner, f"{row.tier_old} → {row.tier_new}", _scores(row), row.reason_new)
            for row in moved.head(_MOVERS).rename(columns={"name": "name_"}).itertuples()
        ],
    )


def _scores(row: object) -> str:
    return " → ".join(whole(getattr(row, f"score_{when}"), "-") for when in ("old", "new"))


def _owners(talk: Talk, many: str, owners: pd.DataFrame) -> None:
    ranked = owners.assign(all=owners["moved"]).sort_values(["all", "owner"], ascending=[False, True])
    talk.table(
        f"By owner: {many} in tier A, and their money",
        ("owner", "A now", "A then", "money now", "money then", "change tier"),
        [
            (row.owner, row.A_old, row.A_new, f"{row.money_A_old:,.0f}", f"{row.money_A_new:,.0f}", row.moved)
            for row in ranked.head(_OWNERS).itertuples()
        ],
        right=("A now", "A then", "money now", "money then", "change tier"),
    )


def _tasks(talk: Talk, tasks: pd.DataFrame) -> None:
    talk.table(
        "New tasks by owner and day",
        ("owner", "due", "now", "then"),
        [(row.owner, row.due, row.old, row.new) for row in tasks.head(_OWNERS).itertuples()],
        right=("now", "then"),
    )
