"""Which secrets the settings name, and under which keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from config.sections.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.files.documents import Steps


def secrets_used(node: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Secret]]:
    """Every secret at or below a section of the settings, and the keys that lead to it."""
    if isinstance(node, Secret):
        yield steps, node
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from secrets_used(getattr(node, name), (*steps, name))
    elif isinstance(node, dict):
        for key, inner in node.items():
            yield from secrets_used(inner, (*steps, key))
    elif isinstance(node, list | tuple):
        for number, inner in enumerate(node):
            yield from secrets_used(inner, (*steps, number))
