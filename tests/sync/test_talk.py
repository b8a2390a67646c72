"""What is said to people: their own texts come out as they are."""

from __future__ import annotations

import pytest

from config.problems import ConfigProblem
from sync.commands.ending import confirm
from sync.talk import Talk


@pytest.mark.parametrize("text", ["synthetic:x:y", "[red]Acme[/red]", ":warning: Ltd"])
def test_texts_of_others_are_shown_as_they_are(text, capfd):
    """A name that looks like markup or like a smiley stays a name."""
    talk = Talk()
    talk.say(text)
    talk.table(text, ("name",), [(text,)])
    told = capfd.readouterr()
    assert told.err.strip() == text
    assert [line.strip() for line in told.out.splitlines()] == [text, "name", text]


def test_where_nobody_can_answer_production_waits_for_a_yes():
    """A script goes on with any other org, as it was told; for production it must say so."""
    confirm(Talk(machine=True), "Write this?", production=False)
    with pytest.raises(ConfigProblem, match="repeat with --yes"):
        confirm(Talk(machine=True), "Write this?", production=True)
