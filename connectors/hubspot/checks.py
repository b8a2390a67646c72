"""Everything that would stop a run, found at once: sign-in, scopes, properties, their types and options, allowance."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from config.outputs import ALL_FIELDS
from config.records import OPTIONAL, RECORDS
from connectors.contract import AuthProblem, ConfigProblem, Problem, RecordRefused
from connectors.hubspot.definitions import FITTING, missing_options
from connectors.hubspot.fields import LINKS, OBJECTS
from connectors.hubspot.scopes import READ, WRITE, Scopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from config.outputs import OutputField
    from connectors.contract import FieldInfo
    from connectors.hubspot.api import Api
    from connectors.hubspot.schema import Schema

LONGEST_NAME = 100
SCOPES = "scopes"
_OUTPUTS = {field.name: field for field in ALL_FIELDS}


class Checks:
    """Looks at one portal with the worker's token. `reserve`: percent of the allowance left to others."""

    def __init__(self, api: Api, schema: Schema, reserve: float) -> None:
        self._api = api
        self._schema = schema
        self._reserve = reserve

    def problems(
        self, fields: Mapping[str, Sequence[str]], written: Mapping[str, Sequence[str]]
    ) -> list[Problem]:
        """All problems; a token that is not accepted raises, since nothing can be said without it."""
        if self._api.budget().left is None:
            # The first call shows whether the token is good, and what is left of the allowance.
            self._api.server_time()
        found = [*self._quota(), *self._scopes(fields, written)]
        for object_name in dict.fromkeys([*fields, *written]):
            if not self._visible(object_name):
                # Without the scope, which is on the list already, nothing is to be seen.
                if all(problem.where != SCOPES for problem in found):
                    found.append(self._invisible(object_name))
                continue
            found += self._unreadable(object_name, fields.get(object_name, ()))
            if object_name in fields:
                found += self._mislinked(object_name)
            found += self._unwritable(object_name, written.get(object_name, ()))
            found += self._shared(object_name, written.get(object_name, ()))
        return list(dict.fromkeys(found))

    def _quota(self) -> Iterator[Problem]:
        budget = self._api.budget()
        most, left = budget.limit, budget.left
        if not most or left is None or left > most * self._reserve / 100:
            return
        yield Problem(
            f"only {left:,} of {most:,} API calls are left today; {self._reserve:.0f} % are for others",
            where="API calls",
            fix="wait for midnight in the portal's time zone, lower `limits.api_reserve`, or find out who uses them",
            severity="error" if left == 0 else "warning",
        )

    def _scopes(
        self, fields: Mapping[str, Sequence[str]], written: Mapping[str, Sequence[str]]
    ) -> Iterator[Problem]:
        """All scopes that the token lacks, in one list; those without which scores know less, in another."""
        reads = [name for name in READ if name in fields]
        # Tasks are not written by field: whoever reads them for a run also makes them, if they are turned on.
        writes = [name for name in WRITE if written.get(name) or (name == "task" and name in fields)]
        add = "add them: Settings > Keys > the key > Scopes; docs/hubspot.md says what each is for"
        scopes = Scopes(self._api)
        lacking = scopes.missing(reads, writes)
        must = {READ[name][0] for name in reads if name not in OPTIONAL} | {WRITE[name][0] for name in writes}
        if needed := [scope for scope in lacking if scope in must]:
            yield Problem(f"the token lacks scopes: {', '.join(needed)}", where=SCOPES, fix=add)
        if useful := [scope for scope in lacking if scope not in must]:
            told = [name for name in reads if READ[name][0] in useful]
            yield Problem(
                f"the token lacks scopes for {', '.join(OBJECTS[name] for name in told)}, which the rules name: "
                f"{', '.join(useful)}",
                where=SCOPES,
                fix=f"{add}; until then such rules do not hold",
                severity="warning",
            )
        if surplus := scopes.surplus():
            yield Problem(
                f"the token may do more than the worker ever does: {', '.join(surplus)}",
                where=SCOPES,
                fix="take these scopes away: Settings > Keys > the key > Scopes",
                severity="warning",
            )

    # Properties.

    def _visible(self, object_name: str) -> bool:
        try:
            self._schema.described(OBJECTS[object_name])
        except AuthProblem:
            raise
        except ConfigProblem:
            return False
        return True

    def _invisible(self, object_name: str) -> Problem:
        return Problem(
            "its properties cannot be read",
            where=OBJECTS[object_name],
            fix=f"give the token {READ[object_name][0]}",
        )

    def _unreadable(self, object_name: str, names: Sequence[str]) -> Iterator[Problem]:
        """Columns that are always pulled, or mapped by hand, and that the portal does not have."""
        columns = {column.name: column for column in RECORDS[object_name]}
        for name in names:
            by_hand = self._schema.mapped(object_name, name)
            if name not in columns:
                yield Problem(
                    "no such column",
                    where=f"{object_name}.{name}",
                    fix="correct `fields:` in the rules file",
                )
            elif (
                self._schema.candidates(object_name, name)
                and not self._schema.linked(object_name, name)
                and self._schema.property(object_name, name) is None
                and (by_hand or columns[name].need != "mapped")
            ):
                yield self._missing(object_name, name, by_hand=by_hand)

    def _missing(self, object_name: str, name: str, *, by_hand: bool) -> Problem:
        wanted = next(iter(self._schema.candidates(object_name, name)), name)
        fix = "run `foretag setup`, which makes it" if name in (*_OUTPUTS, "key") else "restore it in HubSpot"
        if by_hand:
            fix = f"correct `fields: {{{object_name}: {{{name}: …}}}}` in the rules file: the internal name is wanted"
        if len(wanted) > LONGEST_NAME:
            message = f"no property's internal name has more than {LONGEST_NAME} characters"
            return Problem(message, where=f"{object_name}.{name}", fix=fix)
        return Problem("the property is missing", where=f"{OBJECTS[object_name]}.{wanted}", fix=fix)

    def _mislinked(self, object_name: str) -> Iterator[Problem]:
        """Association types by other numbers than HubSpot documents: links would be refused, or mean something else."""
        hs_object = OBJECTS[object_name]
        for link in LINKS.get(object_name, {}).values():
            number = link.primary or link.made
            there = self._types(hs_object, link.to) if number else None
            if there is not None and number not in there:
                yield Problem(
                    f"HubSpot has no association type {number} of its own from {hs_object} to {link.to}",
                    where=f"{hs_object} to {link.to}",
                    fix="update Foretag, and report it if it is up to date: HubSpot may have new numbers",
                )

    def _types(self, hs_object: str, to: str) -> set[int] | None:
        """HubSpot's own association types of a direction; None where they cannot be seen."""
        try:
            reply = self._api.get("associations", f"{hs_object}/{to}/labels")
        except AuthProblem:
            raise
        except (ConfigProblem, RecordRefused):
            return None
        return {int(one["typeId"]) for one in reply["results"] if one["category"] == "HUBSPOT_DEFINED"}

    def _unwritable(self, object_name: str, names: Sequence[str]) -> Iterator[Problem]:
        for name in names:
            info = self._schema.info(object_name, name)
            if info is None:
                yield self._missing(object_name, name, by_hand=self._schema.mapped(object_name, name))
            elif not info.updateable:
                yield self._schema.unwritable(object_name, name)
            else:
                yield from self._unfit(object_name, _OUTPUTS[name], info)

    def _unfit(self, object_name: str, output: OutputField, info: FieldInfo) -> Iterator[Problem]:
        """A property that cannot hold our values: of another type, or without some of our options."""
        where = f"{OBJECTS[object_name]}.{info.name}"
        fitting = FITTING[output.type]
        if info.type not in fitting:
            yield Problem(
                f"is of type {info.type}, and {output.label} needs {' or '.join(fitting)}",
                where=where,
                fix="map the output to another property",
            )
            return
        described = self._schema.described(OBJECTS[object_name])[info.name]
        if lacking := missing_options(output, described):
            yield Problem(
                f"lacks the options {', '.join(lacking)}",
                where=where,
                fix="run `foretag setup`, or add them in Settings > Properties",
            )

    def _shared(self, object_name: str, names: Sequence[str]) -> Iterator[Problem]:
        """Two outputs that are mapped to one property would overwrite each other in every run."""
        behind = {name: self._schema.property(object_name, name) for name in names}
        for hs_name, count in Counter(filter(None, behind.values())).items():
            if count > 1:
                both = ", ".join(name for name in names if behind[name] == hs_name)
                yield Problem(
                    f"{both} are all mapped to it",
                    where=f"{OBJECTS[object_name]}.{hs_name}",
                    fix="map each output to a property of its own",
                )
