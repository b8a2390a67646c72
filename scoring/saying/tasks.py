"""The tasks that the rules want: who should do what by when, before limits and keys."""

from __future__ import annotations

import string
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scoring.conditions.expressions import holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from config.sections.playbook import TaskRule
    from scoring.conditions.facts import Inputs
    from scoring.conditions.variants import Variants

TASK_SCHEMA = pa.schema(
    [
        ("rule", pa.string()),
        ("object", pa.string()),
        ("id", pa.string()),
        ("account_id", pa.string()),
        ("opportunity_id", pa.string()),
        ("owner_id", pa.string()),
        ("owner_active", pa.bool_()),
        ("subject", pa.string()),
        ("description", pa.string()),
        ("due", pa.date32()),
        ("priority", pa.string()),
        ("score", pa.int64()),
        ("period", pa.string()),
    ]
)
_LONGEST_SUBJECT, _LONGEST_NAME = 255, 80
# Who waits for help is not sold to.
_HELP_FIRST = {"account": "urgent_cases > 0", "opportunity": "urgent_case"}


def period(kind: str, today: date) -> str:
    """The stretch of time within which a rule makes one task for a record, as part of the task's key."""
    year, week, _ = today.isocalendar()
    return {
        "day": today.isoformat(),
        "week": f"{year}-W{week:02d}",
        "month": f"{today.year}-{today.month:02d}",
        "quarter": f"{today.year}-Q{(today.month + 2) // 3}",
        "once": "once",
    }[kind]


def all_wanted(
    variants: Variants,
    object_name: str,
    inputs: Inputs,
    allowed: NDArray[np.bool_],
    records: pa.Table,
    texts: Mapping[str, Callable[[], Any]],
    today: date,
) -> pa.Table:
    """The tasks that all rules want for records of one object, in TASK_SCHEMA.

    `records` has id, account_id, opportunity_id, owner_id, account_owner_id, owner_active and score of every record;
    `texts` makes what templates may name. Only `allowed` records get tasks, those with an urgent case none that sell.
    """
    found = [TASK_SCHEMA.empty_table()]
    for rule, mask in _rules(variants, object_name, len(allowed)):
        wanted = mask & allowed & holds(rule.when, rule.on, inputs, len(allowed))
        if rule.selling and wanted.any():
            wanted &= ~holds(_HELP_FIRST[object_name], object_name, inputs, len(allowed))
        hits = np.flatnonzero(wanted)
        if len(hits):
            found.append(_wanted(rule, pa.array(hits), records, texts, today))
    return pa.concat_tables(found)


def _rules(variants: Variants, object_name: str, rows: int) -> Iterator[tuple[TaskRule, NDArray[np.bool_]]]:
    """Each rule on an object, and the records that it is for."""
    for rules, mask in variants.masks(rows):
        yield from ((rule, mask) for rule in rules.tasks if rule.on == object_name)


def _wanted(
    rule: TaskRule, rows: pa.Array, records: pa.Table, texts: Mapping[str, Callable[[], Any]], today: date
) -> pa.Table:
    named = {name: _flat(texts[name]()).take(rows) for name in sorted(_names(rule))}
    constants = {
        "rule": rule.name,
        "object": rule.on,
        "priority": rule.priority,
        "period": period(rule.period, today),
        "due": today + timedelta(days=rule.due_days),
    }
    subject = _rendered(rule.subject, named, len(rows))
    columns = {
        **{
            name: pa.array([value] * len(rows), TASK_SCHEMA.field(name).type)
            for name, value in constants.items()
        },
        **{name: _flat(records[name]).take(rows) for name in records.column_names},
        "owner_id": _assignees(rule, records).take(rows),
        "subject": pc.utf8_slice_codeunits(subject, 0, _LONGEST_SUBJECT),
        "description": _rendered(rule.description, named, len(rows)),
    }
    return pa.table({name: columns[name] for name in TASK_SCHEMA.names}, schema=TASK_SCHEMA)


def _assignees(rule: TaskRule, records: pa.Table) -> pa.Array:
    """Whose task it is: the record's owner's, its account's owner's, or one person's."""
    column = _ASSIGNEES.get(rule.assignee)
    return pa.repeat(rule.assignee, records.num_rows) if column is None else _flat(records[column])


_ASSIGNEES = {"owner": "owner_id", "account_owner": "account_owner_id"}


def _flat(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def one_line(names: pa.ChunkedArray) -> pa.Array:
    """Names without line breaks and doubled spaces."""
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(names.combine_chunks(), r"\s+", " "))


def _names(rule: TaskRule) -> set[str]:
    pieces = (*string.Formatter().parse(rule.subject), *string.Formatter().parse(rule.description))
    return {name for _, name, _, _ in pieces if name}


def _rendered(template: str, texts: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """The template filled in for each row; an unknown text is empty."""
    pieces: list[pa.Array] = [pa.array([""] * rows, pa.string())]
    for literal, name, _, _ in string.Formatter().parse(template):
        pieces.append(pa.array([literal] * rows, pa.string()))
        if name:
            pieces.append(
                pc.utf8_slice_codeunits(texts[name], 0, _LONGEST_SUBJECT if name in _LINES else _LONGEST_NAME)
            )
    return pc.binary_join_element_wise(*pieces, "", null_handling="replace", null_replacement="")


_LINES = frozenset({"reason", "next_step"})


def together(tables: Iterable[pa.Table]) -> pa.Table:
    """All tasks, in a fixed order."""
    return pa.concat_tables(tables).sort_by(
        [("object", "ascending"), ("id", "ascending"), ("rule", "ascending")]
    )
