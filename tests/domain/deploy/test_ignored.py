"""A .dockerignore, as Docker reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.deploy.ignored import Ignored


@pytest.mark.parametrize(
    ("patterns", "left_out", "taken"),
    [
        ("*.log", ["a.log"], ["b/a.log", "a.logs"]),
        ("**/*.log", ["a.log", "b/a.log", "b/c/a.log"], ["a.logs"]),
        ("/node_modules/", ["node_modules", "node_modules/x/y"], ["a/node_modules"]),
        ("./a//b", ["a/b"], ["a", "b"]),
        ("*/temp*", ["x/temporary.txt", "x/temp"], ["temp", "x/y/temp"]),
        ("temp?", ["tempa"], ["temp", "tempab", "temp/a"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["z", "a/bz"]),
        ("a/**", ["a/b", "a/b/c"], ["b"]),
        ("*\n!README.md", ["x", "x/y"], ["README.md"]),
        ("*.md\n!R*.md\nREADME-s.md", ["a.md", "README-s.md"], ["README.md"]),
        ("[a-c].txt", ["a.txt", "c.txt"], ["d.txt"]),
        ("[^a].txt", ["b.txt"], ["a.txt"]),
        ("[+--]x\n[a&&b]y\n[[a]z", [",x", "-x", "&y", "[z"], [".x", "-y", "]z"]),
        (r"[\]a\-c]", ["]", "a", "-", "c"], ["b", "\\"]),
        (r"\*.txt", ["*.txt"], ["a.txt"]),
        ("# comment\n\n   \n.", [], ["a", "# comment"]),
        ("[z-a]\na+b(c)", ["a+b(c)"], ["z"]),
    ],
)
def test_patterns(patterns: str, left_out: list[str], taken: list[str]) -> None:
    ignored = Ignored(patterns.splitlines())
    assert [path for path in left_out if not ignored(path)] == []
    assert [path for path in taken if ignored(path)] == []


def test_whether_something_is_taken_back() -> None:
    assert Ignored(["*", "!a"]).takes_back
    assert not Ignored(["*"]).takes_back


@given(
    st.lists(st.text(alphabet="ab*?[]!\\/.-^", max_size=12), max_size=8),
    st.text("ab/.", max_size=12),
)
def test_whatever_is_written_is_read(patterns: list[str], path: str) -> None:
    assert Ignored(patterns)(path) in (True, False)
