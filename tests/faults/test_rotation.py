"""Promise 1 while the engine rotates its json-files away under the reader."""

from __future__ import annotations

import re
from contextlib import suppress
from operator import itemgetter

import pytest

from tests.faults.truth import ticker
from tests.support import patient, wait_until

NUMBER = re.compile(r"line (\d+) ")


def _numbers_and_markers(rows: list[list]) -> tuple[list[int], list[int], list[str]]:
    """Line numbers in the order of their times, those after which one is missing without a marker,
    markers."""
    numbers: list[int] = []
    silent: list[int] = []
    markers: list[str] = []
    marked = False
    # What a followed stream jumped over is asked for, and may be stored behind what came meanwhile.
    for _, _, _, stream, text in sorted(rows, key=itemgetter(1)):
        if stream == "marker":
            markers.append(text)
            marked = True
            continue
        number = int(NUMBER.search(text)[1])
        if numbers and number != numbers[-1] + 1 and not marked:
            silent.append(numbers[-1])
        numbers.append(number)
        marked = False
    return numbers, silent, markers


@pytest.mark.engine
@pytest.mark.slow("a log rotates while it is written steadily")
def test_rotation_under_a_steady_load_loses_nothing(container, server) -> None:
    """Files that rotate every second are read through: every line once, no marker."""
    one = container(
        ticker("rotating", 3000),
        log_config={"Type": "json-file", "Config": {"max-size": "400k", "max-file": "5"}},
    )
    wait_until(lambda: _next(server, one.name) > 18_000, 40, "18,000 lines")
    one.kill()
    one.wait()
    _wait_until_stored(server, one, 20)
    numbers, silent, markers = _numbers_and_markers(server.lines(one.name))
    assert numbers == list(range(1, numbers[-1] + 1)), (silent, markers)
    assert not markers


@pytest.mark.engine
@pytest.mark.slow("a flood fills files faster than they are read")
def test_what_the_engine_drops_in_a_flood_is_marked(container, server) -> None:
    """A flood rotates faster than anyone can read: never doubled, and every hole has a marker."""
    one = container(
        'i=0; while [ $i -lt 400000 ]; do i=$((i+1)); echo "flood line $i of many"; done',
        log_config={"Type": "json-file", "Config": {"max-size": "200k", "max-file": "2"}},
    )
    one.wait(timeout=patient(60))
    _wait_until_stored(server, one, 40)
    numbers, silent, _ = _numbers_and_markers(server.lines(one.name))
    assert len(set(numbers)) == len(numbers), "lines are stored twice"
    assert numbers == sorted(numbers)
    assert not silent, f"{len(silent)} holes without a marker, the first after line {silent[0]}"
    assert numbers[-1] == 400_000


@pytest.mark.engine
def test_what_rotated_away_while_the_server_was_down_is_marked(container, server) -> None:
    """Lines that were dropped between a kill and the next start are a marked row."""
    one = container(
        ticker("away", 2000),
        log_config={"Type": "json-file", "Config": {"max-size": "50k", "max-file": "2"}},
    )
    wait_until(lambda: _next(server, one.name) > 1000, 20, "the first lines")
    server.kill()
    oldest = NUMBER.search(one.logs(tail=1).decode())[1]
    wait_until(
        lambda: int(NUMBER.search(one.logs()[:200].decode("utf-8", "replace"))[1]) > int(oldest),
        30,
        "the files to rotate past what was stored",
        every=0.2,
    )
    server.start()
    start = _next(server, one.name)
    wait_until(lambda: _next(server, one.name) > start + 500, 20, "further lines")
    one.kill()
    one.wait()
    _wait_until_stored(server, one, 20)
    numbers, silent, markers = _numbers_and_markers(server.lines(one.name))
    assert len(set(numbers)) == len(numbers)
    assert numbers == sorted(numbers)
    assert not silent
    assert markers


def _next(server, app: str) -> int:
    answer = server.client.get(f"/api/v1/apps/{app}/lines", params={"limit": 1})
    return answer.json()["next"] if answer.status_code == 200 else 0


def _is_stored(server, container) -> bool:
    """Whether the newest line of an ended container is among the newest of its app."""
    last = container.logs(tail=1).decode().rstrip("\n")
    kept = server.get(f"/api/v1/apps/{container.name}/lines", before=_next(server, container.name))
    return any(row[4] == last for row in kept["lines"])


def _wait_until_stored(server, container, seconds: float) -> None:
    try:
        what = "the last line to be stored"
        wait_until(lambda: _is_stored(server, container), seconds, what, every=0.2)
    except AssertionError as e:
        newest = server.get(
            f"/api/v1/apps/{container.name}/lines", before=_next(server, container.name)
        )
        told = (newest["lines"][-3:], container.logs(tail=3), server.said()[-3000:])
        raise AssertionError(f"{e}; kept, of the engine, said: {told}") from None

    # What was in doubt is asked for at the end, and stored behind it.
    def is_whole() -> bool:
        return not _numbers_and_markers(server.lines(container.name))[1]

    with suppress(AssertionError):  # the test says it better
        wait_until(is_whole, 20, "what was jumped over", every=0.5)
