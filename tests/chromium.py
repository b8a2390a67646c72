"""Finds or installs a Chromium for the tests that look at pages in a real browser."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MINUTES = 60


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
