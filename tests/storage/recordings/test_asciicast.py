"""The lines of a recording, and its file: cut anywhere, damaged anywhere."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloudbang.storage.recordings import cast
from cloudbang.storage.recordings.asciicast import SLICE, Encoder, header
from cloudbang.storage.recordings.cast import CastFile, CastReader, pack, whole

STARTED = "2026-11-22T10:00:00.000000000Z"
HEAD = header(80, 24, ("sh", "-c", "echo '好'"), "web-1", STARTED)


def events(text: bytes) -> list[Any]:
    """The events of a recording, its header left out; each line has to be good."""
    first, *rest = text.splitlines()
    assert orjson.loads(first)["version"] == 2
    return [orjson.loads(line) for line in rest]


def printed(text: bytes) -> str:
    return "".join(data for _, kind, data in events(text) if kind == "o")


def file(tmp_path: Path, limit: int = 0) -> CastFile:
    return CastFile(str(tmp_path / "2026-11-22" / "0123456789abcdef.cast"), HEAD, limit)


def test_the_header_says_what_players_need() -> None:
    """The size, when it began, and the command as a shell would read it."""
    assert orjson.loads(HEAD) == {
        "version": 2,
        "width": 80,
        "height": 24,
        "timestamp": 1795341600,
        "env": {"TERM": "xterm-256color"},
        "command": "sh -c 'echo '\"'\"'好'\"'\"''",
        "title": "web-1",
    }
    assert set(orjson.loads(header(2, 1, (), "", STARTED))) == {
        "version",
        "width",
        "height",
        "timestamp",
        "env",
    }
    assert orjson.loads(header(2, 1, ("\ud800",), "\udfff", STARTED))["title"] == "?"


pieces = st.lists(
    st.one_of(st.binary(max_size=40), st.text(max_size=20).map(str.encode)), max_size=12
)


@given(pieces, st.lists(st.integers(0, 500), max_size=20), st.lists(st.floats(0, 0.02)))
@example(["云帮🚀\x1b[0m".encode()], [1, 2, 4, 5, 7, 8, 9], [])
@example([b"\xf0\x9f"], [], [])
def test_what_was_printed_comes_out_whole_wherever_it_was_cut(
    content: list[bytes], cuts: list[int], pauses: list[float]
) -> None:
    """The texts of all events together are what was printed, with U+FFFD for what is no UTF-8."""
    data = b"".join(content)
    at, parts, now = 0, [], 0.0
    for cut in [*sorted(cuts), len(data)]:
        now += pauses[len(parts) % len(pauses)] if pauses else 0.0
        parts.append((now, data[at:cut]))
        at = max(at, cut)
    encoder = Encoder()
    lines = [*encoder.lines(parts), encoder.last(now)]
    found = [orjson.loads(line) for line in lines if line]
    assert "".join(text for _, kind, text in found) == data.decode("utf-8", "replace")
    assert [time for time, *_ in found] == sorted(time for time, *_ in found)


def test_a_burst_of_small_outputs_is_one_event() -> None:
    """What comes within 5 ms is drawn together; a new size stays in its place between them."""
    parts = [(0.001, b"a"), (0.002, b"b"), (0.003, "100x30"), (0.004, b"c"), (0.02, b"d")]
    assert [orjson.loads(line) for line in Encoder().lines(parts)] == [
        [0.001, "o", "ab"],
        [0.003, "r", "100x30"],
        [0.004, "o", "c"],
        [0.02, "o", "d"],
    ]


def test_a_big_output_is_many_events() -> None:
    """Each encoded by itself, so that the hub has its turn in between; characters stay whole."""
    data = ("云" * 100_000).encode()
    lines = [orjson.loads(line) for line in Encoder().lines([(1.0, data)])]
    assert len(lines) == -(-len(data) // SLICE)
    assert "".join(text for *_, text in lines) == data.decode()


def test_a_limit_cuts_between_events(tmp_path: Path) -> None:
    """The file stays below it, its last line says why, and nothing more is written."""
    one = file(tmp_path, 10_000)
    reasons = [one.add([(n / 10, b"x" * 900)], n / 10) for n in range(11)]
    assert reasons.index("limit") == 10
    text = Path(one.path).read_bytes()
    assert len(text) == one.written <= 10_000
    found = events(text)
    assert found[-1] == [1.0, "m", "recording-stopped: limit"]
    assert {len(data) for _, kind, data in found if kind == "o"} == {900}


def test_a_file_somebody_removed_is_not_begun_again(tmp_path: Path) -> None:
    """Half a recording without its header is of no use: it stops."""
    one = file(tmp_path)
    assert one.add([(0.0, b"a")], 0.0) == ""
    Path(one.path).unlink()
    assert one.add([(1.0, b"b")], 1.0) == "failed"
    assert not Path(one.path).exists()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 700), st.binary(max_size=60), st.sampled_from([64, 1 << 20]))
@example(0, b"\n", 64)
@example(300, bytes(50), 64)
def test_a_torn_end_is_found(keep: int, garbage: bytes, window: int) -> None:
    """Cut anywhere and followed by anything: what counts ends with a line that is whole JSON,
    and no line before the cut is lost."""
    text = HEAD + b"".join(Encoder().lines([(n, f"line {n}\r\n".encode()) for n in range(20)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cast, "WINDOW", window if window > len(HEAD) else len(HEAD) + window)
        size = whole(io.BytesIO(text[:keep] + garbage))
    least = text[:keep].rfind(b"\n") + 1
    found = (text[:keep] + garbage)[:size]
    assert size >= least
    if size:
        orjson.loads(found.splitlines()[-1])
    if b"\n" not in garbage:
        assert size == least


def test_a_line_that_is_no_line_of_ours_is_left_out() -> None:
    """Zeros or text without an end behind a recording do not cost it what is good."""
    good = HEAD + b'[1.0,"o","x"]\n'
    assert whole(io.BytesIO(good + bytes(3 << 20))) == len(good)
    assert whole(io.BytesIO(good + b"x" * (3 << 20) + b"\n")) == len(good)
    assert whole(io.BytesIO(good + b"no\n" * 100_000)) == len(good)
    assert whole(io.BytesIO(bytes(3 << 20))) == 0
    assert whole(io.BytesIO(b"")) == 0


def test_packed_it_is_the_same_text(tmp_path: Path) -> None:
    """For zstdcat as for us, with its own mode and time; the torn line is gone."""
    one = file(tmp_path)
    one.add([(n / 10, b"line %d\r\n" % n * 5_000) for n in range(30)], 3.0)
    plain = Path(one.path)
    text = plain.read_bytes()
    with plain.open("ab") as f:
        f.write(b'[9.9,"o","torn')
    ended = plain.stat().st_mtime_ns
    taken = pack(one.path, lambda: False)
    assert not plain.exists()
    [packed] = plain.parent.iterdir()
    assert packed.name == "0123456789abcdef.cast.zst"
    assert packed.stat().st_size == taken < len(text) / 20
    assert packed.stat().st_mtime_ns == ended
    assert packed.stat().st_mode & 0o777 == 0o600
    assert subprocess.run(["zstdcat", packed], capture_output=True, check=True).stdout == text
    reader = CastReader(str(tmp_path), "0123456789abcdef", None)
    assert reader.size == len(text)
    assert b"".join(iter(reader.piece, b"")) == text
    reader.close()


def test_packing_that_is_given_up_changes_nothing(tmp_path: Path) -> None:
    """A stop of the server does not wait for it; the plain file stays as it is."""
    one = file(tmp_path)
    one.add([(0.0, bytes(1_000_000))], 0.0)
    with pytest.raises(InterruptedError):
        pack(one.path, lambda: True)
    assert [p.name for p in Path(one.path).parent.iterdir()] == ["0123456789abcdef.cast"]
    assert Path(one.path).stat().st_size == one.written


def test_a_packed_one_that_is_damaged_says_so(tmp_path: Path) -> None:
    """By an error that can be caught, wherever it was hit."""
    one = file(tmp_path)
    one.add([(n / 10, b"%d " % n * 20_000) for n in range(50)], 5.0)
    pack(one.path, lambda: False)
    packed = Path(f"{one.path}.zst")
    good = packed.read_bytes()
    for bad in (b"", b"no zstd at all", good[: len(good) // 2], good[:20] + bytes(50) + good[70:]):
        packed.write_bytes(bad)
        with pytest.raises(OSError, match=r".+"):
            drain(tmp_path)


def drain(folder: Path) -> None:
    reader = CastReader(str(folder), "0123456789abcdef", None)
    try:
        while reader.piece():
            pass
    finally:
        reader.close()
