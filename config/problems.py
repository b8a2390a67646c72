"""Problems that a person can fix, said as `file:line:column: rule "name": what is wrong; what to do`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it.

    `where` is a file, a connection, or `object.field` in the CRM; `line` and `column` count from 1, and
    `end_column` is the first column after it. `rule` is the name of the rule that it stands in.
    """

    message: str
    where: str = ""
    line: int | None = None
    column: int | None = None
    rule: str = ""
    fix: str = ""
    severity: str = "error"
    end_column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.where, self.line, self.column) if part not in ("", None))
        rule = f'rule "{self.rule}": ' if self.rule else ""
        fix = f"; {self.fix}" if self.fix else ""
        return f"{place}: {rule}{self.message}{fix}" if place else f"{rule}{self.message}{fix}"

    def as_dict(self) -> dict[str, Any]:
        """For editors and other programs: all of it, and `file` where `where` is a place in one."""
        return {"file": None if self.line is None else self.where} | asdict(self)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a part of a value: at `path` below it, from character `start` to before `end` of a text."""

    message: str
    fix: str = ""
    path: tuple[int | str, ...] = ()
    start: int | None = None
    end: int | None = None

    def __str__(self) -> str:
        return f"{self.message}; {self.fix}" if self.fix else self.message


class Faulty(ValueError):  # noqa: N818  # a value's error that knows its parts
    """A value of which one or more parts are wrong: what a model's validator raises to have them all told."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(str(fault) for fault in faults))


class ConfigProblem(Exception):  # noqa: N818  # named after the next step, like every error of the contract
    """The configuration, a credential or a permission must be changed by a person: stop, exit 2."""

    def __init__(self, *problems: Problem | str) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            problem if isinstance(problem, Problem) else Problem(problem) for problem in problems
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of them is more than a warning."""
    return any(problem.severity == "error" for problem in problems)


def raise_if_any(problems: Iterable[Problem]) -> None:
    """Raise one `ConfigProblem` with every error among the problems; warnings alone pass."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ConfigProblem(*errors)
