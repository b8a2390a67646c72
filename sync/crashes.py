"""What nobody catches in a thread: told on stderr as Python does, but without secrets."""

from __future__ import annotations

import sys
import threading


def hide_secrets_in_threads() -> None:
    """From here on; what a command does not catch in its own thread is told by `talking`."""
    threading.excepthook = _tell


def _tell(crash: threading.ExceptHookArgs) -> None:
    # Late: seldom needed, and quick to be had then.
    import traceback  # noqa: PLC0415  # late on purpose

    from config.redaction import redacted  # noqa: PLC0415  # late on purpose

    words = "".join(traceback.format_exception(crash.exc_type, crash.exc_value, crash.exc_traceback))
    name = crash.thread.name if crash.thread is not None else "?"
    sys.stderr.write(redacted(f"Exception in thread {name}:\n{words}"))
