"""YAML files as people really write them: each corner is read as YAML 1.2, or told with its place and a way out."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, Field

from config.files.documents import LONGEST_FILE, load_document, validate
from config.problems import ConfigProblem


class Person(BaseModel):
    """Something to validate."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(description="the full name")
    active: bool = True
    tags: list[str] = []


class Team(BaseModel):
    """Something that holds it."""

    model_config = ConfigDict(extra="forbid")

    lead: Person


def told(tmp_path, content: bytes) -> str:
    """The one problem of a file with this content, without the folder."""
    path = tmp_path / "file.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigProblem) as caught:
        validate(load_document(path), Team)
    (problem,) = caught.value.problems
    return str(problem).removeprefix(f"{tmp_path}/")


def read(tmp_path, content: bytes) -> dict[str, object]:
    """The data of a file with this content."""
    path = tmp_path / "file.yaml"
    path.write_bytes(content)
    return dict(load_document(path).data)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"lead:\n  name: a\n  name: b\n", "file.yaml:3:3: the same key stands twice; keep one of the two"),
        (b"lead:\n\tname: a\n", ("file.yaml:2:1: is not valid YAML: found character '\\t' that cannot start any"
         " token; indent with spaces, not tabs")),
        (b"lead: [\n", ("file.yaml:2:1: is not valid YAML: expected the node content, but found '<stream end>'; look"
         " at this line and the one before it: indentation, colons, brackets, quotes")),
        (b"lead: *nobody\n", ("file.yaml:1:7: is not valid YAML: a * names something that stands nowhere in this"
         " file; a text that begins with * stands in quotes")),
        (b"- lead\n", "file.yaml:1:1: must be lines of `key: value`; is this the file you meant?"),
        (b"just words\n", "file.yaml:1:1: must be lines of `key: value`; is this the file you meant?"),
        (b"lead: a\xff\n", "file.yaml: is not UTF-8 text (byte 7); save it as UTF-8 in your editor"),
        (b"#" * (LONGEST_FILE + 1), "file.yaml: is longer than 1,048,576 bytes; is this the file you meant?"),
        (b"", "file.yaml: 'lead' is missing"),
        (b"lead: {}\n", "file.yaml:1:1: lead: 'name' is missing; the full name"),
        (b"lead: me\n", "file.yaml:1:1: lead: must be lines of `key: value`"),
        (b"lead: {name: 7}\n", "file.yaml:1:8: lead.name: must be text: write it in quotes"),
        (b"lead: {name: a, active: no}\n", "file.yaml:1:17: lead.active: must be true or false"),
        (
            b"lead: {name: a, tags: b}\n",
            "file.yaml:1:17: lead.tags: must be a list: [one, two], or a line with a dash for each",
        ),
        (b"lead: {name: a, tag: b}\n", "file.yaml:1:17: lead: unknown key 'tag'; did you mean \"tags\"?"),
    ],
)  # fmt: skip
def test_each_corner_is_told_with_its_place_and_a_way_out(tmp_path, content, expected):
    """What is wrong, where, what to do; in words of YAML, not of a parser or a validator."""
    assert told(tmp_path, content) == expected


@pytest.mark.parametrize("content", [b"lead: {name: hunter2, name: hunter3}\n", b"lead: {name: [hunter2]}\n"])
def test_no_message_repeats_a_value(tmp_path, content):
    """What stands in a settings file may be secret."""
    assert "hunter" not in told(tmp_path, content)


def test_words_that_older_yaml_took_for_booleans_are_words(tmp_path):
    """Norway is a country, `on` is a key, and 12:30 is no number of seconds."""
    assert read(tmp_path, b"country: no\non: account\noff: yes\ntime: 12:30\ncode: 010\n") == {
        "country": "no",
        "on": "account",
        "off": "yes",
        "time": "12:30",
        "code": 10,
    }


def test_a_byte_order_mark_and_windows_line_ends_are_harmless(tmp_path):
    """Editors write them; positions stay right."""
    assert read(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}
    assert told(tmp_path, b"\xef\xbb\xbflead:\r\n  nam: b\r\n  name: a\r\n").startswith("file.yaml:2:3: ")


def test_aliases_cannot_blow_a_file_up(tmp_path):
    """Nine lines that would mean a billion words are read in a moment, since aliases are not copied."""
    lines = ['a0: &a0 "x"'] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert len(read(tmp_path, "\n".join(lines).encode())) == 10


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "none.yaml",
            "cannot be read: No such file or directory; correct the path; `foretag init` makes starter files",
        ),
        (".", "cannot be read: Is a directory; name a file"),
    ],
)
def test_a_file_that_is_not_there_is_named(tmp_path, name, expected):
    """Not a starter file for somebody who named a folder."""
    with pytest.raises(ConfigProblem) as caught:
        load_document(tmp_path / name)
    assert str(caught.value).endswith(expected)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"lead: " + b"[" * 1000, "file.yaml: is nested too deeply to be read"),
        (
            b"lead: " + b"9" * 5000,
            "file.yaml: holds a number that is too long, or a day that is in no calendar",
        ),
    ],
)
def test_what_the_parser_cannot_hold_is_told(tmp_path, content, problem):
    """A file made to break the parser is a problem of that file, no bug of ours."""
    assert told(tmp_path, content) == problem
