"""What of a search can be looked for in the bytes of a log before any line is looked at by itself.

A line is found by the text as it is seen, and that may stand in the file in other bytes: with escape
sequences between its letters, as ``\\uXXXX`` in JSON, its fields in another order. What is made here
is an expression (in RE2's syntax) that finds something in every line in which the search could
possibly find anything, whatever way it was written: it finds too much, and never too little. Pure.
"""

from __future__ import annotations

import re
import unicodedata

MOST = 24  # characters that are looked for: more only make the expression larger

# What may stand between two characters that are seen beside each other.
_BETWEEN = (
    r"(?:\x1b\[[0-?]*[ -/]*[@-~]?|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?"
    r"|\\+u001[bB](?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_](?:[^\\\n]|\\+[^u\n])*(?:\\+u0007)?)?)*"
)

# Where the fields of a line are filled into its text, what is seen may be put together of anything.
TEMPLATES = ('@mt"', 'emplate"', 'EMPLATE"')

# A record that may have something in quotes before an object: of its quotation marks the first is none
# that an object begins with.
QUOTES_BEFORE_JSON = r'(?m:^.{51}[ \t]*(?:"|[^ \t{"\n](?:[^"\n]*[^{"\n])?").*\{")'

# Characters of which a page makes no others and puts none between them. A digit's dot is one.
_STABLE = re.compile(r"(?:[^\W_]|[-_/@%#$~]|(?<=[0-9])\.(?=[0-9]))+")
_COUNTED = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")
_BREAKING = "AbBCdDsSwWz"  # escapes that stand for no character, or for many


def stable(text: str) -> str:
    """The longest part of ``text`` that stands in every line in which ``text`` is seen, if the line
    has no escapes in it and nothing is filled into its text; "" where that says too little."""
    part = max(_parts(text), key=lambda one: len(one.encode()), default="")[:MOST]
    return part if len(part.encode()) > 1 else ""


def two_parts(text: str) -> tuple[str, str] | None:
    """The two longest such parts, of which neither is within the other: each stands in every line as
    :func:`stable` says, and they are not written with the same bytes unless text in JSON holds JSON."""
    found: list[str] = []
    for part in sorted(_parts(text), key=lambda one: len(one.encode()), reverse=True):
        part = part[:MOST]
        small = part.casefold()
        if len(part.encode()) > 1 and not any(
            small in one.casefold() or one.casefold() in small for one in found
        ):
            found.append(part)
    return (found[0], found[1]) if len(found) > 1 else None


def as_written(part: str) -> str:
    """An expression for each way in which a stable part of a text may stand in a file. To be compiled
    without a difference between capitals and small letters, where the search makes none."""
    if not part:
        return ""
    return "|".join((_BETWEEN.join(_written(char) for char in part), *TEMPLATES))


def is_plain(text: str) -> bool:
    """Whether ``text`` looks the same in the bytes of every line without escapes and JSON."""
    return all(char.isascii() or _is_single(char) for char in text)


def _parts(text: str) -> list[str]:
    found: list[str] = []
    for part in _STABLE.findall(text):
        single = "".join(char if _is_single(char) else "\n" for char in part)
        found += [one for one in single.split("\n") if one]
    return found


def _is_single(char: str) -> bool:
    """Whether it is one character however it was composed, in any case."""
    if char.isascii():
        return True
    folded = char.casefold()
    return (
        len(folded) == 1
        and folded == char.lower()
        and folded.upper() == char.upper()
        and char not in "σςΣ\ufffd"
        and unicodedata.normalize("NFKD", char) == char
        and not unicodedata.category(char).startswith("M")
        and not "\u1100" <= char <= "\u11ff"  # parts of Hangul syllables
    )


def _written(char: str) -> str:
    forms = {char, char.lower(), char.upper()}
    escaped = "|".join(_escaped(one) for one in sorted(forms))
    ahead = r"\\*" if char == "/" else ""
    return f"(?:{ahead}{re.escape(char)}|{escaped})"


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be").hex()
    return "".join(rf"\\+u(?i:{units[at : at + 4]})" for at in range(0, len(units), 4))


def required(expression: str) -> str:
    """The longest text that everything an RE2 ``expression`` finds has in it, in some case; "" where
    none is known."""
    return max(required_parts(expression), key=len, default="")


def required_parts(expression: str) -> list[str]:
    """All that everything an RE2 ``expression`` finds has in it, in some case, as far as it is known.
    Looks at the outermost row alone: what stands in brackets is not understood."""
    runs, run = [], ""
    at, length = 0, len(expression)
    while at < length:
        char, literal = expression[at], ""
        counted = _COUNTED.match(expression, at)
        at = counted.end() if counted else at + 1
        if char == "|":
            return []
        if char in "([":
            at = _after_group(expression, at) if char == "(" else _after_class(expression, at)
            if at < 0:
                return []
        elif char == "\\":
            escape = expression[at : at + 1]
            at += 1
            if not escape or (escape.isalnum() and escape not in _BREAKING):
                return []  # \Q…\E, \x41, \pL: seldom enough
            literal = "" if escape.isalnum() else escape
        elif not counted and char not in "^$.*+?":
            literal = char
        follows = expression[at : at + 1]
        if literal and follows not in ("*", "?") and not _COUNTED.match(expression, at):
            run += literal
            if follows != "+":
                continue
        runs.append(run)
        run = ""
    return [one for one in (*runs, run) if one]


def _after_group(expression: str, at: int) -> int:
    """Where a group that began before ``at`` has ended; -1 where that is not understood."""
    depth = 1
    while at < len(expression):
        char = expression[at]
        at += 1
        if char == "\\":
            if expression[at : at + 1] == "Q":
                return -1
            at += 1
        elif char == "[":
            at = _after_class(expression, at)
            if at < 0:
                return -1
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if not depth:
                return at
    return -1


def _after_class(expression: str, at: int) -> int:
    """The same of a class of characters."""
    if expression[at : at + 1] == "^":
        at += 1
    if expression[at : at + 1] == "]":
        at += 1
    while at < len(expression):
        char = expression[at]
        at += 1
        if char == "\\":
            at += 1
        elif char == "[" and expression[at : at + 1] == ":":
            at = expression.find(":]", at) + 2
            if at < 2:
                return -1
        elif char == "]":
            return at
    return -1


def in_a_block(expression: str) -> str:
    """The same expression for a block of many records, to be compiled with ``never_nl``: it finds
    something in each record in whose text ``expression`` finds something. "" where none does."""
    bare = re.sub(r"\\.", "", expression)
    if re.search(r"\\[AzQC]", expression) or "(?" in bare.replace("(?:", "").replace("(?i)", ""):
        return ""
    outside = re.sub(r"\[\^?\]?[^\]]*\]", "", bare)
    if "[" in outside or "]" in outside:
        return ""
    if "^" not in outside:
        return f"(?m:{expression})"
    # The text of a record begins behind its time, container and stream.
    begins = expression.startswith("^") and expression[1:2] not in tuple("*+?{")
    if begins and outside.count("^") == 1 and "|" not in outside:
        return f"(?m:^[^\\n]{{51}}{expression[1:]})"
    return ""
