"""The pipelines of a portal: one for each sales process of the book, and one for tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc

from connectors.sandbox.hubspot.stages import Pipeline, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors.sandbox.datasets.book import Book

PIPELINE, PIPELINE_LABEL = "default", "Sales Pipeline"
# Label: id, probability, closed. Made by the portal's admin, so that the open ones have numbers as ids.
STAGES: Mapping[str, tuple[str, str, bool]] = {
    "Prospecting": ("184920131", "0.1", False),
    "Engaging": ("184920132", "0.5", False),
    "Closed Won": ("closedwon", "1.0", True),
    "Closed Lost": ("closedlost", "0.0", True),
}
FIRST = "Engaging"
TICKET_PIPELINE = "0"
TICKET_STAGES = {
    "1": ("New", "OPEN"),
    "2": ("Waiting on contact", "OPEN"),
    "3": ("Waiting on us", "OPEN"),
    "4": ("Closed", "CLOSED"),
}
# Pipelines and stages that an admin adds get numbers for ids.
_MORE_PIPELINES, _MORE_STAGES = (731_204_518, 1_117), (1_094_338_207, 3)

# Of a pipeline by its label: of a stage by its label the id.
StageIds = dict[str, dict[str, str]]


def pipeline_ids(book: Book) -> dict[str, str]:
    """The id of each sales process, by label. The first one is the portal's own."""
    column = book.opportunities["pipeline"]
    named = pc.unique(column.drop_null()).to_pylist()
    first = [PIPELINE_LABEL] if column.null_count or not named else []
    labels = sorted(dict.fromkeys([*first, *named]), key=lambda label: label != PIPELINE_LABEL)
    start, step = _MORE_PIPELINES
    return {
        label: PIPELINE if place == 0 else str(start + place * step) for place, label in enumerate(labels)
    }


def stage_ids(book: Book) -> StageIds:
    """The ids of every pipeline's stages. Every sales process has the same ones."""
    start, step = _MORE_STAGES
    return {
        label: {
            name: stage_id if place == 0 else str(start + (place * len(STAGES) + number) * step)
            for number, (name, (stage_id, _, _)) in enumerate(STAGES.items())
        }
        for place, label in enumerate(pipeline_ids(book))
    }


def pipelines(book: Book, born: int) -> tuple[Pipeline, ...]:
    """The pipelines of deals."""
    return tuple(_pipelines(pipeline_ids(book), stage_ids(book), born))


def _pipelines(ids: Mapping[str, str], stages_of: StageIds, born: int) -> Iterator[Pipeline]:
    for place, (label, pipeline_id) in enumerate(ids.items()):
        stages = {
            stage_id: Stage(stage_id, name, number, _meaning(name), born, born)
            for number, (name, stage_id) in enumerate(stages_of[label].items())
        }
        yield Pipeline(pipeline_id, label, place, born, born, stages)


def _meaning(name: str) -> dict[str, str]:
    _, probability, closed = STAGES[name]
    return {"isClosed": "true" if closed else "false", "probability": probability}


def ticket_pipeline(born: int) -> Pipeline:
    """The pipeline of tickets."""
    stages = {
        stage_id: Stage(stage_id, label, place, {"ticketState": state}, born, born)
        for place, (stage_id, (label, state)) in enumerate(TICKET_STAGES.items())
    }
    return Pipeline(TICKET_PIPELINE, "Support Pipeline", 0, born, born, stages)
