"""The README shows what really happens: its demo block is the demo's own output."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


def shown(arguments: str) -> str:
    """The demo's output as the README shows it, as far as it does: "…" stands for the rest."""
    command = re.escape("$ make demo" + (f' ARGS="{arguments}"' if arguments else ""))
    block = re.search(rf"{command}\n(.*?)(…\n)?```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return block[1]


def without_chance(text: str) -> str:
    """The same without what differs from run to run: port, seconds, API calls; trailing blanks do not count."""
    text = re.sub(r"localhost:\d+", "localhost:PORT", text)
    text = re.sub(r"(?m)^(seconds|API calls) +[\d.]+", r"\1 N", text)
    text = re.sub(r"in \d+ API calls", "in N API calls", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@pytest.mark.parametrize(
    ("arguments", "whole"), [("", True), pytest.param("--crm hubspot", False, marks=pytest.mark.long)]
)
def test_the_readme_shows_the_demos_real_output(arguments, whole, tmp_path):
    """Whoever changes what the demo says changes the README in the same commit."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("foretag")), "demo", *arguments.split()],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=True,
    )
    told, real = without_chance(shown(arguments)), without_chance(done.stdout)
    assert told
    assert real == told if whole else real.startswith(told + "\n")
