"""The files next to the rules as tables: every account and owner that they name, looked up in the mirror."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from config.problems import Problem
from config.records import RECORDS, SIDE_TABLES
from config.sections.side_files import MOST_PROBLEMS, SHEETS
from sync.store.embedded import database

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.rules import Rules
    from config.sections.side_files import Rows
    from sync.store.mirror import Mirror

# The key under `files:` → the table that scoring reads.
TABLES = {
    "commitments": "commitment",
    "quotas": "quota",
    "territories": "territory",
    "capacities": "capacity",
}


@dataclass(frozen=True, slots=True)
class SideTables:
    """`tables` by name, in the schema of `config.records`; `problems` are warnings: rows that name nobody known."""

    tables: Mapping[str, pa.Table]
    problems: tuple[Problem, ...]


def side_tables(rules: Rules, mirror: Mirror) -> SideTables:
    """What the files of the rules say of the records of the mirror."""
    tables, problems = {}, []
    for kind, rows in rules.side_rows.items():
        who = SHEETS[kind].who
        ids, matches = _found([str(row[who]) for row in rows.rows], mirror.read(who, ("id", "name")))
        tables[TABLES[kind]] = _table(TABLES[kind], rows, ids)
        problems += _unknown(who, rows, matches)
    return SideTables(tables, tuple(problems))


def _found(names: list[str], known: pa.Table) -> tuple[list[str | None], list[int]]:
    """The id that each name means, None without exactly one, and how many records it fits.

    A name is an id, the first 15 letters of one of 18 (as some pages of Salesforce show it), or the name of one
    record, without regard to case and spaces.
    """
    asked = pa.table({"row": pa.array(range(len(names)), pa.int64()), "who": pa.array(names, pa.string())})
    with database(asked=asked, known=known) as db:
        found = db.sql(
            r"""
            WITH plain AS (SELECT id, lower(regexp_replace(trim(name), '\s+', ' ', 'g')) AS name FROM known),
            fits AS (
                SELECT row, id, 1 AS way FROM asked JOIN known ON who = id
                UNION ALL SELECT row, id, 1 FROM asked JOIN known ON who = left(id, 15) AND length(id) = 18
                UNION ALL SELECT row, id, 2 FROM asked JOIN plain
                    ON lower(regexp_replace(trim(who), '\s+', ' ', 'g')) = plain.name),
            best AS (FROM fits QUALIFY way = min(way) OVER (PARTITION BY row))
            SELECT row, count(DISTINCT id) AS matches, min(id) AS id
            FROM asked LEFT JOIN best USING (row) GROUP BY row ORDER BY row
            """
        ).to_arrow_table()
    matches: list[int] = found["matches"].to_pylist()
    pairs = zip(found["id"].to_pylist(), matches, strict=True)
    return [one if number == 1 else None for one, number in pairs], matches


def _table(name: str, rows: Rows, ids: list[str | None]) -> pa.Table:
    """The rows that name somebody, in the schema of the table."""
    columns = SIDE_TABLES.get(name) or RECORDS[name]
    schema = pa.schema([(column.name, column.type) for column in columns])
    known = [
        {"id": f"{rows.path.name}:{place[0]}", "account_id": one, "owner_id": one, **row}
        for row, one, place in zip(rows.rows, ids, rows.places, strict=True)
        if one is not None
    ]
    return pa.Table.from_pylist(known, schema=schema)


def _unknown(who: str, rows: Rows, matches: list[int]) -> list[Problem]:
    told = []
    for row, (line, column), number in zip(rows.rows, rows.places, matches, strict=True):
        if number != 1:
            many = (
                f'{number} {who}s are called "{row[who]}"' if number else f'no {who} is called "{row[who]}"'
            )
            fix = "give its id" if number else "give its id, or its name exactly as in the CRM"
            told.append(
                Problem(
                    f"{many}: the row is left out", str(rows.path), line, column, fix=fix, severity="warning"
                )
            )
    more = len(told) - MOST_PROBLEMS
    if more > 0:
        rest = Problem(f"{more} more rows name nobody known", str(rows.path), severity="warning")
        return [*told[:MOST_PROBLEMS], rest]
    return told
