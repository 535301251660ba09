"""The whole suite in lanes beside each other: what `make test` runs.

    python -m tests.lanes [PART ...]

The test files are dealt out to parts (see ``parts``), each a run of pytest of its own. Four lanes take one part
after the other. The first one has the machine's Docker Engine, the others have one of their own
each, since a server under test reads every container of its engine. A part that has to reach its
containers by their addresses runs in a network of its own, with an engine in it. Where no further
engine can be had, the first lane takes all that needs one. What a part said is shown when it has
ended. A part that fails stops nothing. The last line says how many tests passed and failed; the exit code is 0 only if none failed,
and 130 after ^C, when everything that was started has ended.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts import NETWORK, NOTHING, PARTS, Part, files_of
from tests.support import ROOT

LANES = 4  # on two processors: a fifth wins a minute, and lets everybody wait longer
BROWSERS = 2  # parts with a browser at a time; Chromium takes a processor
TO_TIDY_UP = 60.0  # seconds an interrupted part has for it
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NEEDED = ("dockerd", "ip", "nsenter", "unshare")  # for an engine of one's own
# The job server's pipes do not reach the parts; and what is compiled once starts a hundred servers.
NOT_INHERITED = ("MAKEFLAGS", "MFLAGS", "PYTHONDONTWRITEBYTECODE")
COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b")
SUMMARY = re.compile(rf"^=*\s*{COUNTS.pattern}.*$", re.MULTILINE)
JS_COUNTS = re.compile(r"^(\d+) tests of the pages' modules passed, (\d+) failed$", re.MULTILINE)


@dataclass
class Outcome:
    part: Part
    seconds: float
    processor: float  # seconds of it, of all that it started and saw the end of
    code: int
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """At least one where it ended badly: of a run that crashed nothing else is known."""
        return max(self.counts["failed"], int(self.code != 0))


class Lane:
    """Runs one part at a time. ``engine``: the address of one of its own, "" for the machine's,
    None where there is none. ``network``: the command before one that gets an engine in a network
    of its own; empty where that cannot be."""

    def __init__(self, engine: str | None, network: list[str], folder: Path) -> None:
        self.engine, self.network = engine, network
        self.part: Part | None = None
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._processor = 0.0

    def can(self, part: Part) -> bool:
        if part.needs == NETWORK:
            return self.engine == "" or bool(self.network)
        return part.needs == NOTHING or self.engine is not None

    def start(self, part: Part, command: list[str]) -> None:
        environ = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED}
        if part.needs == NOTHING:  # and so gets nothing: who uses an engine has to say so
            environ |= {"DOCKER_HOST": f"unix://{self._folder}/no-engine"}
        elif part.needs == NETWORK:
            command = [*self.network, *command]
        elif self.engine:
            environ |= {"DOCKER_HOST": self.engine, "DOCKER_TLS_VERIFY": ""}
        self.part, self._started = part, time.monotonic()
        with (self._folder / part.name).open("wb") as said:
            # A session of its own: what ends it reaches all it started, and ^C comes from here.
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ended(self) -> Outcome | None:
        """What became of its part, once that has ended; shows what it said."""
        if self._process is None:
            return None
        if self._process.returncode is None and not self._reap():
            return None
        assert self.part is not None
        took = time.monotonic() - self._started
        outcome = Outcome(self.part, took, self._processor, self._process.returncode)
        said = (self._folder / self.part.name).read_text("utf-8", "replace")
        self.part = self._process = None
        print(f"\n{f' {outcome.part.name} ':#^100}\n{said.rstrip()}", flush=True)
        outcome.counts = count(said)
        outcome.failures = re.findall(r"^(?:FAILED|ERROR) \S.*", said, re.MULTILINE)
        return outcome

    def _reap(self) -> bool:
        """Whether its process has ended, which then says what it took of the processor."""
        assert self._process is not None
        pid, status, used = os.wait4(self._process.pid, os.WNOHANG)
        if pid:
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._processor = used.ru_utime + used.ru_stime
        return bool(pid)

    def interrupt(self) -> None:
        """Let its part tidy up."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGINT)

    def end(self) -> None:
        """See to it that its part ends."""
        if self._process is None:
            return
        until = time.monotonic() + TO_TIDY_UP
        while self._process.returncode is None and not self._reap():
            if time.monotonic() > until:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            time.sleep(0.05)


def count(said: str) -> Counter[str]:
    """How many tests passed and failed, by the last that a part said of it. An engine that ends with
    it may have a word to say after that."""
    if found := JS_COUNTS.search(said):
        return Counter(passed=int(found[1]), failed=int(found[2]))
    counts: Counter[str] = Counter()
    summaries = [found[0] for found in SUMMARY.finditer(said)]
    for number, what in COUNTS.findall(summaries[-1]) if summaries else ():
        counts["failed" if what.startswith("error") else what] += int(number)
    return counts


def pytest_of(part: Part, files: list[str]) -> list[str]:
    """The command that runs a part: the browser's unpatched, everything else patched."""
    if part.command:
        return list(part.command)
    patched = [] if part.browser else ["gevent.monkey", "--module"]
    cache = f"cache_dir=.pytest_cache/{part.name}"
    return [sys.executable, "-m", *patched, "pytest", "-o", cache, *files]


def main(names: list[str], parts: tuple[Part, ...] = PARTS) -> int:
    """Run these parts, or all; the exit code."""
    unknown = set(names) - {part.name for part in parts}
    if unknown:
        print(f"No such part: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    for name in ENDS:
        signal.signal(name, signal.default_int_handler)  # a run in the background ignores ^C
    files = files_of(parts)
    waiting = [part for part in parts if not names or part.name in names]
    outcomes: list[Outcome] = []
    lanes: list[Lane] = []
    interrupted = False
    with tempfile.TemporaryDirectory() as folder, ExitStack() as engines:
        try:
            _run(waiting, files, lanes, outcomes, engines, Path(folder))
        except KeyboardInterrupt:
            interrupted = True
        finally:
            for name in ENDS:
                signal.signal(name, signal.SIG_IGN)
            for lane in lanes:
                lane.interrupt()
            for lane in lanes:
                lane.end()
        outcomes += filter(None, [lane.ended() for lane in lanes])
    return _summary(outcomes, interrupted)


def _run(
    waiting: list[Part],
    files: dict[str, list[str]],
    lanes: list[Lane],
    outcomes: list[Outcome],
    engines: ExitStack,
    folder: Path,
) -> None:
    why_not = _why_not()
    network: list[str] = []
    if why_not is None and any(part.needs == NETWORK for part in waiting):
        network = _network()
    lanes.append(Lane("", network, folder))
    while True:
        for lane in lanes:
            if outcome := lane.ended():
                outcomes.append(outcome)
            if lane.part is None and (part := _next(lane, lanes, waiting)):
                waiting.remove(part)
                print(f"{part.name} begins", flush=True)
                lane.start(part, pytest_of(part, files[part.name]))
        if len(lanes) < LANES and waiting:
            engine = None
            if why_not is None:
                engine, why_not = _engine(engines)
                if why_not is not None:
                    print(f"What needs an engine runs one after the other, as {why_not}.")
            lanes.append(Lane(engine, network, folder))
            continue
        if not waiting and all(lane.part is None for lane in lanes):
            return
        time.sleep(0.1)


def _next(lane: Lane, lanes: list[Lane], waiting: list[Part]) -> Part | None:
    browsers = sum(one.part is not None and one.part.browser for one in lanes)
    for part in waiting:
        if lane.can(part) and not (part.browser and browsers >= BROWSERS):
            return part
    return None


def _engine(engines: ExitStack) -> tuple[str | None, str | None]:
    """The address of a further engine, which ends with ``engines``; or why there is none."""
    from tests.support_engine import PrivateEngine

    engine = PrivateEngine()
    try:
        address = engine.start().address
    except BaseException as e:
        with suppress(Exception):
            engine.close()
        if not isinstance(e, Exception):
            raise
        return None, f"a second Docker Engine did not start ({e})"
    engines.callback(engine.close)
    return address, None


def _network() -> list[str]:
    """The command before one that gets an engine in a network of its own; or none, saying why."""
    dockerd = shutil.which("dockerd")
    assert dockerd
    command = [str(ROOT / "scripts/with-engine"), os.path.dirname(dockerd)]
    tried = subprocess.run(
        [*command, "true"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if tried.returncode == 0:
        return command
    said = (tried.stderr.strip() or f"code {tried.returncode}").rpartition("\n")[2]
    print(f"What needs an engine's network runs one after the other: none of its own ({said}).")
    return []


def _why_not() -> str | None:
    if os.geteuid() != 0:
        return "only root can start a second Docker Engine"
    if "DOCKER_HOST" in os.environ:
        return "DOCKER_HOST names the Docker Engine to use"
    absent = [name for name in NEEDED if shutil.which(name) is None]
    return f"a second Docker Engine needs {', '.join(absent)}" if absent else None


def _summary(outcomes: list[Outcome], interrupted: bool) -> int:
    total: Counter[str] = Counter()
    print()
    for one in outcomes:
        total += one.counts
        if not interrupted:  # else those that did not end were told to
            total["failed"] += one.failed - one.counts["failed"]
        counted = ", ".join(f"{n} {what}" for what, n in one.counts.items() if n)
        minutes, seconds = divmod(round(one.seconds), 60)
        ended = f"; ended with code {one.code}" if one.code not in (0, 1) else ""
        share = f"{one.processor:4.0f} s of a processor"
        known = counted or "nothing known"
        print(f"{one.part.name:20} {minutes:2}:{seconds:02} {share}  {known}{ended}")
    for failure in (line for one in outcomes for line in one.failures):
        print(failure)
    if interrupted:
        print("Interrupted.")
    others = "".join(
        f", {n} {what}" for what, n in sorted(total.items()) if what not in ("passed", "failed")
    )
    print(f"{total['passed']} passed, {total['failed']} failed{others}", flush=True)
    return 130 if interrupted else int(total["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
