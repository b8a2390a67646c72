"""What the program says of its own work, line by line on stderr: JSON for machines, plain for people, no content.

A line has an event's name, numbers, ids and codes; never a name, an address, a text or a secret of anybody. Each line
of a run carries the run's names (`bound`), whichever module, thread or library said it.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from config.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    Line = MutableMapping[str, Any]

Form = Literal["json", "console"]
Level = Literal["debug", "info", "warning", "error"]

# A worker tells the runs that it starts how to log by these; a person may set them, too.
FORM, LEVEL = "FORETAG_LOG_FORM", "FORETAG_LOG"

# Libraries are not ours to vouch for: their talk may hold queries, so they are heard only when something is amiss.
LIBRARIES = logging.WARNING

_ADDRESS = re.compile(r"(?<![\w.+\-])[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+")
_QUERY = re.compile(r"\?[^\s\"']+")

# What was bound last: what is said of a run after its end names it still. A process has one run at a time.
_last: dict[str, str] = {}


def configure(form: Form | None = None, level: Level | None = None) -> None:
    """From here on all lines go to stderr in this form, from this level on.

    What is not given comes from the environment; else people are told of what is amiss alone, in plain lines.
    """
    # Late: a tenth of a second, for commands that talk to a CRM.
    import structlog  # noqa: PLC0415  # late on purpose

    threshold = getattr(logging, (level or _asked(LEVEL, Level, "warning")).upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _without_content,
            _renderer(form or chosen_form()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        # Wherever stderr goes at the time.
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _hear_libraries(max(threshold, LIBRARIES))
    # Else a warning of Python's would be a line of another kind among them.
    logging.captureWarnings((form or chosen_form()) == "json")


def chosen_form() -> Form:
    """How lines look by the environment."""
    return cast("Form", _asked(FORM, Form, "console"))


def is_form_chosen() -> bool:
    """Whether the environment says how lines look: then they are a log, and what is said to people is lines of it."""
    return os.environ.get(FORM, "") in get_args(Form)


def log_said(text: str, level: Level) -> None:
    """What a command says to people, as a line among the others."""
    import structlog  # noqa: PLC0415  # late, as above

    structlog.get_logger().log(getattr(logging, level.upper()), "said", **_last | {"text": text})


def shown(text: str) -> str:
    """A text as it may leave the installation: no secret that was read, no address of a person."""
    return redacted(_ADDRESS.sub("(address)", text))


@contextmanager
def bound(**names: str) -> Iterator[None]:
    """Each line within carries these names: the connection, the run. Values are ids, never content."""
    import structlog  # noqa: PLC0415  # late, as above

    _last.update(names)
    with structlog.contextvars.bound_contextvars(**names):
        yield


def _hear_libraries(level: int) -> None:
    """Hand on what libraries say; others' handlers stay."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Libraries)]:
        root.removeHandler(handler)
    root.addHandler(_Libraries(level))


class _Libraries(logging.Handler):
    """What libraries say by Python's own logging goes the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        import structlog  # noqa: PLC0415  # late, as above

        said = _QUERY.sub("?...", record.getMessage())
        what = {} if record.exc_info is None else {"error": record.exc_info[0]}
        structlog.get_logger().log(record.levelno, "library", library=record.name, said=said, **what)


def _without_content(_logger: Any, _method: str, line: Line) -> Line:
    """The last look at a line: no secret that was read, no address of a person, of an error its kind alone."""
    first = {key: line.pop(key) for key in ("at", "level", "event") if key in line}
    return {key: _clean(value) for key, value in (first | dict(line)).items()}


def _clean(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case dict():
            return {key: _clean(one) for key, one in value.items()}
        case list() | tuple() | set():
            return [_clean(one) for one in value]
        case type():
            return value.__name__
        case BaseException():
            return type(value).__name__
        case _:
            return shown(str(value))


def _renderer(form: Form) -> Any:
    import structlog  # noqa: PLC0415  # late, as above

    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, timestamp_key="at")


def _asked(variable: str, words: Any, default: str) -> str:
    """What an environment variable says, if it is one of these words."""
    word = os.environ.get(variable, "")
    return word if word in get_args(words) else default
