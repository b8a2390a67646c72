"""Runs a command as the systemd unit would confine it: its own filter of system calls, no writable code, no new rights.

python -m tests.deploy.confined UNIT COMMAND...
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 38, 65
ALLOW, EPERM = 0x7FFF0000, 0x00050001


def settings(unit: Path) -> list[tuple[str, str]]:
    """The unit's KEY=VALUE lines, in order: some keys stand several times."""
    lines = (line.partition("=") for line in unit.read_text().splitlines() if not line.startswith(("#", "[")))
    return [(key, value) for key, sign, value in lines if sign]


def allowed_calls(unit: Path) -> set[str]:
    """The system calls that the unit's filters leave."""
    found: set[str] = set()
    for key, value in settings(unit):
        if key == "SystemCallFilter":
            calls = {call for name in value.removeprefix("~").split() for call in _calls(name)}
            found = found - calls if value.startswith("~") else found | calls
    return found


def _calls(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    told = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    ).stdout
    lines = [
        line.strip() for line in told.splitlines()[1:] if line.strip() and not line.strip().startswith("#")
    ]
    return {call for line in lines for call in _calls(line)}


def confine(unit: Path) -> None:
    """From now on this process, and all that it starts, may do no more than the unit's."""
    libc = ctypes.CDLL(None, use_errno=True)
    calls = allowed_calls(unit)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    if ("MemoryDenyWriteExecute", "yes") in settings(unit):
        assert libc.prctl(PR_SET_MDWE, 1, 0, 0, 0) == 0, "this kernel cannot deny writable code (6.3 can)"
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(EPERM)))
    for call in sorted(calls):
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            assert seccomp.seccomp_rule_add_array(context, ctypes.c_uint32(ALLOW), number, 0, None) == 0, call
    assert seccomp.seccomp_load(context) == 0


if __name__ == "__main__":
    confine(Path(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
