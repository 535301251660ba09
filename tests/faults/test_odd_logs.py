"""Logs that break naive readers, from a real container through the whole of CloudBang."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from cloudbang.domain.lines import MAX_TEXT
from tests.support import ServerProcess, patient, wait_until

ODD = [
    b"<script>alert(1)</script><img src=x onerror=alert(1)>&amp;",
    bytes(range(1, 10)) + bytes(range(11, 32)) + b"\x7f",  # every control byte but NUL and LF
    b"zero\0inside",
    b"\x1b[31mred\x1b[0m \x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\",
    b"".join(b"\x1b[%dmx" % (n % 108) for n in range(3000)),  # a flood of colours
    "云帮 日志 🐳 \u202eright to left\u202c".encode(),
    b"  indented, and blanks at its end   ",
    b"",
    b"10%\r50%\r100%",
    b'{"level":"error","msg":"a \\"quoted\\" thing","n":1}',
    b"2001-01-01T00:00:00.000000000Z 0123456789ab stdout a line that looks like a record",
    b"x" * 16384,  # exactly one part of the engine
    b"y" * 16385,
    b"z" * 100_000,
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, engine_socket: str) -> Iterator[ServerProcess]:
    """One for all of them: each has an app of its own."""
    one = ServerProcess(tmp_path_factory.mktemp("odd"), {"DOCKER_HOST": engine_socket})
    yield one.start()
    one.close()


def _with_file(container, content: bytes, **options: Any) -> Any:
    """A container that prints ``content``, byte for byte, and ends."""
    one = container("cat /data/log", start=False, **options)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("log")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    assert one.put_archive("/data", packed.getvalue())
    one.start()
    one.wait(timeout=patient(30))
    return one


def _texts(server, app: str, count: int) -> list[str]:
    def all_there() -> bool:
        answer = server.client.get(f"/api/v1/apps/{app}/lines", params={"limit": 1})
        return answer.status_code == 200 and answer.json()["next"] > count

    wait_until(all_there, 20, f"{count} lines of {app}")
    return [row[4] for row in server.lines(app)]


@pytest.mark.engine
def test_odd_lines_arrive_as_they_were_written(container, server) -> None:
    """Control bytes, markup, colours, long and empty lines: one line each, byte for byte."""
    one = _with_file(container, b"\n".join(ODD) + b"\n")
    assert _texts(server, one.name, len(ODD)) == [raw.decode() for raw in ODD]


@pytest.mark.engine
def test_bytes_that_are_not_utf8_become_replacement_characters(container, server) -> None:
    """GBK text and lone bytes are shown as U+FFFD; the lines around them are whole."""
    lines = [b"before", "云帮".encode("gbk"), b"\xff\xfe lone \x80", b"after"]
    one = _with_file(container, b"\n".join(lines) + b"\n")
    texts = _texts(server, one.name, len(lines))
    assert texts[0] == "before"
    assert texts[3] == "after"
    assert "\ufffd" in texts[1]
    assert " lone " in texts[2]


@pytest.mark.engine
def test_a_line_of_megabytes_is_cut_and_says_so(container, server) -> None:
    """What is longer than 1 MiB keeps its beginning and its end, and says what was cut."""
    one = _with_file(container, b"a" * (3 * 1024 * 1024) + b"the end\nnext\n")
    long, following = _texts(server, one.name, 2)
    assert long.startswith("a" * 500_000)
    assert len(long.encode()) <= MAX_TEXT
    assert long.endswith("a" * 500_000 + "the end")
    assert "longer than 1 MiB" in long
    assert following == "next"


@pytest.mark.engine
@pytest.mark.parametrize("tty", [False, True], ids=["plain", "tty"])
def test_a_last_line_without_its_end_is_shown_once_it_ended(container, server, tty: bool) -> None:
    """What a container wrote before it died is a line, newline or not."""
    one = _with_file(container, b"whole\npartial", tty=tty)
    assert _texts(server, one.name, 2) == ["whole", "partial"]
