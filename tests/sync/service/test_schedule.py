"""When work begins: weeks in which clocks are changed, blackouts, lateness, downtime, and many that agree."""

import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.sections.schedule import Schedule
from config.sections.times import read_times
from sync.service.schedule import Coming, Start, TooLate, Wait, in_blackout, offset_of, plan_of
from sync.service.triggers import trigger_of

AT_ONCE = {"jitter": "0s"}
NOTHING = {"increment": None, "full": None, "reconcile": None, **AT_ONCE}


def work_of(job, zone="Europe/Stockholm", **said):
    """The one piece of work of a schedule that says this and nothing else."""
    (work,) = plan_of("acme", Schedule.model_validate({**NOTHING, "timezone": zone, **said}), None)
    assert work.job == job
    return work


def at(text, zone="Europe/Stockholm"):
    """A moment as the clock of a zone shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def lived(work, since, until, taken=None, down=()):
    """What a worker does that is there from one moment to another and asks when it is told to ask.

    `down` are spans in which it is not there. Gives the moments, with what was begun or missed.
    """
    now, done = since, []
    while now < until:
        for begin, end in down:
            now = end if begin <= now < end else now
        turn = work.turn(taken, now)
        if isinstance(turn, Wait):
            assert turn.until > now
            now = turn.until
            continue
        assert taken is None or turn.due > taken
        taken = turn.due
        done.append((now, turn))
    return done


def told(moments, zone):
    """`Sun 29 03:00+02` for each, by the clock of the zone."""
    local = [moment.astimezone(ZoneInfo(zone)) for moment in moments]
    return [f"{moment:%a %d %H:%M}{moment:%z}".removesuffix("00") for moment in local]


STOCKHOLM, NEW_YORK, LORD_HOWE, KOLKATA = (
    "Europe/Stockholm",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
)

# Of each week: zone, first day, a time at night, and when it comes, from Friday to Thursday.
WEEKS = """
Europe/Stockholm     2026-03-27  30 2  02:30+01 02:30+01 03:00+02 02:30+02 02:30+02 02:30+02 02:30+02
Europe/Stockholm     2026-10-23  30 2  02:30+02 02:30+02 02:30+02 02:30+01 02:30+01 02:30+01 02:30+01
America/New_York     2026-03-06  30 2  02:30-05 02:30-05 03:00-04 02:30-04 02:30-04 02:30-04 02:30-04
America/New_York     2026-10-30  30 1  01:30-04 01:30-04 01:30-04 01:30-05 01:30-05 01:30-05 01:30-05
Australia/Lord_Howe  2026-04-03  45 1  01:45+11 01:45+11 01:45+11 01:45+1030 01:45+1030 01:45+1030 01:45+1030
Australia/Lord_Howe  2026-10-02  15 2  02:15+1030 02:15+1030 02:30+11 02:15+11 02:15+11 02:15+11 02:15+11
Asia/Kolkata         2026-03-27  30 2  02:30+0530 02:30+0530 02:30+0530 02:30+0530 02:30+0530 02:30+0530 02:30+0530
"""


@pytest.mark.parametrize("week", WEEKS.strip().splitlines(), ids=lambda week: week[:32])
def test_a_time_at_night_comes_once_a_day_whatever_is_done_to_clocks(week):
    """One that does not exist comes when clocks have been changed, one that comes twice the first time."""
    zone, day, minute, hour, *expected = week.split()
    work = work_of("full", zone, full=f"{minute} {hour} * * *")
    since = at(day, zone)
    begun = lived(work, since, since + timedelta(days=7), work.last_due(since - timedelta(seconds=1)))
    assert told([moment for moment, _ in begun], zone) == [
        f"{since + timedelta(days=number, hours=12):%a %d} {time}" for number, time in enumerate(expected)
    ]
    assert all(turn == Start(moment) for moment, turn in begun)


# What one connection does in such a week beside its increments, in UTC.
SPRING = """
Fri 27 01:00 full          Fri 27 02:30 tasks Asia/Kolkata       Fri 27 12:00 tasks America/New_York
Sat 28 01:00 full
Sun 29 01:00 full          Sun 29 02:00 reconcile
Mon 30 00:00 full          Mon 30 02:30 tasks Asia/Kolkata       Mon 30 12:00 tasks America/New_York
Tue 31 00:00 full          Tue 31 02:30 tasks Asia/Kolkata       Tue 31 12:00 tasks America/New_York
Wed 01 00:00 full          Wed 01 02:30 tasks Asia/Kolkata       Wed 01 12:00 tasks America/New_York
Thu 02 00:00 full          Thu 02 02:30 tasks Asia/Kolkata       Thu 02 12:00 tasks America/New_York
"""
AUTUMN = """
Fri 23 00:00 full          Fri 23 02:30 tasks Asia/Kolkata       Fri 23 12:00 tasks America/New_York
Sat 24 00:00 full
Sun 25 00:00 full          Sun 25 03:00 reconcile
Mon 26 01:00 full          Mon 26 02:30 tasks Asia/Kolkata       Mon 26 12:00 tasks America/New_York
Tue 27 01:00 full          Tue 27 02:30 tasks Asia/Kolkata       Tue 27 12:00 tasks America/New_York
Wed 28 01:00 full          Wed 28 02:30 tasks Asia/Kolkata       Wed 28 12:00 tasks America/New_York
Thu 29 01:00 full          Thu 29 02:30 tasks Asia/Kolkata       Thu 29 12:00 tasks America/New_York
"""


@pytest.mark.parametrize(
    ("first", "hours", "expected"), [("2026-03-27", 167, SPRING), ("2026-10-23", 169, AUTUMN)]
)
def test_a_week_fires_exactly_what_its_schedule_says(first, hours, expected):
    """All jobs of a connection at once, owners in two zones: nothing else, nothing twice, nothing left out."""
    schedule = Schedule.model_validate({"timezone": STOCKHOLM, "tasks": "0 8 * * mon-fri", **AT_ONCE})
    since = at(first)
    until = since + timedelta(hours=hours)
    begun = [
        (moment, f"{work.job} {work.zone}".strip())
        for work in plan_of("acme", schedule, None, [NEW_YORK, KOLKATA])
        for moment, _ in lived(work, since, until, work.last_due(since - timedelta(seconds=1)))
    ]
    increments = [moment for moment, what in begun if what == "increment"]
    assert increments == [since + timedelta(minutes=15 * number) for number in range(4 * hours)]
    others = sorted(one for one in begun if one[1] != "increment")
    assert [f"{moment:%a %d %H:%M} {what}" for moment, what in others] == re.split(
        r"\s{2,}|\n", expected.strip()
    )


def test_hours_that_come_twice_are_both_taken_if_every_hour_is_meant():
    """`0 * * * *` leaves no gap of two hours in autumn and doubles nothing in spring; so do quarters of an hour."""
    for first, count in (("2026-03-29", 23), ("2026-10-25", 25)):
        since = at(first)
        hourly = [since + timedelta(hours=number) for number in range(count)]
        assert (
            list(coming(work_of("increment", increment="0 * * * *"), since, timedelta(hours=count))) == hourly
        )
        quarterly = work_of("increment", increment="*/15 * * * *")
        assert len(list(coming(quarterly, since, timedelta(hours=count)))) == 4 * count


def coming(work, since, length):
    """When it begins, from a moment on for some time."""
    before = since - timedelta(microseconds=1)
    return takewhile(lambda moment: moment < since + length, (fire.at for fire in work.fires(before)))


def test_an_interval_is_counted_from_the_same_midnight_everywhere():
    """Two workers that start at different moments agree; `every 6h` is at 00, 06, 12 and 18 in winter."""
    work = work_of("increment", increment="every 6h")
    assert told(coming(work, at("2026-01-10 03:12"), timedelta(days=1)), STOCKHOLM) == [
        "Sat 10 06:00+01", "Sat 10 12:00+01", "Sat 10 18:00+01", "Sun 11 00:00+01",
    ]  # fmt: skip


# Blackouts.

OFFICE = {"weekdays": "mon-fri", "hours": "08:00-17:00"}


def test_what_is_due_in_a_blackout_is_done_once_at_its_end():
    """Thirty-six quarters of an hour become one run at five, and then it goes on."""
    work = work_of("increment", increment="every 15m", blackouts=[OFFICE])
    since = at("2026-06-01 07:30")
    done = lived(work, since, at("2026-06-01 17:31"), since)
    assert told([moment for moment, _ in done], STOCKHOLM) == [
        "Mon 01 07:45+02", "Mon 01 17:00+02", "Mon 01 17:15+02", "Mon 01 17:30+02",
    ]  # fmt: skip


def test_what_was_put_off_is_remembered_by_whoever_asks_later():
    """A worker that starts within the blackout, after the time of the schedule, begins at its end too."""
    work = work_of("full", full="0 2 * * *", blackouts=[{"hours": "01:00-03:00"}])
    now, end = at("2026-06-03 02:30"), at("2026-06-03 03:00")
    assert work.next_fire(now) == Coming(at("2026-06-03 02:00"), end)
    assert work.turn(at("2026-06-02 02:00"), now) == Wait(end)
    assert work.turn(at("2026-06-02 02:00"), end) == Start(at("2026-06-03 02:00"))


def test_a_blackout_may_reach_over_midnight_and_into_the_next():
    """Friday night belongs to Friday; what touches is one."""
    friday = [{"weekdays": "fri", "hours": "22:00-06:00"}, {"weekdays": "sat", "hours": "06:00-09:00"}]
    schedule = Schedule.model_validate({"blackouts": friday})
    for moment, until in [
        ("2026-06-05 21:59", None),
        ("2026-06-05 22:00", "2026-06-06 09:00"),
        ("2026-06-06 05:59", "2026-06-06 09:00"),
        ("2026-06-06 09:00", None),
        ("2026-06-06 22:30", None),
    ]:
        assert in_blackout(schedule, STOCKHOLM, at(moment)) == (until and at(until))


def test_the_end_of_a_month_and_days_of_the_calendar_are_frozen():
    """The last two days and the first one, in each month; and from Christmas to New Year, both days included."""
    freeze = [{"month_end": 2, "month_start": 1}, {"dates": "2026-12-24 to 2026-12-26"}]
    schedule = Schedule.model_validate({"blackouts": freeze})
    for moment, until in [
        ("2027-02-26 12:00", None),
        ("2027-02-27 00:00", "2027-03-02 00:00"),
        ("2026-12-26 23:59", "2026-12-27 00:00"),
        ("2026-12-29 23:59", None),
        ("2026-12-31 08:00", "2027-01-02 00:00"),
    ]:
        assert in_blackout(schedule, STOCKHOLM, at(moment)) == (until and at(until))


def test_a_blackout_is_kept_when_clocks_are_changed():
    """An hour that comes twice is in it both times; one that is left out ends it when clocks are changed."""
    twice = Schedule.model_validate({"blackouts": [{"hours": "01:00-02:30"}]})
    autumn, spring = at("2026-10-25 01:30"), at("2026-03-29 01:30")
    assert in_blackout(twice, STOCKHOLM, autumn) == autumn + timedelta(hours=2)
    assert in_blackout(twice, STOCKHOLM, spring) == spring + timedelta(minutes=30)


def test_what_a_blackout_outlasts_is_missed_and_said_to_be():
    """Tasks of the morning are not made after a freeze of the whole day, and are made the next morning."""
    work = work_of("tasks", tasks="0 8 * * *", blackouts=[{"dates": "2026-06-03"}])
    since = at("2026-06-02 09:00")
    done = lived(work, since, at("2026-06-04 12:00"), since)
    assert done == [
        (
            at("2026-06-04 00:00"),
            TooLate(at("2026-06-03 08:00"), "within a blackout that ended 2026-06-03 22:00 UTC"),
        ),
        (at("2026-06-04 08:00"), Start(at("2026-06-04 08:00"))),
    ]
    assert [fire.due for fire in first(work.fires(since), 1)] == [at("2026-06-04 08:00")]


def test_what_would_never_begin_is_told_not_looked_for_without_end():
    """Whose mornings all lie in the blackouts of the org gets no tasks; the others do."""
    schedule = Schedule.model_validate(
        {**NOTHING, "tasks": "0 8 * * *", "blackouts": [{"hours": "01:00-08:00"}]}
    )
    india, sweden = plan_of("acme", schedule, STOCKHOLM, [KOLKATA, STOCKHOLM])
    assert sweden.next_fire(at("2026-06-01 12:00")) is not None
    assert india.next_fire(at("2026-06-01 12:00")) is None


# Lateness and downtime.


def test_after_downtime_the_last_of_several_is_caught_up_once():
    """A laptop that was shut from Friday to Monday reads everything anew once, and what else it slept through."""
    weekend = [(at("2026-06-05 18:00"), at("2026-06-08 09:10"))]
    full, increment = work_of("full", full="0 2 * * *"), work_of("increment", increment="every 15m")
    since, until = at("2026-06-05 17:50"), at("2026-06-08 09:20")
    assert lived(full, since, until, since, weekend) == [
        (at("2026-06-08 09:10"), Start(at("2026-06-08 02:00")))
    ]
    assert lived(increment, since, until, since, weekend)[0] == (
        at("2026-06-08 09:10"),
        Start(at("2026-06-08 09:00")),
    )


def test_tasks_of_the_morning_are_not_made_at_night():
    """Two hours late they are; more than three hours late they are missed, which is told once."""
    work = work_of("tasks", tasks="0 8 * * *")
    since = at("2026-06-02 09:00")
    down = [(since, at("2026-06-03 10:00")), (at("2026-06-03 20:00"), at("2026-06-04 19:00"))]
    assert lived(work, since, at("2026-06-04 23:00"), since, down) == [
        (at("2026-06-03 10:00"), Start(at("2026-06-03 08:00"))),
        (at("2026-06-04 19:00"), TooLate(at("2026-06-04 08:00"), "it could not begin within 3h")),
    ]


def test_a_connection_that_is_new_missed_nothing():
    """What was due before the first start is begun if it is not too late, and else is never told as missed."""
    now = at("2026-06-02 12:00")
    assert work_of("full", full="0 2 * * *").turn(None, now) == Start(at("2026-06-02 02:00"))
    tasks = work_of("tasks", tasks="0 8 * * *")
    assert tasks.turn(None, now) == Wait(at("2026-06-03 08:00"))


def test_how_late_a_job_may_be_can_be_said():
    """`late: {full: 1h}`; null is however late."""
    now, taken = at("2026-06-02 12:00"), at("2026-06-01 02:00")
    assert isinstance(work_of("full", full="0 2 * * *", late={"full": "1h"}).turn(taken, now), TooLate)
    assert isinstance(work_of("full", full="0 2 * * *", late={"full": None}).turn(taken, now), Start)


# Many that agree.


def test_starts_are_spread_by_name_and_never_by_chance():
    """The same on every worker and in every process; hundreds of connections fill the whole spread."""
    spread = [offset_of(f"org-{number}", timedelta(seconds=60)) for number in range(500)]
    assert offset_of("acme", timedelta(minutes=10)) == timedelta(seconds=72)
    assert {offset.total_seconds() for offset in spread} == set(range(60))
    assert offset_of("acme", timedelta()) == timedelta()


def test_starts_are_spread_after_a_blackout_too():
    """Else all connections would begin at the moment of its end."""
    works = [
        plan_of(name, Schedule.model_validate({"timezone": "UTC", "blackouts": [OFFICE]}), None)[0]
        for name in ("acme", "globex", "initech")
    ]
    since = at("2026-06-01 12:00", "UTC")
    begun = [lived(work, since, since + timedelta(hours=5, minutes=2), since)[0] for work in works]
    assert [moment for moment, _ in begun] == [at("2026-06-01 17:00", "UTC") + work.offset for work in works]
    assert len({work.offset for work in works}) == 3


def test_a_spread_that_is_longer_than_an_interval_starves_nobody():
    """Each moment of the schedule still begins, later by the same."""
    (work,) = plan_of(
        "acme", Schedule.model_validate({**NOTHING, "increment": "every 1m", "jitter": "1h"}), None
    )
    since = at("2026-06-01 12:00")
    assert len(lived(work, since, since + timedelta(hours=1), work.last_due(since - work.offset))) == 60


def test_tasks_are_made_in_each_owners_morning():
    """Once for each zone that the history has seen; one that this machine does not know goes by the org's own."""
    schedule = Schedule.model_validate({**NOTHING, "tasks": "0 8 * * *"})
    works = plan_of("acme", schedule, STOCKHOLM, [KOLKATA, "Mars/Olympus"])
    assert [(work.zone, work.timezone) for work in works] == [(KOLKATA, KOLKATA), ("Mars/Olympus", STOCKHOLM)]
    now = at("2026-06-01 00:00")
    assert [work.next_fire(now).at for work in works] == [
        at("2026-06-01 08:00", KOLKATA),
        at("2026-06-01 08:00"),
    ]
    assert [work.zone for work in plan_of("acme", schedule, STOCKHOLM)] == [""]


def test_times_are_utc_until_the_orgs_zone_is_known():
    """A first run tells it."""
    schedule = Schedule.model_validate({**NOTHING, "full": "0 2 * * *"})
    for zone in (None, "Mars/Olympus"):
        assert [work.timezone for work in plan_of("acme", schedule, zone)] == ["UTC"]


# Whatever is written.

CRON = st.one_of(
    st.builds(
        "{} {} {} {} *".format,
        st.sampled_from(["0", "30", "*/20", "59"]),
        st.sampled_from(["*", "1", "2", "*/2", "1-3", "23"]),
        st.sampled_from(["*", "1", "29", "*/9"]),
        st.sampled_from(["*", "3,4,10,11"]),
    ),
    st.builds("{} {} * * {}".format, st.sampled_from(["0", "15,45"]), st.integers(0, 23), st.integers(0, 7)),
)
TIMES = CRON | st.sampled_from(["every 15m", "every 7h", "every 3d"])
ZONES = st.sampled_from([STOCKHOLM, NEW_YORK, LORD_HOWE, KOLKATA, "Antarctica/Troll"])
CHANGES = [datetime(2026, *day, tzinfo=UTC) for day in ((3, 8), (3, 29), (4, 4), (10, 3), (10, 25), (11, 1))]
MOMENTS = st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-2880, 2880),
)
BLACKOUTS = st.lists(
    st.sampled_from([OFFICE, {"hours": "22:00-02:30"}, {"month_end": 2}, {"weekdays": "sun"}]), max_size=2
)


@given(TIMES, ZONES, MOMENTS)
@settings(max_examples=60, deadline=None)
def test_looking_back_finds_what_looking_forward_does(times, zone, moment):
    """The last one due before the next but one is the next; nothing lies between."""
    work = work_of("increment", zone, increment=times)
    following = first(work.times.after(moment), 3)
    assert following == sorted(set(following))
    assert following[0] > moment
    assert work.last_due(moment) <= moment
    assert [work.last_due(one) for one in following] == following
    assert [work.last_due(one - timedelta(microseconds=1)) for one in following[1:]] == following[:-1]
    assert next(work.times.after(work.last_due(moment))) == following[0]


@given(TIMES, ZONES, MOMENTS, BLACKOUTS, st.sampled_from(["0s", "7m", "1h"]))
@settings(max_examples=30, deadline=None)
def test_what_is_foretold_is_what_a_worker_does(times, zone, moment, blackouts, jitter):
    """A worker that is always there begins at the moments that `foretag schedule` shows; in no blackout."""
    work = work_of("full", zone, full=times, blackouts=blackouts, jitter=jitter, late={"full": None})
    foretold = first(work.fires(moment), 4)
    end = foretold[-1].at + timedelta(microseconds=1)
    done = lived(work, moment + timedelta(microseconds=1), end, foretold[0].due - timedelta(seconds=1))
    assert done == [(fire.at, Start(fire.due)) for fire in foretold]
    assert not any(work.blackouts.until(fire.at) for fire in foretold)


@given(TIMES, st.dates(date(2026, 1, 1), date(2029, 1, 1)))
@settings(max_examples=60, deadline=None)
def test_a_schedule_is_checked_by_the_times_that_it_fires_at(times, day):
    """What the settings make of an expression, to find jobs that could never run, is what APScheduler makes of it."""
    midnight = datetime.combine(day, time(), UTC)
    fired = takewhile(
        lambda moment: moment < midnight + timedelta(days=1),
        trigger_of(times, ZoneInfo("UTC")).after(midnight - timedelta(seconds=1)),
    )
    assert list(fired) == list(read_times(times).between(midnight, midnight + timedelta(days=1)))


def first(iterator, count):
    """The first of them."""
    return list(islice(iterator, count))
