"""Texts of tasks, between our plain lines and HubSpot's HTML."""

from __future__ import annotations

from connectors.hubspot.task_texts import LONGEST_BODY, as_html, with_comment


def test_a_text_shows_as_it_was_written() -> None:
    """Marks are no tags, lines stay lines."""
    assert as_html("a < b & c\nnext") == "a &lt; b &amp; c<br>next"


def test_a_comment_is_added_after_what_a_rep_wrote() -> None:
    """Whose tags stay as they are."""
    assert (
        with_comment("<p><b>Ring</b> Ann</p>", "Done <again>")
        == "<p><b>Ring</b> Ann</p><br>Done &lt;again&gt;"
    )


def test_a_comment_is_there_once_even_after_hubspots_editor_was_at_it() -> None:
    """Its tags and spaces do not make it another text."""
    assert with_comment(None, "No longer needed.") == "No longer needed."
    edited = '<div dir="auto"><p>Because.</p>\n<p>No longer&nbsp;needed.</p></div>'
    assert with_comment(edited, "No longer needed.") == edited


def test_a_body_without_room_keeps_what_it_says() -> None:
    """Rather no comment than a rep's text cut off."""
    body = "x" * (LONGEST_BODY - 3)
    assert with_comment(body, "Done.") == body
