"""Terminal escape sequences in a line of log: what of it is seen is the text without them.

The pages drop the same in ``static/js/lib/ansi.js``, which keeps colours and links besides;
``tests/data/ansi.json`` holds both to the same answers.
"""

from __future__ import annotations

import re

# CSI … final byte; OSC, DCS, SOS, PM, APC … BEL or ST; charset choices; other two-byte sequences.
# An unfinished CSI at the end of a line goes too.
SEQUENCE = (
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|\Z)|[()*+][0-9A-Za-z]"
    r"|[ -/]*[0-Z\\`a-z{|}~]|\[[0-?]*[ -/]*\Z)"
)
_IN_TEXT = re.compile(SEQUENCE)
_IN_BYTES = re.compile(SEQUENCE.encode())


def strip(text: str) -> str:
    """The text without any escape sequence."""
    return _IN_TEXT.sub("", text) if "\x1b" in text else text


def strip_bytes(text: bytes) -> bytes:
    """The same for bytes of UTF-8."""
    return _IN_BYTES.sub(b"", text) if b"\x1b" in text else text
