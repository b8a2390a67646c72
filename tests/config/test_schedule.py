"""Schedules in the settings: what may be written, and what is told of what may not, with its place."""

from datetime import date, timedelta

import pytest

from config.problems import ConfigProblem, Faulty
from config.sections.times import Cron, Every, read_times
from config.settings import load_settings

SETTINGS = """\
connections:
  main:
    crm: hubspot
    auth: {token: {env: TOKEN}}
    schedule:
"""
PLACE = "connections.main.schedule"


def load(tmp_path, *lines):
    """The schedule that these lines of a settings file say; the first is line 6."""
    path = tmp_path / "foretag.yaml"
    path.write_text(SETTINGS + "".join(f"      {line}\n" for line in lines))
    return load_settings(path).connections["main"].schedule


def problems(tmp_path, *lines):
    """What is told of these lines."""
    with pytest.raises(ConfigProblem) as caught:
        load(tmp_path, *lines)
    return [str(problem).removeprefix(f"{tmp_path}/foretag.yaml:") for problem in caught.value.problems]


def test_work_is_scheduled_without_a_word_and_switched_off_by_null(tmp_path):
    """What changed each quarter of an hour, everything at night, a comparison on Sundays; tasks with every run."""
    default = load(tmp_path, "jitter: 1m")
    assert default.times() == {
        "increment": "every 15m",
        "full": "0 2 * * *",
        "reconcile": "0 4 * * sun",
    }
    assert load(tmp_path, "reconcile: null", "full: null").times() == {"increment": "every 15m"}


WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@pytest.mark.parametrize(
    ("weekdays", "meant"),
    [
        ("0", "sun"),
        ("7", "sun"),
        ("1", "mon"),
        ("SUN", "sun"),
        ("1-5", "mon tue wed thu fri"),
        ("mon-fri/2", "mon wed fri"),
        ("fri-sun", "sun fri sat"),
        ("5-7", "sun fri sat"),
        ("0,6", "sun sat"),
        ("*", "sun mon tue wed thu fri sat"),
        ("*/2", "sun tue thu sat"),
    ],
)
def test_weekdays_are_those_of_crontab(weekdays, meant):
    """0 and 7 are Sunday, names are the same days, and ranges may end on a Sunday."""
    found = read_times(f"0 4 * * {weekdays}")
    assert [WEEK[day] for day in sorted(found.weekdays)] == meant.split()


def test_each_part_knows_ranges_steps_names_and_lists():
    """`*/20`, `8-10`, `1,15`, `jan-mar`; and the short words of crontab."""
    found = read_times("*/20 8-10,22 1,15 JAN-mar *")
    assert (found.minutes, found.hours) == ({0, 20, 40}, {8, 9, 10, 22})
    assert (found.days, found.months) == ({1, 15}, {1, 2, 3})
    assert read_times("5/20 * * * *").minutes == {5, 25, 45}
    assert read_times("@daily") == read_times("0 0 * * *")
    assert read_times(" every 6h ") == Every(timedelta(hours=6))


WRONG = """
tasks: 60 8 * * *
--> 6:14: tasks: minute '60': write 0 to 59

full: '0 24 * * *'
--> 6:16: full: hour '24': write 0 to 23

tasks: 61 8 * * funday
--> 6:14: tasks: minute '61': write 0 to 59
--> 6:23: tasks: weekday 'funday': write 0 to 7, or sun to sat

tasks: 0 8 * * sat-mon
--> 6:22: tasks: weekday 'sat-mon': begins after it ends; write it as two, with a comma

full: 0 2 */0 * *
--> 6:17: full: day of the month '*/0': a step of 0 goes nowhere

full: 0 2 1, * *
--> 6:19: full: day of the month '': write 1 to 31; also 1-5, */15, or several with commas

full: 0 2 30 feb *
--> 6:17: full: never comes: none of these months has such a day; another day, or other months

full: 0 2 1 * mon
--> 6:17: full: has a day of the month and a weekday: some would take both, some either; write "*" for one of the two

full: 2am
--> 6:7: full: has 1 of the five parts of a cron expression; write "every 15m", or "0 2 * * *" for 02:00 each day

increment: every 15
--> 6:7: increment: is not a length of time; write every 15m, every 6h or every 1d

increment: every 10s
--> 6:7: increment: is too often or too seldom; from 1m to 28d

increment: 15
--> 6:7: increment: must be text: write it in quotes

full: '@nightly'
--> 6:7: full: '@nightly' is not known; known here: @annually, @daily, @hourly, @midnight, @monthly, @weekly, @yearly

timezone: Europe/Stokholm
--> 6:7: timezone: 'Europe/Stokholm' is no time zone; did you mean "Europe/Stockholm"?

timezone: stockholm
--> 6:7: timezone: 'stockholm' is no time zone; did you mean "Europe/Stockholm"?

timezone: CEST
--> 6:7: timezone: 'CEST' is no time zone; write a name such as Europe/Stockholm or UTC

jitter: 2h
--> 6:7: jitter: is too long; 1h at most

late: {full: soon}
--> 6:14: late.full: write a whole number and a unit: 90s, 15m, 6h or 7d
"""


@pytest.mark.parametrize("case", WRONG.strip().split("\n\n"), ids=lambda case: case.splitlines()[0])
def test_what_cannot_be_meant_is_told_with_its_place(tmp_path, case):
    """Line and column of the part that is wrong, and what to write instead."""
    line, *told = case.splitlines()
    assert [f"--> {problem.replace(PLACE + '.', '')}" for problem in problems(tmp_path, line)] == told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("blackouts: [{}]", "says no time; give weekdays, hours, dates, month_end or month_start"),
        ("blackouts: [{hours: 8-9}]", "hours: is not a time of the day; write it as 22:00-06:00"),
        ("blackouts: [{hours: 25:00-26:00}]", "hours: is not a time of the day; write it as 22:00-06:00"),
        ("blackouts: [{hours: 08:00-08:00}]", "hours: is not a time of the day; write it as 22:00-06:00"),
        ("blackouts: [{weekdays: mon-frd}]", "weekdays: weekday 'mon-frd': write 0 to 7, or sun to sat"),
        ("blackouts: [{dates: '2026-02-30'}]", "dates: is not a range of days; write it as 2026-12-24 to 2027-01-02"),
        ("blackouts: [{dates: 2026-12-24 to 2026-01-02}]", "dates: ends before it begins; the earlier day comes first"),
        (
            "blackouts: [{dates: 2026-01-01 to 2027-01-02}]",
            "dates: is longer than a year; `foretag pause` stops a connection until it is resumed",
        ),
    ],
)  # fmt: skip
def test_a_blackout_that_is_none_is_told(tmp_path, line, told):
    """By its number in the list."""
    (problem,) = problems(tmp_path, line)
    assert problem.split('"blackouts 1": ')[1] == told


def test_several_mistakes_of_a_schedule_come_at_once(tmp_path):
    """Nobody runs a check once for each."""
    found = problems(tmp_path, "full: x", "tasks: every day", "timezone: Mars", "blackouts: [{hours: 1}, {}]")
    assert len(found) == 5


NEVER = "would never run: all its times lie in blackouts, and after their end it is too late"


def test_a_job_that_could_never_run_is_a_mistake(tmp_path):
    """Tasks of the morning are not made at night: so a blackout of each working day leaves them no time."""
    (found,) = problems(tmp_path, "tasks: 0 8 * * mon-fri", "blackouts: [{hours: 07:00-18:00}]")
    assert found == f"6:7: {PLACE}: tasks {NEVER}; another time, or a longer `late: {{tasks: …}}`"
    for line in ("hours: 07:00-10:30", "hours: 07:00-18:00, weekdays: mon-thu", "month_end: 15"):
        load(tmp_path, "tasks: 0 8 * * mon-fri", f"blackouts: [{{{line}}}]")
    load(tmp_path, "tasks: 0 8 * * mon-fri", "late: {tasks: 10h}", "blackouts: [{hours: 07:00-18:00}]")
    (found,) = problems(tmp_path, "full: every 1d", "blackouts: [{hours: 23:00-14:00}]")
    assert f"full {NEVER}" in found


@pytest.mark.parametrize(
    "blackouts", ["{hours: 00:00-24:00}", "{hours: 06:00-18:00}, {hours: 18:00-06:00}", "{weekdays: '*'}"]
)
def test_blackouts_of_all_times_are_a_mistake(tmp_path, blackouts):
    """Whoever wants that pauses the connection."""
    (found,) = problems(tmp_path, f"blackouts: [{blackouts}]")
    assert found == f"6:7: {PLACE}: the blackouts leave no time to run at all"


def test_a_single_day_needs_no_quotes(tmp_path):
    """YAML reads a lone day as a date of its own."""
    (blackout,) = load(tmp_path, "blackouts: [{dates: 2026-12-24, why: Christmas Eve}]").blackouts
    assert blackout.begins_on(date(2026, 12, 24)) is not None
    assert blackout.begins_on(date(2026, 12, 25)) is None


def test_the_29th_of_february_comes(tmp_path):
    """Seldom, but it does; the 31st comes in seven months."""
    assert load(tmp_path, "full: 0 2 29 2 *").full == "0 2 29 2 *"
    assert isinstance(read_times("0 2 31 * *"), Cron)
    with pytest.raises(Faulty):
        read_times("0 2 31 4,6,9,11 *")
