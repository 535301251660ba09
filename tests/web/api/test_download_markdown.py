"""A log, or a part of it, as Markdown."""

from __future__ import annotations

import re

from tests.web.web_support import START, WebGround


def test_lines_as_a_block_that_says_what_it_is(ground: WebGround) -> None:
    ground.log("web", ["all well", "card `declined`\r```\r# not a heading", "all well", "declined"])
    me = ground.person("ada", "viewer")
    answer = me.get("/api/v1/apps/web/download?format=markdown&q=declined")
    assert answer.mimetype == "text/markdown"
    assert re.search(r'filename="web-\d{8}-\d{6}\.md"', answer.headers["Content-Disposition"])
    lines = answer.text.split("\n")
    assert lines[:2] == ["- Log: `web`", "- From: `2025-06-15T15:06:40.000000000Z`"]
    assert lines[3:6] == ["- Filter: `declined`", "", "```text"]
    assert [line[25:] for line in lines[6:8]] == [
        "0123456789ab # not a heading",
        "0123456789ab declined",
    ]
    assert lines[8:] == ["```", "", "Lines: 2", ""]


def test_a_part_of_a_log(ground: WebGround) -> None:
    """The lines that somebody chose, or those of a time; in the reader's language."""
    ground.log("web", [f"line {n}" for n in range(20)])
    me = ground.person("ada", "viewer")
    chosen = me.get("/api/v1/apps/web/download?format=markdown&after=4&before=7")
    assert [text[-6:] for text in chosen.text.split("\n") if " line" in text] == [
        "line 4",
        "line 5",
    ]
    assert "- From: `2025-06-15T15:06:44" in chosen.text
    assert "- Until: `2025-06-15T15:06:45" in chosen.text
    assert START == 1_750_000_000_000_000_000
    span = "since=2025-06-15T15:06:50Z&until=2025-06-15T15:06:51Z"
    spanned = me.get(
        f"/api/v1/apps/web/download?format=markdown&{span}",
        headers={"Accept-Language": "zh-CN"},
    )
    assert "- 截至: `2025-06-15T15:06:51.000000000Z`" in spanned.text
    assert spanned.text.count(" line ") == 2


def test_a_filter_that_asks_for_fields_is_told(ground: WebGround) -> None:
    ground.log("web", ["level=error at=db", "level=info at=db"])
    me = ground.person("ada", "viewer")
    text = me.get("/api/v1/apps/web/download?format=markdown&query=level:error+at:db").text
    assert "- Filter: `level:error at:db`\n" in text
    assert text.endswith("Lines: 1\n")


def test_nothing_is_a_file_too(ground: WebGround) -> None:
    ground.log("web", ["x"])
    me = ground.person("ada", "viewer")
    text = me.get("/api/v1/apps/web/download?format=markdown&q=nowhere").text
    assert text.endswith("```text\n```\n\nLines: 0\n")
