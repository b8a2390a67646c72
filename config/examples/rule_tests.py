"""Tests of a rules file, `rules.test.yaml`: a few records, a day, and what the rules should make of them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from config.examples.example_records import (
    MOST_ACCOUNTS,
    Account,
    Capacity,
    Crowd,
    Day,
    Owner,
    Quota,
    Territory,
)
from config.files.documents import did_you_mean
from config.problems import Fault, Faulty
from config.sections.cards import Whole
from config.sections.strict import Strict, Tier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.files.documents import Steps

_LEAST = re.compile(r"(<=|>=|<|>) ?(\d{1,3})|(\d{1,3}) to (\d{1,3})")


def _range(value: Any) -> Any:
    if isinstance(value, str) and not _LEAST.fullmatch(value):
        raise Faulty(Fault("must be a score", 'write 80, ">= 60" or "40 to 60"'))
    return value


# A score: a number, or a text that says within which it should be.
Score = Annotated[
    Whole | str,
    BeforeValidator(_range),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 100},
                {"type": "string", "pattern": r"^((<=|>=|<|>) ?\d{1,3}|\d{1,3} to \d{1,3})$"},
            ],
            "examples": [80, ">= 60", "40 to 60"],
        }
    ),
]


def within(score: int | None, wanted: int | str) -> bool:
    """Whether a score is what a test wants it to be."""
    if score is None or isinstance(wanted, int):
        return score == wanted
    found = _LEAST.fullmatch(wanted)
    if found is None:
        return False
    if found[1] is None:
        return int(found[3]) <= score <= int(found[4])
    bound = int(found[2])
    return {"<": score < bound, "<=": score <= bound, ">": score > bound, ">=": score >= bound}[found[1]]


Texts = tuple[str, ...] | str


class Held(Strict):
    """The tier that a record had before."""

    tier: Tier = Field(description="the tier that it had")
    since: Day = Field(description="when it was given")


class Expected(Strict):
    """What the rules should make of a record; what is left out may be anything."""

    tier: Tier | Literal["none"] | None = Field(default=None, description="none: the record is not scored")
    score: Score | None = Field(default=None, description="priority, 0 to 100")
    segment: Literal["Prioritize", "Nurture", "Monitor", "Reduce"] | None = Field(
        default=None, description="of an account: expected spend and growth potential"
    )
    growth_potential: Literal["High", "Medium", "Low"] | None = Field(
        default=None, description="of an account"
    )
    growth_score: Score | None = Field(
        default=None, description="of an account: growth potential as a number"
    )
    likelihood: Score | None = Field(default=None, description="of an account: chance to buy, in percent")
    reason: Texts = Field(default=(), description="texts that the reason holds")
    reason_without: Texts = Field(default=(), description="texts that the reason does not hold")
    next_step: str | None = Field(default=None, description="a text that the suggested next step holds")
    alert: str | None = Field(default=None, description='a text that the alert holds; "" for no alert')
    tasks: tuple[str, ...] | None = Field(
        default=None, description="the names of exactly the tasks that the rules want, [] for none"
    )


class Example(Strict):
    """One test: some records beside a crowd, and what is expected of them."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="what the rules are to do, in a sentence"
    )
    today: Day | None = Field(default=None, description="another day than the file's")
    crowd: Annotated[Whole, Field(ge=0, le=MOST_ACCOUNTS)] | str | tuple[str, ...] | None = Field(
        default=None, description="accounts to compare with: how many usual ones, or the names of crowds"
    )
    owners: dict[str, Owner] = Field(default={}, description="beside those of the file, by name")
    accounts: dict[str, Account] = Field(min_length=1, description="by name")
    held: dict[str, Held] = Field(default={}, description="tiers that records have already, by their name")
    expect: dict[str, Expected] = Field(default={}, description="what to find, by the record's name")
    order: tuple[str, ...] = Field(default=(), description="names of records, from the highest score down")

    @model_validator(mode="after")
    def _known(self) -> Example:
        faults = [*self._unknown(), *self._named_twice()]
        if not self.expect and not self.order:
            faults.append(Fault("expects nothing", "say what should come out under `expect:` or `order:`"))
        if faults:
            raise Faulty(*faults)
        return self

    def names(self) -> list[str]:
        """The names of its accounts and open deals."""
        return [*self.accounts, *(deal for account in self.accounts.values() for deal in account.deals)]

    def _unknown(self) -> Iterator[Fault]:
        names = self.names()
        named: list[tuple[Steps, str]] = [
            *((("expect", name), name) for name in self.expect),
            *((("held", name), name) for name in self.held),
            *((("order", place), name) for place, name in enumerate(self.order)),
        ]
        for path, name in named:
            if name not in names:
                yield Fault(f'no account or deal is called "{name}"', did_you_mean(name, names), path=path)
        for name, account in self.accounts.items():
            if account.parent is not None and account.parent not in self.accounts:
                hint = did_you_mean(account.parent, list(self.accounts))
                message = f'no account is called "{account.parent}"'
                yield Fault(message, hint, path=("accounts", name, "parent"))
        for name, expected in self.expect.items():
            wrong = [field for field in _ACCOUNTS_ALONE if getattr(expected, field) is not None]
            if name not in self.accounts and wrong and name in names:
                message = f"a deal has no {wrong[0]}, accounts have"
                yield Fault(message, path=("expect", name, wrong[0]))

    def _named_twice(self) -> Iterator[Fault]:
        names = list(self.accounts)
        for account, record in self.accounts.items():
            for deal in record.deals:
                if deal in names:
                    message = f'two records are called "{deal}"'
                    yield Fault(message, "give each its own name", path=("accounts", account, "deals", deal))
                names.append(deal)


_ACCOUNTS_ALONE = ("segment", "growth_potential", "growth_score", "likelihood", "alert")


class RuleTests(Strict):
    """The whole of a file of tests."""

    rules: str | None = Field(
        default=None, description="the rules file, beside this one; rules.yaml for rules.test.yaml"
    )
    today: Day = Field(description="the day of all tests, such as 2026-11-22")
    crowds: dict[str, Crowd] = Field(default={}, description="accounts to compare with, by name")
    owners: dict[str, Owner] = Field(default={}, description="facts about owners, by name")
    quotas: tuple[Quota, ...] = Field(default=(), description="what owners or teams are asked to sell")
    territories: tuple[Territory, ...] = Field(default=(), description="who works which territory")
    capacities: tuple[Capacity, ...] = Field(
        default=(), description="how many accounts an owner can look after"
    )
    tests: tuple[Example, ...] = Field(min_length=1, description="the tests, each with its own records")

    @model_validator(mode="after")
    def _fits(self) -> RuleTests:
        faults = [*self._crowds()]
        names = [test.name for test in self.tests]
        faults += [
            Fault(f'two tests are called "{name}"', path=("tests", place, "name"))
            for place, name in enumerate(names)
            if name in names[:place]
        ]
        for path, day in (
            (("today",), self.today),
            *((("tests", place, "today"), test.today) for place, test in enumerate(self.tests)),
        ):
            if isinstance(day, timedelta):
                faults.append(Fault("must be a date, such as 2026-11-22", path=path))
        if faults:
            raise Faulty(*faults)
        return self

    def _crowds(self) -> Iterator[Fault]:
        for place, test in enumerate(self.tests):
            for name in named_crowds(test):
                if name not in self.crowds:
                    message = f'no crowd is called "{name}"'
                    yield Fault(
                        message, did_you_mean(name, list(self.crowds)), path=("tests", place, "crowd")
                    )


def named_crowds(test: Example) -> tuple[str, ...]:
    """The names of the crowds that a test wants beside its records."""
    if isinstance(test.crowd, str):
        return (test.crowd,)
    return test.crowd if isinstance(test.crowd, tuple) else ()
