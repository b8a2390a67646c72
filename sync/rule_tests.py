"""Run the tests of a rules file: score each test's records, and tell every difference by file and line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.examples.rule_tests import Expected, RuleTests, within
from config.files.documents import load_document, validate
from config.problems import ConfigProblem, Problem
from config.rules import load_rules
from scoring import read_book, tag
from sync.example_book import example_book, held_state
from sync.exit_codes import DONE, STOPPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from config.examples.rule_tests import Example
    from config.files.documents import Document, Steps
    from config.rules import Rules
    from scoring import Tagged
    from sync.talk import Talk

# How outputs are called in expectations, and in what is said of them.
_OUTPUTS = {
    "tier": "foretag_tier",
    "score": "foretag_score",
    "segment": "foretag_segment",
    "growth_potential": "foretag_growth_potential",
    "growth_score": "foretag_growth_score",
    "likelihood": "foretag_likelihood",
    "next_step": "foretag_next_step",
    "alert": "foretag_alert",
    "reason": "foretag_reason",
}
_WORDS = {"next_step": "next step", "growth_potential": "growth potential", "growth_score": "growth score"}


@dataclass(frozen=True, slots=True)
class Result:
    """One test, the line that it begins at, and what differed."""

    name: str
    line: int | None
    problems: tuple[Problem, ...]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "name": self.name,
            "line": self.line,
            "passed": not self.problems,
            "problems": [problem.as_dict() for problem in self.problems],
        }


def test_rules(talk: Talk, files: Sequence[Path]) -> int:
    """Run the tests of these files; problems of all files and of their rules come at once."""
    opened: list[tuple[Path, Document, RuleTests, Rules]] = []
    wrong: list[Problem] = []
    for file in files:
        try:
            opened.append((file, *_opened(file)))
        except ConfigProblem as error:
            wrong += error.problems
    if wrong:
        raise ConfigProblem(*wrong)
    told = [(file, run_tests(document, tests, rules)) for file, document, tests, rules in opened]
    results = [result for _, found in told for result in found]
    failed = sum(bool(result.problems) for result in results)
    code = STOPPED if failed else DONE
    talk.result(
        {
            "files": [
                {"file": str(file), "tests": [result.as_dict() for result in found]} for file, found in told
            ],
            "passed": len(results) - failed,
            "failed": failed,
            "exit_code": code,
        }
    )
    for result in results:
        for problem in result.problems:
            talk.say(str(problem), "red")
    passed = f"{len(results) - failed} of {len(results)} tests passed"
    talk.say(f"{passed}, {failed} failed." if failed else f"{passed}.", "red" if failed else "green")
    return code


def _opened(file: Path) -> tuple[Document, RuleTests, Rules]:
    document = load_document(file)
    tests = validate(document, RuleTests)
    return document, tests, load_rules(file.parent / (tests.rules or file.name.replace(".test.", ".")))


def run_tests(document: Document, tests: RuleTests, rules: Rules) -> list[Result]:
    """Every test of a file, in its order."""
    found = []
    for place, test in enumerate(tests.tests):
        at: Steps = ("tests", place)
        problems = tuple(
            _told(document, at + steps, test.name, message)
            for steps, message in _differences(tests, test, rules)
        )
        found.append(Result(test.name, document.place(at).line, problems))
    return found


def _told(document: Document, steps: Steps, name: str, message: str) -> Problem:
    place = document.place(steps)
    return Problem(message, str(place.path), place.line, place.column, rule=name, end_column=place.end_column)


def _differences(file: RuleTests, test: Example, rules: Rules) -> Iterator[tuple[Steps, str]]:
    book = example_book(file, test)
    tagged = _tagged(test, rules, book.tables(), book.today)
    records = {
        row["id"]: row for table in (tagged.accounts, tagged.opportunities) for row in table.to_pylist()
    }
    tasks: dict[str, list[str]] = {}
    for task in tagged.tasks.to_pylist():
        tasks.setdefault(task["id"], []).append(task["rule"])
    for name, expected in test.expect.items():
        for field, message in _compared(expected, records[name], tasks.get(name, [])):
            yield ("expect", name, field), f"{name}: {message}"
    yield from _order(test.order, records)


def _tagged(test: Example, rules: Rules, tables: Mapping[str, Any], today: date) -> Tagged:
    book, (part,) = read_book([tables], rules, today)
    return tag(part, book, held_state(test, today, rules.digest), rules, today)


def _compared(expected: Expected, record: Mapping[str, Any], tasks: list[str]) -> Iterator[tuple[str, str]]:
    """Each field that differs from what is expected, and how."""
    reason = record["foretag_reason"] or ""
    why = f" (its reason: {reason})" if reason else ""
    for field in ("tier", "segment", "growth_potential", "score", "growth_score", "likelihood"):
        wanted, got = getattr(expected, field), record.get(_OUTPUTS[field])
        if wanted is not None and not _same(wanted, got):
            yield field, f"{_WORDS.get(field, field)} is {_said(got)}, not {wanted}{why}"
            why = ""
    for field in ("next_step", "alert"):
        wanted, got = getattr(expected, field), record.get(_OUTPUTS[field]) or ""
        if wanted is not None and not (wanted in got if wanted else not got):
            yield field, f'{_WORDS.get(field, field)} is "{got}", which {_lacks(wanted)}'
    for text in _texts(expected.reason):
        if text not in reason:
            yield "reason", f'reason is "{reason}", which has no "{text}"'
    for text in _texts(expected.reason_without):
        if text in reason:
            yield "reason_without", f'reason is "{reason}", which has "{text}"'
    if expected.tasks is not None and sorted(expected.tasks) != sorted(tasks):
        yield "tasks", f"tasks are {_listed(tasks)}, not {_listed(expected.tasks)}"


def _same(wanted: int | str, got: Any) -> bool:
    if isinstance(got, int) or isinstance(wanted, int):
        return within(got, wanted)
    return got is None if wanted == "none" else got == wanted


def _order(order: Sequence[str], records: Mapping[str, Any]) -> Iterator[tuple[Steps, str]]:
    """Neighbours that do not stand as expected."""
    scores = [records[name]["foretag_score"] for name in order]
    for place in range(1, len(order)):
        before, after = scores[place - 1], scores[place]
        if before is None or after is None or before <= after:
            message = (
                f"{order[place]} has {_said(after)}, not less than {order[place - 1]} with {_said(before)}"
            )
            yield ("order", place), message


def _texts(given: tuple[str, ...] | str) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given


def _said(value: Any) -> str:
    return "none" if value is None else str(value)


def _lacks(wanted: str) -> str:
    return f'has no "{wanted}"' if wanted else "is not empty"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)) or "none"
