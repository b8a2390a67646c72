"""A secret that was read is hidden in every way of writing it, and so is what looks like one."""

import base64
import json
import time
from urllib.parse import quote, quote_plus

import pytest

from config.redaction import HIDDEN, Redaction
from config.sections.secret import Secret

TRICKY = 'p@xyz "wörd"/+&<x>\\1'


@pytest.fixture
def redaction():
    """A registry of its own that holds one tricky secret."""
    redaction = Redaction()
    redaction.remember(TRICKY)
    return redaction


@pytest.mark.parametrize(
    "written",
    [
        TRICKY,
        quote(TRICKY, safe=""),
        quote_plus(TRICKY),
        json.dumps({"password": TRICKY}),
        json.dumps(TRICKY, ensure_ascii=False),
        repr(TRICKY),
        base64.b64encode(TRICKY.encode()).decode(),
    ],
)
def test_a_secret_is_hidden_however_it_is_written(redaction, written):
    """As it is, in a URL, in JSON, in a traceback, in a header."""
    hidden = redaction.redacted(f"sent {written} to the CRM")
    assert HIDDEN in hidden
    assert "xyz" not in hidden


def test_a_longer_secret_is_hidden_whole_where_a_shorter_one_begins_it():
    """Nothing of the longer one is left behind."""
    redaction = Redaction()
    redaction.remember("hunter2")
    redaction.remember("hunter2 and the rest of it")
    assert redaction.redacted("hunter2 and the rest of it, hunter2") == f"{HIDDEN}, {HIDDEN}"


def test_each_line_of_a_key_is_hidden():
    """A message may show one line of a PEM file alone."""
    redaction = Redaction()
    redaction.remember("-----BEGIN RSA-----\nMIIEowIBAAKCAQEA7\nq2hvcd9Yh8\n-----END RSA-----\n")
    assert redaction.redacted("line MIIEowIBAAKCAQEA7 is odd") == f"line {HIDDEN} is odd"


def test_a_short_secret_does_not_eat_into_words():
    """A database's password in a test may be a plain word; one of three letters is nobody's secret."""
    redaction = Redaction()
    redaction.remember("post")
    redaction.remember("17")
    assert redaction.redacted("posted 17 with post") == f"posted 17 with {HIDDEN}"


def test_texts_within_anything_are_hidden_and_nothing_else_changes(redaction):
    """A report keeps its shape."""
    report = {"said": [f"no {TRICKY}", 3], "at": None, "raw": TRICKY.encode()}
    assert redaction.cleaned(report) == {"said": [f"no {HIDDEN}", 3], "at": None, "raw": HIDDEN}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgresql://foretag:s3cret@db:5432/x", "postgresql://foretag:[secret]@db:5432/x"),
        ("Authorization: Bearer 00Dxx0000001gPL!AR8AQP0jITN80ESEsj5EbaZTFG0RNBaT1cyWk7T5rqoDj", "00D"),
        ("token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIzTVZHOTlPe.eW91bmcgbWFu", "eyJ"),
        ("pat-na1-11111111-2222-3333-4444-555555555555 is wrong", "[secret] is wrong"),
        ("GET /x?access_token=abcdef&y=1", "GET /x?access_token=[secret]&y=1"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "[secret]"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_unread(text, hidden):
    """The CRM may echo what this process never read by name."""
    said = Redaction().redacted(text)
    assert said == hidden or (HIDDEN in said and hidden not in said)


@pytest.mark.parametrize(
    "text",
    [
        "https://acme.my.salesforce.com/services/data/v62.0/query",
        "001xx000003DGb2AAG: the field is not writable",
        "sign-in: Bearer authentication failed",
        "http://127.0.0.1:9464/metrics and user@example.org",
    ],
)
def test_plain_words_stay(text):
    """Addresses, ids and sentences are no secrets."""
    assert Redaction().redacted(text) == text


def test_what_is_read_is_remembered(monkeypatch):
    """Reading a secret is enough: nobody has to remember to hide it."""
    from config.redaction import redacted

    monkeypatch.setenv("FORETAG_TEST_SECRET", "a-value-of-this-very-test\n")
    assert Secret(env="FORETAG_TEST_SECRET").read().get_secret_value() == "a-value-of-this-very-test"
    assert redacted("is a-value-of-this-very-test") == f"is {HIDDEN}"


@pytest.mark.parametrize(
    "hostile", ["://:", "-eyJ", "-----BEGIN PRIVATE KEY", "Bearer ", "https://a.", "password=", "00D0!", "="]
)
def test_a_hostile_text_takes_no_time(hostile):
    """What a CRM says back may be long, and made by anybody."""
    began = time.process_time()
    Redaction().redacted(hostile * (200_000 // len(hostile)))
    assert time.process_time() - began < 10


def test_a_secret_is_hidden_before_a_text_is_cut(redaction):
    """Half of it would not be known again."""
    assert redaction.shortened(f"no: {TRICKY}", 8) == "no: [sec"
