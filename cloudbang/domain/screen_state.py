"""The state that output leaves a terminal in without being on its screen: modes, character sets, how
what comes next is written, colours, the shape of the cursor, the title (xterm's control sequences).
A screen that begins in the middle of the output is brought into it first.

What is kept of each is bounded: output may be anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

_MODES = re.compile(
    rb"\x1b(?:\[\?(?P<modes>[0-9;]{1,64})(?P<set>[hl])|\[(?P<ansi>[0-9;]{1,16})(?P<on>[hl])"
    rb"|(?P<keypad>[=>])|(?P<which>[()])(?P<charset>[0AB])"
    rb"|\[(?P<region>[0-9]{0,5}(?:;[0-9]{0,5})?)r|\[(?P<cursor>[0-9]?) q"
    rb"|\](?P<osc>[0-9]{1,3})(?:;(?P<text>[^\x07\x1b]{0,4096}))?(?:\x07|\x1b\\)"
    rb"|(?P<reset>c|\[!p))"
    rb"|(?P<shift>[\x0e\x0f])"
)
_UNFINISHED = re.compile(
    rb"\x1b(?:\[[?0-9;:! ]{0,66}|[()]|\][0-9]{0,3}(?:;[^\x07\x1b]{0,4096})?\x1b?)?\Z"
)
_LONGEST = 4200  # bytes of a sequence that may be cut in two
_RENDITION = re.compile(rb"\x1b\[(?P<how>[0-9;:]{0,64})m")  # SGR
_NONE = (b"\x1b[m", b"\x1b[0m")
_BY_DEFAULT = {7: True, 25: True}  # private modes that are on in a fresh terminal
_MOST_MODES = 64  # distinct modes that are remembered; there are about forty
_MOST_RENDITIONS = 16
_SCREENS = (47, 1047, 1049)
_ANSI = (4, 20)  # insert, and a line end that begins a line
_COLOUR = re.compile(rb"[A-Za-z0-9:/#., ]{1,64}\Z")
_TITLE = 300  # characters; a page shows no more


@dataclass(slots=True)
class ScreenState:
    """As far as it differs from that of a fresh terminal."""

    private: dict[int, bool] = field(default_factory=dict)
    ansi: dict[int, bool] = field(default_factory=dict)
    keypad: bool = False
    charsets: dict[bytes, bytes] = field(default_factory=dict)  # of G0 "(" and G1 ")"
    shifted: bool = False  # G1 is used
    region: bytes = b""
    cursor: bytes = b""  # its shape
    title: str = ""
    colours: dict[bytes, bytes] = field(default_factory=dict)  # "4;12", "10": what it is set to
    rendition: tuple[bytes, ...] = ()
    _cut: bytes = b""

    def feed(self, data: bytes) -> None:
        """Take in output that a terminal would have drawn."""
        if not self._cut and b"\x1b" not in data and b"\x0e" not in data and b"\x0f" not in data:
            return
        data = self._cut + data
        for found in _MODES.finditer(data):
            self._take(found)
        # Only what follows the last reset of it counts: programs write it at every word.
        begin = max(data.rfind(none) for none in (*_NONE, b"\x1bc", b"\x1b[!p"))
        if begin >= 0:
            self.rendition = ()
        for found in _RENDITION.finditer(data, max(0, begin)):
            self._render(found["how"])
        cut = _UNFINISHED.search(data[-_LONGEST:])
        self._cut = cut[0] if cut else b""

    def _take(self, found: re.Match[bytes]) -> None:
        if found["reset"]:
            title = self.title
            fresh = ScreenState()
            for name in self.__slots__:
                setattr(self, name, getattr(fresh, name))
            self.title = title
        elif found["modes"]:
            for mode in found["modes"].split(b";"):
                if mode and len(mode) < 6:
                    self._set(int(mode), found["set"] == b"h")
        elif found["ansi"]:
            for mode in found["ansi"].split(b";"):
                if mode and int(mode) in _ANSI:
                    self.ansi[int(mode)] = found["on"] == b"h"
        elif found["keypad"]:
            self.keypad = found["keypad"] == b"="
        elif found["charset"]:
            self.charsets[found["which"]] = found["charset"]
        elif found["shift"]:
            self.shifted = found["shift"] == b"\x0e"
        elif found["osc"]:
            self._command(int(found["osc"]), found["text"] or b"")
        elif found["cursor"] is not None:
            self.cursor = found["cursor"]
        else:
            self.region = found["region"] or b""

    def _set(self, mode: int, on: bool) -> None:
        if _BY_DEFAULT.get(mode, False) == on:
            self.private.pop(mode, None)
        elif len(self.private) < _MOST_MODES:
            self.private[mode] = on

    def _command(self, number: int, text: bytes) -> None:
        if number in (0, 2):
            words = text.decode("utf-8", "replace")[:_TITLE]
            self.title = "".join(char for char in words if char.isprintable())
        elif number == 4:
            parts = text.split(b";")
            for which, to in zip(parts[::2], parts[1::2], strict=False):
                if which.isdigit() and len(which) <= 3 and int(which) < 256:
                    self._colour(b"4;%d" % int(which), to)
        elif number in (10, 11, 12):
            for n, to in enumerate(text.split(b";")[: 13 - number]):
                self._colour(b"%d" % (number + n), to)
        elif number == 104:
            for which in text.split(b";") if text else list(self.colours):
                key = b"4;" + which if text else which
                if key.startswith(b"4;"):
                    self.colours.pop(key, None)
        elif number in (110, 111, 112):
            self.colours.pop(b"%d" % (number - 100), None)

    def _colour(self, which: bytes, to: bytes) -> None:
        if _COLOUR.match(to):  # a question is none
            self.colours[which] = to

    def _render(self, how: bytes) -> None:
        if how.strip(b"0;") == b"" or how.startswith((b"0;", b";")):
            self.rendition = ()
        if how.strip(b"0;"):
            rest = tuple(one for one in self.rendition if one != how)
            self.rendition = (*rest, how)[-_MOST_RENDITIONS:]

    @property
    def full_screen(self) -> bool:
        """Whether a program has the whole screen to itself, as vi has."""
        return any(self.private.get(mode) for mode in _SCREENS)

    def copy(self) -> ScreenState:
        return replace(
            self,
            private=dict(self.private),
            ansi=dict(self.ansi),
            charsets=dict(self.charsets),
            colours=dict(self.colours),
        )

    def restore(self) -> str:
        """The sequences that bring a fresh terminal into this state."""
        # The screen first: what the region says is about the screen it was said on.
        order = sorted(self.private.items(), key=lambda mode: mode[0] not in _SCREENS)
        parts = [f"\x1b[?{mode}{'h' if on else 'l'}" for mode, on in order]
        if self.region:
            parts.append(f"\x1b[{self.region.decode()}r")
        parts += [f"\x1b[{mode}h" for mode, on in self.ansi.items() if on]
        if self.keypad:
            parts.append("\x1b=")
        for which, charset in self.charsets.items():
            if charset != b"B":
                parts.append(f"\x1b{which.decode()}{charset.decode()}")
        if self.shifted:
            parts.append("\x0e")
        if self.cursor:
            parts.append(f"\x1b[{self.cursor.decode()} q")
        parts += [f"\x1b]{which.decode()};{to.decode()}\x07" for which, to in self.colours.items()]
        if self.title:
            parts.append(f"\x1b]2;{self.title}\x07")
        parts += [f"\x1b[{how.decode()}m" for how in self.rendition]
        return "".join(parts)
