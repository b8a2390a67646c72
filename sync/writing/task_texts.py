"""How the texts of two tasks compare: to tell whether a person touched one, and whether another is worth a change."""

from __future__ import annotations

import hashlib
import re

from sync.writing.plan import FIGURES, LEARNED


def content(subject: str | None, description: str | None) -> str:
    """A digest of a task's words, however the CRM sets them."""
    return _digest(f"{subject or ''}\n{description or ''}".split())


def gist(subject: str | None, description: str | None) -> str:
    """A digest of what a task says, as calm as reasons are: its figures, and reasons after the strongest two, aside."""
    lines = f"{subject or ''}\n{description or ''}".splitlines()
    return _digest([" ".join(_strongest(line.split(" · "))) for line in lines])


def _strongest(items: list[str]) -> list[str]:
    """The head of a reason, and its two strongest items in a fixed order; of other lines all."""
    plain = [re.sub(LEARNED, r"\1\2", re.sub(FIGURES, "", item)).strip() for item in items]
    return [*plain[:1], *sorted(plain[1:3])]


def _digest(words: list[str]) -> str:
    return hashlib.blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
