"""Which of our objects and fields may be written at all: the settings' allow-list."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from config.files.documents import did_you_mean
from config.outputs import written
from config.problems import Fault, Faulty
from config.sections.strict import Strict

ALL = "all"


def _allowed(object_name: str) -> Any:
    """`all`, or some of the fields that are written on an object."""
    names = [field.name for field in written(object_name, "full")]

    def known(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        faults = [
            Fault(f'"{name}" is not written on an {object_name}', did_you_mean(name, names), path=(place,))
            for place, name in enumerate(value if isinstance(value, tuple) else ())
            if name not in names
        ]
        if faults:
            raise Faulty(*faults)
        return value

    schema = {
        "anyOf": [
            {"const": ALL},
            {"type": "array", "items": {"enum": names}, "uniqueItems": True},
        ]
    }
    return Annotated[Literal["all"] | tuple[str, ...], AfterValidator(known), WithJsonSchema(schema)]


class Writes(Strict):
    """The allow-list: an object that is not named is not written."""

    account: _allowed("account") = Field(  # type: ignore[valid-type]  # made from the table of our fields
        default=(), description="all, or a list of our fields on accounts (HubSpot: companies)"
    )
    opportunity: _allowed("opportunity") = Field(  # type: ignore[valid-type]  # as above
        default=(), description="all, or a list of our fields on opportunities (HubSpot: deals)"
    )

    def allows(self, object_name: str, field_name: str) -> bool:
        """Whether a field of an object may be written."""
        allowed = getattr(self, object_name)
        return allowed == ALL or field_name in allowed
