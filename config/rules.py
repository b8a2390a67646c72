"""The rules file, `rules.yaml`: how this company prioritises. An empty file means the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Rules(BaseModel):
    """The whole of `rules.yaml`; every key may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def digest(self) -> str:
        """Twelve hex digits that change when, and only when, the effective rules change."""
        raise NotImplementedError

    @property
    def mapping(self) -> Mapping[str, Mapping[str, str]]:
        """Canonical object → canonical column → the CRM's field, as given under `fields:`."""
        raise NotImplementedError

    def needed_columns(self, object_name: str) -> tuple[str, ...]:
        """The canonical columns that scoring reads under these rules, in the record's own order."""
        raise NotImplementedError


def load_rules(path: Path) -> Rules:
    """Read and check the rules file. Raises `ConfigProblem` with every problem, each with its place."""
    raise NotImplementedError
