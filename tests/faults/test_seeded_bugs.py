"""The fault tests find bugs: each of these, put into the product, makes one of them fail."""

from __future__ import annotations

import uuid

import pytest

from connectors.contract import Checkpoint
from tests.faults import test_crashes, test_refusals
from tests.faults.test_crashes import TINY
from tests.faults.trips import TABLE
from tests.world import EVERY_RECORD


def cursor_before_intents(patched):
    """The cursor moves as soon as all is read, before any of it is kept."""
    from sync.pull import _ObjectPull

    take_in = _ObjectPull.run

    def hasty(self):
        messages = list(self.connector.pull(self.object_name, self.columns, self._since()))
        (checkpoint,) = [one for one in messages if isinstance(one, Checkpoint)]
        since = self._since()
        self.cursors.keep_cursor(self.connection, self.object_name, checkpoint.cursor, self.read_as)
        patched.setattr(_ObjectPull, "_since", lambda _self: since)
        try:
            return take_in(self)
        finally:
            patched.setattr(_ObjectPull, "_since", _SINCE)

    _SINCE = _ObjectPull._since  # noqa: N806  # as it is in the product
    patched.setattr(_ObjectPull, "run", hasty)


def no_look_up_after_an_unknown_create(patched):
    """What got no answer is taken for lost on its way, and sent again."""
    from connectors import keyed

    patched.setattr(keyed, "_looked_up", lambda keys, _find: dict.fromkeys(keys, keyed._NOT_THERE))


def whole_batch_marked_done(patched):
    """A batch that came through counts as done, whatever it says of single records."""
    from sync.writing import apply

    def all_done(self, object_name, number, outcomes):
        self.ledger.settle(self.run_id, number, outcomes.num_rows, [])

    patched.setattr(apply.Applier, "settle", all_done)


def random_task_key(patched):
    """Each task gets a new key."""
    from sync.writing import tasks

    patched.setattr(tasks, "task_key", lambda *_: f"foretag-{uuid.uuid4().hex}")


def a_crash_at_each_boundary(make_world, monkeypatch, _tried):
    """Fault 1, in an increment, where tables are about to change."""
    world = make_world(data=TINY)
    world.run()
    test_crashes.crash_at_every_boundary(world, monkeypatch, only=TABLE)


def lost_answers(make_world, _monkeypatch, _tried):
    """Fault 12, where the key of tasks is a field like any other."""
    world = make_world(data=TINY, plain_key=True)
    world.use_rules(EVERY_RECORD)
    test_refusals.lost_creates(world)


def a_partly_refused_batch(make_world, _monkeypatch, tried):
    """Fault 5."""
    test_refusals.test_fault_05_part_of_a_batch_is_refused(make_world, tried)


CAUGHT = [
    pytest.param(cursor_before_intents, a_crash_at_each_boundary, marks=pytest.mark.long),
    pytest.param(no_look_up_after_an_unknown_create, lost_answers, marks=pytest.mark.long),
    (whole_batch_marked_done, a_partly_refused_batch),
    pytest.param(random_task_key, lost_answers, marks=pytest.mark.long),
]


@pytest.mark.parametrize("crm", ["salesforce"])
@pytest.mark.parametrize(("bug", "fault"), CAUGHT)
def test_a_bug_is_caught(make_world, monkeypatch, bug, fault):
    """With the bug the fault's test fails; without it, it passes elsewhere in this folder."""
    with monkeypatch.context() as patched:
        bug(patched)
        with pytest.raises(AssertionError):
            fault(make_world, monkeypatch, lambda *_: None)


@pytest.mark.long
@pytest.mark.parametrize("crm", ["salesforce"])
def test_without_the_bug_nothing_is_caught(make_world, monkeypatch):
    """The scenario that stands nowhere else passes as the product is."""
    lost_answers(make_world, monkeypatch, None)
