"""Try the place that several machines share, as a run uses it: write, read, list, replace and delete."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import TYPE_CHECKING

import pyarrow as pa
from deltalake import write_deltalake

from config.problems import Problem
from sync.store.damage import damage_told
from sync.store.place import Place

if TYPE_CHECKING:
    from config.settings import Settings

_ROWS = pa.table({"id": ["1"]})
_WRITERS = 4


def storage_problems(settings: Settings, place: Place) -> list[Problem]:
    """What is wrong with the place that `storage` names; nothing, if it is the state folder.

    Raises `ConfigProblem` where it may not be used, and `StoreAway` where it does not answer.
    """
    if settings.storage is None:
        return []
    problems = [] if settings.history is not None else [_alone()]
    trial = place / f"check-{token_hex(8)}"
    with damage_told(place):
        try:
            if not _keeps_apart(trial):
                problems.append(_careless(place))
        finally:
            trial.remove()
        if trial.exists():
            what = "what is deleted there stays: no record could be erased"
            problems.append(Problem(what, where=str(place), fix="let the key delete below `storage.url`"))
    return problems


def _keeps_apart(trial: Place) -> bool:
    """Whether of several that make the same commit all but one are told, and make others."""
    (trial / "note").write(b"written by `foretag check`")
    (trial / "note").read()
    table = trial / "table"
    table.write_table(_ROWS)
    views = [Place(table.address, table.storage).existing_table() for _ in range(_WRITERS)]
    # At once: each looks for the last commit just before it makes the next.
    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(lambda view: write_deltalake(view, _ROWS, mode="append"), views))
    return table.existing_table().version() == _WRITERS


def _alone() -> Problem:
    return Problem(
        "the local copy is shared, but the history lies on this machine: no other one may work on it",
        where="storage",
        fix="for several machines, name a database under `history`",
        severity="warning",
    )


def _careless(place: Place) -> Problem:
    return Problem(
        "it lets two writers make the same file: a commit would be lost",
        where=str(place),
        fix="use a store that heeds If-None-Match (AWS, MinIO, Ceph, R2), or turn that on",
    )
