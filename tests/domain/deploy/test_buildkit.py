"""A build as BuildKit tells of it."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.deploy.buildkit import BuildGarbled, BuildProgress, BuildStep, Output


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def moment(seconds: int, nanos: int = 0) -> bytes:
    return field(1, seconds) + (field(2, nanos) if nanos else b"")


def vertex(digest: str, name: str = "", **told: int | str | bytes) -> bytes:
    numbers = {"cached": 4, "started": 5, "completed": 6, "error": 7}
    its = field(1, digest) + field(2, "sha256:input") + (field(3, name) if name else b"")
    return field(1, its + b"".join(field(numbers[key], value) for key, value in told.items()))


def log(digest: str, text: bytes, stream: int = 1) -> bytes:
    return field(3, field(1, digest) + field(2, moment(5)) + field(3, stream) + field(4, text))


def trace(*parts: bytes) -> bytes:
    aux = b64encode(b"".join(parts)).decode()
    return json.dumps({"id": "moby.buildkit.trace", "aux": aux}).encode()


def test_steps_begin_and_end() -> None:
    """Numbered in the order in which they are told of; told again only when something changed."""
    build = BuildProgress()
    assert list(
        build.feed(trace(vertex("a", "[1/2] FROM base"), vertex("b", "[2/2] RUN make")))
    ) == [
        BuildStep(1, "[1/2] FROM base"),
        BuildStep(2, "[2/2] RUN make"),
    ]
    assert list(build.feed(trace(vertex("a", "[1/2] FROM base")))) == []
    list(build.feed(trace(vertex("b", started=moment(10, 500_000_000)))))
    [done] = build.feed(trace(vertex("b", completed=moment(12), cached=1)))
    assert (done.name, done.seconds, done.cached) == ("[2/2] RUN make", 1.5, True)
    assert build.steps[0].seconds is None


def test_output_comes_by_whole_lines() -> None:
    """However it was cut, by step and stream."""
    build = BuildProgress()
    list(build.feed(trace(vertex("a", "one"))))
    assert list(build.feed(trace(log("a", b"first\nsec"), log("a", b"bad", 2)))) == [
        Output(1, "stdout", b"first")
    ]
    assert list(build.feed(trace(log("a", b"ond\r\n"), log("x", b"whose\n")))) == [
        Output(1, "stdout", b"second"),
        Output(0, "stdout", b"whose"),
    ]
    assert list(build.end()) == [Output(1, "stderr", b"bad")]
    assert list(build.end()) == []


def test_how_it_ended() -> None:
    build = BuildProgress()
    list(build.feed(b'{"id":"moby.image.id","aux":{"ID":"sha256:1"}}'))
    assert (build.image_id, build.error, build.failed_step) == ("sha256:1", "", None)
    build = BuildProgress()
    list(build.feed(trace(vertex("a", "[2/3] RUN false", error="exit code: 1"))))
    list(build.feed(b'{"errorDetail":{"message":"x"},"error":"executor failed: exit code: 1"}'))
    assert build.error == "executor failed: exit code: 1"
    assert build.failed_step is not None
    assert build.failed_step.name == "[2/3] RUN false"


def test_the_classic_builder_is_understood() -> None:
    """It says which step it is at, and no times: those are ours."""
    now = iter(range(10**9, 10**12, 10**9))
    build = BuildProgress(lambda: next(now))
    assert list(build.feed(b'{"stream":"Step 1/2 : FROM x\\n"}')) == [
        BuildStep(1, "[1/2] FROM x", started=10**9)
    ]
    assert list(build.feed(b'{"stream":" ---\\u003e 6b96bf943b48\\n"}')) == [
        Output(1, "stdout", b" ---> 6b96bf943b48")
    ]
    ended, begun = build.feed(b'{"stream":"Step 2/2 : RUN make\\n"}')
    assert isinstance(ended, BuildStep)
    assert (ended.seconds, begun) == (1.0, BuildStep(2, "[2/2] RUN make", started=3 * 10**9))
    [cached] = build.feed(b'{"stream":" ---\\u003e Using cache\\n"}')
    assert isinstance(cached, BuildStep)
    assert cached.cached
    [done] = build.feed(b'{"aux":{"ID":"sha256:2"}}')
    assert isinstance(done, BuildStep)
    assert done.finished
    assert (build.image_id, build.failed_step) == ("sha256:2", None)


def test_the_classic_builder_fails_at_a_step() -> None:
    build = BuildProgress()
    list(build.feed(b'{"stream":"Step 1/1 : RUN exit 7\\n"}'))
    list(build.feed(b'{"error":"The command \'exit 7\' returned a non-zero code: 7"}'))
    assert build.failed_step is not None
    assert (build.failed_step.name, build.exit_code) == ("[1/1] RUN exit 7", 7)


def test_a_field_that_is_new_is_skipped() -> None:
    new = (
        varint(99 << 3)
        + varint(7)
        + varint(98 << 3 | 1)
        + b"8 bytes!"
        + varint(97 << 3 | 5)
        + b"4444"
    )
    build = BuildProgress()
    assert list(build.feed(trace(new, field(2, b""), vertex("a", "one")))) == [BuildStep(1, "one")]


def test_a_line_without_an_end_is_not_held() -> None:
    build = BuildProgress()
    given = list(build.feed(trace(log("", b"x" * 300_000))))
    assert [len(one.text) for one in given] == [300_000]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"no json",
        b"[]",
        b'"text"',
        b'{"id":"moby.buildkit.trace","aux":"!"}',
        b'{"id":"moby.buildkit.trace","aux":"CgE="}',
        trace(b"\x0a\x05abc"),
        trace(b"\xff" * 11),
        trace(b"\x0b"),
    ],
)
def test_what_is_no_build_is_said(line: bytes) -> None:
    with pytest.raises(BuildGarbled):
        list(BuildProgress().feed(line))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(message: bytes) -> None:
    build = BuildProgress()
    try:
        list(build.feed(trace(message)))
    except BuildGarbled:
        return
    assert len(build.steps) <= len(message)
