"""Patterns of lines: what changes is left out, and what is left finds the lines again."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.pattern_groups import MANY, MANY_PATHS, group_of, grouped
from cloudbang.domain.patterns import (
    KINDS,
    LONGEST,
    LOOKED_AT,
    Patterns,
    expression_of,
    mask,
    pattern_of,
)
from cloudbang.domain.seen_text import seen_text

VECTORS = json.loads(Path("tests/data/patterns.json").read_text())
FORMATS = Path("tests/data/log_formats")
LINES = [line for file in sorted(FORMATS.glob("*.txt")) for line in file.read_text().splitlines()]
PIECES = st.sampled_from(
    [
        *[kind.example for kind in KINDS],
        *[kind.counter for kind in KINDS],
        *" =:,\"'[({",
        "ok",
        "Nov ",
    ]
)


@pytest.mark.parametrize(("line", "pattern"), VECTORS)
def test_vectors(line: str, pattern: str) -> None:
    """What the pages' own reading is held to as well."""
    assert pattern_of(line) == pattern


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_table(kind: object) -> None:
    """Each row finds its example, and not what looks like it."""
    name, _, _, example, counter = kind  # type: ignore[misc]
    holes = re.findall(r"<(\w+)>|[1-5]xx", mask(example))
    if name == "status":
        assert mask(example).endswith("5xx")
        assert "xx" not in mask(counter)
        return
    assert holes == [name]
    assert f"<{name}>" not in mask(counter)


def same_but_for_digits(line: str, chance: random.Random) -> str:
    """The line with other digits, but where the class of a status may stand. None is a nought: a
    number that begins with it is none in JSON."""
    kept = {one.start() for one in re.finditer(r"[0-9]{3}(?![0-9])", line)}
    return "".join(
        chance.choice("123456789") if c in "0123456789" and at not in kept else c
        for at, c in enumerate(line)
    )


@given(st.sampled_from([line for line, _ in VECTORS]), st.integers())
def test_lines_that_differ_in_digits_alone_have_one_pattern(line: str, seed: int) -> None:
    """Which is what makes most lines cost one look."""
    if "\\u" in line or "\x1b" in line:
        return
    known = Patterns()
    known.of(line.encode())
    other = same_but_for_digits(line, random.Random(seed))
    assert known.of(other.encode()) == Patterns().of(other.encode()) == pattern_of(other)


@given(st.lists(PIECES, max_size=12))
def test_what_was_known_is_what_is_found_anew(pieces: list[str]) -> None:
    """In whichever way the pieces stand together: the pattern finds its line, too."""
    line = "".join(pieces)
    pattern = pattern_of(line)
    assert Patterns().of(line.encode()) == pattern
    if pattern:
        assert re2.search(expression_of(pattern), seen_text(line)), pattern


@pytest.mark.parametrize(
    "line",
    [line for line, _ in VECTORS]
    + LINES[::7]
    + ["no such path: C:\\shop\\", "x" * 390 + "\\(" * 40],
)
def test_the_expression_of_a_pattern_finds_its_lines(line: str) -> None:
    """As it is seen, whatever wrote it."""
    pattern = pattern_of(line)
    if pattern:
        assert re2.search(expression_of(pattern), seen_text(line)), (
            pattern,
            expression_of(pattern),
        )


def test_patterns_are_bounded() -> None:
    """However long a line is, or odd; what is beyond its beginning is not looked at."""
    for text in ("x " * 5_000, "é" * 5_000, '"' * 5_000, "a1" * 5_000, "<n>" * 5_000, "1:" * 5_000):
        pattern = mask(text)
        assert len(pattern) <= LONGEST
        assert len(expression_of(pattern)) <= 1_000
    start = "word " * (LOOKED_AT // 5)
    assert mask(start + "1") == mask(start + "two")
    wide = json.dumps({"msg": "m", **{f"field{c}": 1 for c in range(500)}})
    assert len(pattern_of(wide)) <= LONGEST
    assert expression_of(pattern_of(wide)) == r"^\s*m"


def test_names_at_one_place_become_one_once_they_are_many() -> None:
    """And words that say what happened never do, nor the few names that there are."""
    names = [f"user {chr(97 + n % 26)}{chr(97 + n // 26)}x logged in" for n in range(MANY + 1)]
    few = [f"connection {word} to db" for word in ("opened", "closed", "refused", "lost")]
    together = grouped([*names, *few])
    assert set(together) == set(names)
    assert set(together.values()) == {"user <*> logged in"}
    assert grouped(names[:MANY]) == {}
    assert group_of("user zoe logged in", {"user <*> logged in"}) == "user <*> logged in"
    assert group_of("user zoe logged out", {"user <*> logged in"}) == "user zoe logged out"


def test_names_at_two_places() -> None:
    """Whatever order they come in."""
    both = [
        f"{chr(97 + a % 26)}{chr(97 + a // 26)} took {chr(97 + b % 26)}{chr(97 + b // 26)} away"
        for a in range(MANY + 1)
        for b in range(MANY + 1)
    ]
    assert set(grouped(both).values()) == {"<*> took <*> away"}
    assert grouped(both) == grouped(both[::-1])


def test_paths_are_words_that_are_meant() -> None:
    """An app has more of them than names for what it does, and each is a page of its own."""
    paths = [f"GET /{'a' * (n + 1)} done" for n in range(MANY_PATHS + 1)]
    assert grouped(paths[:-1]) == {}
    assert set(grouped(paths).values()) == {"GET <*> done"}


def test_a_pattern_with_a_varying_word_finds_its_lines() -> None:
    """Its expression takes any word there."""
    expression = expression_of("<time> user <*> logged in from <ip>")
    assert re2.search(expression, "2026-11-30 02:48:13 user zoe logged in from 10.0.0.1")
    assert not re2.search(expression, "2026-11-30 02:48:13 user zoe logged in from home")
