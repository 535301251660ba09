"""Lines of log as Markdown: nothing that a container writes ends the block or the name of a filter."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.domain.log_markdown import FENCE, code, ending, line, opening, visible

WHEN = "2026-07-01T12:00:00.123456789Z"
# What some reader of Markdown takes for the end of a line.
ENDS = re.compile("[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")


def test_a_file_says_what_it_is_of() -> None:
    told = opening([("Log", ["web"]), ("Filter", ["a `b`", "error"]), ("Until", [])])
    assert told == "- Log: `web`\n- Filter: `` a `b` ``, `error`\n\n```text\n"
    assert line(WHEN, "web-1", "\x1b[31mred\x1b[0m") == "2026-07-01T12:00:00.123Z web-1 red\n"
    assert ending("Lines: 1") == "```\n\nLines: 1\n"


@pytest.mark.parametrize(
    "text", ["```", "a\r```\rb", "a\u2028```\u2028b", "~~~", "a\x0b```", "\x85```"]
)
def test_a_line_stays_one_line_and_ends_no_block(text: str) -> None:
    said = line(WHEN, "web", text)
    assert said.startswith("2026-")
    assert not ENDS.search(said[:-1])


@settings(max_examples=40)
@given(st.text(), st.text(), st.text())
def test_whatever_is_written(time: str, who: str, text: str) -> None:
    """Nor does a time that is damaged, or somebody's name."""
    said = line(time, who, text)
    assert not ENDS.search(said[:-1])
    assert not said.lstrip(" ").startswith((FENCE, "~~~"))


@settings(max_examples=60)
@given(st.text(alphabet=st.sampled_from("`a \n\\*|")))
def test_a_span_of_code_ends_where_it_should(text: str) -> None:
    """CommonMark 6.1: it ends with the first run of as many backticks as it began with; one space at
    each end is taken off."""
    said = code(text)
    ticks = re.match("`+", said)
    assert ticks
    runs = re.findall("`+", said)
    assert [run for run in runs if run == ticks[0]] == [ticks[0]] * 2
    inner = said[len(ticks[0]) : -len(ticks[0])]
    if inner.startswith(" ") and inner.endswith(" ") and inner.strip(" "):
        inner = inner[1:-1]
    assert inner.strip(" ") == visible(text).strip(" ")
