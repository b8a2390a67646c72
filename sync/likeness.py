"""What a process computes with: two that say the same of themselves come to the same scores."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

_PACKAGES = ("config", "scoring", "sync")
_LIBRARIES = ("numpy", "pandas", "pyarrow", "duckdb", "deltalake")
_READ = (".py", ".sql")


@cache
def likeness() -> Mapping[str, str]:
    """The versions of all that scores depend on; Foretag's own goes with a digest of its sources."""
    # A release is told by its number, a checkout only by what is in it.
    sources = hashlib.blake2b(digest_size=6)
    for package in _PACKAGES:
        for name, content in _sources(files(package), package):
            sources.update(f"{name}\0{len(content)}\0".encode() + content)
    return {
        "Foretag": f"{version('foretag')} ({sources.hexdigest()})",
        "Python": platform.python_version(),
        "machine": platform.machine(),
        **{name: version(name) for name in _LIBRARIES},
    }


def differences(mine: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """What another process computes with that this one does not, in words; empty if they are alike."""
    return ", ".join(
        f"{what} {theirs.get(what, 'none')} there and {found} here"
        for what, found in mine.items()
        if theirs.get(what) != found
    )


def _sources(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for one in sorted(folder.iterdir(), key=lambda found: found.name):
        if one.is_dir():
            yield from _sources(one, f"{name}/{one.name}")
        elif one.name.endswith(_READ):
            yield f"{name}/{one.name}", one.read_bytes()
