"""Lines of log as Markdown, to be pasted where people talk: what they are of, and a fenced block.

Nothing in a line ends the block or is read as anything else: CommonMark ends a block with a line that
begins with its fence, and here each line begins with a time; what a reader of Markdown may take for
the end of a line, and what has no shape of its own, is written by its number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cloudbang.domain.seen_text import plain_text

FENCE = "```"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?").fullmatch
# Control characters but for the tab; what ends a line somewhere; what turns the direction of text.
_ODD = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
_TICKS = re.compile("`+")


def visible(text: str) -> str:
    """On one line, whatever is in it."""
    return _ODD.sub(lambda odd: f"\u27e8U+{ord(odd[0]):04X}\u27e9", text)


def code(text: str) -> str:
    """As a span of code, which nothing in the text ends."""
    text = visible(text)
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if not text.strip() or text[0] in " `" or text[-1] in " `" else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def opening(facts: Iterable[tuple[str, Sequence[str]]]) -> str:
    """What the lines are of: by its name what each fact holds; and the beginning of the block."""
    told = [f"- {name}: {', '.join(map(code, values))}" for name, values in facts if values]
    return "\n".join([*told, "", f"{FENCE}text", ""])


def line(time: str, who: str, text: str) -> str:
    """One line of the block. ``time``: RFC 3339, shown to the millisecond."""
    when = f"{time[:23]}Z" if _TIME(time) else "?"
    return f"{when} {visible(who)} {visible(plain_text(text))}".rstrip(" ") + "\n"


def ending(words: str) -> str:
    """The end of the block, and a sentence of what was in it."""
    return f"{FENCE}\n\n{words}\n"
