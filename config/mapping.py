"""`fields:` of the rules file: which field of the CRM means what, where the usual one is not meant."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag

from config.documents import did_you_mean
from config.records import RECORDS
from config.strict import Strict

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

    salesforce: FieldName | None = None
    hubspot: FieldName | None = None


def _kind_of_name(value: Any) -> str:
    return "one" if isinstance(value, str) else "each"


# One name, or one for each CRM.
MappedField = Annotated[
    Annotated[FieldName, Tag("one")] | Annotated[FieldNames, Tag("each")], Discriminator(_kind_of_name)
]


def _our_names(value: Any) -> Any:
    for object_name, columns in value.items() if isinstance(value, dict) else ():
        if object_name not in RECORDS:
            raise ValueError(
                f'unknown object "{object_name}"; {did_you_mean(str(object_name), list(RECORDS))}'
            )
        known = [column.name for column in RECORDS[object_name] if column.need != "key"]
        for name in columns if isinstance(columns, dict) else ():
            if name not in known:
                hint = did_you_mean(str(name), known)
                raise ValueError(f'unknown name "{name}" of {object_name}' + (f"; {hint}" if hint else ""))
    return value


# Our object → our name → the CRM's field.
Fields = Annotated[dict[str, dict[str, MappedField]], BeforeValidator(_our_names)]


def name_in(crm: str, given: FieldNames | str) -> str | None:
    """The field's name in one CRM; None if the rules name none for it."""
    if isinstance(given, str):
        return given
    name: str | None = getattr(given, crm)
    return name
