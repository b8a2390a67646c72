"""Run the bundled sandbox alone, for people and for other programs."""

from __future__ import annotations

import os
import shlex
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from config.crms import crm_named
from config.problems import ConfigProblem, Problem
from connectors.sandbox.server import Sandbox
from sync.exit_codes import DONE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from config.crms import Crm
    from sync.talk import Talk


def serve_sandbox(
    talk: Talk, *, crm: str, port: int, data: str, faults: Path | None, keys: Path | None, production: bool
) -> int:
    """Run the local CRM alone until it is told to stop."""
    played = crm_named(crm)
    ca_file = None if keys is None else _key_folder(keys).absolute() / "ca.pem"

    def ready(sandbox: Sandbox) -> None:
        if keys is not None:
            _write_credentials(keys, _environment(played, sandbox))
        talk.result(_ways_in(sandbox), openly=True)
        talk.say(f"A local {played.label} with the data set {data!r}. Look at it: {sandbox.http_url}/")
        talk.say("To connect to it, in foretag.yaml:")
        talk.say(f"  crm: {crm}\n  url: {sandbox.url}\n  ca_file: {sandbox.ca_file}\nand in the environment:")
        for name, value in _environment(played, sandbox).items():
            talk.say(f"  export {name}={value}", openly=True)
        talk.say("Ctrl-C ends it; everything in it is then gone.")

    Sandbox(crm=crm, data=data, port=port, faults=faults, ca_file=ca_file, production=production).serve(ready)
    return DONE


def _key_folder(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigProblem(
            Problem(f"{folder} cannot be made: {error.strerror}", where="--keys", fix="name another folder")
        ) from None
    return folder


def _write_credentials(folder: Path, environment: Mapping[str, str]) -> None:
    """All of them for a shell to read in, and each as a file that settings can name; of this sandbox alone."""
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    files = {name.removeprefix("FORETAG_").lower(): value for name, value in environment.items()}
    for name, text in {"credentials.env": "".join(lines), **files}.items():
        with open(folder / name, "w", encoding="utf-8", opener=partial(os.open, mode=0o600)) as file:
            file.write(text)


def _ways_in(sandbox: Sandbox) -> dict[str, Any]:
    """Where it answers, and every credential of the worker and of the admin, for any client."""
    worker, admin = asdict(sandbox.credentials.worker), asdict(sandbox.credentials.admin)
    return {
        "url": sandbox.url,
        "http_url": sandbox.http_url,
        "ca_file": str(sandbox.ca_file),
        **{name: value for name, value in worker.items() if value},
        **{f"admin_{name}": value for name, value in admin.items() if value},
    }


def _environment(crm: Crm, sandbox: Sandbox) -> dict[str, str]:
    """The variables that the worker, and for setup the admin, sign in with."""
    users = {"": sandbox.credentials.worker, "ADMIN": sandbox.credentials.admin}
    return {
        variable: getattr(account, secret)
        for user, account in users.items()
        for secret, variable in crm.variables(user).items()
    }
