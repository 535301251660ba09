"""What of a folder a build does not get: the patterns of a .dockerignore, as Docker reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST = 1_000  # patterns
LONGEST = 1_000  # characters of one

_CHAR = r"(?:\\.|[^\\])"
_CLASS = re.compile(r"\[(\^?)((?:\\.|[^\\\]])+)\]", re.DOTALL)
_MEMBER = re.compile(rf"({_CHAR})(?:-({_CHAR}))?", re.DOTALL)


class Ignored:
    """Whether a path is left out; the last pattern that matches it, or a folder above, decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns: list[tuple[bool, re.Pattern[str]]] = []
        for line in lines:
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            back = text.startswith("!")
            text = re.sub(r"/+", "/", text.removeprefix("!").strip()).strip("/").removeprefix("./")
            if text in ("", ".") or len(text) > LONGEST or len(self._patterns) >= MOST:
                continue
            try:
                pattern = re.compile(_pattern(text), re.DOTALL)
            except re.error:  # a range the wrong way round: it means nothing
                continue
            self._patterns.append((back, pattern))

    def __call__(self, path: str) -> bool:
        left_out = False
        for back, pattern in self._patterns:
            # One that says what is taken back matters only where something is left out, and the
            # other way round.
            if back == left_out and pattern.fullmatch(path):
                left_out = not back
        return left_out

    @property
    def takes_back(self) -> bool:
        """Whether a file may be taken although its folder is left out."""
        return any(back for back, _ in self._patterns)


def _pattern(text: str) -> str:
    """As a regular expression: of the path itself and of all that is below it."""
    made, at = [], 0
    while at < len(text):
        char = text[at]
        if text.startswith("**/", at):
            made.append("(?:.*/)?")
            at += 3
            continue
        if text.startswith("**", at):
            made.append(".*")
            at += 2
            continue
        if char == "*":
            made.append("[^/]*")
        elif char == "?":
            made.append("[^/]")
        elif char == "[" and (found := _CLASS.match(text, at)):
            made.append(f"(?!/)[{found[1]}{_members(found[2])}]")
            at = found.end() - 1
        elif char == "\\" and at + 1 < len(text):
            at += 1
            made.append(re.escape(text[at]))
        else:
            made.append(re.escape(char))
        at += 1
    return f"{''.join(made)}(?:/.*)?"


def _members(inside: str) -> str:
    """What stands in brackets, with a meaning for nothing but a range: Python knows more."""
    ranges = (filter(None, one.groups()) for one in _MEMBER.finditer(inside))
    return "".join("-".join(re.escape(char[-1]) for char in pair) for pair in ranges)
