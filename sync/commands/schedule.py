"""What is scheduled, as people read it: when each job is due next, and what became of it last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from config.clocks import zone_of
from config.sections.durations import told
from sync.exit_codes import DONE, STATES
from sync.opening import now, opened_ledger
from sync.service.plans import Plans
from sync.service.schedule import Start, in_blackout, plan_of
from sync.service.states import looked
from sync.service.turns import Turns, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from config.sections.blackouts import Blackout
    from config.sections.schedule import Schedule
    from sync.ledger import Ledger
    from sync.ledger.fires import Fire
    from sync.service.schedule import Coming, Work
    from sync.talk import Talk

_COLUMNS = ("job", "when", "owners in", "last due", "what became of it", "next")


@dataclass(frozen=True, slots=True)
class _Line:
    """One piece of work: what became of it last, whether it is due now, and when it begins next."""

    work: Work
    last: Fire | None
    lost: bool
    due: datetime | None
    next: Sequence[Coming]

    def as_dict(self) -> dict[str, Any]:
        """All of it, for machines; moments in UTC."""
        work, last = self.work, self.last
        return {
            "job": work.job,
            "zone": work.zone,
            "when": work.expression,
            "timezone": work.timezone,
            "may_be_late": None if work.grace is None else told(work.grace),
            "last": last and {
                "due": last.due, "began": last.taken, "ended": last.ended,
                "exit_code": last.exit_code if last.ended else None, "run": last.run if last.ended else None,
                "became": self.became(),
            },
            "due_since": self.due,
            "next": [{"due": fire.due, "begins": fire.at} for fire in self.next],
        }  # fmt: skip

    def became(self) -> str:
        """How the last one ended, in words."""
        last = self.last
        if last is None:
            return "never begun"
        if last.ended is None:
            return "left undone, is begun again" if self.lost else "at work"
        if last.exit_code is None:
            return "missed"
        state = STATES.get(last.exit_code, "failed")
        return state if last.exit_code == DONE else f"{state}, exit {last.exit_code}"

    def row(self) -> tuple[str, ...]:
        """For a table: by the clock of its own zone."""
        work, last = self.work, self.last
        coming = [f"now: due since {_clock(self.due, work.timezone)}"] if self.due else []
        coming += [_beginning(fire, work) for fire in self.next]
        return (
            work.job,
            work.expression,
            work.zone,
            "" if last is None else _clock(last.due, work.timezone),
            self.became() + (f", run {last.run}" if last and last.ended and last.run else ""),
            "\n".join(coming) or "never",
        )


def show_schedule(talk: Talk, path: Path, connection: str | None, at: datetime | None, count: int) -> int:
    """What is due next on one connection or all, from now or another moment on (read by each connection's clock)."""
    plans = Plans(path, () if connection is None else (connection,))
    with opened_ledger(path) as (_, ledger):
        workers = len(ledger.workers.living())
        shown = [
            _show(talk, ledger, name, found.schedule, at, count) for name, found in plans.connections.items()
        ]
    talk.result({"workers": workers, "connections": shown})
    if not workers:
        talk.say("No worker is running: `foretag worker` begins what is due.", "yellow")
    return DONE


def _show(
    talk: Talk, ledger: Ledger, name: str, schedule: Schedule, at: datetime | None, count: int
) -> dict[str, Any]:
    """One connection: its jobs, blackouts, and what keeps it from writing."""
    org_zone, zones = ledger.zones.of(name)
    zone = zone_of(schedule.timezone or org_zone)
    moment = now() if at is None else at.replace(tzinfo=zone).astimezone(UTC)
    works = plan_of(name, schedule, org_zone, zones)
    lines = [_line(ledger, work, moment, count, is_now=at is None) for work in works]
    blackout = in_blackout(schedule, org_zone, moment)
    state = _state(ledger, name)
    _table(talk, f"{name}, {_whose_clock(zone, known=bool(schedule.timezone or org_zone))}", lines)
    for one in schedule.blackouts:
        talk.say(f"{name}: nothing begins {_said(one)}.")
    if blackout is not None:
        talk.say(f"{name} is in a blackout until {_clock(blackout, zone.key)}.", "yellow")
    if state != "ok":
        look = f"is {state}: `foretag check -c {name}` says what is wrong, `foretag runs -c {name}` how each run ended"
        talk.say(f"{name} {_STATES.get(state, look)}.", "yellow")
    return {
        "connection": name,
        "timezone": zone.key,
        "at": moment,
        "state": state,
        "jitter": told(schedule.jitter),
        "blackouts": [one.given | {"why": one.why} for one in schedule.blackouts],
        "blackout_until": blackout,
        "work": [line.as_dict() for line in lines],
    }


_STATES = {
    "never run": "has never run",
    "preview": "is in preview: work begins, and writes nothing until a plan of all has been applied",
    "paused": "is paused: work begins, and writes nothing until `foretag resume`",
    "awaiting approval": "has rules that await approval: work begins, and writes nothing until `foretag approve`",
}


def _table(talk: Talk, title: str, lines: Sequence[_Line]) -> None:
    """The jobs; whose owners only where tasks are made zone by zone."""
    if not lines:
        talk.say(f"{title}: nothing is scheduled.")
    rows = [line.row() for line in lines]
    shown = [
        number
        for number, name in enumerate(_COLUMNS)
        if name != "owners in" or any(row[number] for row in rows)
    ]
    talk.table(
        title, [_COLUMNS[number] for number in shown], [[row[number] for number in shown] for row in rows]
    )


def _line(ledger: Ledger, work: Work, moment: datetime, count: int, *, is_now: bool) -> _Line:
    turns, name = Turns(ledger, ""), name_of(work)
    turn = turns.of(work, moment) if is_now else None
    last = ledger.fires.last(work.connection).get(name)
    coming = (fire for fire in work.fires(moment) if last is None or fire.due > last.due)
    return _Line(
        work,
        last,
        any(fire.work == name for fire in ledger.fires.open(work.connection)),
        turn.due if isinstance(turn, Start) else None,
        list(islice(coming, count)),
    )


def _state(ledger: Ledger, name: str) -> str:
    look = looked(ledger, now, frozenset({name}))
    if look is None or not look.connections:
        return "ok"
    (found,) = look.connections
    return "never run" if found.stand is None and found.state == "ok" else found.state


def _whose_clock(zone: ZoneInfo, *, known: bool) -> str:
    return f"by the clock of {zone.key}" if known else "by UTC until a first run has seen the org's time zone"


def _beginning(fire: Coming, work: Work) -> str:
    """When it begins; and when it was due, if a blackout put it off."""
    begins, due = _clock(fire.at, work.timezone), _clock(fire.due, work.timezone)
    if fire.at - work.offset <= fire.due:
        return begins
    same_day = due[:-_TIME] == begins[:-_TIME]
    return f"{begins}, put off by a blackout from {due[-_TIME:] if same_day else due}"


_TIME = len("00:00")


def _clock(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"


def _said(blackout: Blackout) -> str:
    """`on mon-fri, 08:00-17:00 (office)`."""
    of_month = [
        f"the {which} {'day' if days == 1 else f'{days} days'}"
        for which, days in (("last", blackout.month_end), ("first", blackout.month_start))
        if days
    ]
    parts = [f"on {part}" for part in (blackout.weekdays, blackout.dates) if part]
    parts += [f"on {' and '.join(of_month)} of each month"] if of_month else []
    when = ", ".join([*parts, *filter(None, [blackout.hours])])
    return f"{when} ({blackout.why})" if blackout.why else when
