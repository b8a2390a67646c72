"""Every secret that this process has read, and texts without them: nothing printed, logged or kept may hold one.

`Secret.read` and the sign-ins call `remember`; whatever makes text for people, machines or the history calls
`redacted` (a text) or `cleaned` (anything that holds texts).
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from config.secret_shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = "[secret]"
# Less is no secret, and would take the numbers out of every text.
_SHORTEST = 4
# Shorter ones are hidden as words of their own, so that the password "post" leaves "posted" alone.
_LONG = 12
# What stands further on than this is not looked at where only the beginning is wanted.
_WINDOW = 1 << 14


class Redaction:
    """A registry of secret values. Thread-safe; one for the whole process is behind this module's functions."""

    def __init__(self) -> None:
        self._patterns: dict[str, str] = {}
        self._lock = threading.Lock()
        self._any: re.Pattern[str] | None = None

    def remember(self, value: str) -> None:
        """Hide this value from now on, as it is and as it is written in URLs, JSON, HTML, headers and tracebacks."""
        fresh = {text: _pattern(text) for text in _ways_to_write(value) if text not in self._patterns}
        if not fresh:
            return
        with self._lock:
            patterns = self._patterns | fresh
            longest_first = sorted(patterns, key=len, reverse=True)
            self._any = re.compile("|".join(patterns[text] for text in longest_first))
            self._patterns = patterns

    def redacted(self, text: str) -> str:
        """The text without any secret that was read, and without what looks like one."""
        if len(text) < _SHORTEST:
            return text
        # Looking for each text is quicker than one search for any, and most texts hold none.
        if self._any is not None and any(secret in text for secret in self._patterns):
            text = self._any.sub(HIDDEN, text)
        for shape in SHAPES if len(text) >= _LONG else ():
            text = shape.hidden(text, HIDDEN)
        return text

    def shortened(self, text: str, length: int) -> str:
        """The beginning of a text of unknown length; hidden before it is cut, for half a secret is not known again."""
        return self.redacted(text[: length + _WINDOW])[:length]

    def cleaned(self, value: Any) -> Any:
        """The same of all texts within mappings, lists and tuples; keys and everything else stay as they are."""
        match value:
            case str():
                return self.redacted(value)
            case bytes():
                return self.redacted(value.decode("utf-8", "replace"))
            case Mapping():
                return {key: self.cleaned(inner) for key, inner in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.cleaned(inner) for inner in value]
            case _:
                return value


def _ways_to_write(value: str) -> Iterator[str]:
    """The value, the lines of a long one (a key), and each as the usual writings have it."""
    lines = [line.strip() for line in value.splitlines()]
    parts = {value.strip(), *(line for line in lines if len(line) >= _LONG and not line.startswith("-----"))}
    for part in parts:
        if len(part) < _SHORTEST:
            continue
        yield part
        yield quote(part, safe="")
        yield quote_plus(part)
        yield html.escape(part)
        yield json.dumps(part)[1:-1]
        yield json.dumps(part, ensure_ascii=False)[1:-1]
        yield repr(part)[1:-1]
        if len(part) >= _LONG:
            yield base64.b64encode(part.encode()).decode().rstrip("=")
            yield base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")


def _pattern(text: str) -> str:
    exact = re.escape(text)
    return exact if len(text) >= _LONG else rf"(?<![A-Za-z0-9]){exact}(?![A-Za-z0-9])"


_PROCESS = Redaction()
remember = _PROCESS.remember
redacted = _PROCESS.redacted
shortened = _PROCESS.shortened
cleaned = _PROCESS.cleaned
