"""Paths that are asked for, grouped into templates that are learned: /users/4711 is /users/:id.

A segment that a program made up is ``:id`` by how it looks. Where one place of the tree of paths has
more than 30 different words within an hour, nobody gave each of them its page: they become
``:any``, but for the few by which most go. All that is kept is bounded, whatever is asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

ID, ANY = ":id", ":any"
OTHER, NOT_FOUND, HEALTH = "(other)", "(not found)", "(health checks)"

MOST = 500  # templates of an app
DISTINCT = 30  # different segments at one place within an hour
HEAVY, HEAVY_LEAST = 1 / 120, 10  # of a place's requests, with which one keeps its name
OFTEN = 0.05  # of them, with which a plain word among plain words does
NODES = 2_000  # places of an app's tree
DEPTH = 20  # segments; what is deeper is cut
HOUR = 3600
LONG = 40  # characters of a segment

_EXTENSION = re.compile(r"(?<=.)(?:\.(?:min|module|chunk|bundle))?\.[A-Za-z][A-Za-z0-9]{0,5}$")
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:[.,:_-][0-9]+)*")  # also dates, ranges, IPv4, versions
_HEX = re.compile(r"(?=[a-fA-F]*[0-9])[0-9a-fA-F]{8,}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T_ ].*")
_MADE_UP = re.compile(r"[A-Za-z0-9_=~+-]{16,}")
_MAIL = re.compile(r"[^@/]+(?:@|%40)[^@/]+\.[^@/]+")
_LAST_PART = re.compile(r"^(.*[A-Za-z][._-])([0-9A-Za-z]{8,})$")


class Templates:
    """Those of one app. ``rules``: what a person says of it, patterns such as ``/blog/*``, of which
    a star is one segment, two at the end whatever follows. They come first."""

    def __init__(self, rules: Sequence[str] = ()) -> None:
        self.rules = rules
        self._root = _Place()
        self._nodes = 1
        self._hour = 0
        self._opened = False  # since what is known was last looked through
        self._known: dict[str, int] = {}  # template -> the hour in which it was asked for last
        self.refused = 0  # requests for which there was no template left

    @property
    def rules(self) -> Sequence[str]:
        return self._written

    @rules.setter
    def rules(self, rules: Sequence[str]) -> None:
        self._written = tuple(rules)
        self._rules = [(_pattern(rule), rule) for rule in rules]

    def __len__(self) -> int:
        return len(self._known)

    def of(self, path: str, time: float) -> str:
        """The template of a path that was asked for at that time, which is learned from it."""
        hour = int(time) // HOUR
        if hour > self._hour or hour < self._hour - 1:  # which was of a clock that was ahead
            self._turn(hour)
        for pattern, rule in self._rules:
            if pattern.fullmatch(path):
                return self._admit(rule)
        return self._admit(self._walk(path))

    def fold(self, template: str) -> str:
        """What a template that was given earlier is now: one of its places may have become
        ``:any``. Nothing is learned."""
        if template[:1] != "/" or template in self._written:
            return template
        place, out = self._root, []
        for segment in template[1:].split("/"):
            found = place.children.get(segment)
            if found is None and place.any is not None:
                segment, found = _any(segment), place.any.get(_any(segment))
            out.append(segment)
            if found is None:
                found = _Place()
            place = found
        return "/" + "/".join(out)

    # -- what is kept of it

    def state(self) -> list[str]:
        """What was learned: each place that became ``:any``, as ``of`` goes on from it after a
        restart."""
        return sorted(_open_places("", self._root))

    def load(self, state: Sequence[str]) -> None:
        """Go on from what ``state`` gave."""
        for path in state[:NODES]:
            place = self._root
            for segment in path.split("/")[1:]:
                children = place.children
                if segment.startswith(ANY) and place.any is not None:
                    children = place.any
                if segment not in children:
                    children[segment] = _Place()
                    self._nodes += 1
                place = children[segment]
            if place.any is None:
                place.any = {}

    # -- the tree

    def _walk(self, path: str) -> str:
        if path[:1] != "/":
            return path
        place, out = self._root, []
        place.count += 1
        for raw in path[1:].split("/", DEPTH)[:DEPTH]:
            segment = segment_class(raw)
            found = place.children.get(segment)
            if found is None:
                if place.any is not None:
                    segment = _any(segment)
                    found = place.any.get(segment)
                    if found is None:
                        found = self._new(place.any, segment)
                else:
                    found = self._new(place.children, segment)
                    if found is not None and len(place.children) > DISTINCT:
                        self._open(place)
                        # The one that was one too many is among them.
                        if segment not in place.children:
                            segment = _any(segment)
                            found = place.any[segment]  # type: ignore[index]
                if found is None:
                    return OTHER
            found.count += 1
            place = found
            out.append(segment)
        return "/" + "/".join(out)

    def _new(self, children: dict[str, _Place], segment: str) -> _Place | None:
        if self._nodes >= NODES:
            return None
        self._nodes += 1
        made = children[segment] = _Place()
        return made

    def _open(self, place: _Place) -> None:
        """Its children are one from here on, but for those with many of its requests that are not
        like the others."""
        place.any = {}
        self._opened = True
        enough = max(place.count * HEAVY, HEAVY_LEAST)
        light = {name: one for name, one in place.children.items() if one.count < enough}
        below = {name for one in light.values() for name in one.children}
        styles = Counter(_style(name) for name in light)
        for segment, child in list(place.children.items()):
            if segment.startswith(ID):
                continue
            if segment not in light and not self._is_like(segment, child, place, below, styles):
                continue
            del place.children[segment]
            name = _any(segment)
            if name in place.any:
                self._nodes -= 1
                self._join(place.any[name], child)
            else:
                place.any[name] = child

    @staticmethod
    def _is_like(
        segment: str, child: _Place, place: _Place, below: set[str], styles: Counter[str]
    ) -> bool:
        """Whether one that is asked for often is one more of what is there by the dozen (a post that
        everybody reads), and no page of its own beside them (a search)."""
        if child.children:
            return 2 * len(below & child.children.keys()) >= len(child.children)
        style = _style(segment)
        if styles[style] * 5 < sum(styles.values()):
            return False
        # Nobody can tell two words apart: then it is how often it is asked for.
        return bool(style) or child.count < place.count * OFTEN

    def _join(self, one: _Place, other: _Place) -> None:
        one.count += other.count
        if one.any is None and other.any is not None:
            one.any = {}
        for mine, theirs in ((one.children, other.children), (one.any, other.any)):
            for segment, child in (theirs or {}).items():
                its, name = mine, segment
                if mine is one.children and one.any is not None and segment not in one.children:
                    its, name = one.any, _any(segment)
                assert its is not None
                if name in its:
                    self._nodes -= 1
                    self._join(its[name], child)
                else:
                    its[name] = child
        if one.any is None and len(one.children) > DISTINCT:
            self._open(one)

    # -- what is bounded

    def _admit(self, template: str) -> str:
        known = self._known
        if template in known:
            known[template] = self._hour
        elif template == OTHER:
            self.refused += 1
        elif len(known) < MOST or self._has_room():
            self._known[template] = self._hour
        else:
            self.refused += 1
            return OTHER
        return template

    def _has_room(self) -> bool:
        """Once those are one whose places became one since they were given."""
        if self._opened:
            self._opened = False
            self._known = {self.fold(template): hour for template, hour in self._known.items()}
        return len(self._known) < MOST

    def _turn(self, hour: int) -> None:
        """Another hour: what nobody asked for in the last one makes room, and is counted anew."""
        gone = hour - 1
        self._known = {
            now: min(max(last, self._known.get(now, 0)), hour)
            for template, last in self._known.items()
            if last >= gone
            for now in (self.fold(template),)
        }
        self._hour = hour
        self._root.count //= 4
        self._nodes = 1 + _age(self._root)


class _Place:
    """One place in the tree: what was asked for there, and below it. ``any``: by extension, once
    its children are one."""

    __slots__ = ("any", "children", "count")

    def __init__(self) -> None:
        self.children: dict[str, _Place] = {}
        self.any: dict[str, _Place] | None = None
        self.count = 0


def _age(place: _Place) -> int:
    """Forget what was not asked for since the last time; how many places are left below it."""
    left = 0
    for children in (place.children, place.any or {}):
        for segment, child in list(children.items()):
            left += 1 + _age(child)
            if not child.count and not child.children and child.any is None:
                del children[segment]
                left -= 1
            child.count //= 4  # one that was heavy is for a while
    return left


def _open_places(path: str, place: _Place) -> Iterator[str]:
    if place.any is not None:
        yield path
    for children in (place.children, place.any or {}):
        for segment, child in children.items():
            yield from _open_places(f"{path}/{segment}", child)


def segment_class(segment: str) -> str:
    """``:id`` for what a program made up, with its extension; else the segment."""
    if segment.isalpha() and len(segment) <= LONG and segment.isascii():
        return segment  # most are words
    base, extension = segment, ""
    if "." in segment and (found := _EXTENSION.search(segment)):
        base, extension = segment[: found.start()], found.group()
    if _is_made_up(base):
        return ID + extension
    if (found := _LAST_PART.match(base)) and _is_hash(found[2]):
        return found[1] + ID + extension  # app.3f9ab2c1.js
    if _is_made_up(segment):
        return ID
    return segment


def _is_made_up(text: str) -> bool:
    if len(text) > LONG:
        return True
    if _NUMBER.fullmatch(text) or _UUID.fullmatch(text) or _HEX.fullmatch(text):
        return True
    if _MOMENT.fullmatch(text) or _MAIL.fullmatch(text):
        return True
    return _MADE_UP.fullmatch(text) is not None and _mixes(text)


def _mixes(text: str) -> bool:
    """Whether it has digits among its letters as no word has: letters of both sizes beside them, or
    no sign between words."""
    if not any(c.isdigit() for c in text):
        return False
    upper, lower = any(c.isupper() for c in text), any(c.islower() for c in text)
    return (upper and lower) or not any(c in "-_+~" for c in text)


def _is_hash(text: str) -> bool:
    digits = sum(c.isdigit() for c in text)
    return digits > 0 and digits < len(text) and (_HEX.fullmatch(text) is not None or _mixes(text))


def _style(segment: str) -> str:
    """What signs it is written with: "" for a plain word."""
    found = {"0" if c.isdigit() else "A" if c.isupper() else c for c in segment if not c.islower()}
    return "".join(sorted(found))


def _any(segment: str) -> str:
    """Its stand-in where all are one: the extension stays."""
    if segment.startswith(ANY):
        return segment
    found = _EXTENSION.search(segment) if "." in segment else None
    return ANY + found.group() if found else ANY


def _pattern(rule: str) -> re.Pattern[str]:
    """Takes no longer than reading the path some times, whatever is written and asked for: each star
    ends at the first place where what follows it stands, and never tries another."""
    whole = not rule.endswith("**")
    out = []
    segments = (rule if whole else rule[:-2]).split("/")
    for n, segment in enumerate(segments):
        first, *pieces = map(re.escape, segment.split("*"))
        out.append(first)
        if pieces and (whole or n < len(segments) - 1):
            *pieces, last = pieces
            out += [f"(?>[^/]+?{piece})" for piece in pieces]
            out.append(f"(?>[^/]+{last}(?=/|\\Z))")
        else:
            out += [f"(?>[^/]+?{piece})" for piece in pieces]
        out.append("/")
    return re.compile("".join(out[:-1]) + ("" if whole else ".*"), re.DOTALL)
