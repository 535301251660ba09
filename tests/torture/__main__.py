"""Everything that can go wrong, at random moments and several at once, and then the truth.

One server on an engine and a small disk of its own; twenty containers that log by number; programs
that put on the bus; thirty viewers, five of them stuck; people who search, download and type. Needs
root, and a C compiler for its clock. The run stands in `tests/artifacts/torture-SEED.log`; the exit
status says whether it was clean.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from tests.support import ARTIFACTS, patient
from tests.torture.faults import ALL, Fault, stranger
from tests.torture.journal import Journal
from tests.torture.judge import Judge, said_wrong
from tests.torture.people import People, Watchers
from tests.torture.printers import Printer, all_kinds
from tests.torture.world import World

AT_ONCE = 3
START = 30.0  # seconds that a start may take
CALM_AFTER = 20.0  # seconds after a fault within which requests may still fail


def torment(
    world: World,
    people: People,
    printers: list[Printer],
    kinds: list[type[Fault]],
    chance: random.Random,
    seconds: float,
) -> None:
    """Begin and end faults of these kinds for so long."""
    journal = world.journal
    end = time.monotonic() + seconds
    going: dict[Fault, float] = {}
    ended: dict[str, float] = {}  # when the last one of each kind did
    next_at = time.monotonic() + 5
    calm_at = late = 0.0
    while True:
        now = time.monotonic()
        for fault in [one for one, until in going.items() if now >= until or now >= end]:
            fault.end()
            del going[fault]
            ended[fault.name] = time.monotonic()
            journal.note(f"  ended {fault.name}")
            calm_at = time.monotonic() + CALM_AFTER
        if now >= end:
            _wait_started(world, ended)
            return
        if now >= next_at and len(going) < AT_ONCE:
            used = set().union(*(one.uses for one in going))
            free = [one for one in kinds if not one.uses & used]
            if not free:
                next_at = now + 1
                continue
            fault = chance.choice(free)(world, printers, chance)
            people.faults += 1
            people.calm.clear()
            told = fault.begin()
            going[fault] = time.monotonic() + fault.seconds
            journal.note(f"{fault.name} {told}")
            next_at = time.monotonic() + chance.expovariate(1 / 6)
            if chance.random() < 0.1:
                next_at += 40  # long enough to see that all is well between
        if not any("server" in one.uses for one in going):
            # What went on when it was started may be over by now.
            met = {name for name, at in ended.items() if at >= world.started_at}
            world.keep_server({one.name for one in going} | met)
        if not going and not people.calm.is_set() and not world.server_listened:
            calm_at = max(calm_at, now + CALM_AFTER / 4)  # on a busy machine a start takes its time
            if now - world.started_at > patient(START) and late != world.started_at:
                late = world.started_at
                journal.finding("a start took too long", f"{now - late:.0f} s")
        if not going and now > calm_at:
            people.calm.set()
        time.sleep(0.1)


def _wait_started(world: World, ended: dict[str, float]) -> None:
    """One that was started in the shadow of the last faults may not have come up."""
    until = time.monotonic() + patient(30)
    while not (world.is_up and world.server_listened) and time.monotonic() < until:
        world.keep_server({name for name, at in ended.items() if at >= world.started_at})
        time.sleep(0.5)


def run(minutes: float, seed: int, kinds: list[type[Fault]]) -> int:
    """A run; how many kinds of things were found that must not be."""
    journal = Journal(ARTIFACTS / f"torture-{seed}.log")
    journal.note(f"seed {seed}, {minutes:g} minutes")
    chance = random.Random(seed)
    printers = all_kinds()
    world = World(journal)
    try:
        image = world.open()
        if not world.can_set_clock:
            journal.note("there is no C compiler: the clock stays as it is")
        for one in printers:
            one.start(world.engine.client, image)
        people = People(world, printers, seed)
        people.start()
        watchers = Watchers(world, printers)
        program = stranger(world, "put", minutes * 60 + 3600, seed, printers)
        torment(world, people, printers, kinds, chance, minutes * 60)
        judge = Judge(world, people, watchers, printers)
        judge.lives()
        people.stop()
        program.kill()
        program.wait(10)
        journal.note(f"done: {people.done}; failed: {people.failed}")
        judge.counters()
        judge.settled()
        judge.compare()
        code = world.server.terminate(30)
        if code != 0:
            journal.finding(f"the server ended with {code}", world.server.said(1500))
        said_wrong(world.server.log.read_text(errors="replace"), journal)
    finally:
        kept = journal.path.with_suffix(".server.log")
        if world.server.log.exists():
            kept.write_bytes(world.server.log.read_bytes())
        world.close()
    for what, count in journal.findings.items():
        journal.note(f"FOUND {count} x {what}")
    journal.note(f"seed {seed}: {'clean' if not journal.findings else 'NOT CLEAN'}")
    journal.close()
    return len(journal.findings)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    names = sorted({one.name for one in ALL})
    parser.add_argument("--only", action="append", choices=[*names, "nothing"], help="these faults")
    chosen = parser.parse_args()
    kinds = [one for one in ALL if not chosen.only or one.name in chosen.only]
    return 1 if run(chosen.minutes, chosen.seed, kinds) else 0


if __name__ == "__main__":
    sys.exit(main())
