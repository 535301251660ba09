"""Containers of every kind that log by number, and whether all of it is stored."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import docker

from tests.faults.truth import Lines, engine_lines, lines_of, ticker, two_streams
from tests.support import wait_until

NUMBER = re.compile(r"line (\d+) ")
TIMES = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
IN_FLIGHT = 2_000  # lines that an engine holds at most, in a pipe and in its own memory
ALWAYS = {"Name": "always"}


def rotating(size: str, files: int) -> dict[str, Any]:
    return {
        "log_config": {"Type": "json-file", "Config": {"max-size": size, "max-file": str(files)}}
    }


@dataclass
class Printer:
    """``rotates``: the engine may drop its oldest lines; then every hole has to be marked.
    ``steady``: a line comes at least each second. ``parts``: lines come in several."""

    name: str
    command: str
    options: dict[str, Any] = field(default_factory=dict)
    rotates: bool = False
    steady: bool = False
    parts: bool = False
    container: Any = None

    @property
    def app(self) -> str:
        return f"torture-{self.name}"

    @property
    def tty(self) -> bool:
        return bool(self.options.get("tty"))

    def start(self, client: Any, image: str) -> None:
        self.container = client.containers.run(
            image,
            ["sh", "-c", self.command],
            name=self.app,
            detach=True,
            network_mode="none",
            restart_policy=ALWAYS,
            labels={"cloudbang.test": "torture"},
            **self.options,
        )

    def stop(self) -> None:
        """For good."""
        refused = ""

        def told() -> bool:
            nonlocal refused
            # One that dies at this very moment, to be restarted, refuses both; and one that waits
            # for its next start, for a minute at last, cannot be killed.
            try:
                self.container.update(restart_policy={"Name": "no"})
                self.container.reload()
                if self.container.status == "restarting":
                    self.container.stop(timeout=0)
                elif self.container.status == "running":
                    self.container.kill()
            except docker.errors.APIError as e:
                refused = str(e)
                return False
            return True

        try:
            wait_until(told, 15, f"{self.name} to be told that it ends")
        except AssertionError as e:
            raise AssertionError(f"{e}: {refused}") from None
        self.container.wait(timeout=30)


def flood(lines: int, pause: int) -> str:
    return (
        f"i=0; while :; do n=0; while [ $n -lt {lines} ]; do i=$((i+1)); n=$((n+1)); "
        f'echo "flood line $i of what comes all at once"; done; sleep {pause}; done'
    )


LONG = (
    "x=$(head -c 30000 /dev/zero | tr '\\0' x); i=0; while :; do i=$((i+1)); "
    'echo "long line $i $x"; usleep 500000; done'
)
DIES = 'i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo "mortal line $i of one life"; done; exit 3'
MINUTE = 'i=0; while :; do i=$((i+1)); echo "minute line $i of few"; sleep 60; done'
RAW = 'i=0; while :; do i=$((i+1)); printf "raw line $i \\033[31m中文\\377\\033[0m of bytes\\n"; usleep 50000; done'


def all_kinds() -> list[Printer]:
    """Twenty containers."""
    steady = [
        Printer(f"steady{n}", two_streams(rate), steady=True)
        for n, rate in enumerate((40, 100, 100, 200, 400))
    ]
    rotates = [
        Printer(f"rotating{n}", ticker("rotating", rate), rotating(size, files), True, True)
        for n, (rate, size, files) in enumerate(((100, "100k", 3), (500, "1m", 3), (300, "50k", 2)))
    ]
    return [
        *steady,
        *rotates,
        Printer("tty0", ticker("tty", 50), {"tty": True}, steady=True),
        Printer("tty1", ticker("tty", 200), {"tty": True}, steady=True),
        Printer("burst0", ticker("burst", 100, burst=500)),
        Printer("burst1", ticker("burst", 50, burst=500)),
        Printer("flood0", flood(20_000, 25)),
        Printer("flood1", flood(50_000, 60), rotating("500k", 3), True),
        Printer("mortal0", DIES),
        Printer("mortal1", "sleep 1; " + DIES),
        Printer("minute0", MINUTE),
        Printer("minute1", "sleep 20; " + MINUTE),
        Printer("long0", LONG, steady=True, parts=True),
        Printer(
            "local0",
            RAW,
            {"log_config": {"Type": "local", "Config": {"max-size": "20m"}}},
            steady=True,
        ),
    ]


def differences(
    printer: Printer, rows: list[list[Any]], killed: list[str]
) -> Iterator[tuple[str, str]]:
    """What is wrong with what is stored of an ended container: (kind, detail). ``killed`` says
    when the engine was."""
    seqs = [row[0] for row in rows]
    if seqs and seqs != list(range(seqs[0], seqs[0] + len(seqs))):
        yield "seqs do not grow by one", printer.app
    stored = lines_of(rows, printer.container)
    if printer.rotates:
        mine = [row for row in rows if row[2] == printer.container.id[:12]]
        yield from _holes(printer.app, mine, killed)
        yield from _newest(printer, stored)
        return
    if printer.parts:
        texts = printer.container.logs().decode("utf-8", "replace").splitlines()
        wanted = {"stdout": [("", text) for text in texts]}
        stored = {name: [("", text) for _, text in lines] for name, lines in stored.items()}
    else:
        wanted = engine_lines(printer.container, printer.tty)
    for stream in sorted({*wanted, *stored}):
        yield from _compared(
            f"{printer.app} {stream}", stored.get(stream, []), wanted.get(stream, [])
        )


def _compared(what: str, stored: Lines, wanted: Lines) -> Iterator[tuple[str, str]]:
    if stored == wanted:
        return
    have, want = Counter(stored), Counter(wanted)
    missing, more = want - have, have - want
    at = next(
        (i for i, (a, b) in enumerate(zip(stored, wanted, strict=False)) if a != b),
        min(len(stored), len(wanted)),
    )
    detail = (
        f"{what}: {len(stored)} stored, {len(wanted)} on the engine; first difference at {at}: "
        f"stored {_short(stored[max(0, at - 1) : at + 3])}, "
        f"engine {_short(wanted[max(0, at - 1) : at + 3])}"
    )
    if missing:
        yield "lines are lost", f"{missing.total()} of {detail}"
    if more:
        known = sum(n for line, n in more.items() if line in want)
        kind = (
            "lines are doubled" if known == more.total() else "lines are stored that none printed"
        )
        yield kind, f"{more.total()} of {detail}"
    if not missing and not more:
        yield "lines are in another order", detail


def _short(lines: Lines) -> list[tuple[str, str]]:
    return [(time, text[:60]) for time, text in lines]


def _holes(app: str, rows: list[list[Any]], killed: list[str]) -> Iterator[tuple[str, str]]:
    """By time: what an engine jumped over is stored late."""
    markers = [TIMES.findall(row[4])[:2] for row in rows if row[3] == "marker"]
    lines = sorted((row for row in rows if row[3] != "marker"), key=lambda row: row[1])
    last, last_time = 0, ""
    for at, (_, time, _, _, text) in enumerate(lines):
        found = NUMBER.search(text)
        number = int(found[1]) if found else -1
        around = [(row[0], row[1], row[4][:80]) for row in lines[max(0, at - 2) : at + 2]]
        if number in (last + 1, 1) or not last:
            pass  # the next, or the first of another life
        elif any(start <= time and end >= last_time for start, end in markers):
            pass  # a hole that is told, also at the beginning of another life
        elif last < number <= last + IN_FLIGHT and any(last_time < kill < time for kill in killed):
            pass  # the engine had read these, and had not written them when it was killed
        elif number > last:
            ways = _as_stored(rows, around[0][0] - 3_000, around[-1][0] + 3_000)
            yield "a hole is not marked", f"{app}: {last} to {number}: {around}; as stored: {ways}"
        else:
            seqs = [row[0] for row in around]
            ways = _as_stored(rows, min(seqs) - 3_000, max(seqs) + 3_000)
            yield (
                "lines are doubled, or the first of another life lost",
                f"{app}: {number} after {last}: {around}; as stored: {ways}",
            )
        last, last_time = number, time


def _as_stored(rows: list[list[Any]], first: int, last: int) -> str:
    """In which order lines came: runs of numbers that follow each other, with their seqs and times."""
    runs: list[list[Any]] = []
    for seq, time, _, stream, text in rows:
        if not first <= seq <= last:
            continue
        found = NUMBER.search(text)
        number = int(found[1]) if found and stream != "marker" else None
        if runs and number is not None and runs[-1][3] == number - 1:
            runs[-1][1], runs[-1][3], runs[-1][5] = seq, number, time
        else:
            runs.append([seq, seq, number, number, time, time])
    return "; ".join(f"{a}-{b}: {m}-{n} at {t[11:23]}-{u[11:23]}" for a, b, m, n, t, u in runs)


def _newest(printer: Printer, stored: dict[str, Lines]) -> Iterator[tuple[str, str]]:
    """What the engine still has of the end has to be there."""
    wanted = engine_lines(printer.container, printer.tty).get("stdout", [])[-500:]
    have = Counter(stored.get("stdout", []))
    lost = [line for line in wanted if not have[line]]
    if lost:
        yield (
            "lines are lost",
            f"{len(lost)} of the last {len(wanted)} that the engine has of {printer.app}, "
            f"the first {_short(lost[:1])}",
        )
