"""The gates between a plan and the CRM: what an admin, or a change of the rules, has shut."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.pipeline import Pass


def check_gates(pass_: Pass) -> None:
    """Raise `Parked` (exit 75) where a gate is shut."""
