"""How fast a long write goes, and within which hours of the day."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from config.problems import ConfigProblem
from sync.runs.pace import Pace, Rate, Window, lasting
from sync.stopping import Parked

BERLIN = ZoneInfo("Europe/Berlin")


class Clock:
    """Time that goes on only where somebody sleeps, or `seconds` are added."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        """The seconds now."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Nobody waits."""
        self.naps.append(seconds)
        self.seconds += seconds


def rows(count):
    """A portion."""
    return pa.table({"id": [str(number) for number in range(count)]})


def paced(clock, *, rate="100%", window=None, at="22:00", total=100_000):
    """A pace that begins at a time of the day; what it says, and how often it was alive."""
    said, looks = [], []
    now = datetime.fromisoformat(f"2026-11-20T{at}").replace(tzinfo=BERLIN)
    pace = Pace(
        Rate.parse(rate),
        window and Window.parse(window),
        total,
        now,
        clock,
        clock.sleep,
        lambda: looks.append(1),
        lambda: 99_120,
        said.append,
    )
    return pace, said, looks


@pytest.mark.parametrize(
    ("text", "per_second", "share", "portion"),
    [
        ("200/s", 200.0, None, 12_000),
        ("600/min", 10.0, None, 600),
        ("0.5/s", 0.5, None, 30),
        ("25%", None, 0.25, None),
        ("100 %", None, 1.0, None),
    ],
)
def test_a_rate_is_records_or_a_share_of_the_calls_left(text, per_second, share, portion):
    """Both are told apart by their unit; a rate of records cuts portions to a minute's worth."""
    rate = Rate.parse(text)
    assert (rate.per_second, rate.share, rate.portion) == (per_second, share, portion)


@pytest.mark.parametrize("text", ["", "fast", "0/s", "-1/s", "200", "0%", "101%", "1e9/s", "10/h"])
def test_a_rate_that_is_none_is_refused_with_examples(text):
    """What was given, and how to write it."""
    with pytest.raises(ConfigProblem, match="is no rate") as caught:
        Rate.parse(text)
    assert "200/s" in str(caught.value)


@pytest.mark.parametrize("text", ["", "22-06", "22:00", "25:00-06:00", "22:00-22:00", "22:60-06:00", "night"])
def test_a_window_that_is_none_is_refused_with_an_example(text):
    """Two different times of the day."""
    with pytest.raises(ConfigProblem, match="22:00-06:00"):
        Window.parse(text)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("22:00-06:00", ("22:00", "23:59", "00:00", "05:59"), ("06:00", "12:00", "21:59")),
        ("9:00-17:30", ("09:00", "17:29"), ("08:59", "17:30", "00:00")),
    ],
)
def test_a_window_may_reach_over_midnight(window, inside, outside):
    """It opens at its first minute and is shut at its last."""
    told = Window.parse(window)
    day = datetime(2026, 11, 20, tzinfo=BERLIN)
    for words, held in ((inside, True), (outside, False)):
        for word in words:
            hour, minute = map(int, word.split(":"))
            assert told.holds(day.replace(hour=hour, minute=minute)) is held, word


def test_a_rate_of_records_is_kept_by_waiting_before_each_portion():
    """The first goes at once, each next one when those before it have had their time, and the lease lives on."""
    clock = Clock()
    pace, _, looks = paced(clock, rate="10/s")
    for _ in range(3):
        assert pace("account", rows(600)).num_rows == 600
    assert clock.seconds - 1_000 == pytest.approx(120)
    assert max(clock.naps) <= 30
    assert len(looks) == len(clock.naps)


def test_what_took_its_time_anyway_is_not_held_up():
    """A CRM slower than the rate is waited for once, not twice."""
    clock = Clock()
    pace, _, _ = paced(clock, rate="10/s")
    pace("account", rows(600))
    clock.seconds += 90
    pace("account", rows(600))
    assert clock.naps == []


def test_outside_of_its_window_a_write_parks_before_the_portion():
    """At once, or when the window shuts while it goes on; the message says what time it is there."""
    clock = Clock()
    pace, _, _ = paced(clock, window="22:00-06:00", at="17:03")
    with pytest.raises(
        Parked, match=r"it is 17:03 in the org's time zone, outside of the window 22:00-06:00"
    ):
        pace("account", rows(1))
    pace, _, _ = paced(clock, window="22:00-06:00", at="22:00")
    pace("account", rows(1))
    clock.seconds += timedelta(hours=8).total_seconds()
    with pytest.raises(Parked, match="06:00"):
        pace("account", rows(1))


def test_a_wait_does_not_reach_out_of_the_window():
    """Nothing is sent after a wait at whose end the window is shut."""
    clock = Clock()
    pace, _, _ = paced(clock, rate="1/s", window="22:00-23:00", at="22:59")
    pace("account", rows(600))
    with pytest.raises(Parked):
        pace("account", rows(600))


def test_it_says_how_far_it_has_come():
    """Done of all, the rate, the time to go and the calls left; not with every portion."""
    clock = Clock()
    pace, said, _ = paced(clock)
    for seconds in (0, 5, 20):
        clock.seconds += seconds
        pace("account", rows(10_000))
    assert said == ["20,000 of 100,000 · 800 a second · about 2 min to go · 99,120 API calls left"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(3, "under a minute"), (720, "about 12 min"), (12_600, "about 3.5 h")]
)
def test_times_are_told_in_words(seconds, words):
    """Minutes up to two hours, then hours."""
    assert lasting(seconds) == words
