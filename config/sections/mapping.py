"""`fields:` of the rules file: which field of the CRM means what, where the usual one is not meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from config.files.documents import did_you_mean
from config.problems import Fault, Faulty
from config.records import RECORDS
from config.sections.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,120}")


def _as_field_name(value: str) -> str:
    if not _FIELD_NAME.fullmatch(value):
        raise ValueError(
            f'"{value}" is not the name of a field: give its API name, such as Margin__c or margin'
        )
    return value


FieldName = Annotated[str, AfterValidator(_as_field_name)]


class FieldNames(Strict):
    """What a field is called in each CRM, for rules that serve connections to both."""

    salesforce: FieldName | None = Field(default=None, description="API name of Salesforce's field")
    hubspot: FieldName | None = Field(default=None, description="internal name of HubSpot's property")


def _kind_of_name(value: Any) -> str:
    return "one" if isinstance(value, str) else "each"


# One name, or one for each CRM.
MappedField = Annotated[
    Annotated[FieldName, Tag("one")] | Annotated[FieldNames, Tag("each")], Discriminator(_kind_of_name)
]


def _our_names(value: Any) -> Any:
    faults = list(_unknown(value)) if isinstance(value, dict) else []
    if faults:
        raise Faulty(*faults)
    return value


def _unknown(objects: dict[str, Any]) -> Iterator[Fault]:
    """Every object and column that is none of ours."""
    for object_name, columns in objects.items():
        if object_name not in RECORDS:
            hint = did_you_mean(str(object_name), list(RECORDS))
            yield Fault(f'unknown object "{object_name}"', hint, path=(object_name,))
            continue
        known = [column.name for column in RECORDS[object_name] if column.need != "key"]
        for name in columns if isinstance(columns, dict) else ():
            if name not in known:
                hint = did_you_mean(str(name), known)
                yield Fault(f'unknown name "{name}" of {object_name}', hint, path=(object_name, name))


# Our object → our name → the CRM's field.
Fields = Annotated[dict[str, dict[str, MappedField]], BeforeValidator(_our_names)]


def name_in(crm: str, given: FieldNames | str) -> str | None:
    """The field's name in one CRM; None if the rules name none for it."""
    if isinstance(given, str):
        return given
    name: str | None = getattr(given, crm)
    return name
