"""What is wrong with rules that each fit their model: wrong units, cards that read backwards, rules never reached.

Errors stop; warnings are told by `foretag check` alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from config.files.documents import Document, problem_at, problems_of
from config.linting.lint_conditions import condition_faults
from config.linting.salvage import salvaged
from config.problems import Fault
from config.sections.cards import Bands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.files.documents import Steps
    from config.problems import Problem
    from config.rules import Rules

Found = tuple["Steps", Fault, str]

# Numbers from 0 to 100 that are weights, not percent: 0.5 is as good as 50.
WEIGHTS = (("priority", "weights"), ("account_value",))
# Curves and cards whose input is in percent, so that none may end at 1.
OF_PERCENT = (("priority", "margin"), ("priority", "discount"), ("likelihood", "deal"))
# Curves and cards whose input is a ratio, a share or a fifth, and what it hardly ever exceeds: more looks like days.
OF_RATIOS: dict[Steps, int] = {
    ("priority", "idle"): 20, ("likelihood", "recency"): 20, ("likelihood", "momentum"): 20, ("likelihood", "value"): 5,
    ("growth", "trend"): 20, ("growth", "promise"): 20, ("growth", "kept"): 1, ("growth", "headroom"): 20,
    ("win", "roundness"): 1, ("win", "idle"): 1, ("win", "past_revenue"): 5,
}  # fmt: skip
# More of the input is never worth less (1), or never more (-1).
DIRECTIONS: dict[Steps, int] = {
    ("priority", "close_date"): -1, ("priority", "overdue"): -1, ("priority", "pushes"): -1, ("priority", "idle"): -1,
    ("priority", "margin"): 1, ("priority", "discount"): -1, ("needs", "need_by"): -1, ("needs", "overdue"): -1,
    ("likelihood", "recency"): -1, ("likelihood", "purchases"): 1, ("likelihood", "value"): 1,
    ("likelihood", "deal"): 1,
    ("growth", "trend"): 1, ("growth", "promise"): 1, ("growth", "kept"): 1, ("growth", "headroom"): -1,
    ("win", "past_revenue"): 1,
}  # fmt: skip


def rules_problems(document: Document, model: type[Rules]) -> list[Problem]:
    """All that is wrong with a rules file, the model's findings and these; errors first, each by its place.

    What fits the model is linted even where other parts do not.
    """
    problems: list[Problem] = []
    rules: Rules | None
    try:
        rules = model.model_validate(document.data)
    except ValidationError as error:
        problems = problems_of(error, document, model)
        rules = salvaged(document, model, error)
    problems += lint(rules, document)
    return sorted(
        problems, key=lambda one: (one.severity != "error", one.where, one.line or 0, one.column or 0)
    )


def lint(rules: Rules | None, document: Document) -> list[Problem]:
    """What is wrong with what the file says, never with a default that it leaves alone.

    `rules` are what of it fits the models; without any, conditions alone are looked at.
    """
    found = [*(_settings(rules, document) if rules is not None else ()), *condition_faults(document)]
    return [problem_at(document, steps, fault, severity) for steps, fault, severity in found]


def _settings(rules: Rules, document: Document) -> Iterator[Found]:
    for steps, value, is_percent in _numbers(rules, ()):
        if document.named(steps) != steps:
            continue
        if is_percent and steps[:2] not in WEIGHTS and steps[:1] not in WEIGHTS and 0 < value < 1:
            yield (
                steps,
                Fault(f"{value:g} means {value:g} %", f"write {100 * value:g} for {100 * value:g} %"),
                "error",
            )
    for steps, card in _cards(rules):
        if document.named(steps) == steps:
            yield from _card(steps, card)
    yield from _weights(rules, document)
    yield from _tiers(rules, document)
    yield from _tasks(rules, document)
    yield from _fields(rules, document)


def _numbers(value: Any, steps: Steps) -> Iterator[tuple[Steps, float, bool]]:
    """Every number of the sections, and whether it is one from 0 to 100."""
    for name, field in type(value).model_fields.items() if isinstance(value, BaseModel) else ():
        inner, below = getattr(value, name), (*steps, name)
        if isinstance(inner, float):
            yield below, inner, _is_percent(field.annotation, field.metadata)
        elif isinstance(inner, dict):
            for key, item in inner.items():
                yield from _numbers(item, (*below, key))
        else:
            yield from _numbers(inner, below)


def _is_percent(annotation: Any, metadata: list[Any]) -> bool:
    """Whether a field is of `config.sections.cards.Percent`, by its limits."""
    found = [*metadata, *getattr(annotation, "__metadata__", ())]
    for part in getattr(annotation, "__args__", ()):
        found += getattr(part, "__metadata__", ())
    least = any(getattr(one, "ge", None) == 0 for one in _limits(found))
    return least and any(getattr(one, "le", None) == 100 for one in _limits(found))


def _limits(metadata: list[Any]) -> Iterator[Any]:
    for one in metadata:
        yield from getattr(one, "metadata", (one,))


def _cards(rules: Rules) -> Iterator[tuple[Steps, Bands | dict[float, float]]]:
    """Every curve and card of the sections."""
    for section, value in rules:
        for name in type(value).model_fields if isinstance(value, BaseModel) else ():
            inner = getattr(value, name)
            numeric = isinstance(inner, dict) and inner and all(isinstance(key, float | int) for key in inner)
            if isinstance(inner, Bands) or numeric:
                yield (section, name), inner


def _card(steps: Steps, card: Bands | dict[float, float]) -> Iterator[Found]:
    inputs = list(card.bounds) if isinstance(card, Bands) else list(card)
    worth = list(card.points) if isinstance(card, Bands) else list(card.values())
    highest = max(inputs)
    if steps in OF_PERCENT and 0 < highest <= 1:
        yield (
            steps,
            Fault(
                f"its input is in percent, and it ends at {highest:g}",
                f"write {100 * highest:g} for {100 * highest:g} %",
            ),
            "error",
        )
    elif highest > OF_RATIOS.get(steps, highest):
        yield (
            steps,
            Fault(
                f"its input hardly ever exceeds {OF_RATIOS[steps]}, and it goes up to {highest:g}",
                _meaning_of(steps),
            ),
            "warning",
        )
    if isinstance(card, dict) and steps != ("needs", "need_by") and 0 < max(worth) <= 1:
        yield steps, Fault(f"its points end at {max(worth):g}", "the most is 100: write 100, not 1"), "error"
    elif not any(worth):
        yield steps, Fault("gives 0 points to everything: it has no effect"), "warning"
    else:
        yield from _backwards(steps, inputs, worth)


def _backwards(steps: Steps, inputs: list[float], worth: list[Any]) -> Iterator[Found]:
    direction = DIRECTIONS.get(steps, 0)
    for place, (before, after) in enumerate(pairwise(worth)):
        if direction * (after - before) < 0:
            bound = f"above {inputs[place]:g}" if len(worth) > len(inputs) else f"at {inputs[place + 1]:g}"
            words = "more" if after > before else "less"
            yield (
                steps,
                Fault(
                    f"reads backwards: {bound} it is worth {after:g}, {words} than the {before:g} before it"
                ),
                "warning",
            )
            return


def _meaning_of(steps: Steps) -> str:
    if steps in (("likelihood", "value"), ("win", "past_revenue")):
        return "it is a fifth of the book, 1 to 5"
    if OF_RATIOS[steps] == 1:
        return "it is a share: 0.5 is a half"
    return "it is a ratio, not days or percent: 2 is twice as much"


def _weights(rules: Rules, document: Document) -> Iterator[Found]:
    for steps in WEIGHTS:
        value: Any = rules
        for step in steps:
            value = getattr(value, step)
        given = {name: float(getattr(value, name)) for name in type(value).model_fields}
        small = {name: weight for name, weight in given.items() if 0 < weight < 1}
        large = [name for name, weight in given.items() if weight > 1]
        if document.named(steps) == steps and small and large:
            name, weight = next(iter(small.items()))
            message = f"{name} {weight:g} beside {large[0]} {given[large[0]]:g} is next to nothing"
            yield (
                steps,
                Fault(message, "write all as fractions, or all in percent, and give each one"),
                "warning",
            )


def _tiers(rules: Rules, document: Document) -> Iterator[Found]:
    tiers, steps = rules.tiers, ("tiers", "reduce_at_most")
    if document.named(("tiers",)) and tiers.reduce_at_most < tiers.prioritize_at_least:
        steps = steps if document.named(steps) == steps else ("tiers", "prioritize_at_least")
        sure = tiers.prioritize_at_least
        message = f"Reduce may be {tiers.reduce_at_most}, above the {sure} that Prioritize is sure of"
        yield steps, Fault(message), "warning"


def _tasks(rules: Rules, document: Document) -> Iterator[Found]:
    limits = rules.task_limits
    if document.named(("task_limits",)):
        if limits.new_per_owner_and_day > limits.open_per_owner:
            message = (
                f"{limits.new_per_owner_and_day} new a day is more than {limits.open_per_owner} open at all"
            )
            yield ("task_limits",), Fault(message), "warning"
        if rules.tasks and not (limits.new_per_owner_and_day and limits.open_per_owner):
            yield (
                ("task_limits",),
                Fault("allows no task at all", "to turn tasks off, write `tasks: []`"),
                "warning",
            )
    for place, rule in enumerate(rules.tasks):
        steps, days = ("tasks", place, "period"), {"day": 1, "week": 7}.get(rule.period)
        if days and days < limits.cool_down_days and document.named(steps) == steps:
            message = f"a task each {rule.period}, but the same one only once in {limits.cool_down_days} days"
            yield steps, Fault(message, "lower cool_down_days under task_limits"), "warning"


def _fields(rules: Rules, document: Document) -> Iterator[Found]:
    """Two of our names for one field of the CRM."""
    del document
    for object_name, columns in rules.fields.items():
        known: dict[str, str] = {}
        for column, given in columns.items():
            name = str(given)
            if name in known:
                message = f"reads the same field as {known[name]}"
                yield (
                    ("fields", object_name, column),
                    Fault(message, "is one of the two meant otherwise?"),
                    "warning",
                )
            known.setdefault(name, column)
