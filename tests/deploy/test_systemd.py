"""systemd: a unit that loads, is as shut as it says, and under whose confinement the work can be done."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.sections.service import Service
from sync.exit_codes import FIX_CONFIGURATION
from sync.ledger import holder
from tests.deploy.confined import allowed_calls, settings

CHECKED = ("systemd/foretag.service", "systemd/foretag.sysusers.conf")
ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "systemd" / "foretag.service"
USERS = ROOT / "deploy" / "systemd" / "foretag.sysusers.conf"
FORETAG = str(Path(sys.executable).with_name("foretag"))
# As deploy/README.md says it; 0 would be shut off from all, 10 is a unit without a line of hardening.
EXPOSURE = 1.1


@pytest.fixture(scope="module")
def analyze():
    """Calls systemd-analyze."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("needs systemd-analyze: not here")

    def call(*arguments):
        return subprocess.run([found, *arguments], capture_output=True, text=True, timeout=60, check=False)

    return call


@pytest.fixture(scope="module")
def unit():
    """The unit's settings; of those that stand several times, the last."""
    return dict(settings(UNIT))


def test_systemd_takes_the_unit(analyze, tmp_path):
    """All keys and values are known; the program is put in that is here in place of the installed one."""
    copy = tmp_path / "foretag.service"
    copy.write_text(UNIT.read_text().replace("/opt/foretag/bin/foretag", FORETAG))
    done = analyze("verify", str(copy))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_wrong_key_would_be_found(analyze, tmp_path):
    """The check sees what is wrong."""
    copy = tmp_path / "foretag.service"
    copy.write_text(
        UNIT.read_text().replace("/opt/foretag/bin/foretag", FORETAG) + "\n[Service]\nProtectHom=yes\n"
    )
    assert "ProtectHom" in analyze("verify", str(copy)).stderr


def test_it_is_as_shut_as_we_say(analyze):
    """The score of `systemd-analyze security`, as the README states it."""
    done = analyze("security", "--offline=true", "--no-pager", str(UNIT))
    score = float(re.search(r"Overall exposure level for foretag\.service: ([\d.]+)", done.stdout)[1])
    assert score <= EXPOSURE
    assert f"**{EXPOSURE}**" in (ROOT / "deploy" / "README.md").read_text()


def test_the_user_is_made(tmp_path):
    """By systemd's own tool, tried on an empty root."""
    found = shutil.which("systemd-sysusers")
    if found is None:
        pytest.skip("needs systemd-sysusers: not here")
    done = subprocess.run(
        [found, "--dry-run", f"--root={tmp_path}", str(USERS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Creating user 'foretag'" in done.stderr + done.stdout


def test_it_stops_and_starts_as_the_worker_means_it(unit):
    """A stop waits longer than a run may take to park; bad settings are not started again and again."""
    assert unit["ExecStart"].split()[1:] == ["worker", "--settings", "/etc/foretag/foretag.yaml"]
    assert int(unit["TimeoutStopSec"]) >= Service().grace.total_seconds() + 15
    assert unit["KillMode"] == "mixed"
    assert unit["ExecReload"].endswith("-HUP $MAINPID")
    assert unit["RestartPreventExitStatus"] == str(FIX_CONFIGURATION)
    assert "PYTHONSAFEPATH=1" in unit["Environment"]
    assert (unit["StateDirectory"], unit["StateDirectoryMode"]) == ("foretag", "0700")


def test_who_holds_a_lease_can_be_told_within_it(unit):
    """By the start of the machine, which a /proc of processes alone would hide."""
    assert "sys/kernel/random/boot_id" in inspect.getsource(holder)
    assert unit.get("ProcSubset", "all") == "all"


@pytest.mark.long
def test_the_whole_job_is_done_under_its_confinement(tmp_path):
    """Its filter of system calls and its ban on writable code leave all that SDKs, DuckDB, Arrow and numpy need."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze: not here")
    assert {"mount", "ptrace", "reboot", "setuid"}.isdisjoint(allowed_calls(UNIT))
    done = subprocess.run(
        [sys.executable, "-m", "tests.deploy.confined", str(UNIT), FORETAG, "demo", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["second_run_writes"] == 0
