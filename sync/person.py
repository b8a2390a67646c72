"""Who is at the keyboard, for the history."""

from __future__ import annotations

import getpass
import os


def person() -> str:
    """The user's name, or number where the machine knows no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"
