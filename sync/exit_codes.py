"""The exit codes, and what state of a run each one means."""

from __future__ import annotations

DONE, BUG, FIX_CONFIGURATION, INCOMPLETE, STOPPED, UNAVAILABLE, PARKED, INTERRUPTED = (
    0,
    1,
    2,
    3,
    4,
    69,
    75,
    130,
)

STATES = {
    DONE: "done",
    INCOMPLETE: "done",
    BUG: "failed",
    FIX_CONFIGURATION: "failed",
    STOPPED: "stopped",
    UNAVAILABLE: "failed",
    PARKED: "parked",
    INTERRUPTED: "parked",
}

# Where several apply.
WORST_FIRST = (BUG, FIX_CONFIGURATION, STOPPED, UNAVAILABLE, PARKED, INCOMPLETE, DONE)
