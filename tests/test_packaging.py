"""What is shipped: a wheel that works where no source is, and four package names that are ours alone."""

import importlib
import importlib.metadata
import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

PACKAGES = ("config", "connectors", "scoring", "sync")
SOURCES = Path(__file__).parents[1]


def run(*command, cwd, **environment):
    """Run a command with a bare environment; returns its stdout."""
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8", **environment}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_packages_lie_together_and_are_nobody_elses():
    """Top-level names as plain as `config` could be shadowed by another distribution."""
    folders = {Path(importlib.import_module(name).__file__).parents[1] for name in PACKAGES}
    assert len(folders) == 1
    owners = importlib.metadata.packages_distributions()
    assert {owner for name in PACKAGES for owner in owners.get(name, ["foretag"])} == {"foretag"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A virtual environment with the built wheel, this environment's libraries, and no way to the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    run(
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(SOURCES),
        cwd=folder,
    )
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    site = Path(
        run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    )
    run(
        str(Path(sys.executable).with_name("uv")),
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        str(python),
        str(wheel),
        cwd=folder,
    )
    # A .pth in a folder named by a .pth is not read, so the editable install of the sources stays out.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return python, site, folder


def test_the_wheel_runs_the_whole_job_without_the_sources(installed):
    """Rules, migrations, grammars and data sets are all in the wheel."""
    python, site, folder = installed
    where = run(str(python), "-P", "-c", "import config; print(config.__file__)", cwd=folder).strip()
    assert Path(where).is_relative_to(site)
    printed = run(str(python.with_name("foretag")), "demo", "--json", cwd=folder)
    result = json.loads(printed)
    assert result["second_run_writes"] == 0
    assert result["accounts_written"] > 0
