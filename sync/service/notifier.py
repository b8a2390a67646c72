"""Tells people of what needs them: once while it lasts, again when it changes, and when it has ended."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sync import exit_codes
from sync.exit_codes import DONE, INCOMPLETE
from sync.service import messages
from sync.service.channels import post, send
from sync.service.events import Ended, Missed, Unusable
from sync.service.outbox import PAUSES, Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.sections.notify import EventName, Notify
    from sync.ledger import Ledger
    from sync.service.events import Event
    from sync.service.messages import Message

# What a run that went well puts an end to, whatever its job; of its own job `failed` and `missed` besides.
ENDED_BY_ANY = ("away", "stopped", "parked", "approval", "unusable")


class Notifier:
    """A listener to a worker's events that sends messages, from threads of its own.

    What lasts is written down in the history, also if nobody is to be told: `/readyz` and the metrics show it.
    `told(channel, outcome)` counts what went out, as `Metrics.told` does.
    """

    def __init__(
        self,
        notify: Notify,
        ledger: Ledger,
        told: Callable[[str, str], None] = lambda _channel, _outcome: None,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._ledger = ledger
        self._told = told
        self._channels: list[tuple[tuple[EventName, ...], Outbox[Message]]] = []
        ways = [
            ("webhook", one.events, partial(post, one, ca_file=notify.ca_file)) for one in notify.webhooks
        ]
        if notify.mail is not None:
            ways.append(("mail", notify.mail.events, partial(send, notify.mail, ca_file=notify.ca_file)))
        for name, events, way in ways:
            box = Outbox(name, partial(self._send, name, way), partial(self._gave_up, name), pauses)
            self._channels.append((events, box))
        self._events: Outbox[Event] = Outbox("notifier", self._take, pauses=pauses)

    def __call__(self, event: Event) -> None:
        """Take note; the rest is done elsewhere."""
        self._events.put(event)

    def close(self, seconds: float = 5.0) -> None:
        """End, after what is to be told, or so many seconds for each way."""
        self._events.close(seconds)
        for _, box in self._channels:
            box.close(seconds)

    def _take(self, event: Event) -> None:
        for message in self._messages(event):
            for events, box in self._channels:
                if message.event in events:
                    box.put(message)

    def _messages(self, event: Event) -> Iterator[Message]:
        """What is news of an event, after the history was told of it."""
        if isinstance(event, Ended) and event.exit_code in (DONE, INCOMPLETE):
            yield from self._ends(event)
        trouble = self._trouble(event)
        if trouble is not None and self._ledger.notices.news(
            trouble.connection, trouble.kind, trouble.digest
        ):
            yield trouble

    def _trouble(self, event: Event) -> Message | None:
        if isinstance(event, Unusable):
            return messages.unusable(event)
        if isinstance(event, Missed):
            return messages.missed(event)
        return self._of_run(event)

    def _of_run(self, event: Ended) -> Message | None:
        match event.exit_code:
            case exit_codes.DONE | exit_codes.INTERRUPTED:
                return None
            case exit_codes.INCOMPLETE:
                return self._refused(event)
            case exit_codes.STOPPED:
                return messages.stopped(event)
            case exit_codes.PARKED:
                return messages.approval(event) if event.report.get("awaiting") else messages.parked(event)
            case _:
                return messages.failed(event)

    def _refused(self, event: Ended) -> Message | None:
        run = str(event.report.get("run", ""))
        items = [one for one in self._ledger.items(run) if one.status in ("refused", "unknown")]
        return messages.refused(event, items) if items else None

    def _ends(self, event: Ended) -> Iterator[Message]:
        notices = self._ledger.notices
        if event.exit_code == DONE:
            notices.over(event.connection, ("refused",))
        kinds = (*ENDED_BY_ANY, f"failed:{event.job}", f"missed:{event.job}")
        over = notices.over(event.connection, kinds)
        if over:
            yield messages.recovered(event, over)

    def _send(self, name: str, way: Callable[[Message], None], message: Message) -> None:
        way(message)
        self._told(name, "sent")

    def _gave_up(self, name: str, message: Message) -> None:
        self._told(name, "failed")
        if message.kind:
            self._ledger.notices.untold(message.connection, message.kind)
