"""What a reader wants to see: words, a regular expression, levels.

The expression is RE2's: its time is linear in the text, so nobody's pattern can hold a thread.
What is looked for is found in a line as it is seen (``domain/seen_text``) or as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any
from unicodedata import normalize

from cloudbang.domain import search_text
from cloudbang.domain.alerts.rules import contains
from cloudbang.domain.levels import LEVELS
from cloudbang.domain.lines import TEXT_AT
from cloudbang.domain.seen_text import NO_HINTS, found_in, hints_of
from cloudbang.domain.skip_terms import needs_of, needs_of_all
from cloudbang.errors import BadRequest
from cloudbang.storage.logs.block_search import BlockSearch, Expression, Match
from cloudbang.storage.logs.entry_pages import NO_LEVEL

MAX_PATTERN = 1_000  # characters
# Bytes a compiled expression may take. Compiling holds all threads: with 8 MiB it took 250 ms.
MAX_MEMORY = 1024 * 1024


def matcher(q: str = "", *, regex: bool = False, case: bool = False) -> Match | None:
    """A function that says whether a record is wanted; None when every record is.

    ``q`` is words as they stand, or with ``regex`` an expression of RE2; ``case`` tells capitals
    apart. Raises BadRequest.
    """
    if not q:
        return None
    q = normalize("NFC", q)
    folded = "" if regex else q.lower()
    return BlockSearch(
        by_text(q, regex, case),
        by_block(q, regex, case),
        (q, regex, case),
        holds=folded,
        finds="" if case else folded,
        needs=needs_of_all(search_text.required_parts(q)) if regex else needs_of(q),
        made=(_matcher, (q, regex, case)),
    )


def _matcher(q: str, regex: bool, case: bool) -> Match | None:
    return matcher(q, regex=regex, case=case)


def with_wildcards(text: str) -> Match:
    """Whether a record has it in it, as rules of alerts are written: ``*`` stands for anything, and
    capitals make no difference. Raises BadRequest."""
    text = normalize("NFC", text)
    longest = max(text.split("*"), key=len)
    if text.strip("*") == longest:
        return matcher(longest) or (lambda record: True)
    pattern, hints = text.lower(), hints_of(text)

    def wanted(record: bytes) -> bool:
        return found_in(
            record[TEXT_AT:-1],
            lambda seen: contains(seen.decode("utf-8", "replace").lower(), pattern),
            hints,
        )

    key = ("wildcards", text)
    return BlockSearch(
        wanted,
        by_block(longest, False, False),
        key,
        holds=longest.lower(),
        needs=needs_of_all(text.split("*")),
        made=(with_wildcards, (text,)),
    )


def by_text(q: str, regex: bool, case: bool) -> Match:
    """Whether it is in a record. Raises BadRequest."""
    if len(q) > MAX_PATTERN:
        raise BadRequest("q", q, f"at most {MAX_PATTERN} characters")
    if case and not regex:
        wanted, hints = q.encode(), hints_of(q)
        return lambda record: found_in(record[TEXT_AT:-1], lambda text: wanted in text, hints)
    # Most searches: words without a capital beyond ASCII. Ten times as fast as an expression.
    if not regex and all(char.isascii() or char.lower() == char.upper() for char in q):
        wanted, hints = q.lower().encode(), hints_of(q)
        return lambda record: found_in(
            record[TEXT_AT:-1], lambda text: wanted in text.lower(), hints
        )
    search = compiled(q, case=case, literal=not regex).search
    hints = hints_of(search_text.required(q)) if regex and q.isascii() else NO_HINTS

    def found(record: bytes) -> bool:
        text = record[TEXT_AT:-1]
        # RE2 takes letters beyond ASCII for some of ASCII.
        return found_in(
            text, lambda seen: search(seen) is not None, hints if text.isascii() else NO_HINTS
        )

    return found


def by_block(q: str, regex: bool, case: bool) -> Callable[[bytes], Expression | None]:
    """What finds something in every line of a block that may be wanted, for a given block: see
    ``domain.search_text``."""
    case = case and not regex  # whether (?i) stands in an expression is not looked for
    needed = search_text.required(q) if regex else q
    part, two = search_text.stable(needed), search_text.two_parts(needed)
    written = tried(search_text.as_written(part), case=case)
    bare = in_json = tried(part, case=case, literal=True)
    if not regex and search_text.is_plain(q):
        bare = tried(q, case=case, literal=True)
    quoted = '"' in needed or "\\" in needed
    # What is quoted is not seen of JSON that has no backslash: it is found as it was written.
    whole = None
    if regex and (quoted or not part):
        whole = tried(search_text.in_a_block(q), case=False)
    exact = bare if quoted and not regex and search_text.is_plain(q) else None
    if two is not None:
        one, other = map(re.escape, two)
        in_json_both = tried(f"{one}.*{other}|{other}.*{one}", case=case)
    else:
        in_json_both = None
    before_json = compiled(search_text.QUOTES_BEFORE_JSON, case=True, literal=False, in_a_line=True)
    escapes = [
        compiled(sign, case=True, literal=True) for sign in ("\\/", "\\u")["/" not in needed :]
    ]
    templates = [compiled(sign, case=True, literal=True) for sign in search_text.TEMPLATES]

    def expression(block: bytes) -> Expression | None:
        if b"\x1b" in block or b"\b" in block or any(sign.search(block, 0) for sign in escapes):
            return written
        # RE2 finds no character where there are bytes that are no text, and what carriage returns
        # wrote over is not seen.
        as_it_is = whole if whole and block.isascii() and b"\r" not in block else None
        if b"{" in block:
            if any(sign.search(block, 0) for sign in templates):
                return written
            if (
                (exact or as_it_is)
                and quoted
                and b"\\" not in block
                and b"\r" not in block
                and _is_text(block)
                and not before_json.search(block, 0)
            ):
                return exact or as_it_is
            # Where JSON holds JSON both may be seen of the same bytes.
            if in_json_both and b'"{' not in block and _is_text(block):
                return in_json_both
            return in_json
        return as_it_is or bare

    return expression


def _is_text(block: bytes) -> bool:
    """Whether RE2 finds a character everywhere."""
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            return False
    return True


def tried(source: str, *, case: bool, literal: bool = False) -> Expression | None:
    """An expression for blocks, or None: what is only looked for first may be too large."""
    if not source:
        return None
    try:
        return compiled(source, case=case, literal=literal, in_a_line=True)
    except BadRequest:
        return None


def compiled(q: str, *, case: bool, literal: bool, in_a_line: bool = False) -> Any:
    """RE2's expression. Raises BadRequest."""
    import re2  # here: 1 MB that most never need

    options = re2.Options()
    options.case_sensitive = case
    options.literal = literal
    options.never_nl = in_a_line
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    try:
        return re2.compile(q.encode(), options)
    except re2.error as e:
        reason = e.args[0] if e.args else "not understood"
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise BadRequest("q", q, f"a regular expression in RE2's syntax ({reason})") from None


def wanted_levels(levels: Collection[str]) -> frozenset[str] | None:
    """Those of ``domain.levels``, and "none"; None when every one is wanted. Raises BadRequest."""
    for level in levels:
        if level not in LEVELS and level != NO_LEVEL:
            raise BadRequest("level", level, "one of " + ", ".join([*LEVELS, NO_LEVEL]))
    return frozenset(levels) or None
