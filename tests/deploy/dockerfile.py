"""A Dockerfile as its stages and instructions, for tests that look at it or run it."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    """`word` in capitals; `text` with its lines joined."""

    word: str
    text: str

    @property
    def flags(self) -> dict[str, str]:
        """`--from=builder` as {"from": "builder"}; of several alike the last."""
        return dict(re.findall(r"(?:^|\s)--([a-z]+)=(\S+)", self._head))

    @property
    def rest(self) -> str:
        """The text without its flags."""
        return self.text[len(self._head) :].strip()

    @property
    def arguments(self) -> list[str]:
        """Its words, whether written as JSON or for a shell."""
        return json.loads(self.rest) if self.rest.startswith("[") else shlex.split(self.rest)

    @property
    def _head(self) -> str:
        found = re.match(r"(--[a-z-]+=\S+\s*)*", self.text)
        return found.group() if found else ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, word: str) -> list[Instruction]:
        """Its instructions of one kind, in order."""
        return [one for one in self.instructions if one.word == word]

    @property
    def environment(self) -> dict[str, str]:
        """What ENV sets."""
        return dict(pair.split("=", 1) for one in self.all("ENV") for pair in one.arguments)


def stages(path: Path) -> list[Stage]:
    """The stages of a Dockerfile, ARG before the first FROM put in."""
    outer: dict[str, str] = {}
    found: list[Stage] = []
    for one in instructions(path.read_text()):
        if one.word == "FROM":
            base, _, name = one.text.partition(" AS ")
            found.append(Stage(name.strip(), re.sub(r"\$\{(\w+)\}", lambda m: outer[m[1]], base.strip())))
        elif found:
            found[-1].instructions.append(one)
        else:
            outer.update([one.text.split("=", 1)])
    return found


def instructions(text: str) -> Iterator[Instruction]:
    """One after the other, without comments."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in lines.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield Instruction(word, re.sub(r"\s+", " ", rest).strip())


def context(root: Path, ignore: Path) -> list[Path]:
    """The files that a build may see, relative to the root: what the ignore file leaves."""
    lines = [line for line in ignore.read_text().splitlines() if line and not line.startswith("#")]
    # Only what a line lets in is walked through: a checkout has large folders of its own.
    tops = [root / line[1:] for line in lines if line.startswith("!")]
    files = [file for top in tops for file in ([top] if top.is_file() else top.rglob("*")) if file.is_file()]
    return sorted(
        path.relative_to(root) for path in files if not _ignored(path.relative_to(root).as_posix(), lines)
    )


def _ignored(path: str, lines: list[str]) -> bool:
    """The last line that fits a path or a folder above it decides, as Docker has it."""
    parts = path.split("/")
    above = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
    ignored = False
    for line in lines:
        pattern = line.removeprefix("!")
        if any(_fits(one, pattern) for one in above):
            ignored = not line.startswith("!")
    return ignored


def _fits(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch(path.rpartition("/")[2], pattern[3:])
    return path.count("/") == pattern.count("/") and fnmatch(path, pattern)
