"""Imports: the file that is sent, and one honest outcome for each of its rows."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
import responses

from connectors.hubspot.imports import Imports
from tests.connectors.hubspot.callers import Played

NAMES = {"foretag_tier": "foretag_tier", "foretag_reason": "why"}
START = "POST /crm/v3/imports"
LOOK = "GET /imports/7"
ERRORS = "GET /imports/7/errors"
READ = "POST companies/batch/read"


def rows(count: int = 4, **cells: list[str | None]) -> pa.Table:
    """Text cells of companies 10, 11, ..."""
    ids = [str(10 + number) for number in range(count)]
    table: dict[str, Any] = {
        "id": ids,
        "foretag_tier": ["A"] * count,
        "foretag_reason": ['said "so", he'] * count,
    }
    return pa.table(table | {name: pa.array(values, pa.string()) for name, values in cells.items()})


def report(state: str, **counters: int) -> Any:
    """What HubSpot tells of an import."""
    return lambda _: (200, {"id": "7", "state": state, "metadata": {"counters": counters}})


def error(kind: str, **source: Any) -> dict[str, Any]:
    """What HubSpot has against a row."""
    return {"id": "1", "errorType": kind, "errorMessage": f"{kind} it is", "sourceData": source}


def row(record_id: str, **properties: str) -> dict[str, Any]:
    """A record that is read back."""
    return {"id": record_id, "properties": properties, "updatedAt": "2026-11-22T10:00:00Z"}


@pytest.fixture
def play() -> Any:
    """A portal that takes imports and ends them as told."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:

        def make(*errors: dict[str, Any], held: tuple[dict[str, Any], ...] = (), **answers: Any) -> Played:
            played = Played(
                {
                    ERRORS: lambda _: (200, {"results": list(errors)}),
                    LOOK: answers.get("look", report("DONE", UPDATED_OBJECTS=4)),
                    START: answers.get("start", report("STARTED")),
                    READ: lambda _: (200, {"results": list(held)}),
                }
            )
            played.register(mock)
            return played

        yield make


def told(outcomes: Any) -> dict[str, str]:
    """Code by id, or the status if there is none."""
    return {name: outcome.code or outcome.status for name, outcome in outcomes.items()}


def test_the_file_names_every_column_and_finds_records_by_their_id(play) -> None:
    """An update of existing records, with dates that cannot be misread."""
    played = play()
    Imports(played.api()).update("companies", rows(1), NAMES)
    ((_, body),) = [asked for asked in played.asked if asked[0] == START]
    text = body.decode()
    request = json.loads(text.partition("\r\n\r\n")[2].partition("\r\n--")[0])
    assert request["importOperations"] == {"0-2": "UPDATE"}
    assert request["dateFormat"] == "YEAR_MONTH_DAY"
    (file,) = request["files"]
    columns = file["fileImportPage"]["columnMappings"]
    assert [column["columnName"] for column in columns] == ["Record ID", "foretag_tier", "why"]
    assert columns[0]["columnType"] == "HUBSPOT_OBJECT_ID"
    assert f'name="files"; filename="{file["fileName"]}"' in text
    assert '"Record ID","foretag_tier","why"\n"10","A","said ""so"", he"\n' in text


def test_an_import_that_waits_for_others_is_waited_for(play) -> None:
    """DEFERRED is no end."""
    states = iter(["DEFERRED", "PROCESSING", "DONE"])
    played = play(look=lambda _: report(next(states), UPDATED_OBJECTS=4)(None))
    assert set(told(Imports(played.api()).update("companies", rows(), NAMES)).values()) == {"done"}
    assert len(played.waits) == 2


def test_a_row_with_an_error_is_left_to_batches(play) -> None:
    """Its good cells are written, its bad one is not: a batch is all or nothing, and says what is wrong."""
    played = play(
        # The row itself goes before its line, which portals count in several ways.
        error("INVALID_ENUMERATION_OPTION", rowData=["11", "A", "…"], lineNumber=2),
        error("AMBIGUOUS", lineNumber=4),
    )
    assert sorted(Imports(played.api()).update("companies", rows(), NAMES)) == ["10", "13"]


def test_errors_come_in_pages(play) -> None:
    """A row on the second page is no better than one on the first."""
    pages = iter([
        {"results": [error("AMBIGUOUS", lineNumber=2)], "paging": {"next": {"after": "1"}}},
        {"results": [error("AMBIGUOUS", lineNumber=5)]},
    ])  # fmt: skip
    played = play()
    played.answers[ERRORS] = lambda _: (200, next(pages))
    assert sorted(Imports(played.api()).update("companies", rows(), NAMES)) == ["11", "12"]


def test_an_error_that_is_about_no_row_leaves_all_rows_in_doubt(play) -> None:
    """A property archived in between: no cell of its column was written."""
    played = play(error("PROPERTY_DEFINITION_NOT_FOUND", lineNumber=1))
    assert Imports(played.api()).update("companies", rows(), NAMES) == {}


@pytest.mark.parametrize("counted", [3, 0])
def test_an_import_that_counts_too_few_settles_nothing(counted, play) -> None:
    """Nobody can say which row is missing."""
    played = play(look=report("DONE", UPDATED_OBJECTS=counted))
    assert Imports(played.api()).update("companies", rows(), NAMES) == {}


@pytest.mark.parametrize("state", ["CANCELED", "REVERTED"])
def test_an_import_that_a_person_stopped_is_not_done_again(state, play) -> None:
    """What the records hold decides; the rest was not sent, and a person wanted it so."""
    values = {"foretag_tier": "A", "why": 'said "so", he'}
    held = (*(row(str(10 + number), **values) for number in range(3)), row("13", foretag_tier="A", why="old"))
    played = play(look=report(state, UPDATED_OBJECTS=2), held=held)
    outcomes = Imports(played.api()).update("companies", rows(), NAMES)
    assert told(outcomes) == {"10": "done", "11": "done", "12": "done", "13": "NOT_SENT"}
    assert "import 7" in outcomes["13"].message


def test_rows_that_empty_a_property_are_left_to_batches(play) -> None:
    """An empty cell of an import says nothing."""
    played = play(look=report("DONE", UPDATED_OBJECTS=3))
    outcomes = Imports(played.api()).update("companies", rows(foretag_reason=["x", "", "y", None]), NAMES)
    assert sorted(outcomes) == ["10", "12", "13"]


@pytest.mark.parametrize(
    "answers",
    [
        {"start": lambda _: (403, {"status": "error", "category": "MISSING_SCOPES", "message": "no"})},
        {"start": lambda _: (429, {"status": "error", "policyName": "DAILY", "message": "the daily limit"})},
        {"look": report("FAILED", UPDATED_OBJECTS=4)},
    ],
    ids=["no scope", "no more imports today", "failed"],
)
def test_without_a_working_import_everything_is_left_to_batches(answers, play) -> None:
    """Nothing is lost, and nothing is taken for done."""
    assert Imports(play(**answers).api()).update("companies", rows(), NAMES) == {}


def test_an_import_that_nobody_tells_of_any_more_is_unknown(play) -> None:
    """It is on its way; a second one would be no better off."""
    played = play(
        look=lambda _: (404, {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "gone"})
    )
    outcomes = Imports(played.api()).update("companies", rows(), NAMES)
    assert {outcome.status for outcome in outcomes.values()} == {"unknown"}
