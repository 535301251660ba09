"""What lines of several apps are: the level of each, and which of them belong together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cloudbang.storage.logs.entry_pages import Around, Entries, Extent, describe
from cloudbang.storage.logs.merged_query import MergedLine, Place
from cloudbang.storage.logs.reader import Lines


class DescribedLines(NamedTuple):
    """Lines in the order of their places, the level of each, and the entries of several lines that
    they are in, with the app of each."""

    lines: list[tuple[Place, bytes, str | None]]
    extents: list[tuple[str, Extent]]


def described(found: Sequence[MergedLine], around: Callable[[str], Around]) -> DescribedLines:
    """What was found, with all lines of each entry, and what they are. ``around(app)`` reads lines
    of an app around those that were found without a filter."""
    lines: list[tuple[Place, bytes, str | None]] = []
    extents: list[tuple[str, Extent]] = []
    of_app: dict[str, Lines] = {}
    for place, raw, entry in found:
        app = place.app
        if entry is None:
            of_app.setdefault(app, []).append((place.seq, raw))
            continue
        lines += [(Place(one[:30], app, seq), one, level) for seq, one, level in entry.lines]
        if len(entry.lines) > 1:
            extents.append((app, entry.extent))
    for app, of_it in of_app.items():
        of_it.sort()
        told = _told(of_it, around(app))
        lines += [
            (Place(raw[:30], app, seq), raw, level)
            for (seq, raw), level in zip(of_it, told.levels, strict=True)
        ]
        extents += [(app, extent) for extent in told.extents]
    lines.sort(key=_place)
    return DescribedLines(lines, extents)


def _told(lines: Lines, around: Around) -> Entries:
    try:
        return describe(lines, around)
    except OSError:
        # The lines are here: what was before them and cannot be read only tells more of them.
        return describe(lines, lambda _seq, _back: [])


def _place(line: tuple[Place, bytes, str | None]) -> Place:
    return line[0]
