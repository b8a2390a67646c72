"""The faults that are switched on: what they do to a call, to the data and to bulk jobs."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from config.files.documents import Document, load_document, validate
from config.problems import ConfigProblem, Problem
from connectors.sandbox import fault_kinds as kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

Kind = TypeVar("Kind", bound=kinds.Fault)

# Kinds that meet a call as such; the others are asked for by whoever handles data and jobs.
OF_A_CALL = (
    kinds.ExpireSession,
    kinds.Status,
    kinds.Html200,
    kinds.QueryTimeout,
    kinds.RequestLimit,
    kinds.RateLimit,
    kinds.WrongRegion,
    kinds.MissingScopes,
    kinds.LongAddress,
    kinds.BulkTouch,
    kinds.ArchiveOwner,
    kinds.ArchiveProperty,
    kinds.RefuseRows,
    kinds.TextObjectIds,
    kinds.FloatExpansions,
    kinds.Latency,
    kinds.LostReply,
    kinds.Truncate,
    kinds.LoseLocators,
    kinds.ShortPages,
)


@dataclass(slots=True)
class Switch(Generic[Kind]):
    """A fault that is on, and how often it was met and acted."""

    number: int
    fault: Kind
    seen: int = 0
    acted: int = 0

    def meets(self) -> bool:
        """Count one occasion, and tell whether the fault acts on it."""
        self.seen += 1
        acts = self.seen > self.fault.after and (self.fault.times is None or self.acted < self.fault.times)
        self.acted += acts
        return acts


class Faults:
    """All faults of one sandbox. Thread-safe; serves the org, the wire and the bulk jobs."""

    def __init__(self, faults: Iterable[kinds.Fault | Mapping[str, Any]] = (), seed: int = 0) -> None:
        self._lock = threading.RLock()
        self._switches: list[Switch[kinds.Fault]] = []
        self._attempts: Counter[str] = Counter()
        self._number = 0
        self._crm: str | None = None
        self.seed = seed
        self.add(faults)

    @classmethod
    def load(cls, path: Path) -> Faults:
        """Read a YAML or JSON file. Raises `ConfigProblem` with every problem and its line."""
        file = validate(load_document(path), kinds.FaultFile)
        return cls(file.faults, file.seed)

    def keep_to(self, crm: str) -> None:
        """Take only what this CRM can have. Raises `ConfigProblem` for what is on and it cannot."""
        with self._lock:
            self._check([switch.fault for switch in self._switches], crm)
            self._crm = crm

    def _check(self, faults: Iterable[kinds.Fault], crm: str | None) -> None:
        problems = [
            Problem(
                f"{fault.model_dump()['kind']}: {crm} has no such fault",
                where="faults",
                fix=f"it has {', '.join(kinds.kinds_of(crm))}",
            )
            for fault in faults
            if crm is not None and crm not in fault.crms
        ]
        if problems:
            raise ConfigProblem(*problems)

    def add(self, faults: Iterable[kinds.Fault | Mapping[str, Any]]) -> list[int]:
        """Switch faults on; returns their numbers. Raises `ConfigProblem`, with none on, if one is wrong."""
        document = Document(Path("faults"), {"faults": [_plain(fault) for fault in faults]})
        made = validate(document, kinds.FaultFile).faults
        self._check(made, self._crm)
        with self._lock:
            switches = [
                Switch[kinds.Fault](self._number + place, fault) for place, fault in enumerate(made, 1)
            ]
            self._number += len(switches)
            self._switches.extend(switches)
            return [switch.number for switch in switches]

    def remove(self, number: int | None = None) -> int:
        """Switch one fault off, or all; returns how many were on."""
        with self._lock:
            kept = [switch for switch in self._switches if number is not None and switch.number != number]
            removed = len(self._switches) - len(kept)
            self._switches = kept
            self._attempts.clear()
            return removed

    def listing(self) -> list[dict[str, Any]]:
        """The faults that are on, as JSON, with how often each was met and acted."""
        with self._lock:
            return [
                {
                    "number": switch.number,
                    **switch.fault.model_dump(),
                    "seen": switch.seen,
                    "acted": switch.acted,
                }
                for switch in self._switches
            ]

    # A call.

    def of_call(self, method: str, target: str) -> tuple[kinds.Fault, ...]:
        """The faults that act on this call; `target` is the path with its query."""
        if not self._switches:
            return ()
        line = f"{method} {target}"
        with self._lock:
            return tuple(
                switch.fault
                for switch in self._switches
                if isinstance(switch.fault, OF_A_CALL) and switch.fault.meets(line) and switch.meets()
            )

    # The data, as the org asks.

    def draws(self, key: str, percent: float) -> bool:
        """Whether the key is among this share of all keys; the same whenever it is asked."""
        return _draw(self.seed, key) < percent / 100

    def lock_row(self, record_id: str) -> bool:
        """Whether this write of the record meets a lock."""
        with self._lock:
            return any(self._locks(switch, record_id) for switch in self._on(kinds.LockRows))

    def read_only_fields(self, object_name: str) -> frozenset[str]:
        """Fields of the object that cannot be written now."""
        return frozenset(fault.field for fault in self._standing(kinds.ReadOnly, object_name))

    def hidden_fields(self, object_name: str) -> frozenset[str]:
        """Fields of the object that nobody may see now."""
        return frozenset(fault.field for fault in self._standing(kinds.FlsOff, object_name))

    def validation_rules(self, object_name: str) -> Sequence[tuple[str, str]]:
        """Additional rules as (formula that is true for a bad record, message)."""
        return [(fault.formula, fault.message) for fault in self._standing(kinds.ValidationRule, object_name)]

    def commit_delay(self, object_name: str) -> timedelta:
        """How much later than its stamp a save of the object becomes visible."""
        delays = [fault.seconds for fault in self._standing(kinds.LateCommit, object_name)]
        return timedelta(seconds=max(delays, default=0.0))

    # Query results and bulk jobs.

    def page_size(self, wanted: int) -> int:
        """Rows of a bulk result page: fewer than wanted while short pages are on."""
        with self._lock:
            return min([wanted, *(switch.fault.rows for switch in self._on(kinds.ShortPages))])

    def job_end(self, object_name: str, ids: Callable[[], Collection[str]] = tuple) -> kinds.JobFailed | None:
        """How a bulk job of the object that now runs ends, if not well (`kind`, `share`, `message`).

        `ids` tells the records that it is to write.
        """
        with self._lock:
            for switch in self._on(kinds.JobFailed):
                if switch.fault.strikes(object_name, ids()) and switch.meets():
                    return switch.fault
        return None

    def shuffled(self, count: int) -> list[int] | None:
        """A new order for `count` result rows, or None to leave them as they are."""
        with self._lock:
            acts = [switch for switch in self._on(kinds.ShuffleResults) if switch.meets()]
        if not acts:
            return None
        return sorted(range(count), key=lambda place: _draw(self.seed, f"shuffle:{place}"))

    def job_pace(self) -> tuple[int, float]:
        """At which poll, and how many seconds after its start, a bulk job's end may show."""
        with self._lock:
            slow = [switch.fault for switch in self._on(kinds.SlowJobs)]
        return max((one.polls for one in slow), default=1), max((one.seconds for one in slow), default=0.0)

    def page_links(self) -> tuple[str, str]:
        """The keys under which parallel result pages and the next of them are told."""
        with self._lock:
            for switch in self._on(kinds.PageLinks):
                return switch.fault.result_key, switch.fault.next_key
        return "resultUrl", "nextRecordsUrl"

    def poisons(self, object_name: str) -> list[kinds.Poison]:
        """The poisons in the object's query results."""
        return self._standing(kinds.Poison, object_name)

    def _standing(self, kind: type[Kind], object_name: str) -> list[Kind]:
        with self._lock:
            found = [switch.fault for switch in self._on(kind)]
        return [
            fault for fault in found if not isinstance(fault, kinds.OnObject) or fault.concerns(object_name)
        ]

    def _on(self, kind: type[Kind]) -> list[Switch[Kind]]:
        return [cast("Switch[Kind]", switch) for switch in self._switches if isinstance(switch.fault, kind)]

    def _locks(self, switch: Switch[kinds.LockRows], record_id: str) -> bool:
        fault: kinds.LockRows = switch.fault
        if not record_id.startswith(fault.prefix) or not self.draws(record_id, fault.percent):
            return False
        key = f"{switch.number}:{record_id}"
        self._attempts[key] += 1
        return (fault.hold is None or self._attempts[key] <= fault.hold) and switch.meets()


def _draw(seed: int, key: str) -> float:
    """A number in [0, 1) that depends on the seed and the key alone."""
    digest = hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def _plain(fault: kinds.Fault | Mapping[str, Any]) -> Any:
    return fault.model_dump() if isinstance(fault, kinds.Fault) else fault
