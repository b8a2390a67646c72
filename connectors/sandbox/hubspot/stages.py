"""Pipelines and their stages: what they say about the records in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.sandbox.hubspot.stamps import wire_stamp

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Stage:
    """One stage. Its metadata are texts: `isClosed` and `probability` of deals, `ticketState` of tickets."""

    id: str
    label: str
    display_order: int
    metadata: dict[str, str]
    created: int
    updated: int
    archived: bool = False

    @property
    def probability(self) -> float:
        """The chance of winning, 0 to 1."""
        try:
            return float(self.metadata.get("probability", ""))
        except ValueError:
            return 0.0

    @property
    def is_closed(self) -> bool:
        """Whether records in this stage are over."""
        return self.metadata.get("isClosed") == "true" or self.metadata.get("ticketState") == "CLOSED"

    @property
    def is_won(self) -> bool:
        """Whether deals in this stage are won."""
        return self.is_closed and self.probability == 1.0

    def wire(self) -> dict[str, Any]:
        """As the pipelines API tells it."""
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": self.display_order,
            "metadata": dict(self.metadata),
            "createdAt": wire_stamp(self.created),
            "updatedAt": wire_stamp(self.updated),
            "archived": self.archived,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }


@dataclass(slots=True)
class Pipeline:
    """One pipeline with its stages, by id."""

    id: str
    label: str
    display_order: int
    created: int
    updated: int
    stages: dict[str, Stage] = field(default_factory=dict)
    archived: bool = False

    def living(self) -> list[Stage]:
        """The stages that may be chosen, in order."""
        stages = [stage for stage in self.stages.values() if not stage.archived]
        return sorted(stages, key=lambda stage: (stage.display_order, stage.id))

    def wire(self) -> dict[str, Any]:
        """As the pipelines API tells it."""
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": self.display_order,
            "createdAt": wire_stamp(self.created),
            "updatedAt": wire_stamp(self.updated),
            "archived": self.archived,
            "stages": [stage.wire() for stage in self.living()],
        }


def metadata_of(body: Mapping[str, Any]) -> dict[str, str]:
    """A stage's metadata as texts, whatever JSON they came as."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in (body.get("metadata") or {}).items()
    }
