"""The real command line in a subprocess, beside a sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import pytest

from config.crms import CRMS as KNOWN
from tests.acceptance import prepared
from tests.crms import CRMS, people_of

if TYPE_CHECKING:
    from connectors.sandbox.server import Sandbox

# A test that differs with the CRM runs for each; what only concerns files runs for one.
BOTH = pytest.mark.parametrize("crm", CRMS)
# The same where seconds count: the second CRM's turn is a long test.
FIRST, *_OTHERS = CRMS
BOTH_IN_TIME = pytest.mark.parametrize(
    "crm", [FIRST, *(pytest.param(crm, marks=pytest.mark.long) for crm in _OTHERS)]
)

SETTINGS = """\
connections:
  main:
    crm: {crm}
    url: {url}
    ca_file: {ca_file}
    auth:
{auth}
    outputs: full
    tasks: true
    limits: {{max_changes: 100000}}
"""


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object of stdout."""
        return json.loads(self.out)


class Shell:
    """A user's shell: a folder with the two files, secrets in the environment."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox, self.people = folder, sandbox, people_of(sandbox, folder)
        self.people.count_generously()
        known = KNOWN[sandbox.crm]
        users = {"": sandbox.credentials.worker, "ADMIN": sandbox.credentials.admin}
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "COLUMNS": "160",
        } | {
            variable: getattr(account, name)
            for user, account in users.items()
            for name, variable in known.variables(user).items()
        }
        # The one that nobody may ever read.
        self.secret = known.variables()[known.secrets[-1]]
        for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        auth = "\n".join(f"      {name}: {{env: {variable}}}" for name, variable in known.variables().items())
        told = {"crm": sandbox.crm, "url": sandbox.url, "ca_file": sandbox.ca_file, "auth": auth}
        self.write("foretag.yaml", SETTINGS.format(**told))
        self.write("rules.yaml", "")

    def write(self, name: str, text: str) -> None:
        """Write a file of the user's."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Edit a file of the user's."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def foretag(self, *arguments: str, **environment: str) -> Done:
        """Run a command to its end, as one that was prepared."""
        with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
            code = prepared.run(
                arguments, self.folder, self.environment | environment, out.fileno(), err.fileno()
            )
            out.seek(0)
            err.seek(0)
            return Done(code, out.read(), err.read())

    def start(self, *arguments: str, **environment: str) -> Done:
        """Run a command to its end, from the installed executable on."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("foretag")), *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def crm() -> str:
    """Which CRM, for a test that does not say."""
    return "salesforce"


@pytest.fixture
def shell(crm, tmp_path, make_sandbox) -> Shell:
    """A user beside a small bundled sandbox."""
    return Shell(tmp_path, make_sandbox(crm=crm))


@pytest.fixture
def production(crm, tmp_path, make_sandbox) -> Shell:
    """A user beside an org that says it is production."""
    return Shell(tmp_path, make_sandbox(crm=crm, production=True))
