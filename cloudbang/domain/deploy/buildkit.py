"""What BuildKit tells of a build over the engine's HTTP: steps, their output, how it ended.

Each line of the answer is JSON; a trace holds a message of protobuf (``moby.buildkit.v1``
StatusResponse) in base64. Only what a person is shown is read; a field that is new is skipped.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from json import loads
from typing import NamedTuple

MAX_STEPS = 5_000  # of one build that are remembered
MAX_LINE = 256 * 1024  # bytes of output that are held while no newline comes
_CLASSIC = re.compile(rb"Step (\d+)/(\d+) : (.+)")
_EXIT_CODE = re.compile(r"(?:exit code|non-zero code): (\d+)")


class BuildGarbled(ValueError):
    """The engine's answer is not what a build is told in."""


class Output(NamedTuple):
    """A whole line of a step's output. ``step``: its number, as people count; 0 for the engine's
    own words."""

    step: int
    stream: str  # stdout | stderr
    text: bytes


@dataclass(frozen=True, slots=True)
class BuildStep:
    """``name`` as BuildKit has it: "[2/3] RUN make"."""

    number: int
    name: str
    started: int = 0  # ns since 1970, 0 for not yet
    finished: int = 0
    cached: bool = False
    error: str = ""

    @property
    def seconds(self) -> float | None:
        """That it took; None while it has not ended, or where that is not told."""
        return (self.finished - self.started) / 1e9 if self.started and self.finished else None

    @property
    def internal(self) -> bool:
        """Whether it is the builder's own, and no line of the Dockerfile."""
        return self.name.startswith("[internal]") or not self.name.startswith("[")


_LAST = "classic"  # where a digest stands: the step that the classic builder is at


class BuildProgress:
    """Takes the answer's lines in; gives steps that changed, and output. ``image_id`` and ``error``
    say how it ended; both are "" until it has."""

    def __init__(self, clock: Callable[[], int] = lambda: 0) -> None:
        """``clock`` gives ns since 1970: the classic builder tells no times."""
        self.image_id = self.error = ""
        self._clock = clock
        self._steps: dict[str, BuildStep] = {}  # by digest
        self._rest: dict[tuple[int, str], bytes] = {}  # output without its newline yet

    @property
    def steps(self) -> list[BuildStep]:
        """Those there are so far, in the order in which they were told of."""
        return list(self._steps.values())

    def feed(self, line: bytes) -> Iterator[BuildStep | Output]:
        """One line of the answer. Raises BuildGarbled."""
        try:
            told = loads(line)
            kind, aux = told.get("id"), told.get("aux")
        except (ValueError, AttributeError):
            raise BuildGarbled(line[:200].decode("utf-8", "replace")) from None
        if kind == "moby.buildkit.trace" and isinstance(aux, str):
            yield from self._trace(aux)
        elif kind == "moby.image.id" and isinstance(aux, dict):
            self.image_id = str(aux.get("ID") or "")
        elif error := told.get("error"):
            self.error = str(error)
            yield from self._classic_ended(self.error)
        elif text := (told.get("stream") or told.get("status")):
            # The classic builder's, and what the engine says beside a build.
            yield from self._classic(str(text).encode("utf-8", "replace"))
        elif isinstance(aux, dict) and aux.get("ID"):
            self.image_id = str(aux["ID"])  # the classic builder's
            yield from self._classic_ended()

    def end(self) -> Iterator[Output]:
        """The output that came without a newline at its end."""
        for (step, stream), text in self._rest.items():
            if text:
                yield Output(step, stream, text)
        self._rest.clear()

    @property
    def failed_step(self) -> BuildStep | None:
        """The step at which the build failed."""
        return next((step for step in self._steps.values() if step.error), None)

    @property
    def exit_code(self) -> int | None:
        """Of the command that failed, where it was one."""
        found = _EXIT_CODE.search(self.error)
        return int(found[1]) if found else None

    def _classic(self, text: bytes) -> Iterator[BuildStep | Output]:
        """One step at a time, and all output is of that one."""
        found = _CLASSIC.match(text)
        before = self._steps.get(_LAST)
        if found and len(self._steps) < MAX_STEPS:
            yield from self._classic_ended()
            name = (
                f"[{int(found[1])}/{int(found[2])}] {found[3].decode('utf-8', 'replace').strip()}"
            )
            step = BuildStep(len(self._steps) + 1, name, self._clock())
            self._steps[_LAST] = step
            yield step
        elif before is not None and text.strip() == b"---> Using cache":
            step = self._steps[_LAST] = replace(before, cached=True)
            yield step
        else:
            yield from self._output(before.number if before else 0, "stdout", text)

    def _classic_ended(self, error: str = "") -> Iterator[BuildStep]:
        step = self._steps.pop(_LAST, None)
        if step is not None:
            done = replace(step, finished=self._clock(), error=error)
            self._steps[str(step.number)] = done
            yield done

    def _trace(self, aux: str) -> Iterator[BuildStep | Output]:
        try:
            message = b64decode(aux, validate=True)
            for number, value in _fields(message):
                if not isinstance(value, bytes):
                    continue
                if number == 1:
                    if (step := self._vertex(value)) is not None:
                        yield step
                elif number == 3:
                    yield from self._log(value)
        except (NotBase64, ValueError, IndexError) as e:
            raise BuildGarbled(str(e)) from None

    def _vertex(self, message: bytes) -> BuildStep | None:
        digest = ""
        told: dict[str, str | int] = {}
        for number, value in _fields(message):
            if number == 1:
                digest = _text(value)
            elif number == 3:
                told["name"] = _text(value)
            elif number == 4:
                told["cached"] = bool(value)
            elif number in (5, 6):
                told["started" if number == 5 else "finished"] = _moment(value)
            elif number == 7:
                told["error"] = _text(value)
        before = self._steps.get(digest)
        if before is None:
            if len(self._steps) >= MAX_STEPS:
                return None
            before = BuildStep(len(self._steps) + 1, "")
        step = replace(before, **told)  # type: ignore[arg-type]
        if step == before and digest in self._steps:
            return None
        self._steps[digest] = step
        return step

    def _log(self, message: bytes) -> Iterator[Output]:
        digest, stream, text = "", "stdout", b""
        for number, value in _fields(message):
            if number == 1:
                digest = _text(value)
            elif number == 3:
                stream = "stderr" if value == 2 else "stdout"
            elif number == 4 and isinstance(value, bytes):
                text = value
        step = self._steps.get(digest)
        yield from self._output(step.number if step else 0, stream, text)

    def _output(self, step: int, stream: str, text: bytes) -> Iterator[Output]:
        key = (step, stream)
        *lines, rest = (self._rest.get(key, b"") + text).split(b"\n")
        if len(rest) > MAX_LINE:
            lines, rest = [*lines, rest], b""
        self._rest[key] = rest
        for one in lines:
            yield Output(step, stream, one.removesuffix(b"\r"))


# --- protobuf, as far as it is needed --------------------------------------------------------


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field; a value is a number or bytes. Raises ValueError, IndexError."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
        elif kind == 2:
            size, at = _varint(message, at)
            if at + size > end:
                raise ValueError("a field is longer than its message")
            yield number, message[at : at + size]
            at += size
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"no kind of field: {kind}")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")


def _moment(value: int | bytes) -> int:
    """Nanoseconds since 1970 of a Timestamp."""
    if not isinstance(value, bytes):
        return 0
    found = dict(_fields(value))
    seconds, nanos = found.get(1, 0), found.get(2, 0)
    return seconds * 10**9 + nanos if isinstance(seconds, int) and isinstance(nanos, int) else 0


def _text(value: int | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
