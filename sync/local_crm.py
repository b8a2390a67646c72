"""Run the bundled sandbox alone, for people and for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.sandbox.server import Sandbox
from sync.exits import DONE

if TYPE_CHECKING:
    from pathlib import Path

    from sync.talk import Talk


def serve_sandbox(
    talk: Talk, *, crm: str, port: int, data: str, faults: Path | None, production: bool
) -> int:
    """Run the local CRM alone until it is told to stop."""

    def ready(sandbox: Sandbox) -> None:
        worker, admin = sandbox.credentials.worker, sandbox.credentials.admin
        talk.result(
            {
                "url": sandbox.url,
                "http_url": sandbox.http_url,
                "ca_file": str(sandbox.ca_file),
                "client_id": worker.client_id,
                "client_secret": worker.client_secret,
                "admin_client_id": admin.client_id,
                "admin_client_secret": admin.client_secret,
            }
        )
        talk.say(f"A local {crm.capitalize()} with the data set {data!r}. Look at it: {sandbox.http_url}/")
        talk.say("To connect to it, in foretag.yaml:")
        talk.say(f"  url: {sandbox.url}\n  ca_file: {sandbox.ca_file}\nand in the environment:")
        talk.say(f"  export FORETAG_CLIENT_ID={worker.client_id}")
        talk.say(f"  export FORETAG_CLIENT_SECRET={worker.client_secret}")
        talk.say(f"  export FORETAG_ADMIN_CLIENT_ID={admin.client_id}")
        talk.say(f"  export FORETAG_ADMIN_CLIENT_SECRET={admin.client_secret}")
        talk.say("Ctrl-C ends it; everything in it is then gone.")

    Sandbox(crm=crm, data=data, port=port, faults=faults, production=production).serve(ready)
    return DONE
