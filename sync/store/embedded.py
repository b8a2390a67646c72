"""SQL over Arrow tables: one embedded database for the process, since to start one takes longer than most queries."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    import pyarrow.dataset as pads


@contextmanager
def database(**tables: pa.Table | pads.Dataset) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that knows these tables by name, and forgets them with the block; stamps are in UTC.

    It runs on one thread, so that results never depend on the machine.
    """
    with _instance().cursor() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, table in tables.items():
            connection.register(name, table)
        yield connection


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})
