"""Explain one record from what the last run kept: its tags, and where every point came from."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from config.problems import ConfigProblem, Problem
from config.records import RECORDS
from scoring import explain, extract, tag
from scoring.moves import Outlook, outlook
from scoring.saying.origins import origin
from sync.buckets import Buckets
from sync.explaining.kept_out import shown_text, shown_value
from sync.store.mirror import bucket_of

if TYPE_CHECKING:
    from config.crms import Crm
    from config.rules import Rules
    from scoring import Tagged
    from sync.explaining.rule_lines import Names, RuleLines
    from sync.store.mirror import Mirror
    from sync.store.tags import TagStore

# Some CRMs show ids in a short form of so many characters, too; the long one starts with it.
_SHORT_ID = 15
MOST_COMPARED = 20_000
_MEANT = 3  # names that are offered, where part of them was given
_LINKS = ("account_id", "owner_id")  # tell nothing that the record's page does not
_TAGS = ("id", "cause", "leave", "overridden", "override_until")  # and every field of ours


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one item gave to a score: its points, what it saw, and the rule behind it (`rules.yaml:12` or default)."""

    item: str
    points: int
    saw: str
    rule: str


@dataclass(frozen=True, slots=True)
class Read:
    """One value that the scores read: `of` says of what, `field` is the CRM's own name for it."""

    of: str
    column: str
    field: str
    value: Any


@dataclass(frozen=True, slots=True)
class Explained:
    """A record's tags, its contributions by dimension (each adds up to the score), what they read, and what is next."""

    object: str
    id: str
    name: str
    tags: dict[str, Any]
    points: dict[str, list[Contribution]]
    inputs: list[Read]
    outlook: Outlook | None
    apart: tuple[str, ...] = ()  # why the CRM shows something else than these tags

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def explain_record(
    mirror: Mirror, tags: TagStore, rules: Rules, lines: RuleLines, crm: Crm, record: str
) -> Explained:
    """The record with this id, or the account or opportunity with this name, as of the last `plan` or `run`.

    Raises `ConfigProblem` if there is none, or if it was not scored under these rules.
    """
    object_name, row = _found(mirror, crm, record)
    home = row["id"] if object_name == "account" else row["account_id"] or row["id"]
    bucket = bucket_of(pa.array([home]), mirror.buckets())[0].as_py()
    said = _row(tags.read(f"tags_{object_name}", bucket), row["id"])
    kept = tags.book(rules)
    if said is None or kept is None:
        why = "has no score; closed deals have none" if kept else "was not scored under these rules"
        raise ConfigProblem(
            Problem(f"{row['name']} ({row['id']}) {why}", fix="run `foretag plan` to score the book")
        )
    book, today = kept
    tables = Buckets(mirror, rules).tables(bucket)
    family = tags.read("families_account", bucket)
    if family is not None:
        tables = {**tables, "family": family}
    features = extract(tables, book.horizon, rules, today)
    tagged = tag(features, book, tags.state(bucket), rules, today, tags.labels())
    variants = _variants(tagged, object_name, row["id"])
    named = dict(variants)
    own = rules.variant(named.get("teams"), named.get("pipelines"))
    points: dict[str, list[Contribution]] = {}
    columns: set[str] = set()
    for found in explain(tagged, row["id"]).to_pylist():
        came = origin(found["dimension"], found["item"], own)
        columns |= {*came.reads}
        saw = shown_text(rules, f"{found['dimension']}:{found['item']}", found["detail"] or "")
        points.setdefault(found["dimension"], []).append(
            Contribution(found["item"], found["points"], saw, lines.of(came.rule, variants))
        )
    inputs = _inputs(mirror, tags, tagged, rules, columns, object_name, row["id"])
    tags_said = {name: value for name, value in said.items() if name in _TAGS or name.startswith("foretag_")}
    return Explained(
        object_name, row["id"], row["name"], tags_said, points, inputs, outlook(tagged, row["id"])
    )


def _variants(tagged: Tagged, object_name: str, record_id: str) -> Names:
    """Whose rules hold for a record: its pipeline's, else its owner's team's."""
    features = tagged.scored.features
    table = features.accounts if object_name == "account" else features.deals
    row = pc.index(table["id"], record_id).as_py()
    kinds = (
        (("teams", "team"),) if object_name == "account" else (("pipelines", "pipeline"), ("teams", "team"))
    )
    return tuple((kind, table[column][row].as_py()) for kind, column in kinds)


def _inputs(
    mirror: Mirror,
    tags: TagStore,
    tagged: Tagged,
    rules: Rules,
    columns: set[str],
    object_name: str,
    record_id: str,
) -> list[Read]:
    """The values behind the scores: of the record, and of the deal that speaks for an account."""
    records = {object_name: record_id}
    if object_name == "account":
        best = int(tagged.scored.best.row[pc.index(tagged.accounts["id"], record_id).as_py()])
        if best >= 0:
            records["opportunity"] = tagged.opportunities["id"][best].as_py()
    fields = tags.fields()
    found = []
    for name, one in records.items():
        wanted = [column.name for column in RECORDS[name] if f"{name}.{column.name}" in columns]
        wanted = [
            column for column in wanted if column in rules.needed_columns(name) and column not in _LINKS
        ]
        row = mirror.read(name, ("name", *wanted), ids=pa.array([one])).to_pylist()[0]
        found += [
            Read(
                row["name"] or one,
                column,
                fields.get(name, {}).get(column, ""),
                shown_value(rules, column, row[column]),
            )
            for column in wanted
        ]
    return found


def _found(mirror: Mirror, crm: Crm, record: str) -> tuple[str, dict[str, Any]]:
    accounts, noun = mirror.read("account", ("id", "name")), crm.nouns["account"]
    row = _with_id(accounts, record)
    if row is not None:
        return "account", row
    named = accounts.filter(pc.equal(pc.utf8_lower(accounts["name"]), record.lower())).to_pylist()
    if len(named) == 1:
        return "account", named[0]
    if named:
        raise ConfigProblem(
            Problem(
                f'{len(named)} {noun.many} are called "{record}"',
                fix=f"give an id: {', '.join(row['id'] for row in named[:5])}",
            )
        )
    deals = mirror.read("opportunity", ("id", "name", "account_id", "is_closed"))
    row = _with_id(deals, record)
    if row is not None:
        return "opportunity", row
    row = _only_open(deals, record)
    if row is not None:
        return "opportunity", row
    close = difflib.get_close_matches(record, _alike(accounts["name"], record), n=1) or _holding(
        accounts["name"], record
    )
    meant = " or ".join(f'"{name}"' for name in close)
    fix = f"did you mean {meant}?" if close else "run `foretag plan` first if it is new"
    raise ConfigProblem(Problem(f'no {noun} is called "{record}" and no record has this id', fix=fix))


def _with_id(rows: pa.Table, record: str) -> dict[str, Any] | None:
    matching = rows.filter(pc.equal(rows["id"], record))
    if not matching.num_rows and len(record) == _SHORT_ID:
        matching = rows.filter(pc.starts_with(rows["id"], record))
    return matching.to_pylist()[0] if matching.num_rows else None


def _only_open(deals: pa.Table, record: str) -> dict[str, Any] | None:
    """The one open deal of this name."""
    named = deals.filter(pc.equal(pc.utf8_lower(deals["name"]), record.lower())).to_pylist()
    still_open = [row for row in named if not row["is_closed"]]
    return still_open[0] if len(still_open) == 1 else None


def _alike(names: pa.ChunkedArray, record: str) -> list[str]:
    """Names worth comparing letter by letter, which takes seconds for some ten thousand."""
    lengths = pc.utf8_length(names)
    near = names.filter(
        pc.and_(
            pc.less_equal(pc.abs(pc.subtract(lengths, len(record))), 3),
            pc.equal(pc.utf8_lower(pc.utf8_slice_codeunits(names, 0, 1)), record[:1].lower()),
        )
    )
    found: list[str] = near.slice(0, MOST_COMPARED).to_pylist()
    return found


def _holding(names: pa.ChunkedArray, record: str) -> list[str]:
    """The first names that the word stands in."""
    holding = (
        names.filter(pc.match_substring(names, record, ignore_case=True)) if record.strip() else names[:0]
    )
    found: list[str] = sorted(set(holding.to_pylist()))[:_MEANT]
    return found


def _row(table: pa.Table | None, record_id: str) -> dict[str, Any] | None:
    if table is None:
        return None
    rows: list[dict[str, Any]] = table.filter(pc.equal(table["id"], record_id)).to_pylist()
    return rows[0] if rows else None
