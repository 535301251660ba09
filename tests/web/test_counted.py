"""What is counted is exported: the numbers in the code and those at /metrics are the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudbang.bus import Publisher
from cloudbang.core import counters
from tests.support import wait_until
from tests.web.whole_app import NO_ENGINE, WholeApp

pytestmark = NO_ENGINE

ROOT = Path(__file__).parents[2] / "cloudbang"

NO_COUNTS = {
    ("AppLog", "next"): "a seq",
    ("AppSeries", "refused"): "of one app, which is told of it; a part of what Series exports",
    ("Blocks", "damaged"): "of one connection: a part of what rolling up exports",
    ("CastFile", "written"): "the size of one recording",
    ("Download", "name"): "a text",
    ("LivePush", "slow"): "a part of slow_viewers, which is exported",
    ("LivePush", "filled"): "a part of filled_lines, which is exported",
    ("LogChannel", "slow"): "a part of slow_viewers",
    ("LogChannel", "filled"): "a part of filled_lines",
    ("LogFollower", "cut"): "a part of what the traffic exports as unreadable",
    ("LogFollower", "gaps"): "a part of what the traffic exports as lost",
    ("OpenBlock", "count"): "the lines of one block",
    ("OpenBlock", "size"): "the bytes of one block",
    ("Participant", "skipped"): "of one page, which is told",
    ("RequestReader", "received"): "of one request, for its deadline",
    ("Sum", "count"): "the lines of one pattern, which are told",
    ("Tally", "count"): "the lines of one pattern in one block",
    ("Socket", "received"): "a part of what the registry exports",
    ("Socket", "sent"): "a part of what the registry exports",
    ("SocketCounts", "received"): "a part of what the registry exports",
    ("SocketCounts", "sent"): "a part of what the registry exports",
    ("Totals", "bytes"): "exported as log_bytes",
    ("Totals", "lines"): "exported as log_lines",
    ("Totals", "ever"): "exported as log_lines",
    ("Upload", "taken"): "the size of one file",
    ("WholeSeconds", "missed"): "exported by the sampler",
}
"""What grows and is no count, or not one by itself: a position, a size, a part of another number."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeApp]:
    made = WholeApp(tmp_path_factory.mktemp("counted"))
    yield made
    made.close()


def grown(tree: ast.AST) -> set[tuple[str, str]]:
    """The class and the name of each public number that is only ever added to."""
    found = set()
    for made in ast.walk(tree):
        if not isinstance(made, ast.ClassDef):
            continue
        grows, changes = set(), set()
        for function in made.body:
            for node in ast.walk(function):
                if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Attribute):
                    (grows if isinstance(node.op, ast.Add) else changes).add(
                        ast.unparse(node.target)
                    )
                elif isinstance(node, ast.Assign | ast.AnnAssign) and (
                    getattr(function, "name", "") != "__init__"
                ):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    changes |= {ast.unparse(x) for target in targets for x in ast.walk(target)}
        for name in grows - changes:
            *owners, attribute = name.split(".")
            holder = {"counts": "*Counts", "totals": "Totals"}.get(owners[-1].lstrip("_"))
            if (holder or owners == ["self"]) and not attribute.startswith("_"):
                found.add((holder or made.name, attribute))
    return found


def test_what_is_counted_is_exported(house: WholeApp) -> None:
    """Every public number of the server that only grows is told at /metrics, or stands in the
    table above with the reason why it is not."""
    counted = set()
    for path in ROOT.rglob("*.py"):
        # What is pure keeps no state of the process; the command line is another process.
        if path.relative_to(ROOT).parts[0] not in ("domain", "cli"):
            counted |= grown(ast.parse(path.read_text()))
    assert len(counted) > 30
    exported = set(counters.attributes())
    told = exported | {("*Counts", a) for c, a in exported if c.endswith("Counts")}
    text = house.ask("/metrics").text
    for family in counters.exported():
        suffix = "_total" if family.kind == "counter" else ""
        assert f"# HELP cloudbang_{family.name}{suffix} {family.text}" in text, family.name
    hidden = {(c.replace("SocketCounts", "*Counts"), a) for c, a in NO_COUNTS}
    assert counted - told - hidden == set()
    assert hidden - counted == set(), "the table names what is not there"


def test_a_number_that_nobody_is_told_of_is_found() -> None:
    """The look at the code sees a count however it is reached."""
    code = """
class Reader:
    def __init__(self):
        self.lost = self.size = 0
    def read(self):
        self.lost += 1
        self.size += 10
        self.server.counts.reads += 1
    def clear(self):
        self.size = 0
"""
    assert grown(ast.parse(code)) == {("Reader", "lost"), ("*Counts", "reads")}


def test_what_other_programs_put_and_is_dropped_is_told(house: WholeApp) -> None:
    """A message that does not parse is counted at /metrics, by topic and cause and in all."""
    name = 'cloudbang_bus_dropped_total{cause="body",topic="put"}'

    def told() -> tuple[float, float]:
        found = dict(line.rsplit(" ", 1) for line in house.ask("/metrics").text.splitlines())
        return float(found.get(name, 0)), float(found["cloudbang_bus_malformed_total"])

    before = told()
    program = Publisher(house.bus)
    try:
        wait_until(lambda: program.wanted("put/log/x/"))
        program.send("put/log/x/", b"{}", b"nonsense")
        wait_until(lambda: told() == (before[0] + 1, before[1] + 1))
    finally:
        program.close()
