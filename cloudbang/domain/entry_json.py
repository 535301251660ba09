"""Objects of JSON that an entry has over several lines."""

from __future__ import annotations

import re

from cloudbang.domain.entry import Entry
from cloudbang.domain.levels import read
from cloudbang.domain.line_shape import Shape

_MEMBER = re.compile(r'(\s+)"([\w.@]+)"\s*:\s*("?[\w+-]*)')


class ObjectOfEntry:
    """What of an object was seen: ``open`` while its members come, ``unfinished`` while a line of
    JSON that did not end goes on."""

    __slots__ = ("indent", "open", "unfinished")

    def __init__(self) -> None:
        self.indent = ""
        self.open = self.unfinished = False

    def begin(self, shape: Shape) -> None:
        """With the first line of its entry."""
        self.indent = ""
        self.open, self.unfinished = shape.opens_object, shape.unfinished

    def goes_on(self, text: str) -> bool:
        """Whether a line is what one that did not end goes on with."""
        text = text.rstrip()
        goes_on = text[:1] in ('"', " ", "\t", "]", "}")
        self.unfinished = goes_on and not text.endswith("}")
        return goes_on

    def takes(self, text: str, entry: Entry) -> bool:
        """Whether a line is of the object that is open; a member may say the level of the entry."""
        member = _MEMBER.match(text)
        if not member and (entry.lines == 1 or text[0] not in " \t}]"):
            self.open = False
            return False
        if member:
            self.indent = self.indent or member[1]
            if member[1] == self.indent and entry.level is None:
                line = f'{{"{member[2]}":{member[3]}'
                line += '"}' if member[3].startswith('"') else "}"
                entry.level = read(line).level
        self.open = text[0] not in "}]"
        return True
