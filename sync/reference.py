"""Write the reference of inputs, `docs/inputs.md`, from what the code knows: `python -m sync.reference`.

A test compares the page with this, so that it cannot drift.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from config.language.account_names import ACCOUNT_FACTS, ACCOUNT_NAMES
from config.language.deal_names import DEAL_NAMES
from config.language.inputs import MOVEMENT, OUTCOMES, SALES, UNITS, WINNING
from config.records import OPTIONAL, RECORDS, SIDE_TABLES
from config.sections.side_files import SHEETS
from connectors.hubspot import fields as hubspot
from connectors.salesforce import fields as salesforce

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from config.language.inputs import Name
    from config.records import Column

PAGE = Path("docs") / "inputs.md"

_INTRODUCTION = """# Inputs

What conditions of the rules file (`when:`) may name: for each input its unit, what it means, what it is read from, and
when it is unknown. A condition on an unknown input does not hold. This page is made by `python -m sync.reference`.

Inputs marked † are known only after a score is: boosts and exclusions cannot name them.
"""

_DEALS = """Conditions on opportunities may also name every fact about the account (the second table above), as
`account_…`: `account_industry == "Energy"`, `account_days_since_purchase > 365`; facts about an owner are then those of
the opportunity's own.
"""

_COLUMNS = """## Where columns are read

`fields:` in the rules file names another field for any of them. *Mapped* columns have no usual field in that CRM, or
not every org has it. Only what the rules use is read.
"""

_FILES = """## Files next to the rules

Under `files:` in the rules file. The first line names the columns; accounts and owners are named by id or exact name.
"""

# Long lists of columns that many inputs share.
_SHARED = {
    SALES: "won opportunities, amounts", WINNING: "opportunities, chances", OUTCOMES: "closed opportunities",
    MOVEMENT: "last movement",
}  # fmt: skip


def page() -> str:
    """The whole page."""
    scores = [name for name in ACCOUNT_NAMES if name not in ACCOUNT_FACTS]
    parts = [
        _INTRODUCTION,
        "## Units\n",
        _table(("unit", "means"), ((name, unit.meaning) for name, unit in UNITS.items())),
        "## Accounts\n\nScores:\n", _names(scores),
        "Facts:\n", _names(ACCOUNT_FACTS),
        "## Opportunities\n", _names(DEAL_NAMES), _DEALS,
        "Lists of columns that many inputs share:\n",
        _table(("above", "is"), ((text, _codes(columns)) for columns, text in _SHARED.items())),
        _COLUMNS, *(_object(name) for name in RECORDS if name != "task"),
        _FILES, _table(("key", "columns"), ((f"`{kind}`", _codes(sheet.cells)) for kind, sheet in SHEETS.items())),
    ]  # fmt: skip
    return "\n".join(parts)


def _names(names: Iterable[Name]) -> str:
    return _table(
        ("input", "unit", "means", "read from", "unknown if"),
        (
            (
                f"`{name.name}`{' †' if name.known == 'after' else ''}",
                name.unit or name.kind,
                name.meaning,
                _reads(name),
                "" if name.missing == "never missing" else name.missing,
            )
            for name in names
        ),
    )


def _reads(name: Name) -> str:
    """The columns behind an input, shared lists by their name, objects that are read besides in brackets."""
    columns, parts = list(name.reads), []
    for shared, text in _SHARED.items():
        if set(shared) <= set(columns):
            parts.append(text)
            columns = [column for column in columns if column not in shared]
    parts += dict.fromkeys(f"`{_shortened(column)}`" for column in columns)
    besides = dict.fromkeys(column.partition(".")[0] for column in name.also)
    also = f" ({', '.join(besides)} too, where read)" if besides else ""
    return (", ".join(parts) or "scores") + also


def _shortened(column: str) -> str:
    """A column; of objects that are read for few inputs, all columns of the object together."""
    object_name = column.partition(".")[0]
    return object_name if object_name in OPTIONAL or object_name in SIDE_TABLES else column


def _object(name: str) -> str:
    optional = ", which an org may not have" if name in OPTIONAL else ""
    heading = f"### {name}\n\nSalesforce `{salesforce.OBJECTS[name]}`, HubSpot `{hubspot.OBJECTS[name]}`{optional}.\n\n"
    return heading + _table(
        ("column", "means", "Salesforce", "HubSpot"),
        (
            (f"`{column.name}`", column.meaning, _in_salesforce(name, column), _in_hubspot(name, column))
            for column in RECORDS[name]
        ),
    )


def _in_salesforce(object_name: str, column: Column) -> str:
    return _codes(salesforce.DEFAULTS[object_name].get(column.name, ()), " or ") or "mapped"


def _in_hubspot(object_name: str, column: Column) -> str:
    if object_name in ("owner", "stage"):
        return f"the {hubspot.OBJECTS[object_name]} API"
    link = hubspot.LINKS.get(object_name, {}).get(column.name)
    if link is not None:
        return f"association to {link.to}"
    home = hubspot.IN_HOME_CURRENCY.get((object_name, column.name), ())
    return _codes((*home, *hubspot.DEFAULTS[object_name].get(column.name, ())), " or ") or "mapped"


def _codes(words: Iterable[str], between: str = ", ") -> str:
    return between.join(f"`{word}`" for word in words)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(_lines(heads, rows)) + "\n"


def _lines(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def main(path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
