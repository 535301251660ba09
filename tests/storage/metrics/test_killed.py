"""kill -9 in the middle of rolling up, and of writing: nothing is missing, nothing is there twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cloudbang.config import MetricsSettings
from cloudbang.storage.metrics.store import MetricStore
from tests.storage.metrics.truth import T0, Clock
from tests.support import patient

ROOT = Path(__file__).parents[3]
KILLS = 100


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.storage.metrics.killed_child", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=patient(200))
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow("a hundred processes, and after each all that there is is read")
def test_a_hundred_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Before, within and after every kind of transaction; what is read is the same each time, by
    every step, and the file is sound in the end. A store goes on with it."""
    told = run(str(tmp_path), str(KILLS))
    for step in ("slabs", "piece", "hour", "tier", "expire"):
        assert f"in {step}" in told
    store = MetricStore(tmp_path, MetricsSettings(), clock=Clock(T0))
    store.open()
    assert store.oldest(600) == T0
    store.close()


def test_slabs_that_were_written_are_there_after_a_kill(tmp_path: Path) -> None:
    """What was not is at most the last 10 s."""
    writes = (
        "import sys, os, signal\n"
        "from pathlib import Path\n"
        "from cloudbang.config import MetricsSettings\n"
        "from cloudbang.domain.metrics.series import Aggregate, SeriesKey\n"
        "from cloudbang.storage.metrics.store import MetricStore\n"
        f"store = MetricStore(Path(sys.argv[1]), MetricsSettings(), clock=lambda: {T0})\n"
        "store.open()\n"
        "for n in range(5):\n"
        f"    store.write({T0} - 10 * n, {{SeriesKey('web', 'cpu'): Aggregate(1, 1., 1., 1.)}})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-m", "gevent.monkey", str(tmp_path / "writes.py"), str(tmp_path)]
    (tmp_path / "writes.py").write_text(writes)
    assert subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}).returncode == -9
    store = MetricStore(tmp_path, MetricsSettings(), clock=Clock(T0))
    store.open()
    (key,) = store.series_of("web")
    found = store.read([key], T0 - 40, T0 + 10, 10)[key]
    assert [one and one.total for one in found] == [1.0] * 5
    store.close()
