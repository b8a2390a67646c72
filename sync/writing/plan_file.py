"""Plan files: a plan that says whose it is, to be read, kept and applied later; as Parquet, CSV or Excel."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from config.problems import ConfigProblem, Problem
from sync.store.place import Place
from sync.writing.plan_rows import digest_of, fields_of, plan_of, row_schema, rows_of
from sync.writing.plan_sheets import (
    MOST_CELL,
    MOST_EXCEL_ROWS,
    NotOurs,
    csv_bytes,
    excel_bytes,
    longest_text,
    read_csv,
    read_excel,
)
from sync.writing.plan_summary import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sync.job import Job
    from sync.report import Report
    from sync.writing.plan import Plan
    from sync.writing.selection import Selection

FORMAT = 2
# What made the digests of inputs: another may count otherwise.
VERSION = f"{version('foretag')} on duckdb {duckdb.__version__}"

_HEADER = b"foretag"
_CHANGED = "was changed or cut short after it was made: a plan is done as it was made, or not at all"


@dataclass(frozen=True, slots=True)
class PlanHeader:
    """Whose plan it is. A plan is applied only to the org, and under the rules, that it was made for.

    `fields` are those that it may write, by object; `selection` what it was narrowed to, `local_copy` the versions of
    the tables that it was made from.
    """

    connection: str
    org_id: str
    org_name: str
    production: bool
    rules: str
    outputs: Literal["basic", "full"]
    today: str
    run: str
    planned: dict[str, int]
    book: dict[str, int]
    fields: dict[str, list[str]] = field(default_factory=dict)
    selection: dict[str, Any] = field(default_factory=dict)
    local_copy: dict[str, str] = field(default_factory=dict)
    summary: tuple[str, ...] = ()
    version: str = VERSION
    format: int = FORMAT

    @classmethod
    def of(cls, job: Job, report: Report, plan: Plan, selection: Selection) -> PlanHeader:
        """The header of a plan that this run has made."""
        org = job.connector.org()
        chosen = selection.as_dict() | ({"as_of": report.as_of} if report.as_of else {})
        header = cls(
            connection=job.name,
            org_id=org.id,
            org_name=org.name,
            production=org.production,
            rules=job.rules.digest,
            outputs=job.connection.outputs,
            today=report.today,
            run=report.run,
            planned=plan.sizes,
            book=dict(plan.book),
            fields=fields_of(plan),
            selection=chosen,
            local_copy={name: job.mirror.version(name) for name in job.columns()},
        )
        return replace(header, summary=summary(plan, header, job.crm))


def check_target(path: Path) -> None:
    """Raise `ConfigProblem` if a plan cannot be kept there; asked before anything is read."""
    if path.exists():
        raise ConfigProblem(
            Problem("there is such a file", where=str(path), fix="name another, or remove it")
        )
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise ConfigProblem(
            Problem("the plan cannot be kept there", where=str(path), fix="name a folder you may write to")
        )


def write_plan(path: Path | Place, plan: Plan, header: PlanHeader) -> None:
    """Write a plan file (mode 0600: it holds company names), whole or not at all; the name says in which form.

    Raises `ConfigProblem` where the form cannot hold it, or the file cannot be written.
    """
    rows = rows_of(plan)
    told = asdict(header) | {"fields": fields_of(plan), "rows": rows.num_rows}
    told["digest"] = digest_of(_signed(told), rows)
    try:
        Place.of(path).write(_content(path, header.summary, json.dumps(told), rows))
    except OSError as error:
        fix = "make room, or name a folder you may write to"
        raise ConfigProblem(
            Problem(f"the plan cannot be kept: {error.strerror}", where=str(path), fix=fix)
        ) from None


def read_plan(path: Path | Place) -> tuple[PlanHeader, Plan]:
    """Read a plan file back. Raises `ConfigProblem` if it is none, damaged, changed, or of another version."""
    try:
        content = Place.of(path).read()
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from None
    try:
        text, rows = _read(path, content)
        told = _header(path, text)
        if (arrived := rows.num_rows) < told["rows"]:
            raise _unusable(path, f"is cut short: {arrived:,} of {told['rows']:,} rows are there")
        rows = rows.sort_by("no") if not _in_order(rows) else rows
        if digest_of(_signed(told), rows) != told["digest"]:
            raise _unusable(path, _CHANGED)
        header = PlanHeader(**{name: told[name] for name in PlanHeader.__slots__})
        plan = plan_of(rows, header.fields, header.book)
        return header, replace(plan, made_on=date.fromisoformat(header.today))
    except NotOurs:
        raise _unusable(path, _CHANGED) from None


def mismatches(
    header: PlanHeader, *, connection: str, org_id: str, rules: str, outputs: str
) -> list[Problem]:
    """What differs between the place a plan was made for and the place it would be applied to."""
    pairs = (
        ("connection", header.connection, connection),
        ("org", header.org_id, org_id),
        ("rules digest", header.rules, rules),
        ("outputs setting", header.outputs, outputs),
        ("Foretag", header.version, VERSION),
    )
    return [
        Problem(f"the plan was made with {what} {planned}, here it is {here}", fix="make a new plan")
        for what, planned, here in pairs
        if planned != here
    ]


def _content(path: Path | Place, summary: Sequence[str], header: str, rows: pa.Table) -> bytes:
    match Path(path.name).suffix.lower():
        case ".csv":
            return csv_bytes(summary, header, rows)
        case ".xlsx":
            if rows.num_rows > MOST_EXCEL_ROWS or longest_text(rows) > MOST_CELL:
                what = f"an Excel file may have {MOST_EXCEL_ROWS:,} rows with texts of {MOST_CELL:,} letters"
                raise ConfigProblem(Problem(what, where=str(path), fix="name it .csv or .parquet"))
            return excel_bytes(summary, header, rows)
    content = pa.BufferOutputStream()
    pq.write_table(rows.replace_schema_metadata({_HEADER: header}), content)
    return bytes(content.getvalue())


def _read(path: Path | Place, content: bytes) -> tuple[str, pa.Table]:
    """Header and rows, by what the content is, whatever it is called."""
    if content[:4] == b"PAR1":
        try:
            table = pq.read_table(pa.BufferReader(content))
        except (pa.ArrowInvalid, OSError):
            raise _unusable(path, "is damaged or cut short") from None
        header = (table.schema.metadata or {}).get(_HEADER)
        if header is None:
            raise _unusable(path, "is a Parquet file, but not a plan")
        return header.decode(), table.replace_schema_metadata(None)
    reader = read_excel if content[:2] == b"PK" else read_csv
    if reader is read_csv and b"# Foretag plan" not in content[:40]:
        raise _unusable(path, "is not a plan file, or it is damaged or cut short")
    return reader(content, lambda text: row_schema(_header(path, text)["fields"]))


def _header(path: Path | Place, text: str) -> dict[str, Any]:
    """What a header says. Raises `ConfigProblem` if it is not whole, or of another version."""
    try:
        told = json.loads(text)
        form = told["format"]
        if form == FORMAT:
            row_schema(told["fields"])
            told |= {
                "summary": tuple(told["summary"]),
                "rows": int(told["rows"]),
                "digest": str(told["digest"]),
            }
    except (ValueError, KeyError, TypeError):
        raise NotOurs from None
    if form != FORMAT:
        raise _unusable(path, f"was written by another version of Foretag (format {form}, here {FORMAT})")
    return dict(told)


def _signed(told: dict[str, Any]) -> bytes:
    """The header as its digest covers it."""
    return json.dumps(
        {name: value for name, value in told.items() if name != "digest"}, sort_keys=True
    ).encode()


def _in_order(rows: pa.Table) -> bool:
    """Whether nobody sorted them: that changes nothing."""
    numbers = rows["no"].combine_chunks()
    return bool(numbers.equals(pa.array(range(1, len(numbers) + 1), pa.int64())))


def _unusable(path: Path | Place, message: str) -> ConfigProblem:
    return ConfigProblem(Problem(message, where=str(path), fix="make a new one with `foretag plan -o FILE`"))
