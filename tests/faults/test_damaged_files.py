"""Files of the store that were damaged while nobody looked."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest

from tests.faults.truth import assert_same, ticker
from tests.support import patient, wait_until
from tests.support_containers import tell

SMALL_SEGMENTS = {"CLOUDBANG_STORAGE_SEGMENT_BYTES": str(64 * 1024)}


STEPS, STEP = 8, 1000
IN_STEPS = (
    "i=0; for s in $(seq {steps}); do while ! [ -e /go$s ]; do usleep 10000; done; "
    'n=0; while [ $n -lt {step} ]; do i=$((i+1)); n=$((n+1)); echo "old line $i of many"; done; '
    "done"
)


@pytest.fixture
def ended(container):
    """A container that logs 8,000 lines, a thousand each time it is told to, and then ends."""
    return container(IN_STEPS.format(steps=STEPS, step=STEP))


@pytest.fixture
def filled(new_server, ended):
    """A server that stored all of them in small segments, and was stopped."""
    server = new_server(SMALL_SEGMENTS)
    for n in range(1, STEPS + 1):
        # What comes at once may go into one segment, however small they should be.
        tell(ended, "touch", f"/go{n}")
        wait_until(lambda n=n: _next(server, ended.name) > n * STEP, 30, f"{n * STEP} lines")
    ended.wait(timeout=patient(30))
    assert assert_same(server, ended.name, ended) == STEPS * STEP
    wait_until(lambda: _files(server, ended, "*.log.zst"), 20, "closed segments to be compressed")
    server.terminate()
    return server


def _files(server, container, pattern: str) -> list[Path]:
    return sorted((server.storage / "default" / container.name).glob(pattern))


DAMAGES = ("garbled", "emptied", "removed", "cut")


def _damage(path: Path, how: str) -> None:
    size = path.stat().st_size
    if how == "garbled":
        path.write_bytes(b"\xa5\x00\xff" * (size // 3 + 1))
    elif how == "cut":
        path.write_bytes(path.read_bytes()[: size // 2 + 1])
    elif how == "emptied":
        path.write_bytes(b"")
    else:
        path.unlink()


@pytest.mark.engine
def test_damaged_indexes_are_made_again(filled, ended) -> None:
    """Whatever happened to every index, the lines are read as before. One by one, and byte by byte:
    tests/storage/logs/test_damage.py."""
    indexes = _files(filled, ended, "*.idx")
    assert len(indexes) >= len(DAMAGES)
    for path, how in zip(indexes, cycle(DAMAGES), strict=False):
        _damage(path, how)
    filled.start()
    assert assert_same(filled, ended.name, ended) == STEPS * STEP


@pytest.mark.engine
def test_a_cut_compressed_segment_costs_only_its_own_lines(filled, ended) -> None:
    """A compressed file that lost its end: every other line is read, under the same seq."""
    filled.start()
    before = {row[0]: row[4] for row in filled.lines(ended.name)}
    wait_until(
        lambda: len(_files(filled, ended, "*.log.zst")) >= 3, 20, "three segments to be packed"
    )
    filled.terminate()
    segments = _files(filled, ended, "*.log.zst")
    victim = segments[1]
    victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2])
    first, after_it = _first_seq(victim), _first_seq(segments[2])
    filled.start()
    left = {row[0]: row[4] for row in filled.lines(ended.name)}
    assert left.items() <= before.items()
    assert set(before) - set(left) <= set(range(first, after_it))
    assert filled.get(f"/api/v1/apps/{ended.name}/lines", limit=1)["next"] == STEPS * STEP + 1


def _first_seq(segment: Path) -> int:
    return int(segment.name.split(".")[1])


@pytest.mark.engine
def test_a_torn_end_is_read_again_from_the_engine(new_server, container) -> None:
    """The newest file lost its last bytes: the torn record goes, the engine still has the lines.
    Torn at every byte of a record: tests/storage/logs/test_damage.py."""
    server = new_server()
    one = container(ticker("torn", 2000))
    wait_until(lambda: _next(server, one.name) > 1000, 20, "lines")
    server.kill()
    newest = _files(server, one, "*.log")[-1]
    newest.write_bytes(newest.read_bytes()[:-5000])
    server.start()
    one.kill()
    one.wait()
    assert_same(server, one.name, one)


@pytest.mark.engine
def test_garbage_after_the_end_is_cut_away(new_server, container) -> None:
    """A power cut may leave a run of zeros at the end of a file: it is no line."""
    server = new_server()
    one = container(ticker("zeros", 1000))
    wait_until(lambda: _next(server, one.name) > 500, 20, "lines")
    server.kill()
    with _files(server, one, "*.log")[-1].open("ab") as file:
        file.write(b"\0" * 4096)
    server.start()
    one.kill()
    one.wait()
    assert_same(server, one.name, one)


def _next(server, app: str) -> int:
    answer = server.client.get(f"/api/v1/apps/{app}/lines", params={"limit": 1})
    return answer.json()["next"] if answer.status_code == 200 else 0
