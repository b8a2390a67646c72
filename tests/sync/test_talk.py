"""What is said to people: their own texts come out as they are."""

from __future__ import annotations

import pytest

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
