"""Score on a Dask cluster: each step of each bucket is a task of its own, done again elsewhere if its worker dies.

What is handed to tasks travels pickled, and only workers open it: the scheduler needs neither Foretag nor the local
copy. Nothing here is imported unless the settings name a cluster.
"""

from __future__ import annotations

import pickle
import warnings
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

from config.problems import ConfigProblem, Problem
from config.sections.loopback import LOOPBACK_HOSTS
from connectors.contract import RetryLater
from scoring.engine import HERE
from sync.likeness import differences, likeness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from scoring.engine import Engine

# Seconds to wait for the scheduler, and between two looks at whether anybody is still at work.
CONNECT, LOOK = 15, 20

_CERTIFICATES = {
    "tls_ca_file": "DASK_DISTRIBUTED__COMM__TLS__CA_FILE",
    "tls_client_cert": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT",
    "tls_client_key": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY",
}


@contextmanager
def opened_engine(engine: str) -> Iterator[Engine]:
    """What the settings say that scores: this process, or a cluster, which is first spoken to when there is work."""
    if engine == "local":
        yield HERE
        return
    cluster = Cluster(engine.removeprefix("dask://"))
    try:
        yield cluster
    finally:
        cluster.close()


class Cluster:
    """The workers of a Dask scheduler, by its `HOST:PORT`; an `Engine` that keeps results where they were made."""

    def __init__(self, scheduler: str, *, patience: float = CONNECT, look: float = LOOK) -> None:
        self._scheduler, self._patience, self._look = scheduler, patience, look
        # Dask's own types are many, and few of its functions are typed.
        self._connected: Any = None

    def check(self) -> None:
        """Raises `RetryLater` if nobody is there, `ConfigProblem` if some worker is not as this process is."""
        with self._told():
            found: dict[str, Any] = self._client().run(likeness, on_error="return")
        if not found:
            raise RetryLater(
                f"The Dask cluster at {self._scheduler} has no workers: start some, then run again."
            )
        problems = [
            problem for worker, theirs in sorted(found.items()) if (problem := _unlike(worker, theirs))
        ]
        if problems:
            raise ConfigProblem(*problems)

    def keep(self, function: Callable[..., Any], *parts: Iterable[Any], **same: Any) -> Sequence[Any]:
        """As `Engine.keep`: futures."""
        name = f"foretag-{function.__name__.strip('_')}-{uuid4().hex}"
        values = [list(map(_packed, part)) for part in parts]
        names = [f"{name}-{bucket}" for bucket in range(min(map(len, values)))]
        with self._told(), warnings.catch_warnings():
            # What it calls a large graph is a book.
            warnings.simplefilter("ignore")
            client = self._client()
            # Sent once, as a task of its own: Dask would name a large argument by itself, and all alike.
            call = client.submit(bytes, pickle.dumps((function, same)), key=name)
            futures: list[Any] = client.map(
                called, *values, [call] * len(names), [likeness()] * len(names), key=names
            )
            return futures

    def each(self, function: Callable[..., Any], *parts: Iterable[Any], **same: Any) -> Iterator[Any]:
        """As `Engine.each`: each result leaves the cluster as it is asked for."""
        futures = list(reversed(self.keep(function, *parts, **same)))
        while futures:
            with self._told():
                yield self._result(futures.pop())

    def close(self) -> None:
        """Let go of the cluster, and with it of all that it keeps for us."""
        if self._connected is not None:
            self._connected.close()

    def _client(self) -> Any:
        if self._connected is None:
            self._connected = _connect(self._scheduler, self._patience)
        return self._connected

    def _workers(self) -> Mapping[str, int]:
        """Who is at work, and with how many threads."""
        found: Mapping[str, int] = self._client().nthreads()
        return found

    def _result(self, future: Any) -> Any:
        """What a task came to, however long it takes, as long as somebody is there to do it."""
        while True:
            try:
                return future.result(timeout=self._look)
            except TimeoutError:
                if future.status == "error":
                    raise  # the task's own
                if not self._workers():
                    raise RetryLater(
                        f"No worker of the Dask cluster at {self._scheduler} is left: start some, then run again."
                    ) from None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell what becomes of a cluster as a run's end is told: come again, or mend something."""
        dask = _dask()
        try:
            yield
        except dask.KilledWorker as error:
            raise RetryLater(
                f"Workers of the Dask cluster at {self._scheduler} died one after the other at the same work: if they"
                " ran out of memory, give them more, or read their logs; then run again."
            ) from error
        except (dask.CancelledError, dask.comm.CommClosedError) as error:
            self._away(error)
        except ImportError as error:
            raise ConfigProblem(
                _other("a worker of the Dask cluster", f"it lacks what this process has: {error}")
            ) from error

    def _away(self, error: BaseException) -> NoReturn:
        raise RetryLater(
            f"The Dask scheduler at {self._scheduler} went away: run again once it is back."
        ) from error


def _dask() -> Any:
    """Dask's own package, which takes long to import and is an extra. Raises `ConfigProblem` if it is not there."""
    try:
        return import_module("distributed")
    except ImportError:
        raise ConfigProblem(
            Problem(
                "Dask is not installed",
                where="engine: dask",
                fix="`uv sync --extra dask`, or `pip install 'foretag[dask]'`; or leave `engine:` out",
            )
        ) from None


def _connect(scheduler: str, patience: float) -> Any:
    dask = _dask()
    loopback = scheduler.rpartition(":")[0] in LOOPBACK_HOSTS
    security = None if loopback else _security()
    try:
        with warnings.catch_warnings():
            # Whether a worker will do is ours to say.
            warnings.simplefilter("ignore")
            return dask.Client(
                f"{'tcp' if loopback else 'tls'}://{scheduler}",
                timeout=patience,
                security=security,
                set_as_default=False,
                name="foretag",
            )
    except OSError as error:
        raise RetryLater(
            f"No Dask scheduler answers at {scheduler}, as `engine:` names it, for {patience:g} s: start it, or run"
            f" again later. {_first_line(error)}"
        ) from error


def _security() -> Any:
    """Who may be trusted with our pickles, and who we are: workers do what they are sent, whoever sends it."""
    found = _dask().Security(require_encryption=True)
    if lacking := [variable for name, variable in _CERTIFICATES.items() if not getattr(found, name)]:
        raise ConfigProblem(
            Problem(
                "a scheduler on another machine is spoken to by TLS alone, with certificates on both sides",
                where="engine: dask",
                fix=f"set {', '.join(lacking)} to files in PEM (docs/scaling.md)",
            )
        )
    return found


def _packed(value: Any) -> Any:
    """A part as it travels: what a worker keeps by its name, anything else pickled, to be opened by a worker alone."""
    return value if isinstance(value, _dask().Future) else pickle.dumps(value)


def called(*given: Any) -> Any:
    """What a worker does: call a function with the parts that it keeps or was sent, if it is as the sender is.

    `given` are the parts, the pickled function, and what the sender says of itself.
    """
    *parts, call, like = given
    if like != likeness():
        raise ConfigProblem(str(_other("a worker of the Dask cluster", differences(like, likeness()))))
    function, same = pickle.loads(call)  # noqa: S301  # from whom the certificates of the cluster let speak
    values = (pickle.loads(part) if isinstance(part, bytes) else part for part in parts)  # noqa: S301  # the same
    return function(*values, **same)


def _unlike(worker: str, theirs: Any) -> Problem | None:
    """Why a worker, by its address, cannot work for this process."""
    if isinstance(theirs, OSError):
        return None  # it left while it was asked
    if isinstance(theirs, BaseException):
        return _other(f"the Dask worker {worker}", "it has no Foretag, or another version of it")
    apart = differences(likeness(), theirs)
    return _other(f"the Dask worker {worker}", apart) if apart else None


def _other(worker: str, apart: str) -> Problem:
    return Problem(
        f"{worker} would not come to the same scores: {apart}",
        where="engine: dask",
        fix="start workers from the same image or lock file as Foretag",
    )


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
