"""The service: all that a worker consists of, put together and taken apart again."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from sync import logs
from sync.ledger.holder import ourselves
from sync.opening import now, opened_ledger
from sync.service.dead_man import DeadMan
from sync.service.health import Health
from sync.service.metrics import Metrics
from sync.service.notifier import Notifier
from sync.service.plans import Plans
from sync.service.web import serve
from sync.service.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from config.settings import Settings
    from sync.ledger import Ledger
    from sync.talk import Talk

_LOG = structlog.get_logger()


def work(talk: Talk, path: Path, only: Collection[str], listen: str | None) -> int:
    """Work by the schedules of a settings file until told to stop; `only` on these connections, if any are named."""
    plans = Plans(path, only)
    form: logs.Form = plans.service.logs or ("console" if talk.err.is_terminal else "json")
    logs.configure(form, "info")
    with opened_ledger(path) as (_, ledger), _counted_among(ledger) as me, ExitStack() as open_:
        health, metrics = Health(ledger, now, time.monotonic), Metrics(ledger, now)
        notifier = Notifier(plans.service.notify, ledger, metrics.told)
        dead_man = DeadMan(plans.settings, ledger, metrics.told)
        server = serve(listen or plans.service.listen, metrics, health)
        for one in (notifier, dead_man, server):
            open_.callback(one.close)

        def planned(settings: Settings) -> None:
            if plans.are_good:
                health.watch(plans.connections)
                ledger.notices.over("", ("unusable",))
            metrics.watch(plans.connections, plans.works())
            dead_man.watch(settings)

        listeners = (metrics, health, notifier, dead_man)
        _LOG.info(
            "worker.started", connections=list(plans.connections), how_it_is=f"http://{server.address}/readyz"
        )
        worker = Worker(plans, ledger, me, now, planned, health.beat, listeners, form)
        metrics.count(lambda: worker.under_way)
        return worker.run()


@contextmanager
def _counted_among(ledger: Ledger) -> Iterator[str]:
    """Be one of the workers of a history."""
    worker = ledger.workers.begin(ourselves(), version("foretag"))
    try:
        yield worker
    finally:
        ledger.workers.leave(worker)
