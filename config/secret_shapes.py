"""What looks like a secret, by its form alone: to refuse it in a file, and to hide it in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of secret: what people call it, and its form; group `secret` is the part to hide, else all of it.

    A text without any of the `marks` has none of it: most texts are done with by that.
    """

    name: str
    marks: tuple[str, ...]
    form: re.Pattern[str]

    def hidden(self, text: str, instead: str) -> str:
        """The text with every secret of this form replaced."""
        if not any(mark in text for mark in self.marks):
            return text
        return self.form.sub(lambda found: _without(found, instead), text)


def _without(found: re.Match[str], instead: str) -> str:
    group = "secret" if "secret" in found.re.groupindex else 0
    start, end = found.span(group)
    whole, offset = found[0], found.start()
    return whole[: start - offset] + instead + whole[end - offset :]


# The forms are those that the makers document, so that scanners (theirs, too) find a leaked one. Each is bounded where
# it may fail late: a hostile text must not take minutes.
SHAPES = (
    Shape(
        "a private key",
        ("-----BEGIN",),
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
    ),
    # What begins with a port and a path has no password.
    Shape(
        "a URL with a password",
        ("://",),
        re.compile(r"://[^\s/@:'\"]{0,128}:(?!\[secret\]@|\d+[/?#])(?P<secret>[^\s'\"]{1,512})@"),
    ),
    Shape("a signed token (JWT)", ("eyJ",), re.compile(r"\beyJ[\w-]{8,512}\.[\w-]{8,8192}\.[\w-]{4,}")),
    Shape("a HubSpot token", ("pat-",), re.compile(r"\bpat-[a-z]{2}\d-[0-9a-f]{8}-[0-9a-f-]{20,}")),
    Shape("a Salesforce session", ("00D",), re.compile(r"\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{16,}")),
    Shape("a Salesforce refresh token", ("5Aep",), re.compile(r"\b5Aep[A-Za-z0-9._]{40,}")),
    Shape("a Salesforce consumer key", ("3MVG9",), re.compile(r"\b3MVG9[A-Za-z0-9._]{40,}")),
    Shape("an AWS access key", ("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    Shape("a Slack token", ("xox",), re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}")),
    Shape(
        "a webhook's address",
        ("https://",),
        re.compile(
            r"https://(?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks"
            r"|[\w.-]+\.webhook\.office\.com|hc-ping\.com)/(?P<secret>[^\s'\"<>]{8,})"
        ),
    ),
    Shape("a GitHub token", ("gh",), re.compile(r"\b(?:gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{30,})")),
    Shape("a Fernet key", ("=",), re.compile(r"(?<![\w-])[\w-]{43}=(?![\w=])")),
    Shape(
        "a sign-in header",
        ("Bearer", "Basic"),
        re.compile(r"\b(?:Bearer|Basic)\s+(?P<secret>[A-Za-z0-9._~+/-]{16,}=*)"),
    ),
    Shape(
        "a credential in an address",
        ("=",),
        re.compile(
            r"(?i)\b(?:access_token|refresh_token|client_secret|password|assertion|hapikey|x-amz-signature"
            r"|x-amz-security-token)=(?!\[secret\])(?P<secret>[^\s&'\"<>]{4,})"
        ),
    ),
)


def looks_like(text: str) -> Shape | None:
    """The kind of secret that stands in a text, or nothing."""
    return next((shape for shape in SHAPES if shape.form.search(text)), None)
