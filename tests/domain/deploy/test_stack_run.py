"""A stack on its way."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.deploy.stack_run import ENDED, Part, StackRun, Why


def run_of(**after: str) -> StackRun:
    parts = tuple(Part(name, f"s.{name}", tuple(needs.split())) for name, needs in after.items())
    return StackRun(1, "s", "ada", False, "2026-01-01T00:00:00Z", parts)


def ready(run: StackRun) -> str:
    return " ".join(part.service for part in run.ready())


def ended(run: StackRun, service: str, state: str) -> StackRun:
    part = next(part for part in run.parts if part.service == service)
    return run.put(replace(part, state=state))  # type: ignore[arg-type]


def test_each_begins_once_those_that_it_needs_serve() -> None:
    run = run_of(db="", cache="", web="db cache", proxy="web")
    assert ready(run) == "db cache"
    run = ended(run, "db", "serving")
    assert (ready(run), run.state) == ("cache", "running")
    run = ended(run, "cache", "serving")
    assert ready(run) == "web"
    run = ended(ended(run, "web", "serving"), "proxy", "serving")
    assert (ready(run), run.state) == ("", "serving")


def test_those_that_need_one_that_failed_are_skipped_and_the_others_go_on() -> None:
    run = ended(run_of(db="", web="db", proxy="web", docs=""), "db", "failed")
    assert [part.state for part in run.parts] == ["failed", "skipped", "skipped", "waiting"]
    assert (ready(run), run.state) == ("docs", "running")
    assert ended(run, "docs", "serving").state == "failed"
    assert ended(run_of(db="", web="db"), "db", "cancelled").state == "cancelled"


def test_a_part_comes_back_as_it_was_kept() -> None:
    why = Why("no room for {app}", {"app": "s.web"})
    part = Part("web", "s.web", ("db",), "u1", 7, "failed", why)
    assert Part.of(part.as_json()) == part
    old = Part.of({**part.as_json(), "why": "no room for {x}"})
    assert str(old.why) == "no room for {x}"


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(sorted(ENDED))), max_size=30))
def test_whatever_happens_it_comes_to_an_end(steps) -> None:
    """Nothing waits for what will never serve."""
    run = run_of(a="", b="a", c="a b", d="", e="c d", f="e")
    for n, state in steps:
        part = run.parts[n]
        if part.state == "waiting" and part in run.ready():
            run = run.put(replace(part, state=state))
    while run.ready():
        run = run.put(replace(run.ready()[0], state="serving"))
    assert run.state != "running"
