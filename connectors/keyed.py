"""Creates that must not happen twice, where the CRM itself cannot tell: looked up by key before any repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.contract import ConfigProblem, ConnectorError
from connectors.outcomes import NO_ANSWER, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Record = Mapping[str, Any]
    Outcomes = dict[str, Outcome]

_NOT_THERE = Outcome("unknown", "NOT_THERE", "no reply came, and the task is not there")
_NOT_CONFIRMED = Outcome("unknown", NO_ANSWER, "no reply came, twice, and the task is not there")


def make_once(
    records: Mapping[str, Record],
    make: Callable[[Mapping[str, Record]], Outcomes],
    find: Callable[[Sequence[str]], Outcomes],
    pause: Callable[[], None],
) -> Outcomes:
    """Make a record for each key; what got no answer is looked up after a pause, and made again if it is not there.

    `make` gives an outcome for each record, `find` one for each key that exists. An error of `find` leaves
    the outcome unknown: nothing is repeated blindly.
    """
    outcomes: Outcomes = {}
    missing = dict(records)
    for _ in range(2):
        if not missing:
            break
        outcomes |= make(missing)
        lost = [key for key in missing if outcomes[key].code == NO_ANSWER]
        if not lost:
            break
        pause()
        outcomes |= _looked_up(lost, find)
        # Not there: the request was lost on its way, and may be sent once more.
        missing = {key: records[key] for key in lost if outcomes[key] is _NOT_THERE}
    return {key: _NOT_CONFIRMED if outcome is _NOT_THERE else outcome for key, outcome in outcomes.items()}


def _looked_up(keys: Sequence[str], find: Callable[[Sequence[str]], Outcomes]) -> Outcomes:
    """What became of records whose reply was lost; nothing, if that cannot be told either."""
    try:
        found = find(keys)
    except (ConnectorError, ConfigProblem):
        return {}
    return {key: found.get(key, _NOT_THERE) for key in keys}
