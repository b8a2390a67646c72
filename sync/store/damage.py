"""Tell what the machine refuses, not the program: a full disk, a forbidden folder, a store away, damaged files."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError

from config.problems import ConfigProblem, Problem
from sync.store.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sync.store.place import Place

_ANEW = (
    "restore the folder from a backup, or move it away:"
    " the next run reads everything anew, and no longer knows what was written"
)
# What libraries say of files that are torn or gone; their errors have no kind of their own for it.
_TORN = (
    "Could not open Parquet",
    "File too short",
    "Parquet magic bytes",
    "not a database",
    "malformed",
    "Kernel error",
)
_FULL = ("No space left", "os error 28", "database or disk is full")


@contextmanager
def damage_told(state: Path | Place) -> Iterator[None]:
    """Raise what goes wrong with the files of this machine as a `ConfigProblem` that says what to do.

    A store that is away is raised as `StoreAway`.
    """
    try:
        yield
    except Exception as error:
        refused = refusal(error, str(state))
        if refused is not None:
            # Its own words hold the store's reply.
            raise refused from None
        problem = _problem(error, state)
        if problem is None:
            raise
        raise ConfigProblem(problem) from error


def _problem(error: Exception, state: Path | Place) -> Problem | None:
    is_ours = type(error).__module__ == "builtins" and not isinstance(error, ConnectionError | TimeoutError)
    if isinstance(error, OSError) and is_ours and error.errno is not None:
        where = str(error.filename or state)
        return Problem(f"{error.strerror}", where=where, fix="make room, or give this user the right to it")
    if not isinstance(error, OSError | DatabaseError) and type(error).__module__ not in _LIBRARIES:
        return None
    said = str(error)
    if any(words in said for words in _FULL):
        return Problem("no space is left on its disk", where=str(state), fix="make room, then repeat")
    if any(words in said for words in _TORN):
        return Problem("a file of the local copy or the history is damaged", where=str(state), fix=_ANEW)
    return None


_LIBRARIES = ("_internal", "deltalake.exceptions", "_duckdb", "duckdb", "pyarrow.lib")
