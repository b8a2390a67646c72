"""What a plan would do, in lines that people read before they say yes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.outputs import OBJECTS
from sync.writing.moves import moves

if TYPE_CHECKING:
    from config.crms import Crm
    from sync.writing.plan import Plan
    from sync.writing.plan_file import PlanHeader


def summary(plan: Plan, header: PlanHeader, crm: Crm) -> tuple[str, ...]:
    """Whose plan it is, what it would change, and how to do it."""
    kind = "PRODUCTION" if header.production else "sandbox"
    book = ", ".join(f"{count:,} {crm.nouns[name].many}" for name, count in header.book.items())
    chosen = [f"{name.replace('_', ' ')} {_listed(value)}" for name, value in header.selection.items()]
    return (
        f"Foretag plan of {header.today} for {header.org_name} ({kind}), connection {header.connection}",
        f"Would write {crm.counted(header.planned)}, of a book of {book}.",
        *(line for name in OBJECTS if (line := _moves_line(plan, name, crm))),
        *(_fields_line(name, names, crm) for name, names in header.fields.items() if names),
        f"Chosen: {'; '.join(chosen)}." if chosen else "Chosen: all records.",
        f"Rules {header.rules}, run {header.run}, made by Foretag {header.version}.",
        "Rows that events overtake are skipped and listed. It names companies and owners: share it with care.",
    )


def _listed(value: Any) -> str:
    """What an option asked for, several values with commas between them."""
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)


def _moves_line(plan: Plan, object_name: str, crm: Crm) -> str:
    """How many records go from which tier to which, those that stay as they are last."""
    table = plan.changes[object_name]
    found = moves(table)
    told = [f"{old} to {new} {count:,}" for (old, new), count in found.items() if old != new]
    same = table.num_rows - sum(count for (old, new), count in found.items() if old != new)
    told += [f"unchanged {same:,}"] if same and told else []
    return f"{crm.nouns[object_name].many.capitalize()} by tier: {', '.join(told)}." if told else ""


def _fields_line(object_name: str, names: list[str], crm: Crm) -> str:
    words = ", ".join(name.removeprefix("foretag_").replace("_", " ") for name in names)
    return f"{crm.field.many.capitalize()} of {crm.nouns[object_name].many}: {words}."
