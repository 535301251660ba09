"""What a log gives beside its lines: the engine's own words, and lines that are not ended."""

from __future__ import annotations

import pytest

from cloudbang.domain.docker_stream import PART
from tests.node.collector.rig import Rig
from tests.node.collector.test_scripted import ID, ago
from tests.support import wait_until


def test_what_the_engine_says_of_a_log_is_marked_in_it_once(rig, scripted):
    """Where it gave up there may be lines that nobody has seen; it says so each time it is asked."""
    scripted.add(ID, "web")
    for n in range(3):
        scripted.log(ID, ago(30 - n), f"line {n}")
    scripted.said[ID] = b"Error grabbing logs: invalid character '\\x00'\n"
    marker = "the engine said of this log: Error grabbing logs: invalid character '\\x00'"
    one: Rig = rig(scripted.host)
    assert one.wait_for("web", 4)[-1] == marker
    one.close()
    two: Rig = rig(scripted.host)
    asked = len(scripted.asked)
    wait_until(lambda: sum("/logs?" in target for target in scripted.asked[asked:]) >= 2)
    scripted.said.clear()
    scripted.log(ID, ago(0), "more")
    assert two.wait_for("web", 5)[3:] == [marker, "more"]


@pytest.mark.parametrize("tty", [False, True])
def test_a_line_that_is_not_ended_is_told_until_it_is(rig, scripted, tty):
    """Its newest state, and nothing any more once it has ended or its container has."""
    scripted.add(ID, "web", tty=tty)
    scripted.log(ID, ago(60), "before")
    one: Rig = rig(scripted.host)
    one.wait_for("web", 1)
    began = ago(50)
    scripted.log(ID, began, ("\r10 %" * PART)[: PART - 5] + "\r20 %")
    texts = one.partial_texts
    wait_until(lambda: texts("web") == ["20 %"])
    scripted.log(ID, began, "\r30 % DONE")
    wait_until(lambda: texts("web") == [])
    wait_until(lambda: one.texts("web")[-1].endswith("DONE"))
