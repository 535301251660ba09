"""What a Dockerfile asks for from elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.deploy.dockerfile import Needs, needs_of, without_syntax


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM nginx\n", ["nginx"]),
        ("# a comment\n\n  from  nginx:1.27 as web\n", ["nginx:1.27"]),
        ("FROM --platform=$BUILDPLATFORM golang:1.23 AS build\nFROM scratch\n", ["golang:1.23"]),
        ("FROM a AS one\nFROM one AS two\nFROM b\nCOPY --from=Two /x /x\n", ["a", "b"]),
        (
            "FROM a\nCOPY --chown=1:1 --from=composer:2 /c /c\nCOPY --from=0 /x /x\n",
            ["a", "composer:2"],
        ),
        ("FROM a\nRUN --mount=type=bind,from=tools:1,target=/t make\n", ["a", "tools:1"]),
        ("ARG V=3.12\nFROM python:${V}-slim\n", ["python:3.12-slim"]),
        ("ARG V\nFROM python:${V:-3.11}\nARG X=2\n", ["python:3.11"]),
        ("ARG BASE=a\nARG OF=$BASE-slim\nFROM $OF\n", ["a-slim"]),
        ("FROM $NOBODY\n", []),
        ("FROM \\\n  # within\n  a\\\n  AS x\nFROM x\n", ["a"]),
        ("# escape=`\nFROM `\n a\n", ["a"]),
        ("FROM a\nRUN <<EOF\nFROM b\nEOF\nFROM c\n", ["a", "c"]),
        ("FROM a\nRUN cat <<'E' > x\nFROM b\nE\nCOPY <<-X /y\nFROM d\n\tX\n", ["a"]),
        ("", []),
        ("FROM\n", []),
    ],
)
def test_the_images(text: str, images: list[str]) -> None:
    assert list(needs_of(text).images) == images


def test_arguments_that_are_given() -> None:
    text = "ARG V=1\nARG W\nFROM a:$V\nFROM b:${W}\nFROM c:${X:+y}z\n"
    assert needs_of(text, {"V": "2", "W": "3", "X": "1"}).images == ("a:2", "b:3", "c:yz")


def test_stages_behind_the_wanted_one_are_not_asked_for() -> None:
    assert needs_of("FROM a AS One\nFROM b AS two\nFROM c\n", target="one").images == ("a",)
    assert needs_of("FROM a AS one\nFROM b AS two\nFROM c\n", target="two").images == ("a", "b")


def test_who_is_to_read_it() -> None:
    text = "# syntax = docker/dockerfile:1\n# escape=\\\nFROM a\n"
    assert needs_of(text).syntax == "docker/dockerfile:1"
    assert needs_of(text, {"BUILDKIT_SYNTAX": "x:1"}).syntax == "x:1"
    assert needs_of(without_syntax(text)).syntax == ""
    assert without_syntax(text).count("\n") == text.count("\n")  # lines keep their numbers
    assert without_syntax("FROM a\n# syntax=x\n") == "FROM a\n# syntax=x\n"
    assert needs_of("# just words\n# syntax=x\nFROM a").syntax == ""


def test_what_it_downloads() -> None:
    text = (
        "ARG HOST=example.com\nFROM a\nARG HOST\nENV V=1\nADD https://$HOST/x-${V}.tgz /x\n"
        'ADD --checksum=sha256:1 ["http://h/a b", "git@h:r.git", "/d/"]\nADD local /x\n'
        "RUN curl https://not.mine/\n"
    )
    assert needs_of(text).downloads == (
        "https://example.com/x-1.tgz",
        "http://h/a b",
        "git@h:r.git",
    )


@given(st.text(alphabet="FROMADCPYRUN =$\\{}<\"'#-:@[],\n`ab", max_size=200))
def test_whatever_is_written_is_read(text: str) -> None:
    assert isinstance(needs_of(text), Needs)
    without_syntax(text)
