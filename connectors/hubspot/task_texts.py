"""The texts of our tasks as HubSpot keeps them: HTML, to which a rep may have added."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

LONGEST_BODY = 65_536


def as_html(text: str) -> str:
    """Plain text as HTML that shows it just so, line by line."""
    return escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br>")


def with_comment(body: str | None, comment: str) -> str:
    """A body with the comment at its end, once; nothing that stands there is changed or cut off."""
    if not body:
        return as_html(comment)
    if readable(as_html(comment)) in readable(body):
        return body
    longer = f"{body}<br>{as_html(comment)}"
    return longer if len(longer) <= LONGEST_BODY else body


class _Text(HTMLParser):
    """Collects what a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  # the base class's signature
        """A tag parts words: `<br>`, `<p>`; HubSpot's editor may add some."""
        self.seen.append(" ")

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        self.seen.append(data)


def readable(html: str) -> str:
    """The readable words alone, since HubSpot's editor puts its own tags around them."""
    text = _Text()
    text.feed(html)
    text.close()
    return " ".join("".join(text.seen).split())
