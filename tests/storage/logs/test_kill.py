"""kill -9 while lines are written, at random moments: what was acknowledged is there, once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cloudbang.storage.logs.log_store import Query
from tests.storage.logs.records import opened
from tests.storage.logs.writing_child import APPS
from tests.support import rounds

KILLS = rounds(4, 60)


@pytest.mark.timeout(240 + 5 * KILLS)
def test_every_acknowledged_line_is_there_exactly_once(tmp_path: Path) -> None:
    """Seqs and texts agree for every line of every app after each of many kills."""
    acknowledged = dict.fromkeys(APPS, 0)
    for _ in range(KILLS):
        for message in _write_and_kill(tmp_path, random.uniform(0.0, 0.4)):
            app, seq = message.split()
            acknowledged[app] = int(seq)
        with opened(tmp_path, segment_bytes=64 * 1024) as store:
            for app, last in acknowledged.items():
                assert store.next_seq(app) > last
    assert min(acknowledged.values()) > 100
    with opened(tmp_path, segment_bytes=64 * 1024) as store:
        for app in APPS:
            seen = 0
            for batch in store.scan(app, Query()):
                for at, raw in batch:
                    seen += 1
                    assert at == seen
                    assert raw[51:] == f"{app} {seen}\n".encode()
            assert seen == store.next_seq(app) - 1


def _write_and_kill(folder: Path, seconds: float) -> list[str]:
    """What a child acknowledged until it was killed, ``seconds`` after it had opened the store."""
    command = [sys.executable, "-m", "tests.storage.logs.writing_child", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "open\n"
        end = time.monotonic() + seconds
        told = []
        while time.monotonic() < end:
            told.append(child.stdout.readline())
        child.kill()
        told += child.stdout.readlines()
    return [message for message in told if message.endswith("\n")]
