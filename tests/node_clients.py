"""Installs the Node clients that tests run against the sandbox: pinned, once, into a folder git ignores."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

_MANIFEST = Path(__file__).parent / "node"
_INSTALLED = Path(__file__).parent.parent / ".node"
_FILES = ("package.json", "package-lock.json")
_MINUTES = 60


def install_node_clients() -> Path:
    """The `node_modules` folder of the pinned clients. Skips the test if they cannot be installed."""
    _demand_node()
    digest = hashlib.sha256(b"".join((_MANIFEST / name).read_bytes() for name in _FILES)).hexdigest()
    folder = _INSTALLED / digest[:16]
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "installed"
    # Several test processes may get here at once.
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            for name in _FILES:
                shutil.copy(_MANIFEST / name, folder / name)
            # No install scripts: none of the clients needs one.
            _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder, 10 * _MINUTES)
            done.touch()
    return folder / "node_modules"


def run_script(script: Path, node_modules: Path, **told: str) -> Any:
    """What a Node script, told its environment, prints as JSON; it talks to this machine alone, by no proxy."""
    environment = os.environ | told | {"NODE_PATH": str(node_modules), "NO_PROXY": "localhost"}
    run = subprocess.run(
        ["node", script], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def _demand_node() -> None:
    if shutil.which("node") and shutil.which("npm"):
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        _run(["apt-get", "update", "-q"], Path("/"), 5 * _MINUTES)
        _run(["apt-get", "install", "-y", "-q", "nodejs", "npm"], Path("/"), 10 * _MINUTES)
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("needs Node: node and npm are not on the PATH")


def _run(command: list[str], folder: Path, seconds: float) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        pytest.skip(f"needs Node: `{' '.join(command)}` took more than {seconds:.0f} s")
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines()
        pytest.skip(f"needs Node: `{' '.join(command)}` failed: {said[-1] if said else 'without a word'}")
