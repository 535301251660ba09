"""What lines of log have in common: a line with what changes from one to the next left out.

``order 4711 of ana@shop.de took 12 ms`` and its like are ``order <n> of <mail> took <duration>``. A
pattern is made of a line by itself, in one pass from its left to its right, by a table of what changes
(:data:`KINDS`): the same line gives the same pattern, whatever came before it, in every process and
after every start. Of JSON it is the message, and the names of the other fields. Words are words: those
that turn out to vary are found where patterns are counted (``pattern_groups``).

Nothing in the table asks which digits a number has, but for the class of an HTTP status. So two lines
that differ in digits alone have the same pattern, and most lines cost one look at a table.

The pages do the same to fold lines that come again (``static/js/logs/patterns.js``);
``tests/data/patterns.json`` holds both to the same answers.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cloudbang.domain.seen_text import LAST, fields_of, plain_text, seen_bytes

LOOKED_AT = 2_000  # characters of a line
LONGEST = 300  # characters of a pattern
EXPRESSION = 900  # characters of what finds its lines; more is cut
NAMES = 100  # of them that are kept for the names of fields
KNOWN_AT_MOST, KNOWN_BYTES = 8_192, 600  # lines that are remembered, and how long these may be


class Kind(NamedTuple):
    """A row of the table: ``source`` in the syntax that Python and JavaScript share, with nothing in
    it that could be tried in more than a bounded number of ways; ``found`` is what finds such a value
    in RE2's syntax, and ``counter`` looks like one and is none."""

    name: str
    source: str
    found: str
    example: str
    counter: str


_WORD = "A-Za-z0-9"
_APART = f"(?<![{_WORD}])"
_ENDS = f"(?![{_WORD}])"
_CLOCK = "[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
_ZONE = "(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_UNIT = "(?:ns|us|µs|μs|ms|msecs?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)"
_AMOUNT = r"[0-9]+(?:\.[0-9]+)?"
_BEHIND = "".join(
    (
        r"(?:(?<=HTTP/[0-9]\.[0-9]\" ...)|(?<=HTTP/[0-9]\.[0-9] ...)|(?<=HTTP/[0-9]\" ...)",
        r"|(?<=[Ss]tatus=...)|(?<=[Ss]tatus: ...)|(?<=[Ss]tatus ...)|(?<=[Ss]tatus:...)",
        r"|(?<=[Ss]tatus_code=...)|(?<=[Ss]tatusCode=...)|(?<=[Ss]tatus code ...))",
    )
)

# The first that fits at a place is it.
KINDS = (
    Kind(
        "status",
        rf"[1-5][0-9]{{2}}(?![{_WORD}]|[.,:][0-9]){_BEHIND}",
        "",
        '"GET / HTTP/1.1" 503',
        "503 orders",
    ),
    Kind(
        "time",
        rf"{_APART}[0-9]{{4}}[-/.][0-9]{{2}}[-/.][0-9]{{2}}(?:[T ]{_CLOCK}{_ZONE})?{_ENDS}"
        rf"|{_APART}[0-9]{{1,2}}/(?:{_MONTH}|[0-9]{{2}})/[0-9]{{4}}(?:[: ]{_CLOCK}{_ZONE})?{_ENDS}"
        rf"|{_APART}(?:{_DAY},? )?(?:[0-9]{{2}} )?{_MONTH} (?:[ 0-9][0-9] )?(?:[0-9]{{4}} )?{_CLOCK}(?: [A-Z]{{3,4}})?{_ZONE}(?: [0-9]{{4}})?{_ENDS}"
        rf"|{_APART}[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:[.,][0-9]{{1,9}})?{_ZONE}(?![{_WORD}:])",
        "[0-9A-Za-z][0-9A-Za-z:.,/+ -]*",
        "2026-11-30T02:48:13.123Z",
        "12:34",
    ),
    Kind(
        "mail",
        rf"(?<![{_WORD}._+-])[{_WORD}][{_WORD}._+-]{{0,63}}@[{_WORD}-]{{1,63}}(?:\.[{_WORD}-]{{1,63}}){{1,8}}",
        "[^ ]+",
        "ana.lopez+a@mail.shop.de",
        "user@host",
    ),
    Kind(
        "id",
        rf"{_APART}[0-9a-fA-F]{{8}}-(?:[0-9a-fA-F]{{4}}-){{3}}[0-9a-fA-F]{{12}}{_ENDS}"
        rf"|{_APART}(?:[0-9a-fA-F]{{2}}[:-]){{5}}[0-9a-fA-F]{{2}}(?![{_WORD}:-])"
        rf"|0x[0-9a-fA-F]+{_ENDS}"
        rf"|{_APART}(?=[a-fA-F]*[0-9])(?=[0-9]*[a-fA-F])[0-9a-fA-F]{{7,}}{_ENDS}"
        rf"|{_APART}(?!v[0-9])(?=[A-Za-z]*[0-9]+[A-Za-z]+[0-9])(?![0-9.]+{_UNIT}[0-9])[{_WORD}]{{5,}}{_ENDS}",
        "[0-9A-Za-z:-]+",
        "3f9ab2c1-0000-4000-8000-0123456789ab",
        "v1beta1",
    ),
    Kind(
        "ip",
        rf"{_APART}[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}(?::[0-9]{{1,5}})?(?![{_WORD}]|\.[0-9])"
        rf"|(?<![{_WORD}:])\[?(?:[0-9a-fA-F]{{1,4}}:){{3,7}}[0-9a-fA-F]{{1,4}}(?:\]:[0-9]{{1,5}})?(?![{_WORD}:])"
        rf"|(?<![{_WORD}:])\[?(?:(?:[0-9a-fA-F]{{1,4}}:){{1,6}}|:):(?:[0-9a-fA-F]{{1,4}}:){{0,6}}(?=[a-fA-F]{{0,3}}[0-9])[0-9a-fA-F]{{1,4}}(?:\]:[0-9]{{1,5}})?(?![{_WORD}:])",
        r"[0-9A-Fa-f:.\[\]]+",
        "10.0.0.7:5432",
        "1.2.3.4.5",
    ),
    Kind(
        "query",
        r"(?<=[A-Za-z0-9_/.-])\?[A-Za-z0-9_.~%[\]-]{1,64}=[^ \t\"'<>]*",
        r"\?[^ ]*",
        "/search?q=shoes&page=2",
        "why?",
    ),
    Kind(
        "duration",
        rf"(?<![A-Za-z0-9.,])(?:{_AMOUNT}{_UNIT})+{_ENDS}"
        rf"|(?<![A-Za-z0-9.,]){_AMOUNT} (?:ns|us|µs|μs|ms|msecs?|milliseconds?|s|secs?|seconds?|mins?|minutes?|hours?|days?){_ENDS}",
        "[0-9][0-9. a-zµμ]*",
        "1h30m5.2s",
        "5th",
    ),
    Kind(
        "size",
        rf"(?<![A-Za-z0-9.,]){_AMOUNT} ?(?:[kKMGTPE]i?[Bb]|[KMGTPE]i|[bB]ytes?|B){_ENDS}",
        "[0-9][0-9.]* ?[A-Za-z]+",
        "12.5 MiB",
        "5 boxes",
    ),
    Kind(
        "text",
        r"(?<![^ \t=:(\[{,])(?<![Mm]sg=)(?<!essage=)(?<!vent=)(?<!rror=)(?<!err=)(?<![Mm]sg: )(?<!essage: )"
        r'"(?!(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PROPFIND) )(?:[^"\\\n]|\\.){0,300}"'
        rf"|{_APART}'[^'\n]{{1,200}}'{_ENDS}"
        rf"|{_APART}`[^`\n]{{1,200}}`{_ENDS}",
        ".*",
        'no such file: "a b.txt"',
        'msg="order taken"',
    ),
    Kind(
        "n",
        r"(?:(?<=[ =:(,[\"'])-)?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+(?![A-Za-z0-9]))?",
        "[-+0-9.,eE]+",
        "-1,234.5e-07",
        "none",
    ),
)

# Plain words, of which most lines are made, are passed over in one go: nothing begins in them.
WORDS = rf"(?<![{_WORD}])(?:(?!{_DAY},? |{_MONTH} )[A-Za-z]+[ =]+)+"
# What a line has that looks like a placeholder, as a usage message does, is written ‹so›.
LITERAL = rf"<(?:{'|'.join(kind.name for kind in KINDS[1:])}|\*)>"
MASK = re.compile("|".join((WORDS, LITERAL, *(f"({kind.source})" for kind in KINDS))))
STATUS_PATH = re.compile(r"(?:.*\.)?(?:http_?)?status(?:_?code)?", re.IGNORECASE | re.ASCII)
# Where a status may stand, and its class: at least wherever the table finds one.
_CLASSES = re.compile(
    rb"""(?:HTTP/[0-9](?:\.[0-9])?"? |tatus(?:_?[Cc]ode| code)?"?[=: ]{1,2}"?)([1-5])[0-9]{2}(?![0-9])"""
)
_NAMES = tuple(f"<{kind.name}>" for kind in KINDS)
_HOLES = re.compile("|".join(re.escape(name) for name in (*_NAMES[1:], "<*>")) + "|[1-5]xx")
_ANGLED = re.compile(rf"‹({'|'.join(kind.name for kind in KINDS[1:])}|\\\*)›")
_FIELDS = re.compile(r"(?:^| )\{([^{}]*)\}$")
_FOUND = {f"<{kind.name}>": kind.found for kind in KINDS[1:]} | {"<*>": "[^ ]+"}
_DIGITS = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
TRACEBACK = b"Traceback (most recent call last):"


def mask(text: str) -> str:
    """A text with what changes left out. Takes time in proportion to its length."""
    if len(text) > LOOKED_AT:
        text = text[:LOOKED_AT].rpartition(" ")[0] or text[:LOOKED_AT]
    return MASK.sub(_placeholder, text)[:LONGEST].strip(" \t")


def _placeholder(found: re.Match[str]) -> str:
    kind = found.lastindex
    if kind is None:
        text = found[0]
        return f"‹{text[1:-1]}›" if text[0] == "<" else text
    return f"{found[0][0]}xx" if kind == 1 else _NAMES[kind - 1]


def pattern_of(line: str) -> str:
    """The pattern of a line as its container wrote it. Never raises."""
    text = plain_text(line)
    if "{" in text and (said := fields_of(text)) is not None:
        message, fields = said
        names = [_field(path, value) for path, value in fields if not LAST.fullmatch(path)]
        if message is None:
            return _cut_names(names, LONGEST)
        # Their order is not always the same: many writers take it from a table of hashes.
        start = mask(message)[: LONGEST - NAMES].strip(" \t")
        return f"{start} {_cut_names(sorted(names), LONGEST - len(start) - 1)}"
    return mask(text)


def _field(path: str, value: str) -> str:
    if (
        len(value) == 3
        and "1" <= value[0] <= "5"
        and value.isdigit()
        and STATUS_PATH.fullmatch(path)
    ):
        return f"{path}={value[0]}xx"
    return path


def _cut_names(names: list[str], room: int) -> str:
    """The names of fields in braces, as many as there is room for."""
    room -= 2
    fit: list[str] = []
    for name in names:
        room -= len(name) + 2
        if room < 0:
            break
        fit.append(name)
    return f"{{{', '.join(fit)}}}"


class Patterns:
    """Patterns of many lines: what was found for one is known for all that differ in digits alone."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def of(self, text: bytes) -> str:
        """The pattern of the text of a record, without its LF."""
        if len(text) > KNOWN_BYTES or b"\\u" in text:
            return pattern_of(text.decode("utf-8", "replace"))
        if b"\x1b" in text or b"\r" in text or b"\b" in text:
            text = seen_bytes(text)
        key = text.translate(_DIGITS)
        if b"HTTP/" in text or b"tatus" in text:
            key += b"\0" + b"".join(_CLASSES.findall(text))
        found = self._known.get(key)
        if found is None:
            found = pattern_of(text.decode("utf-8", "replace"))
            if len(self._known) >= KNOWN_AT_MOST:
                self._known.clear()
            self._known[key] = found
        return found


def expression_of(pattern: str) -> str:
    """What finds the lines of a pattern, as they are seen, in RE2's syntax.

    It finds each of them, and hardly any other: of a pattern that was cut it finds what begins so,
    and of JSON what says so, whatever its fields are.
    """
    json = _FIELDS.search(pattern)
    text = pattern[: json.start()] if json else pattern
    if json and not text:
        names = [name.partition("=")[0] for name in json[1].split(", ") if name]
        return ("^" + ".* ".join(f"{_literally(name)}=" for name in names))[:EXPRESSION]
    # Most lines begin with their time, which is the same for all of them.
    begins = not text.startswith("<time> ")
    parts, at = [r"^\s*"] if begins else [], 0 if begins else len("<time>")
    room = EXPRESSION
    for hole in _HOLES.finditer(text, at):
        name = hole[0]
        found = f"{name[0]}[0-9][0-9]" if name.endswith("xx") else _FOUND[name]
        part = _literally(text[at : hole.start()]) + found
        room -= len(part)
        if room < 0:
            return "".join(parts)
        parts.append(part)
        at = hole.end()
    last = _literally(text[at:])
    if len(last) > room:
        last = last[: max(room, 0)]
        if (len(last) - len(last.rstrip("\\"))) % 2:
            last = last[:-1]  # the first half of what is escaped
        parts.append(last)
    else:
        parts.append(last)
        if not json and len(pattern) < LONGEST:
            parts.append(r"\s*$")
    return "".join(parts)


def _literally(text: str) -> str:
    text = re.sub(r"[\\^$.*+?()\[\]{}|]", r"\\\g<0>", text)
    return _ANGLED.sub(r"[<‹]\1[>›]", text) if "‹" in text else text
