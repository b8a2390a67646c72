"""Check rules against the CRM: words that nobody can choose there, rules that hold for nobody, inputs nobody fills in.

All of it is told as warnings: an org may be about to grow into its rules.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow.compute as pc

from config.files.documents import did_you_mean, problem_at
from config.files.layers import load_layers, sections
from config.language.vocabulary import KNOWN_VALUES, NAMES
from config.linting.lint_conditions import SECTIONS, leaves, readable
from config.problems import Fault
from config.rules import Rules
from scoring import read_book, tag
from scoring.conditions.firing import Firing, firing, nothing
from sync.buckets import Buckets
from sync.pull import read_as
from sync.store.side_tables import side_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from config.crms import Crm
    from config.files.documents import Document, Steps
    from config.linting.lint_conditions import Placed
    from config.problems import Problem
    from sync.job import Job
    from sync.store.mirror import Mirror


@dataclass(frozen=True, slots=True)
class Words:
    """What people may choose in the CRM, by canonical object and column, and a local copy of what records hold."""

    choices: Mapping[str, Mapping[str, tuple[str, ...]]]
    mirror: Mirror

    def listed(self, object_name: str, column: str) -> bool:
        """Whether the CRM has a list of words for the column."""
        return column in self.choices.get(object_name, ())

    def unknown(self, object_name: str, column: str, word: str) -> Fault | None:
        """What to say of a word that nobody can choose."""
        known = self.choices[object_name][column]
        if word in known:
            return None
        number = self._held(object_name, column, word)
        if number:
            return Fault(f'"{word}" can no longer be chosen in the CRM; {number:,} records still hold it')
        return Fault(f'{column} is never "{word}" in the CRM', did_you_mean(word, list(known)))

    def _held(self, object_name: str, column: str, word: str) -> int:
        if not self.mirror.has(object_name):
            return 0
        values = self.mirror.read(object_name, (column,))[column]
        return int(pc.sum(pc.equal(values, word)).as_py() or 0)


MOSTLY_EMPTY = 90  # percent of the records
# Inputs that a score always wants, and where the rules speak of them.
_WANTED: tuple[tuple[str, str, Steps], ...] = (
    ("opportunity", "days_to_close", ("priority", "close_date")),
    ("opportunity", "amount", ("priority", "weights", "much")),
    ("opportunity", "margin", ("priority", "weights", "profitable")),
    ("account", "industry", ("growth", "headroom")),
)
# Lists of words under `needs:`, and what they are compared with.
_NEEDS = {"cases": ("case", "type"), "urgent": ("case", "priority")}


def crm_problems(job: Job) -> list[Problem]:
    """All warnings about the rules of a connection that its CRM, and the local copy of it, give cause for."""
    document = load_layers(job.connection.rules)
    objects = {
        source.partition(".")[0] for names in NAMES.values() for one in names.values() for source in one.reads
    }
    read = sorted(objects & {name for name, columns in job.columns().items() if columns})
    words = Words({name: job.connector.choices(name) for name in read}, job.mirror)
    today = job.connector.server_time().astimezone(ZoneInfo(job.connector.org().timezone)).date()
    return [
        *choice_problems(document, words),
        *(side_tables(job.rules, job.mirror).problems if job.mirror.has("account") else ()),
        *book_problems(document, job.rules, job.mirror, today, job.crm, not_yet_read(job)),
    ]


def not_yet_read(job: Job) -> frozenset[str]:
    """What the rules read by now, as `object.column`, and the local copy has not read, or from another field."""
    found = set()
    for object_name, columns in job.columns().items():
        kept = job.ledger.cursor(job.name, object_name)
        if kept is not None:
            now = read_as(job.connector, object_name, columns)
            found |= {
                f"{object_name}.{column}"
                for column, way in zip(columns, now, strict=True)
                if way not in kept[1]
            }
    return frozenset(found)


def choice_problems(document: Document, words: Words) -> list[Problem]:
    """Words of the rules that cannot be chosen in the CRM."""
    problems = []
    for said in (document, *(whole for _, _, whole in sections(document))):
        for steps, fault in (*_in_conditions(said, words), *_in_needs(said, words)):
            problems.append(problem_at(said, steps, fault, "warning"))
    return list(dict.fromkeys(problems))


def _in_conditions(document: Document, words: Words) -> Iterator[tuple[Steps, Fault]]:
    for section in SECTIONS:
        for item in readable(document.data.get(section)):
            if not is_shipped(section, item):
                for fault in _words(item, words):
                    yield (section, item.place, "when"), fault


def _words(item: Placed, words: Words) -> Iterator[Fault]:
    for leaf in leaves(item.tree):
        if not isinstance(leaf, ast.Compare):
            continue
        for name, other in ((leaf.left, leaf.comparators[0]), (leaf.comparators[0], leaf.left)):
            source = _source(item.on, name)
            if source is None or not words.listed(*source):
                continue
            for node in other.elts if isinstance(other, ast.List | ast.Tuple) else [other]:
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    start, end = item.span(node)
                    fault = words.unknown(*source, node.value)
                    if fault is not None:
                        yield replace(fault, start=start, end=end)


def _source(on: str, node: ast.expr) -> tuple[str, str] | None:
    """The object and column that a text of conditions is read from, if it is a single one."""
    name = NAMES[on].get(node.id) if isinstance(node, ast.Name) else None
    if name is None or name.kind != "text" or name.name in KNOWN_VALUES or not name.reads:
        return None
    object_name, _, column = name.reads[0].partition(".")
    return object_name, column


def _in_needs(document: Document, words: Words) -> Iterator[tuple[Steps, Fault]]:
    needs = document.data.get("needs")
    for key, source in _NEEDS.items():
        given = needs.get(key) if isinstance(needs, dict) else None
        if not isinstance(given, list) or not words.listed(*source):
            continue
        shipped = getattr(Rules().needs, key, ())
        for place, word in enumerate(given):
            fault = None if word in shipped else words.unknown(*source, str(word))
            if fault is not None:
                yield ("needs", key, place), fault


def is_shipped(section: str, item: Placed) -> bool:
    """Whether a rule's condition is one of the defaults, which are written for any CRM."""
    return any(rule.on == item.on and rule.when == item.text for rule in getattr(Rules(), section))


def counted(mirror: Mirror, rules: Rules, today: date, names: Mapping[str, Any]) -> Firing:
    """How many records of the local copy each rule holds for."""
    book, parts = read_book(Buckets(mirror, rules), rules, today)
    return reduce(
        lambda so_far, part: so_far + firing(tag(part, book, None, rules, today), names), parts, nothing()
    )


def book_problems(
    document: Document, rules: Rules, mirror: Mirror, today: date, crm: Crm, unread: frozenset[str]
) -> list[Problem]:
    """Rules that hold for none or all of the local copy's records, and inputs that most of them lack.

    Of what the local copy has not read yet nothing is said but that.
    """
    if not mirror.has("account") or not mirror.has("opportunity"):
        return []
    documents = [document, *(whole for _, _, whole in sections(document))]
    named = [(said, *one) for said in documents for one in _inputs(said)]
    names = {on: {name for _, at, name, _ in named if at == on} for on in NAMES}
    found = counted(mirror, rules, today, names)
    problems = [
        problem_at(said, steps, fault, "warning")
        for said in documents
        for steps, fault in _dead(said, found, crm, unread)
    ]
    if unread:
        fault = Fault(
            f"the local copy has not read {', '.join(sorted(unread))} yet: nothing is told of what reads it",
            "run `foretag plan`, then check again",
        )
        problems.append(problem_at(document, ("fields",), fault, "warning"))
    once = {(on, name): (said, steps) for said, on, name, steps in reversed(named)}
    for (on, name), (said, steps) in once.items():
        empty, of = found.empty[on, name], found.records[on]
        if of and 100 * empty >= MOSTLY_EMPTY * of and unread.isdisjoint(NAMES[on][name].reads):
            fault = Fault(f"{name} is empty in {empty:,} of {of:,} {crm.nouns[on].many}", _to_fill(on, name))
            problems.append(problem_at(said, steps, fault, "warning"))
    return list(dict.fromkeys(problems))


def _to_fill(on: str, name: str) -> str:
    """What makes an input known."""
    missing = NAMES[on][name].missing
    return f"it is unknown where: {missing}" if missing != "never missing" else ""


def _inputs(document: Document) -> Iterator[tuple[str, str, Steps]]:
    """Every input that a rule of the file or a score names: object, name, and where."""
    for section in SECTIONS:
        for item in readable(document.data.get(section)):
            if not is_shipped(section, item):
                for node in ast.walk(item.tree):
                    if isinstance(node, ast.Name):
                        yield item.on, node.id, (section, item.place, "when")
    yield from _WANTED


def _dead(
    document: Document, found: Firing, crm: Crm, unread: frozenset[str]
) -> Iterator[tuple[Steps, Fault]]:
    """Rules of the file that hold for none of the records that they are for, or for all of them."""
    for section in SECTIONS:
        items = list(readable(document.data.get(section)))
        last = {item.on: item.place for item in items}
        for item in items:
            key = (section, item.on, item.text)
            hits, of = found.hits[key], found.of[key]
            if not unread.isdisjoint(_read_by(item)):
                continue
            noun, steps = crm.nouns[item.on].many, (section, item.place, "when")
            if of and not hits and not is_shipped(section, item):
                yield steps, Fault(f"holds for none of {of:,} {noun}")
            closing = section == "playbook" and item.place == last[item.on]
            if of and hits == of and not closing:
                yield steps, Fault(f"holds for all of {of:,} {noun}")


def _read_by(item: Placed) -> set[str]:
    """All that a condition is read from, as `object.column`."""
    named = {node.id for node in ast.walk(item.tree) if isinstance(node, ast.Name)}
    return {source for name in named for source in NAMES[item.on][name].reads}
