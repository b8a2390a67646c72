"""Which records and fields one command is to touch, of all that a run may: `--only`, `--where` and the like."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from config.language.expressions import parse
from config.language.vocabulary import NAMES
from config.outputs import OBJECTS
from config.problems import ConfigProblem, Faulty, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from config.crms import Crm
    from config.outputs import OutputField
    from config.problems import Fault

    Fields = Mapping[str, tuple[OutputField, ...]]

_OURS = "foretag_"
# What is no name of a condition because an option chooses by it.
_OPTIONS = {"owner": "choose an owner's records by --owner NAME"}


@dataclass(frozen=True)
class Selection:
    """What one command was asked to touch; as it is made, nothing is left out.

    `only`: objects (`account`, `tasks`, the CRM's own words too), our fields (`tier`, `foretag_tier`), or one field of
    one object (`account.tier`). `where`: a condition in the rules' language. `owners`: names or ids. `changed_since`
    and `changed_before`: days in the org's time zone, the first included, the second not, of the record's last change
    in the CRM, whoever made it. `sample`: so many of the records that would change.
    """

    only: tuple[str, ...] = ()
    where: str = ""
    owners: tuple[str, ...] = ()
    changed_since: date | None = None
    changed_before: date | None = None
    sample: int | None = None

    @property
    def whole(self) -> bool:
        """Whether it leaves nothing out: only such a plan ends a connection's preview."""
        return self == EVERYTHING

    @property
    def filters(self) -> bool:
        """Whether it chooses records by what they are: a sample, or fields, do not."""
        return replace(self, only=(), sample=None) != EVERYTHING

    @property
    def asked(self) -> str:
        """The options that choose records, as they were given: `--where 'tier == "A"' --owner Ann`."""
        words = [("--where", self.where)] if self.where else []
        words += [("--owner", owner) for owner in self.owners]
        words += [("--changed-since", str(self.changed_since))] if self.changed_since else []
        words += [("--changed-before", str(self.changed_before))] if self.changed_before else []
        return " ".join(f"{option} {shlex.quote(word)}" for option, word in words)

    def as_dict(self) -> dict[str, Any]:
        """What was asked for, for files, the history and machines; what was not is left out."""
        return {
            name: str(value) if name.startswith("changed_") else value
            for name, value in asdict(self).items()
            if value not in (None, "", ())
        }

    def fields(self, written: Fields, crm: Crm) -> dict[str, tuple[OutputField, ...]]:
        """Of the fields that are written, those that `only` leaves, by object.

        Raises `ConfigProblem` with every word of it that is neither an object nor such a field.
        """
        if not self.only:
            return dict(written)
        wanted = set(self._wanted(written, crm))
        return {
            name: tuple(field for field in written[name] if (name, field.name) in wanted) for name in OBJECTS
        }

    def tasks(self, written: Fields, crm: Crm) -> bool:
        """Whether tasks are among what `only` leaves."""
        return not self.only or ("task", "") in set(self._wanted(written, crm))

    def _wanted(self, written: Fields, crm: Crm) -> Iterator[tuple[str, str]]:
        """The (object, field) pairs that `only` names, (task, "") for tasks."""
        problems = []
        for word in self.only:
            found = _named(word, written, crm)
            yield from found
            if not found:
                fix = f"name an object ({_objects(crm)}), or one of {_listed(written)}"
                problems.append(Problem(f'"{word}" is not written here', where="--only", fix=fix))
        if problems:
            raise ConfigProblem(*problems)


EVERYTHING = Selection()


def _named(word: str, written: Fields, crm: Crm) -> Sequence[tuple[str, str]]:
    """The (object, field) pairs that a word means: an object, a field of ours, or `object.field`."""
    head, dot, tail = word.strip().casefold().partition(".")
    objects = [
        name for name, noun in crm.nouns.items() if head in (name, noun.one.casefold(), noun.many.casefold())
    ]
    if "task" in objects:
        return () if dot else (("task", ""),)
    wanted = tail if dot else "" if objects else head
    if dot and not (objects and tail):
        return ()
    return [
        (name, field.name)
        for name in objects or OBJECTS
        for field in written[name]
        if wanted in ("", field.name, field.name.removeprefix(_OURS), field.salesforce_name.casefold())
    ]


def _objects(crm: Crm) -> str:
    return ", ".join(noun.many for noun in crm.nouns.values())


def _listed(written: Fields) -> str:
    names = (field.name.removeprefix(_OURS) for name in OBJECTS for field in written[name])
    return ", ".join(dict.fromkeys(names))


def choose(
    *,
    only: tuple[str, ...] = (),
    where: str | None = None,
    owners: tuple[str, ...] = (),
    changed_since: date | None = None,
    changed_before: date | None = None,
    sample: int | None = None,
) -> Selection:
    """The selection that a command line asks for. Raises `ConfigProblem` with all that is wrong with it by itself."""
    # A script's variable that is empty asks for nothing, not for everything.
    conditions = () if where is None else (where,)
    problems = [_unreadable(one) for one in conditions if one.strip() and not objects_of(one)]
    if changed_since and changed_before and changed_since >= changed_before:
        problems.append(
            Problem(
                f"no day is both {changed_since} or later and before {changed_before}",
                where="--changed-before",
                fix="the second day must be after the first",
            )
        )
    problems += [
        Problem("is empty", where=option, fix="leave it out, or name something")
        for option, words in (("--only", only), ("--where", conditions), ("--owner", owners))
        if not all(word.strip() for word in words)
    ]
    if problems:
        raise ConfigProblem(*problems)
    return Selection(only, where or "", owners, changed_since, changed_before, sample)


def objects_of(condition: str) -> tuple[str, ...]:
    """The objects that a condition is on: those that know all its names."""
    return tuple(name for name in OBJECTS if not _faults(condition, name))


def _faults(condition: str, object_name: str) -> tuple[Fault, ...]:
    try:
        parse(condition, object_name)
    except Faulty as error:
        return error.faults
    return ()


def _unreadable(condition: str) -> Problem:
    """What is wrong with a condition that no object understands, as the one that understands most of it sees it."""
    faults = {name: _faults(condition, name) for name in OBJECTS}
    known = {word for names in NAMES.values() for word in names}
    foreign = {
        name: [
            word
            for one in faults[name]
            if (word := condition[slice(one.start, one.end)]) in known - NAMES[name].keys()
        ]
        for name in OBJECTS
    }
    alone = foreign["opportunity"]
    if foreign["account"] and alone:
        # Each of these names is known, but none of the objects knows them all.
        of_account = [f"account_{word}" for word in alone if f"account_{word}" in NAMES["opportunity"]]
        fix = f"of an opportunity's account, write {', '.join(of_account)}" if of_account else ""
        words = ", ".join(f'"{word}"' for word in dict.fromkeys(alone))
        return Problem(
            f"{words}: known of accounts alone, and others of opportunities", where="--where", fix=fix
        )
    fault = min((faults[name] for name in OBJECTS if not foreign[name]), key=len)[0]
    word = condition[slice(fault.start, fault.end)]
    hint = "docs/inputs.md lists the names and their kinds" if word.isidentifier() else ""
    return Problem(fault.message, where="--where", fix=_OPTIONS.get(word, fault.fix) or hint)
