"""A backfill of a million accounts, by the real command line: write calls as the CRM counts them, time.

`python -m tests.benchmarks.bench_backfill [ACCOUNTS]`. Creating, filling and closing jobs and fetching their results
count as writing, looking at them does not.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from config.crms import CRMS
from tests.benchmarks.local_crm import SETTINGS, connected, local_crm, position, requests_since
from tests.benchmarks.measuring import Figure, in_own_process, measured, show

ACCOUNTS = 1_000_000
MOST_CALLS = 60
# Looking at a job is no write.
WRITES = re.compile(
    r"(POST|PUT|PATCH|DELETE) \S*/jobs/ingest|GET \S*/jobs/ingest/\S+/\w*(Results|records)$|PATCH \S*/composite"
)


def measure(accounts: int) -> None:
    """One backfill of all accounts, printed as rows."""
    foretag = [sys.executable, "-m", "sync.cli", "backfill", "--only", "account", "--yes", "--json"]
    with local_crm(f"synthetic:{accounts}:{accounts}") as crm, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        admin = connected(crm, folder, admin=True)
        admin.ensure_fields(admin.missing("basic"))
        (folder / "rules.yaml").write_text("{}\n")
        (folder / "foretag.yaml").write_text(SETTINGS.format_map(crm))
        secrets = {f"FORETAG_{secret.upper()}": crm[secret] for secret in CRMS["salesforce"].secrets}
        before = position(crm)
        with measured() as cost:
            told = subprocess.run(
                [*foretag, "--settings", str(folder / "foretag.yaml")],
                env={**os.environ, **secrets},
                stdout=subprocess.PIPE,
                check=True,
            )
        report = json.loads(told.stdout)
        lines = requests_since(crm, before)
        show(
            f"salesforce: backfill {report['done']['account']:,} accounts",
            Figure("write calls", sum(bool(WRITES.match(line)) for line in lines), MOST_CALLS),
            Figure("API calls", len(lines)),
            Figure("least", report["least_calls"]),
            Figure("wall s", cost.wall),
        )


if __name__ == "__main__":
    if "--one" in sys.argv:
        measure(int(sys.argv[-1]))
    else:
        in_own_process(__spec__.name, "--one", *(sys.argv[1:] or [str(ACCOUNTS)]))
