"""Everything that would stop a run, found at once: sign-in, objects, fields, permissions, allowance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.outputs import OBJECTS as OUTPUTS
from config.records import OPTIONAL, RECORDS
from connectors.contract import Problem
from connectors.salesforce.fields import DEFAULTS, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from connectors.salesforce.api import Api
    from connectors.salesforce.schema import Schema


class Checks:
    """Looks at one org with the worker's eyes. `reserve`: percent of the allowance left to others."""

    def __init__(self, api: Api, schema: Schema, username: str, reserve: float) -> None:
        self._api = api
        self._schema = schema
        self._username = username
        self._reserve = reserve

    def problems(
        self, fields: Mapping[str, Sequence[str]], written: Mapping[str, Sequence[str]]
    ) -> list[Problem]:
        """All problems; sign-in itself raises, since nothing can be said without it."""
        found = list(self._quota())
        for object_name in dict.fromkeys([*fields, *written]):
            if not self._schema.described(OBJECTS[object_name]):
                found.append(self._unreadable_object(object_name))
                continue
            found += self._unreadable(object_name, fields.get(object_name, ()))
            found += self._unwritable(object_name, written.get(object_name, ()))
        return [*found, *self._mighty(fields)]

    def _mighty(self, object_names: Iterable[str]) -> Iterator[Problem]:
        """Rights that the worker never uses; whoever gets hold of its credentials would. Tasks alone it makes."""
        for object_name in object_names:
            rights = self._schema.surplus(OBJECTS[object_name]) if object_name in OUTPUTS else ()
            if rights:
                yield Problem(
                    f"the worker's user may {' and '.join(rights)} records, which the worker never does",
                    where=OBJECTS[object_name],
                    fix="give it a profile with the least rights, and of permission sets Foretag Worker alone",
                    severity="warning",
                )

    def _quota(self) -> Iterator[Problem]:
        if self._api.budget().left is None:
            self._api.limits()
        budget = self._api.budget()
        most, left = budget.limit, budget.left
        if not most or left is None or left > most * self._reserve / 100:
            return
        yield Problem(
            f"only {left:,} of {most:,} API calls are left today; {self._reserve:.0f} % are for others",
            where="DailyApiRequests",
            fix="wait, lower `limits.api_reserve`, or find out who uses them",
            severity="error" if left == 0 else "warning",
        )

    def _unreadable_object(self, object_name: str) -> Problem:
        # Scores go without what only some orgs have; a rule that names it does not hold.
        optional = object_name in OPTIONAL
        # The permission set may be older than the rule that first named the object.
        fix = f"run `foretag setup`, or {self._assign()}"
        fix += ", if rules are to know of them" if optional else ""
        severity = "warning" if optional else "error"
        return Problem("cannot be read", where=OBJECTS[object_name], fix=fix, severity=severity)

    def _unreadable(self, object_name: str, names: Sequence[str]) -> Iterator[Problem]:
        """Columns that are always pulled, or mapped by hand, and that the worker's user cannot read."""
        columns = {column.name: column for column in RECORDS[object_name]}
        for name in names:
            by_hand = self._schema.mapped(object_name, name)
            if name not in columns:
                where = f"{object_name}.{name}"
                yield Problem("no such column", where=where, fix="correct `fields:` in the rules file")
            elif (
                self._schema.candidates(object_name, name)
                and self._schema.path(object_name, name) is None
                and (by_hand or columns[name].need != "mapped")
            ):
                wanted = self._schema.candidates(object_name, name)[0]
                fix = self._read()
                if by_hand:
                    fix = f"correct `fields: {{{object_name}: {{{name}: …}}}}` in the rules file, or {fix}"
                elif wanted in DEFAULTS["task"]["key"]:
                    fix = f"run `foretag setup`, or {self._assign()}"
                yield Problem(
                    "the field is missing, or the worker's user may not read it",
                    where=f"{OBJECTS[object_name]}.{wanted}",
                    fix=fix,
                )

    def _unwritable(self, object_name: str, names: Sequence[str]) -> Iterator[Problem]:
        for name in names:
            info = self._schema.info(object_name, name)
            path = self._schema.path(object_name, name)
            if info is None or path is None:
                wanted = next(iter(self._schema.candidates(object_name, name)), name)
                yield Problem(
                    "the field is missing, or the worker's user may not see it",
                    where=f"{OBJECTS[object_name]}.{wanted}",
                    fix=f"run `foretag setup`, or {self._assign()}",
                )
            elif not (info.updateable or info.createable) or "." in path:
                yield Problem(
                    "the worker's user may not edit the field",
                    where=f"{OBJECTS[object_name]}.{path}",
                    fix=self._assign(),
                )

    def _assign(self) -> str:
        return f"assign the permission set Foretag Worker to {self._username or 'the worker'}"

    def _read(self) -> str:
        return f"let {self._username or 'the worker'} read it: field-level security, or Foretag Worker"
