"""Check files alone, without a CRM: quick enough for an editor to do on every save."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.examples.rule_tests import RuleTests
from config.files.documents import load_document, problems_of_document
from config.files.layers import load_layers
from config.linting.lint_settings import settings_warnings
from config.problems import ConfigProblem, has_errors
from config.rules import check_rules
from config.settings import Settings
from sync.exit_codes import DONE, FIX_CONFIGURATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from config.files.documents import Document
    from config.problems import Problem
    from sync.talk import Talk


def check_files(talk: Talk, files: Iterable[Path]) -> int:
    """All that is wrong with these files, each taken for what it is: settings, rules, or tests of rules."""
    problems = list(dict.fromkeys(problem for file in files for problem in file_problems(file)))
    code = FIX_CONFIGURATION if has_errors(problems) else DONE
    talk.result({"problems": [problem.as_dict() for problem in problems], "exit_code": code})
    talk.problems(problems)
    if code == DONE:
        talk.say("All is well." if not problems else "No errors.", "green")
    return code


def file_problems(file: Path) -> list[Problem]:
    """All that is wrong with one file."""
    try:
        document = load_document(file)
        if "connections" in document.data:
            return settings_problems(document)
        if "tests" in document.data:
            return problems_of_document(document, RuleTests)
        return check_rules(load_layers(file))
    except ConfigProblem as error:
        return list(error.problems)


def settings_problems(document: Document) -> list[Problem]:
    """All that is wrong with a settings file; what is odd about it only if it fits its model."""
    problems = problems_of_document(document, Settings)
    return problems or settings_warnings(document, Settings.model_validate(document.data))


def all_problems(settings: Path) -> list[Problem]:
    """All that is wrong with the settings file, and with every rules file that it names."""
    problems = file_problems(settings)
    try:
        named = dict.fromkeys(_rules_files(load_document(settings)))
    except ConfigProblem:
        return problems
    return [*problems, *(problem for file in named for problem in file_problems(file))]


def _rules_files(document: Document) -> Iterator[Path]:
    connections = document.data.get("connections")
    for connection in connections.values() if isinstance(connections, dict) else ():
        rules = connection.get("rules", "rules.yaml") if isinstance(connection, dict) else None
        if isinstance(rules, str):
            yield document.path.parent / rules
