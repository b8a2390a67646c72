"""Where in the rules files a rule stands: `rules.yaml:12`, or `default` where no file says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.files.layers import load_layers
from config.rules import folded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.files.documents import Document

    Steps = tuple[str | int, ...]
    Names = tuple[
        tuple[str, str | None], ...
    ]  # such as ("pipelines", "Renewals"), the one that goes first first

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class RuleLines:
    """The lines of a rules file, and of those that it extends."""

    document: Document

    @classmethod
    def read(cls, path: Path) -> RuleLines:
        """The rules file at a path."""
        return cls(load_layers(path))

    def of(self, steps: Steps, variants: Names = ()) -> str:
        """Where the rule at a path of keys stands; what a record's own pipeline or team says goes first."""
        if not steps:
            return ""
        for path in (*((*prefix, *steps) for prefix in self._sections(variants)), steps):
            if self.document.named(path) == path:
                place = self.document.place(path)
                return f"{place.path.name}:{place.line}"
        return DEFAULT

    def _sections(self, variants: Names) -> Iterator[Steps]:
        for kind, name in variants:
            given = self.document.data.get(kind)
            if name is not None and isinstance(given, dict):
                yield from ((kind, key) for key in given if folded(str(key)) == folded(name))
