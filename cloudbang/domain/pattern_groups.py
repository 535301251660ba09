"""Words that vary: patterns that differ in one word alone are one, once there are many of them.

``user alice logged in`` and ``user bob logged in`` are two patterns, and may be two things. With thirty
names in that place it is ``user <*> logged in``. Two words that say what happened (*opened*, *closed*)
never become one: that takes as many words as no program has for what it does. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

HOLE = "<*>"
MANY, MANY_PATHS = 30, 100  # different words, or paths, at one place
ROUNDS = 3  # places of one pattern that may vary
WORDS = 40  # of a pattern, from its beginning; what comes after them is compared as a whole


def grouped(patterns: Collection[str]) -> dict[str, str]:
    """Of these patterns those that are one with others, each with what they are together."""
    now: dict[str, str] = {}
    left = set(patterns)
    for _ in range(ROUNDS):
        places: dict[str, set[str]] = {}
        for pattern in left:
            for place, word in _places(pattern):
                places.setdefault(place, set()).add(word)
        many = {place for place, words in places.items() if _are_many(words)}
        if not many:
            break
        moved: dict[str, str] = {}
        for pattern in left:
            # Of several places the one that most others share, which does not depend on their order.
            found = [(len(places[p]), p) for p, _ in _places(pattern) if p in many]
            if found:
                moved[pattern] = max(found)[1]
        left = {moved.get(pattern, pattern) for pattern in left}
        now = {pattern: moved.get(known, known) for pattern, known in now.items()}
        now |= {pattern: known for pattern, known in moved.items() if pattern in patterns}
    return now


def group_of(pattern: str, groups: Collection[str]) -> str:
    """Which of the groups that are known a pattern is one more of; itself where it is of none."""
    if groups:
        for place, _ in _places(pattern):
            if place in groups:
                return place
    return pattern


def _places(pattern: str) -> Iterator[tuple[str, str]]:
    """The pattern with each of its words left out, and that word."""
    words = pattern.split(" ", WORDS)
    for at, word in enumerate(words):
        if word and word != HOLE and not (word[0] == "<" and word[-1] == ">") and at < WORDS:
            words[at] = HOLE
            yield " ".join(words), word
            words[at] = word


def _are_many(words: set[str]) -> bool:
    if len(words) <= MANY:
        return False
    return len(words) > MANY_PATHS or not all(word.startswith("/") for word in words)
