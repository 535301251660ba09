"""The log of a deployment, and what must not be in it."""

from __future__ import annotations

import pytest

from cloudbang.deploy.log import LAST, DeploymentLog, log_name
from cloudbang.domain.lines import is_record, rows
from cloudbang.domain.names import is_app_name


class Kept:
    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.name = ""

    def append(self, app: str, records: list[bytes]) -> None:
        self.name = app
        self.records += records

    @property
    def texts(self) -> list[str]:
        return [row[4] for row in rows(1, self.records)]


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_lines_are_kept_as_any_lines(kept: Kept) -> None:
    """Under a name that no app can have."""
    DeploymentLog(kept, 7).say("one\ntwo")
    DeploymentLog(kept, 7).write([b"three\r", b"f\nour"], b"stderr", b"c" * 12)
    assert kept.name == log_name(7) == "@deployment-7"
    assert not is_app_name(kept.name)
    assert kept.texts == ["one", "two", "three", "f our"]
    assert all(is_record(raw) for raw in kept.records)
    assert [row[2:4] for row in rows(1, kept.records)][2] == ("c" * 12, "stderr")


def test_what_secrets_hold_is_in_no_line(kept: Kept) -> None:
    """Whoever prints it; the longest first, and of one with several lines each."""
    secrets = ["canary", "canary-and-more", "first line\nsecond line\n", "abc", ""]
    log = DeploymentLog(kept, 1, secrets)
    log.say("it is canary-and-more, canary; second line first line abc")
    log.write([b"\xffcanary\xff"])
    assert kept.texts == ["it is •••, •••; ••• ••• abc", "\ufffd•••\ufffd"]
    assert log.last == kept.texts


def test_the_last_lines_are_kept_for_the_record(kept: Kept) -> None:
    log = DeploymentLog(kept, 1)
    for n in range(3 * LAST):
        log.say(f"line {n}")
    assert log.last == [f"line {n}" for n in range(2 * LAST, 3 * LAST)]


def test_a_line_that_is_too_long_is_cut(kept: Kept) -> None:
    DeploymentLog(kept, 1).write([b"x" * 3_000_000])
    assert len(kept.records[0]) < 1_100_000
    assert "cut" in kept.texts[0]
