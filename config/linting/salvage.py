"""The part of a file that fits its model, so that it can be looked at further beside the parts that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from config.files.documents import Document, Steps

Model = TypeVar("Model", bound=BaseModel)


def salvaged(document: Document, model: type[Model], error: ValidationError) -> Model | None:
    """The document as a model without what the error names; None if even that does not fit.

    An item of a list is left out whole.
    """
    dropped = frozenset(_worst(document, tuple(detail["loc"])) for detail in error.errors(include_url=False))
    for paths in (dropped, frozenset(path[:1] for path in dropped)):
        try:
            return model.model_validate(_without(document.data, paths))
        except ValidationError:
            continue
    return None


def _worst(document: Document, location: Steps) -> Steps:
    """What to leave out: the item of the outermost list that a location leads through, else the value itself."""
    named = document.named(location)
    place = next((depth for depth, step in enumerate(named) if isinstance(step, int)), None)
    return named if place is None else named[: place + 1]


def _without(value: Any, paths: Iterable[Steps]) -> Any:
    """A copy of plain dictionaries and lists without what stands at these paths."""
    gone = {path[0] for path in paths if len(path) == 1}
    below = {
        step: [path[1:] for path in paths if len(path) > 1 and path[0] == step] for step in _steps(value)
    }
    if isinstance(value, dict):
        return {key: _without(inner, below[key]) for key, inner in value.items() if key not in gone}
    if isinstance(value, list):
        return [_without(inner, below[place]) for place, inner in enumerate(value) if place not in gone]
    return value


def _steps(value: Any) -> Iterable[int | str]:
    if isinstance(value, dict):
        return list(value)
    return range(len(value)) if isinstance(value, list) else ()
