"""What is wrong with conditions that read well: those that never hold, or always, and rules that none reaches."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from config.language.expressions import parse, span
from config.language.vocabulary import NAMES
from config.linting.possible import bounds, claimed, constant, links, possible, usual
from config.problems import Fault, Faulty

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.files.documents import Document, Steps
    from config.language.inputs import Name

SECTIONS = ("boosts", "exclude", "playbook", "tasks")
MOST_STEPS = 100  # of a playbook that are held against one another: the time grows with their cube
Found = tuple["Steps", Fault, str]

# What a rule without a choice means, by section.
_ALWAYS = {
    "boosts": ("holds for every {object}: it moves all alike", "warning"),
    "exclude": ("holds for every {object}: none would be scored", "error"),
    "tasks": ("holds for every {object}: each gets a task", "warning"),
}


@dataclass(frozen=True, slots=True)
class Placed:
    """A condition that can be read, and the number of its rule within the section."""

    place: int
    on: str
    text: str
    tree: ast.expr

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Where a part of its tree stands in its text."""
        return span(node, self.text)


def condition_faults(document: Document) -> Iterator[Found]:
    """What is wrong with the conditions that the file says itself, whatever else is wrong with their rules."""
    for section in SECTIONS:
        items = list(readable(document.data.get(section)))
        for item in items:
            for fault, severity in _condition(item, section):
                yield (section, item.place, "when"), fault, severity
        if section == "playbook":
            yield from _unreached(items[:MOST_STEPS], document)


def readable(items: Any) -> Iterator[Placed]:
    """The conditions that the models have nothing against."""
    for place, item in enumerate(items if isinstance(items, list) else ()):
        on, when = (item.get("on"), item.get("when", "True")) if isinstance(item, dict) else (None, None)
        if isinstance(on, str) and on in NAMES and isinstance(when, str):
            try:
                yield Placed(place, on, when, parse(when, on))
            except Faulty:
                continue


def _condition(item: Placed, section: str) -> Iterator[tuple[Fault, str]]:
    tree, names, text, object_name = item.tree, NAMES[item.on], item.text, item.on
    for leaf in leaves(tree):
        fault = _unit(leaf, names, text)
        if fault is not None:
            yield fault, "error"
    never = not possible([(tree, "true")], names)
    if never:
        yield _why_never(tree, names, text), "error"
    elif not possible([(tree, "not true")], names):
        if section in _ALWAYS:
            message, severity = _ALWAYS[section]
            yield Fault(message.format(object=object_name)), severity
    else:
        yield from _idle_parts(tree, names, text)
        if section == "tasks" and object_name == "account" and _only_reduce(tree, names):
            yield Fault("makes no task: accounts in Reduce get none"), "warning"


def _only_reduce(tree: ast.expr, names: Mapping[str, Name]) -> bool:
    others = ast.parse('segment != "Reduce"', mode="eval").body
    return not possible([(tree, "true"), (others, "true")], names)


def leaves(tree: ast.expr) -> list[ast.expr]:
    """The single comparisons of a condition, from left to right."""
    if isinstance(tree, ast.BoolOp):
        return [leaf for part in tree.values for leaf in leaves(part)]
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return leaves(tree.operand)
    return links(tree) if isinstance(tree, ast.Compare) else [tree]


def _unit(leaf: ast.expr, names: Mapping[str, Name], text: str) -> Fault | None:
    """A percentage or points compared with a fraction."""
    if not isinstance(leaf, ast.Compare):
        return None
    sides = (leaf.left, leaf.comparators[0])
    for side, other in (sides, sides[::-1]):
        name = names.get(side.id) if isinstance(side, ast.Name) else None
        if name is None or not _within_a_hundred(name):
            continue
        for node in other.elts if isinstance(other, ast.List | ast.Tuple) else [other]:
            number = constant(node)
            if isinstance(number, float) and 0 < number < 1:
                start, end = span(node, text)
                unit = "is in percent" if name.unit == "percent" else "goes from 0 to 100"
                message = f"{name.name} {unit}: {number:g} is next to nothing"
                return Fault(message, f"write {100 * number:g}", start=start, end=end)
    return None


def _within_a_hundred(name: Name) -> bool:
    return bounds(name)[1] == 100


def _why_never(tree: ast.expr, names: Mapping[str, Name], text: str) -> Fault:
    """The smallest part that cannot hold: one comparison, two together, else all of it."""
    for leaf in leaves(tree) if not _negated(tree) else ():
        if not possible([(leaf, "true")], names):
            return _cannot(leaf, names, text)
    parts = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else []
    parts = [
        link
        for part in parts or [tree]
        for link in (links(part) if isinstance(part, ast.Compare) else [part])
    ]
    for one, other in combinations(parts, 2):
        if not possible([(one, "true"), (other, "true")], names):
            words = f'"{ast.unparse(one)}" and "{ast.unparse(other)}" cannot both hold'
            (start, _), (_, end) = span(one, text), span(other, text)
            return Fault(f"can never hold: {words}", start=start, end=end)
    return Fault("can never hold", start=0, end=len(text))


def _negated(tree: ast.expr) -> bool:
    return any(isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) for node in ast.walk(tree))


def _cannot(leaf: ast.expr, names: Mapping[str, Name], text: str) -> Fault:
    start, end = span(leaf, text)
    message = f'"{ast.unparse(leaf)}" can never hold'
    claim = claimed(leaf, names)
    if claim is not None and claim.values.ranges is not None:
        least, most = bounds(names[claim.name])
        message += f": {claim.name} is {_range(least, most)}"
    return Fault(message, start=start, end=end)


def _range(least: float, most: float) -> str:
    if math.isfinite(most):
        return f"at most {most:g}" if math.isinf(least) else f"{least:g} to {most:g}"
    return f"{least:g} or more" if math.isfinite(least) else "any number"


def _idle_parts(tree: ast.expr, names: Mapping[str, Name], text: str) -> Iterator[tuple[Fault, str]]:
    """Comparisons that change nothing: some can never hold, others hold whenever their input is known."""
    for leaf in leaves(tree):
        claim = claimed(leaf, names)
        if claim is None or isinstance(leaf, ast.Name):
            continue
        if not possible([(leaf, "true")], names):
            yield replace(_cannot(leaf, names, text), fix="take this part out"), "warning"
        elif not possible([(leaf, "false")], names) and not usual(names[claim.name]).unknown:
            start, end = span(leaf, text)
            yield (
                Fault(f'"{ast.unparse(leaf)}" always holds', "take this part out", start=start, end=end),
                "warning",
            )


def _unreached(items: list[Placed], document: Document) -> Iterator[Found]:
    """Steps of the playbook that no record gets to, since one before them holds whenever they do."""
    for object_name, names in NAMES.items():
        before: list[tuple[int, ast.expr]] = []
        for step in items:
            if step.on != object_name:
                continue
            place, tree = step.place, step.tree
            reachable = possible([(tree, "true")], names)
            if reachable and not possible(
                [(tree, "true"), *((other, "not true") for _, other in before)], names
            ):
                alone = [
                    at for at, other in before if not possible([(tree, "true"), (other, "not true")], names)
                ]
                yield ("playbook", place), _behind(alone, document), "error"
            before.append((place, tree))


def _behind(alone: list[int], document: Document) -> Fault:
    if not alone:
        return Fault("is never reached: one of the steps before it always holds first")
    line = document.place(("playbook", alone[0])).line
    return Fault(
        f"is never reached: step {alone[0] + 1} (line {line}) holds first", "put it before that step"
    )
