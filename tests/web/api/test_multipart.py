"""Forms with a file, read as they come."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloudbang.errors import BadRequest
from cloudbang.web.api.multipart import FilePart, read_form

TYPE = "multipart/form-data; boundary=xyz"


def part(name: str, data: bytes, filename: str = "") -> bytes:
    said = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    return f"--xyz\r\nContent-Disposition: {said}\r\n\r\n".encode() + data + b"\r\n"


END = b"--xyz--\r\n"


class Pieces(io.BytesIO):
    """Gives so many bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._size if size is None or size < 0 else min(size, self._size))


@settings(max_examples=50)
@example([b"\r\n", b"\r\n", b"--xyz", b"--xyz"], 1)
@example([b"--xyz"], 3)
@given(
    st.lists(
        st.binary(max_size=300) | st.sampled_from([b"\r\n--xy", b"--xyz", b"\r\n"]), max_size=4
    ),
    st.integers(1, 400),
)
def test_a_file_is_what_was_sent(data: list[bytes], size: int) -> None:
    """Whatever is in it, however it comes; with the fields that came before."""
    content = b"".join(data)
    while b"\r\n--xyz" in content:  # what one leaves behind may be another
        content = content.replace(b"\r\n--xyz", b"")
    form = part("spec", b'{"a": 1}') + part("folder", content, "f.tar") + part("wait", b"1") + END
    seen: list[tuple[bytes, Mapping[str, str]]] = []

    def take(file: FilePart, before: Mapping[str, str]) -> None:
        seen.append((b"".join(iter(lambda: file.read(7), b"")), before))

    fields = read_form(Pieces(form, size), TYPE, {"folder": take}, most=100)
    assert seen == [(content, {"spec": '{"a": 1}'})]
    assert fields == {"spec": '{"a": 1}', "wait": "1"}


def test_what_nobody_takes_is_skipped() -> None:
    """A file that is not asked for, and the rest of one that was not read to its end."""
    form = part("other", b"x" * 300_000, "o") + part("folder", b"y" * 300_000, "f")
    source = io.BytesIO(form + part("spec", b"{}") + END)
    started: list[bytes] = []
    fields = read_form(
        source, TYPE, {"folder": lambda file, _: started.append(file.read(2))}, most=10
    )
    assert (started, fields, source.read()) == ([b"yy"], {"spec": "{}"}, b"")


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"nonsense",
        part("spec", b"{}"),
        part("spec", b"x" * 101) + END,
        part("spec", b"\xff\xfe") + END,
        b"--xyz\r\nX: y\r\n\r\nabc\r\n" + END,
        b"--xyz\r\n" + b"X: y\r\n" * 100_000,
        b"--xyz\r\n" + b"X" * 100_000,
        b"--xyzz\r\n",
        part("folder", b"abc", "f")[:-2],
        b"".join(part(f"a{n}", b"") for n in range(30)) + END,
    ],
)
def test_what_is_no_form(form: bytes) -> None:
    """Is refused, not guessed at."""
    with pytest.raises(BadRequest):
        read_form(io.BytesIO(form), TYPE, {}, most=100)


def test_without_a_boundary() -> None:
    with pytest.raises(BadRequest):
        read_form(io.BytesIO(END), "multipart/form-data", {}, most=100)
