"""The sandbox as one object: a local CRM with data, in a thread for tests and demos, or alone for people."""

from __future__ import annotations

import asyncio
import functools
import signal
import tempfile
import threading
from contextlib import ExitStack, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from config.problems import ConfigProblem, Problem
from connectors.sandbox.certificate import tls_context
from connectors.sandbox.clock import SandboxClock
from connectors.sandbox.datasets.book import Book, load_book
from connectors.sandbox.datasets.lists import lists
from connectors.sandbox.faults import Faults
from connectors.sandbox.front import Front
from connectors.sandbox.hubspot.played import PlayedHubSpot
from connectors.sandbox.journal import Journal
from connectors.sandbox.played import Account, Credentials, Scene
from connectors.sandbox.salesforce.played import PlayedSalesforce
from connectors.sandbox.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp

    from connectors.sandbox.fault_kinds import Fault
    from connectors.sandbox.hubspot.portal import Portal
    from connectors.sandbox.played import Allowance, Played
    from connectors.sandbox.salesforce.org import Org
    from connectors.sandbox.salesforce.sessions import Sessions

    OnePlayed = TypeVar("OnePlayed", PlayedSalesforce, PlayedHubSpot)

__all__ = ["CRMS", "Account", "Credentials", "Sandbox"]

_PLAYED: dict[str, Callable[[Scene], Played]] = {"salesforce": PlayedSalesforce, "hubspot": PlayedHubSpot}
CRMS = tuple(_PLAYED)
# The working day of the org begins; nothing of the data lies later.
_MORNING = timedelta(hours=8)


class Sandbox:
    """A local CRM. `with Sandbox() as sandbox:` serves it from a thread; `serve` blocks until told to stop.

    Args:
        crm: which CRM is played.
        data: name of the data set, as `load_book` knows it: `pipeline`, `cdnow`, ...; or a book of one's own.
        port: a fixed port of this machine's loopback; 0 for any free one.
        faults: faults to begin with: a YAML or JSON file, a `Faults`, or a list of them.
        today: the org's date at start; default the day after the last event of the data.
        clock: a clock to use instead of one that ticks from today; `sandbox.clock` can still move it.
        ca_file: where to write the certificate authority; default a file that goes with the sandbox.
        production: the org says that it is no sandbox, to rehearse what is done only there.
        timezone: the org's time zone, an IANA name.

    Raises:
        ConfigProblem: unknown CRM or data set, port taken, malformed faults.
    """

    def __init__(  # noqa: PLR0913  # each has a default, and all are named where it is called
        self,
        crm: str = "salesforce",
        data: str | Book = "pipeline",
        port: int = 0,
        faults: Path | str | Faults | Iterable[Fault | Mapping[str, Any]] | None = None,
        today: date | None = None,
        clock: Callable[[], datetime] | None = None,
        *,
        host: str = "localhost",
        ca_file: Path | None = None,
        production: bool = False,
        timezone: str = "GMT",
    ) -> None:
        if crm not in CRMS:
            raise ConfigProblem(
                Problem(f"no such CRM: {crm!r}", where="sandbox", fix=f"known here: {', '.join(CRMS)}")
            )
        self.crm = crm
        self.faults = _faults(faults)
        self.faults.keep_to(crm)
        book = load_book(data) if isinstance(data, str) else data
        self.data = data if isinstance(data, str) else data.name
        self.today = today or book.today
        # What the company keeps beside its CRM: files by name.
        self.lists = lists(book)
        self.clock = _clock(self.today, clock)
        self.journal = Journal(self.clock)
        self._played = _PLAYED[crm](
            Scene(book, self.clock, self.faults, self.journal, production=production, timezone=timezone)
        )
        self._host, self._wanted_port, self._wanted_ca_file = host, port, ca_file
        self._resources = ExitStack()
        self._front: Front | None = None
        self._ca_file: Path | None = None

    @property
    def credentials(self) -> Credentials:
        """How the two bundled users get in."""
        return self._played.credentials

    @property
    def limits(self) -> Allowance:
        """How many calls the CRM allows."""
        return self._played.limits

    @property
    def org(self) -> Org:
        """The Salesforce org that is played."""
        return self._played_as(PlayedSalesforce).org

    @property
    def sessions(self) -> Sessions:
        """Who is signed in to the Salesforce org."""
        return self._played_as(PlayedSalesforce).sessions

    @property
    def portal(self) -> Portal:
        """The HubSpot portal that is played."""
        return self._played_as(PlayedHubSpot).portal

    def _played_as(self, kind: type[OnePlayed]) -> OnePlayed:
        if not isinstance(self._played, kind):
            raise AttributeError(f"this sandbox plays {self.crm}, which has no such thing")  # noqa: TRY004  # as for any attribute
        return self._played

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._running().port

    @property
    def url(self) -> str:
        """The org's address over TLS; clients must trust `ca_file`."""
        return f"https://localhost:{self.port}"

    @property
    def http_url(self) -> str:
        """The same without TLS."""
        return f"http://localhost:{self.port}"

    @property
    def ca_file(self) -> Path:
        """The certificate authority, PEM."""
        if self._ca_file is None:
            raise _not_running()
        return self._ca_file

    def trust(self, client_id: str, public_key: str) -> None:
        """Register a certificate or public key (PEM) for the JWTs of an app."""
        self._played.register_key(client_id, public_key)

    def start(self) -> Self:
        """Serve from a thread of its own; returns once connections are accepted."""
        if self._front is not None:
            raise RuntimeError("the sandbox is already running")
        started = threading.Event()
        thread = _ServingThread(self, started)
        try:
            self._begin()
            thread.start()
            self._resources.callback(thread.finish)
            started.wait()
            thread.complain()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Cut all connections and free everything; a stopped sandbox can be started again."""
        self._resources.close()
        self._front = self._ca_file = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def serve(self, ready: Callable[[Sandbox], None]) -> None:
        """Serve from this (main) thread until SIGTERM or Ctrl-C; `ready` is called once it accepts."""
        try:
            self._begin()
            asyncio.run(self._until_signal(ready))
        finally:
            self.stop()

    async def serving(self, begun: Callable[[], None], end: asyncio.Event) -> None:
        """Serve in this event loop until the event is set."""
        front = self._running()
        try:
            await front.start()
            begun()
            await end.wait()
        finally:
            await front.stop()

    async def _until_signal(self, ready: Callable[[Sandbox], None]) -> None:
        end, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end.set)
        await self.serving(functools.partial(ready, self), end)

    def _begin(self) -> None:
        self._ca_file = self._wanted_ca_file or self._temporary_file()
        self._front = Front(self._app(), tls_context(self._ca_file), host=self._host, port=self._wanted_port)

    def _temporary_file(self) -> Path:
        folder = self._resources.enter_context(tempfile.TemporaryDirectory(prefix="foretag-sandbox-"))
        return Path(folder) / "ca.pem"

    def _running(self) -> Front:
        if self._front is None:
            raise _not_running()
        return self._front

    def _app(self) -> ASGIApp:
        switches = Switches(self.crm, self.data, self._played, self.clock, self.faults, self.journal)
        return self._played.app(switches.routes())


class _ServingThread(threading.Thread):
    """The thread of a sandbox, with the event loop in it."""

    def __init__(self, sandbox: Sandbox, ready: threading.Event) -> None:
        super().__init__(name="foretag-sandbox", daemon=True)
        # Not `_started`: that name is Thread's own.
        self._sandbox, self._accepting = sandbox, ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self.problem: Exception | None = None

    def run(self) -> None:
        """Serve until `finish`."""
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001  # raised again in the thread that asked for the sandbox
            self.problem = error
        finally:
            self._accepting.set()

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        await self._sandbox.serving(self._accepting.set, self._end)

    def complain(self) -> None:
        """Raise what went wrong, if anything did."""
        if self.problem is not None:
            raise self.problem

    def finish(self) -> None:
        """End the loop and wait for the thread."""
        if self.is_alive() and self._loop is not None and self._end is not None:
            # A loop that failed to begin may close between the question and the call.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end.set)
        self.join()


def _not_running() -> RuntimeError:
    return RuntimeError("the sandbox is not running: use it in a with statement, or call start()")


def _faults(faults: Path | str | Faults | Iterable[Fault | Mapping[str, Any]] | None) -> Faults:
    if isinstance(faults, Faults):
        return faults
    return Faults.load(Path(faults)) if isinstance(faults, (str, Path)) else Faults(faults or ())


def _clock(today: date, clock: Callable[[], datetime] | None) -> SandboxClock:
    if clock is None:
        return SandboxClock(datetime(today.year, today.month, today.day, tzinfo=UTC) + _MORNING)
    return SandboxClock(clock(), lambda: clock().timestamp())
