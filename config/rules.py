"""The rules file, `rules.yaml`: how this company prioritises. An empty file means the defaults."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import Field, PrivateAttr, field_validator

from config.files.documents import validate
from config.files.layers import VARIANTS, laid_over, load_layers, sections
from config.linting.lint import rules_problems
from config.needed import needed
from config.problems import Fault, Faulty, raise_if_any
from config.records import Optional
from config.sections.boosts import Boost
from config.sections.coverage import Coverage
from config.sections.edits import Edits
from config.sections.exclusions import EXCLUDE, Exclusion
from config.sections.growth import Growth
from config.sections.likelihood import Likelihood
from config.sections.mapping import Fields, name_in
from config.sections.playbook import PLAYBOOK, TASKS, Step, TaskRule
from config.sections.priority import Needs, Priority
from config.sections.showing import Product, Show
from config.sections.side_files import Files, Rows, read_side_files
from config.sections.strict import Strict
from config.sections.tiers import AccountValue, Alerts, Overrides, Segments, Tiers
from config.sections.variants import PipelineRules, TeamRules
from config.sections.win import Win
from config.sections.writing import TaskLimits, Writing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from config.files.documents import Document
    from config.problems import Problem


class Rules(Strict):
    """The whole of `rules.yaml`; every key may be left out."""

    extends: str | None = Field(
        default=None,
        exclude=True,
        description="another rules file, beside this one: its rules hold where this one says nothing",
    )
    fields: Fields = Field(
        default={},
        description="our name → the CRM's field (or one for each CRM), by object, where the usual one is not meant",
    )
    files: Files = Files()
    read: tuple[Optional, ...] = Field(
        default=(),
        description="objects to read even where no rule names them, such as quota for `foretag book`",
    )
    priority: Priority = Priority()
    needs: Needs = Needs()
    win: Win = Win()
    boosts: tuple[Boost, ...] = Field(default=(), description="points up or down where a condition holds")
    exclude: tuple[Exclusion, ...] = Field(default=EXCLUDE, description="records that are not scored")
    likelihood: Likelihood = Likelihood()
    growth: Growth = Growth()
    account_value: AccountValue = AccountValue()
    segments: Segments = Segments()
    tiers: Tiers = Tiers()
    alerts: Alerts = Alerts()
    coverage: Coverage = Coverage()
    overrides: Overrides = Overrides()
    edits: Edits = Edits()
    products: dict[str, Product] = Field(
        default={}, description="what is known of products, by their name in the CRM"
    )
    show: Show = Show()
    playbook: tuple[Step, ...] = Field(
        default=PLAYBOOK, description="suggested next steps: the first whose condition holds"
    )
    tasks: tuple[TaskRule, ...] = Field(default=TASKS, description="what reps are asked to do, and when")
    task_limits: TaskLimits = TaskLimits()
    writing: Writing = Writing()
    teams: dict[str, TeamRules] = Field(
        default={}, description="what is other for the accounts and deals of a team's owners"
    )
    pipelines: dict[str, PipelineRules] = Field(
        default={}, description="what is other for the deals of a pipeline, whoever owns them"
    )
    _company: Rules | None = PrivateAttr(default=None)  # of a variant: the rules that it varies
    _side_rows: dict[str, Rows] = PrivateAttr(default_factory=dict)

    @field_validator("boosts")
    @classmethod
    def _one_boost_of_a_name(cls, value: tuple[Boost, ...]) -> tuple[Boost, ...]:
        _named_once(value, 'two boosts are called "{}": each gives points under its own name')
        return value

    @field_validator("tasks")
    @classmethod
    def _one_name_each(cls, value: tuple[TaskRule, ...]) -> tuple[TaskRule, ...]:
        _named_once(value, 'two tasks are called "{}": names keep tasks from being made twice')
        return value

    @field_validator(*VARIANTS)
    @classmethod
    def _no_twins(cls, value: dict[str, PipelineRules]) -> dict[str, PipelineRules]:
        names = [folded(name) for name in value]
        faults = [
            Fault(f'"{name}" stands here twice: case and blanks do not tell names apart', path=(name,))
            for place, name in enumerate(value)
            if folded(name) in names[:place]
        ]
        if faults:
            raise Faulty(*faults)
        return value

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits that change when, and only when, the effective rules change."""
        company = self.model_dump(mode="json", exclude=set(VARIANTS))
        others = sorted([*key, rules.digest] for key, rules in self.variants.items())
        text = json.dumps([company, others] if others else company, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def scores_digest(self) -> str:
        """Twelve hex digits of what these rules alone, without teams and pipelines, say of scores and tiers."""
        text = json.dumps(self.model_dump(mode="json", exclude={*VARIANTS, *_BESIDE_SCORES}), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def all_scores_digest(self) -> str:
        """The same of these rules with all their teams and pipelines."""
        others = sorted([*key, rules.scores_digest] for key, rules in self.variants.items())
        return hashlib.sha256(json.dumps([self.scores_digest, others]).encode()).hexdigest()[:12]

    @cached_property
    def variants(self) -> Mapping[tuple[str, str], Rules]:
        """The whole rules of each team and pipeline, by `teams` or `pipelines` and `folded` name.

        Raises `ValidationError` where a section does not fit the company's rules (`load_rules` has made sure).
        """
        company = self.model_dump(exclude=set(VARIANTS))
        found = {}
        for kind in VARIANTS:
            for name, said in getattr(self, kind).items():
                varied = Rules.model_validate(laid_over(company, said.model_dump(exclude_unset=True)))
                varied._company = self  # noqa: SLF001  # of its own class
                found[kind, folded(name)] = varied
        return found

    def variant(self, team: str | None = None, pipeline: str | None = None) -> Rules:
        """The rules for a record: its pipeline's, else its owner's team's, else the company's own."""
        keys = (("pipelines", pipeline), ("teams", team))
        found = (self.variants.get((kind, folded(name))) for kind, name in keys if name is not None)
        return next((rules for rules in found if rules is not None), self)

    def boost_names(self, object_name: str) -> tuple[str, ...]:
        """The names of all boosts on an object, those of every team and pipeline included."""
        company = self._company or self
        boosts = [*company.boosts, *(boost for rules in company.variants.values() for boost in rules.boosts)]
        return tuple(dict.fromkeys(boost.name for boost in boosts if boost.on == object_name))

    def mapping(self, crm: str) -> Mapping[str, Mapping[str, str]]:
        """Canonical object → canonical column → the field of this CRM, as given under `fields:`."""
        return {
            object_name: {column: name for column, given in columns.items() if (name := name_in(crm, given))}
            for object_name, columns in self.fields.items()
        }

    def needed_columns(self, object_name: str) -> tuple[str, ...]:
        """The canonical columns that scoring reads under these rules; none of an object that no rule uses."""
        return self._needed.get(object_name, ())

    @property
    def side_rows(self) -> Mapping[str, Rows]:
        """What the files under `files:` say, by their key there; of rules that were loaded from a file."""
        return self._side_rows

    @property
    def needed_objects(self) -> tuple[str, ...]:
        """The canonical objects that scoring reads under these rules."""
        return tuple(self._needed)

    @cached_property
    def _needed(self) -> Mapping[str, tuple[str, ...]]:
        return needed(self)


def _named_once(items: Sequence[Boost | TaskRule], message: str) -> None:
    """Raises `Faulty` with each item whose name an item before it has."""
    names = [item.name for item in items]
    faults = [
        Fault(message.format(name), path=(place, "name"))
        for place, name in enumerate(names)
        if name in names[:place]
    ]
    if faults:
        raise Faulty(*faults)


# What is said and done about scores, but does not change any.
_BESIDE_SCORES = ("show", "playbook", "tasks", "task_limits", "writing", "edits")


def folded(name: str) -> str:
    """A team's or pipeline's name without regard to case and spaces, as people compare names."""
    return " ".join(name.split()).casefold()


def load_rules(path: Path) -> Rules:
    """Read and check the rules file. Raises `ConfigProblem` with every problem, each with its place."""
    document = load_layers(path)
    raise_if_any(check_rules(document))
    rules = validate(document, Rules)
    rules._side_rows, _ = read_side_files(document)  # noqa: SLF001  # of this module
    return rules


def check_rules(document: Document) -> list[Problem]:
    """All that is wrong with a rules file, its variants and the files that it names; warnings among them."""
    problems = rules_problems(document, Rules)
    places = {(problem.where, problem.line, problem.column) for problem in problems}
    problems += (
        replace(found, message=f"{kind}.{name}{': ' if found.rule else '.'}{found.message}")
        for kind, name, whole in sections(document)
        for found in rules_problems(whole, Rules)
        # What is wrong with the company's own rules is wrong with every variant of them.
        if (found.where, found.line, found.column) not in places
    )
    return [*problems, *read_side_files(document)[1]]
