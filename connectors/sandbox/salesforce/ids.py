"""Record ids: 15 case-sensitive characters, or 18 with a checksum that survives case-insensitive tools."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[0-9A-Za-z]{15}([A-Z0-5]{3})?")
_INSTANCE = "5g"
_SERIAL_DIGITS = 10


def checksum(short: str) -> str:
    """The three characters that turn a 15-character id into its 18-character form."""
    return "".join(
        _CHECK[
            sum(1 << place for place, letter in enumerate(short[start : start + 5]) if "A" <= letter <= "Z")
        ]
        for start in (0, 5, 10)
    )


def long_id(text: str) -> str | None:
    """The 18-character form of an id in either form; None if it is not an id."""
    if not _ID.fullmatch(text):
        return None
    full = text[:15] + checksum(text[:15])
    # An 18-character id whose letter case was lost is repaired by Salesforce from its checksum.
    return full if len(text) == 15 or full == text else _repaired(text)


def _repaired(text: str) -> str | None:
    letters = []
    for block, check in enumerate(text[15:]):
        bits = _CHECK.index(check)
        for place in range(5):
            letter = text[block * 5 + place]
            letters.append(letter.upper() if bits >> place & 1 else letter.lower())
    short = "".join(letters)
    return short + text[15:] if checksum(short) == text[15:] else None


def make_id(prefix: str, serial: int) -> str:
    """The id of the serial-th record of an object."""
    digits = ""
    for _ in range(_SERIAL_DIGITS):
        serial, digit = divmod(serial, 62)
        digits = DIGITS[digit] + digits
    short = prefix + _INSTANCE + digits
    return short + checksum(short)


def make_ids(prefix: str, start: int, count: int) -> pa.Array:
    """Ids of `count` records from a serial number on, as an Arrow string array; no loop over rows."""
    alphabet = np.frombuffer(DIGITS.encode(), dtype=np.uint8)
    letters = np.empty((count, 18), dtype=np.uint8)
    letters[:, :5] = np.frombuffer((prefix + _INSTANCE).encode(), dtype=np.uint8)
    serials = np.arange(start, start + count, dtype=np.int64)
    for place in range(14, 4, -1):
        letters[:, place] = alphabet[serials % 62]
        serials //= 62
    upper = (letters[:, :15] >= ord("A")) & (letters[:, :15] <= ord("Z"))
    check = np.frombuffer(_CHECK.encode(), dtype=np.uint8)
    for block in range(3):
        bits = upper[:, block * 5 : block * 5 + 5] @ np.array([1, 2, 4, 8, 16])
        letters[:, 15 + block] = check[bits]
    offsets = np.arange(count + 1, dtype=np.int32) * 18
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(letters))


def serial_of(record_id: str) -> int:
    """The serial number inside an id that `make_id` made."""
    serial = 0
    for letter in record_id[5:15]:
        serial = serial * 62 + DIGITS.index(letter)
    return serial
