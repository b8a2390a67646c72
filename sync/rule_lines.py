"""Where in the rules file a rule stands: `rules.yaml:12`, or `default` where the file does not say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.documents import Document, load_document

if TYPE_CHECKING:
    from pathlib import Path

    Steps = tuple[str | int, ...]

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class RuleLines:
    """The lines of the rules file, and of those that it extends."""

    documents: tuple[Document, ...]

    @classmethod
    def read(cls, path: Path) -> RuleLines:
        """The rules file at a path."""
        return cls((load_document(path),))

    def of(self, steps: Steps) -> str:
        """Where the rule at a path of keys stands; the first file that says it counts."""
        if not steps:
            return ""
        for document in self.documents:
            if document.named(steps) == steps:
                line, _ = document.position(steps)
                return f"{document.path.name}:{line}"
        return DEFAULT
