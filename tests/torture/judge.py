"""The end of a run: what should live lives, what was printed is stored, what was shown is true."""

from __future__ import annotations

import re
import time
from array import array
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from cloudbang.storage.logs.segment_writer import OPEN_FILES
from tests.support import patient, wait_until
from tests.torture.journal import Journal
from tests.torture.people import People, Watchers, wait_echo
from tests.torture.printers import Printer, differences
from tests.torture.strangers import PUT_APP
from tests.torture.viewers import row_sum
from tests.torture.world import MIB, World

SOON = 5.0  # seconds after the last fault within which everything goes on
MEMORY = 40 * MIB
DESCRIPTORS = 15
PUT_NUMBER = re.compile(r"put line (\d+) ")


class Judge:
    """Asks in this order: ``lives``, ``settled``, then, with the containers ended, ``compare``."""

    def __init__(
        self, world: World, people: People, watchers: Watchers, printers: list[Printer]
    ) -> None:
        self.world, self.people, self.watchers = world, people, watchers
        self.printers, self.journal = printers, world.journal

    def lives(self) -> None:
        """Each reader, feed, page and terminal goes on soon after the last fault."""
        began = time.monotonic()
        limit = patient(SOON)
        self.world.wait_answers(60)
        self.journal.note(f"healthy {time.monotonic() - began:.1f} s after the last fault")
        steady = [one for one in self.printers if one.steady]
        waiting = {one.app: self._next(one.app) for one in steady}

        def read() -> bool:
            for app in [app for app, was in waiting.items() if self._next(app) > was]:
                del waiting[app]
            return not waiting

        try:
            wait_until(read, limit, "every log", every=0.1)
        except AssertionError:
            self.journal.finding("a log is not read any more", ", ".join(sorted(waiting)))
        try:
            wait_until(lambda: not self._quiet(steady), limit, "every feed", every=0.3)
        except AssertionError:
            self.journal.finding("a feed is quiet", str(self._quiet(steady)))
        for one in steady[:3]:
            try:
                took = wait_echo(self.people, one, limit)
                self.journal.note(f"a terminal in {one.app} answers in {took:.1f} s")
            except AssertionError as e:
                self.journal.finding("a terminal does not answer", str(e))
        for path in ("/", "/terminals", "/settings", f"/apps/{steady[0].app}/logs"):
            answer = self.people.me.client.get(path)
            if answer.status_code != 200:
                self.journal.finding("a page does not answer", f"{path}: {answer.status_code}")
        wrong = self._notices()
        try:
            wait_until(lambda: not self._notices(), 30, "no notice", every=0.5)
        except AssertionError:
            self.journal.finding("a notice stays although all is well", str(self._notices()))
        self.journal.note(f"notices {time.monotonic() - began:.1f} s after: {wrong or 'none'}")

    def _quiet(self, steady: list[Printer]) -> dict[str, float]:
        ages = self.watchers.ages()
        return {one.app: ages[one.app] for one in steady if ages[one.app] > 2.0}

    def _next(self, app: str) -> int:
        try:
            return int(self.people.me.got(f"/apps/{app}/lines?limit=1")["next"])
        except (AssertionError, httpx.HTTPError):
            return 0

    def _notices(self) -> list[str]:
        notices = self.people.me.got("/status")["notices"]
        return [f"{one['code']}: {one['message']}" for one in notices]

    def settled(self) -> None:
        """Memory and descriptors are what a fresh server takes for the same."""
        for one in self.people.me.got("/terminals?all=true")["terminals"]:
            self.people.me.ask("DELETE", f"/terminals/{one['id']}")
        memory, open_files = self._weighed()
        for _ in range(8):  # what it was kept from is still being made up for
            before = memory
            memory, open_files = self._weighed()
            if memory > 0.95 * before:
                break
        self.journal.note(f"at the end: {memory / MIB:.0f} MB, {open_files.total()} descriptors")
        self.journal.note(f"  of it {self.world.mappings()}")
        self.world.server.terminate(30)
        self.world.start_server()
        self.world.wait_answers(60)
        fresh, few_files = self._weighed()
        self.journal.note(f"a fresh server: {fresh / MIB:.0f} MB, {few_files.total()} descriptors")
        self.journal.note(f"  of it {self.world.mappings()}")
        if memory > fresh + MEMORY:
            self.journal.finding("memory did not come back", f"{memory - fresh} bytes more")
        if sum(n for kind, n in open_files.items() if kind.endswith(".log")) > OPEN_FILES + 5:
            self.journal.finding("more files of logs are open than may be", str(open_files))
        for kind in [kind for kind in open_files if kind.endswith(".log")]:
            del open_files[kind]  # kept open for the next line, within that bound
        if open_files.total() > few_files.total() + DESCRIPTORS:
            more = (open_files - few_files).most_common(8)
            self.journal.finding("descriptors did not come back", f"more: {more}")

    def _weighed(self) -> tuple[int, Counter[str]]:
        """The median of a while, and what is open at its end."""
        samples = []
        for _ in range(15):
            time.sleep(1.0)
            samples.append(self.world.resident())
        return sorted(samples)[7], self.world.descriptors()

    def counters(self) -> None:
        """What the server counted, for the one who reads."""
        text = self.people.me.client.get("/metrics").text
        for line in text.splitlines():
            if re.match(r"cloudbang_\w*(dropped|malformed|failures|restarts|lag|rereads)\w*", line):
                self.journal.note(f"  {line}")

    def compare(self) -> None:
        """Every line that the engine has is stored once; what viewers saw is what is stored."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: one.stop(), self.printers))
        self._wait_read()
        shown = self.watchers.finish()
        total = 0
        for one in self.printers:
            rows = self._rows(one.app)
            total += len(rows)
            found = list(differences(one, rows, self.world.engine_killed))
            for kind, detail in found:
                self.journal.finding(kind, detail)
            self._compare_shown(one.app, rows)
            markers = [row[4] for row in rows if row[3] == "marker"]
            told = f", {len(markers)} markers" if markers else ""
            self.journal.note(f"{one.app}: {len(rows)} rows{told}{'' if not found else ' WRONG'}")
        self._compare_put()
        self._compare_viewers(shown)
        self.journal.note(f"{total} rows compared")

    def _wait_read(self) -> None:
        """Until nothing more comes."""
        last: dict[str, int] = {}
        for _ in range(60):
            time.sleep(2.0)
            now = {one.app: self._next(one.app) for one in self.printers}
            if now == last:
                return
            last = now
        self.journal.finding("lines come for two minutes after the containers have ended")

    def _rows(self, app: str) -> list[list[Any]]:
        rows: list[list[Any]] = []
        after = 0
        while True:
            page = self.people.me.got(f"/apps/{app}/lines?limit=5000&after={after}")["lines"]
            if not page:
                return rows
            rows += page
            after = page[-1][0]

    def _compare_shown(self, app: str, rows: list[list[Any]]) -> None:
        sums = array("I")
        sums.frombytes(self.watchers.seen(app).read_bytes())
        wrong = [
            row for row in rows if row[0] < len(sums) and sums[row[0]] not in (0, row_sum(row))
        ]
        last = rows[-1][0] if rows else 0
        beyond = [seq for seq in range(last + 1, len(sums)) if sums[seq]]
        if wrong:
            self.journal.finding("shown was what is not stored", f"{app}: {wrong[:2]}")
        if beyond:
            self.journal.finding("shown was more than is stored", f"{app}: from seq {beyond[0]}")

    def _compare_put(self) -> None:
        numbers = [int(PUT_NUMBER.search(row[4])[1]) for row in self._rows(PUT_APP)]  # type: ignore[index]
        self.journal.note(f"{PUT_APP}: {len(numbers)} of {numbers[-1] if numbers else 0} put")
        if numbers != sorted(set(numbers)):
            self.journal.finding("what a program put is doubled or in another order")
        if len(numbers) < numbers[-1] / 2:
            self.journal.finding("most of what a program put is not stored")

    def _compare_viewers(self, shown: dict[str, Any]) -> None:
        if shown["differing"]:
            self.journal.finding("two viewers were shown different lines", str(shown["differing"]))
        for one in shown["viewers"]:
            self.journal.note(f"viewer {one}")
            if one["missed"] and not one["stuck"]:
                self.journal.finding("a viewer missed lines without a gap", str(one))
            if one["repeated"]:
                self.journal.finding("a viewer was shown lines twice", str(one))
            if one["forged"]:
                self.journal.finding("a viewer was shown what was forged", str(one))


def said_wrong(said: str, journal: Journal) -> None:
    """Tracebacks in the server's log: each is a finding, by its last line."""
    for block in re.split(r"(?=Traceback \(most recent call last\))", said)[1:]:
        lines = block.splitlines()[1:]
        end = next((one for one in lines if re.match(r"\s{0,2}\w[\w.]*(:|$)", one)), "cut")
        journal.finding(f"traceback: {end.strip()[:120]}", block[:3000])
