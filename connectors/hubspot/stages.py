"""The stages of all pipelines: what a deal's stage means, and the canonical record of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Positions of one pipeline's stages lie below those of the next.
_STAGES_IN_A_PIPELINE = 1000


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `probability` is in percent; a stage that HubSpot tells nothing of has none."""

    id: str
    label: str
    probability: float | None
    closed: bool
    won: bool
    position: int
    active: bool
    modified_at: str


def stages(pipelines: Sequence[Mapping[str, Any]]) -> list[Stage]:
    """The stages of all pipelines, in the order in which HubSpot shows them."""
    ordered = sorted(pipelines, key=lambda pipeline: pipeline.get("displayOrder") or 0)
    return [stage for number, pipeline in enumerate(ordered) for stage in _of_pipeline(number, pipeline)]


def _of_pipeline(number: int, pipeline: Mapping[str, Any]) -> Iterator[Stage]:
    ordered = sorted(pipeline.get("stages") or (), key=lambda stage: stage.get("displayOrder") or 0)
    for place, stage in enumerate(ordered):
        facts = stage.get("metadata") or {}
        chance = _percent(facts.get("probability"))
        # Deals say whether they are closed, or have only a chance that settles it; tickets have a state.
        told = str(facts.get("isClosed") or "").lower()
        closed = (
            told == "true" or str(facts.get("ticketState")) == "CLOSED" or (not told and chance in (0, 100))
        )
        yield Stage(
            id=str(stage["id"]),
            label=str(stage.get("label") or stage["id"]),
            probability=chance,
            closed=closed,
            won=closed and chance == 100,
            position=number * _STAGES_IN_A_PIPELINE + place,
            active=not (stage.get("archived") or pipeline.get("archived")),
            modified_at=str(stage.get("updatedAt") or pipeline.get("updatedAt") or ""),
        )


def _percent(text: Any) -> float | None:
    try:
        chance = float(text)
    except (TypeError, ValueError):
        return None
    return round(chance * 100, 6) if 0 <= chance <= 1 else None


def stage_cells(found: Sequence[Stage]) -> dict[str, list[str | None]]:
    """Cells of the canonical records, by canonical column."""
    return {
        "id": [stage.id for stage in found],
        "name": [stage.label for stage in found],
        "probability": [None if stage.probability is None else repr(stage.probability) for stage in found],
        "is_closed": [str(stage.closed).lower() for stage in found],
        "is_won": [str(stage.won).lower() for stage in found],
        "position": [str(stage.position) for stage in found],
        "active": [str(stage.active).lower() for stage in found],
        "modified_at": [stage.modified_at or None for stage in found],
    }
