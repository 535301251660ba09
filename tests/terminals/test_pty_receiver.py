"""A descriptor comes over the socket to who expects it, once; nothing else gets in."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudbang.cli.share.handover import Handover
from cloudbang.terminals.pty_receiver import FILE, LONGEST, PtyReceiver
from tests.support import wait_until


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[PtyReceiver]:
    made = PtyReceiver(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def master() -> Iterator[int]:
    ends = os.openpty()
    yield ends[0]
    for end in ends:
        os.close(end)


class Adopter:
    """Takes what it is given, unless it does not want it."""

    def __init__(self, wants: bool = True) -> None:
        self.wants, self.has = wants, -1

    def __call__(self, descriptor: int) -> bool:
        if self.wants:
            self.has = descriptor
        return self.wants


def answer(handover: Handover) -> bool:
    """Whether it was taken."""
    said: list[bool] = []

    def settled() -> bool:
        if (taken := handover.taken()) is not None:
            said.append(taken)
        return bool(said)

    wait_until(settled, 10, "the answer")
    handover.close()
    return said[0]


def test_what_is_expected_is_taken_once(receiver: PtyReceiver, master: int) -> None:
    adopt = Adopter()
    offer = receiver.expect(adopt)
    assert offer is not None
    assert answer(Handover(offer, master))
    assert os.fstat(adopt.has).st_rdev == os.fstat(master).st_rdev
    os.close(adopt.has)
    assert not answer(Handover(offer, master))


def test_nobody_else_gets_in(receiver: PtyReceiver, master: int, tmp_path: Path) -> None:
    """A wrong secret, one that is not good any more, nothing at all: refused, and no descriptor
    stays open."""
    # Closed under gevent a descriptor goes a moment later: the test's before may still be there.
    wait_until(lambda: terminals() == 1, 10, "the test's own terminal alone")
    offer = receiver.expect(Adopter(wants=False))
    assert offer is not None
    assert not answer(Handover(offer, master))
    assert not answer(Handover({**offer, "secret": "0" * 32}, master))
    later = receiver.expect(Adopter())
    receiver.forget(later)
    assert later is not None
    assert not answer(Handover(later, master))
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(tmp_path / FILE))
        silent.sendall(b"\xff" * 4096)
    wait_until(lambda: terminals() == 1, 10, "what was refused to be closed")


def terminals() -> int:
    """How many masters of pseudo terminals this process has open."""
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the folder's own
            found += os.readlink(one) == "/dev/ptmx"
    return found


def test_its_socket_is_its_users_alone_and_goes(tmp_path: Path) -> None:
    """A killed server's is replaced."""
    file = tmp_path / FILE
    file.write_text("left behind")
    receiver = PtyReceiver(tmp_path)
    receiver.start()
    assert stat.S_ISSOCK(file.stat().st_mode)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    receiver.stop()
    assert not file.exists()


def test_where_there_can_be_no_socket_nothing_is_offered(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * LONGEST)
    deep.mkdir()
    for folder in (deep, tmp_path / "there is none"):
        receiver = PtyReceiver(folder)
        receiver.start()
        assert receiver.expect(Adopter()) is None
        receiver.stop()
