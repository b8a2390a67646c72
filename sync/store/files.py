"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


# Copies that are made for once have names that begin so, and go when they have served.
COPY = "copy-"


def sweep_copies(folder: Path) -> None:
    """Throw away copies whose maker was killed before it could."""
    for left in folder.glob(f"{COPY}*"):
        shutil.rmtree(left, ignore_errors=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a private file (0600); a crash leaves the old one, never a torn one."""
    partial = path.with_name(f"{path.name}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            # What a full disk cut short would only take up room.
            partial.unlink(missing_ok=True)
            raise
    partial.replace(path)
