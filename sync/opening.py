"""Open the settings and the history: all that is needed where no record is read."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.settings import load_settings
from sync.ledger import Ledger
from sync.store.damage import damage_told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.settings import Settings


def now() -> datetime:
    """The system's clock, UTC: the one place that asks for it."""
    return datetime.now(UTC)


@contextmanager
def opened_ledger(path: Path) -> Iterator[tuple[Settings, Ledger]]:
    """The settings and the history, for commands that need no CRM."""
    settings = load_settings(path)
    with damage_told(settings.state):
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        ledger = Ledger.open(settings.state, now, settings.history, settings.encryption_key)
        try:
            yield settings, ledger
        finally:
            ledger.close()
