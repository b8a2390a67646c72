"""Who holds a lease: one process of one machine, so that its death is seen at once by those who can see it.

A name and a number are not enough: two containers may share both, and a machine gives a dead process's number to
another. So the running kernel, the process's own view of processes, and its start are named with it. Whoever does
not see the same processes as the holder cannot tell: it waits until the lease expires.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

# Linux tells more of a process than its number; elsewhere there are no containers, and the number has to do.
_PROC = Path("/proc")
_ENDED = "ended"


def ourselves() -> str:
    """This process, `HOST:PID@MACHINE/START`."""
    return f"{socket.gethostname()}:{os.getpid()}@{_machine()}/{_start(os.getpid())}"


def is_dead(holder: str) -> bool:
    """Whether the holder was a process that we would see, and is no more; of others nobody knows."""
    host, pid, machine, start = _parts(holder)
    if not pid or machine != _machine() or host != socket.gethostname():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    seen = _start(pid)
    return bool(seen) and seen != start


def told(holder: str) -> str:
    """The holder in words."""
    host, pid, _, _ = _parts(holder)
    return f"process {pid} on {host}" if pid else holder


def _parts(holder: str) -> tuple[str, int, str, str]:
    """Host, process, machine and start; a process of 0 if the text is of another form."""
    who, _, where = holder.partition("@")
    host, _, pid = who.rpartition(":")
    machine, _, start = where.rpartition("/")
    return host, int(pid) if pid.isdecimal() else 0, machine, start


def _machine() -> str:
    """The running kernel, and of its views of processes the one that this process has; empty if it is not Linux."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}-{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _start(pid: int) -> str:
    """When a process started, in ticks since its machine did; empty if that cannot be seen."""
    try:
        # After the name of the program, in brackets: first its state, as the 20th its start.
        fields = (
            (_PROC / str(pid) / "stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()
        )
    except OSError:
        return ""
    # One that was killed and whose parent has not looked yet.
    return _ENDED if fields[0] in "ZX" else fields[19]
