"""Finds or installs a Chromium, and draws pages with it, for the tests that look at them in a real browser."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MINUTES = 60


@dataclass(frozen=True)
class Drawn:
    """A page as the browser drew it: the picture's width and height, its DOM, and what the browser said."""

    size: tuple[int, int]
    dom: str
    told: str


def draw(address: str, folder: Path, width: int, height: int = 1000) -> Drawn:
    """Draw a page in a window of this size. Skips the test if there is no browser."""
    # A sandbox of its own inside a container needs rights that tests do not have.
    browser = [find_chromium(), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}"]
    picture = folder / "page.png"
    told = _run([*browser, f"--window-size={width},{height}", f"--screenshot={picture}", address])
    dom = _run([*browser, "--dump-dom", address])
    wide, high = struct.unpack(">II", picture.read_bytes()[16:24])
    return Drawn((wide, high), dom.stdout, told.stderr)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)


def find_chromium() -> str:
    """The path of a Chromium, installed if this machine lets us. Skips the test if there is none."""
    found = _found() or _installed()
    if found is None:
        pytest.skip("needs Chromium: no chromium is on the PATH, and it could not be installed")
    return found


def _found() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def _installed() -> str | None:
    if not (shutil.which("apt-get") and os.geteuid() == 0):
        return None
    for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "chromium"]):
        try:
            subprocess.run(["apt-get", *command], check=True, capture_output=True, timeout=8 * _MINUTES)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
            return None
    return _found()
