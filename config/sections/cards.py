"""The two shapes in which rules give points: curves (a line through points) and bands (a step per range)."""

from __future__ import annotations

import re
from functools import cached_property
from inspect import cleandoc
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, RootModel, Strict, WithJsonSchema, model_validator

from config.problems import Fault, Faulty

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Whole = Annotated[int, Strict()]
Percent = Annotated[float, Strict(), Field(ge=0, le=100)]
Points = Annotated[int, Strict(), Field(ge=-200, le=200)]


def _ordered(curve: dict[float, float]) -> dict[float, float]:
    if not curve:
        raise ValueError("a curve needs at least one point, as in {0: 100, 30: 85}")
    if min(curve) < 0:
        raise ValueError(f"a curve starts at 0 or above, not at {min(curve):g}")
    return dict(sorted(curve.items()))


# Input → 0-100, straight lines between the points, flat outside: `{0: 100, 30: 85, 90: 50, 180: 10}`.
Curve = Annotated[
    dict[Number, Percent],
    AfterValidator(_ordered),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": r"^\d+(\.\d+)?$"},
            "additionalProperties": {"type": "number", "minimum": 0, "maximum": 100},
            "examples": [{"0": 100, "30": 85, "90": 50}],
        }
    ),
]

_BAND = re.compile(r"^(<=|>)\s*(\d+(?:\.\d+)?)$")


def _at(key: str, message: str, fix: str = "") -> Faulty:
    """What is wrong with one range of a card."""
    return Faulty(Fault(message, fix, path=(key,)))


class Bands(RootModel[dict[str, Points]]):
    """Integer points per range of an input; 20 points double the odds: `{none: 0, "<=1": 10, ">1": -5}`.

    Ranges ascend and leave no gap: every `<=` larger than the one before, then one `>` with the last bound.
    `none` is for a missing input; without it that is 0 points.
    """

    model_config = {"frozen": True}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Ranges as keys, whole points as values; `additionalProperties` alone would let any key pass."""
        points = handler(core)["additionalProperties"]
        return {
            "type": "object",
            "patternProperties": {r"^(<=|>) *\d+(\.\d+)?$": points, "^(none|null)$": points},
            "additionalProperties": False,
            "minProperties": 2,
            "examples": [{"none": 0, "<=1": 10, ">1": -5}],
            "description": cleandoc(cls.__doc__ or ""),
        }

    @model_validator(mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        # `none` and `null` are YAML words: sales ops mean the band for "nothing known".
        return (
            {"none" if key is None else key: points for key, points in value.items()}
            if isinstance(value, dict)
            else value
        )

    @model_validator(mode="after")
    def _no_gap(self) -> Bands:
        bounds: list[float] = []
        ranges = [key for key in self.root if key != "none"]
        for place, key in enumerate(ranges):
            found = _BAND.match(key)
            if found is None:
                raise _at(key, f'"{key}" is not a range', 'write "<=NUMBER", ">NUMBER" or none')
            bound = float(found[2])
            if found[1] == ">":
                if place != len(ranges) - 1 or not bounds or bound != bounds[-1]:
                    raise _at(
                        key,
                        f'"{key}" must come last and repeat the bound before it, so that no value is left out',
                    )
                continue
            if bounds and bound <= bounds[-1]:
                raise _at(key, f'"{key}" can never be reached: the ranges before it go up to {bounds[-1]:g}')
            bounds.append(bound)
        if not bounds or not ranges[-1].startswith(">"):
            last = f">{bounds[-1]:g}" if bounds else ">1"
            raise ValueError(f'the ranges end without one for larger values: add ">": as in "{last}": 0')
        return self

    @cached_property
    def bounds(self) -> tuple[float, ...]:
        """Inclusive upper bounds of all ranges but the last."""
        return tuple(float(key[2:]) for key in self.root if key.startswith("<="))

    @cached_property
    def points(self) -> tuple[int, ...]:
        """Points of each range; one more than there are bounds."""
        return tuple(points for key, points in self.root.items() if key != "none")

    @cached_property
    def none(self) -> int:
        """Points where nothing is known."""
        return self.root.get("none", 0)
