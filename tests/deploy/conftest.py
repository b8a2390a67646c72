"""What tests of alerts and dashboard share: a reader of PromQL that knows a worker's metrics."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest


@pytest.fixture(scope="package")
def promql(tmp_path_factory):
    """Reads expressions against the registry of a real worker."""
    from sync.ledger import Ledger
    from tests.deploy.promql import Reader, series

    ledger = Ledger.open(tmp_path_factory.mktemp("state"), lambda: datetime.now(UTC))
    yield Reader(series(ledger))
    ledger.close()
