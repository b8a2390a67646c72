"""What a scheduler sends one run for: the usual, everything read anew, tasks alone, or all but tasks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Errand:
    """Which part of a run's work is asked for; as it is made, the usual.

    `full`: every record is read anew, since formulas move no stamp. `only_tasks`: no field is written. `zone`: only
    tasks of owners who live by this time zone. `without_tasks`: tasks are neither read nor made.
    """

    full: bool = False
    only_tasks: bool = False
    without_tasks: bool = False
    zone: str = ""

    @property
    def command(self) -> str:
        """As the history calls such a run."""
        options = {
            "--full": self.full,
            "--only-tasks": self.only_tasks,
            "--without-tasks": self.without_tasks,
        }
        return " ".join(["run", *(option for option, asked in options.items() if asked)])


USUAL = Errand()
