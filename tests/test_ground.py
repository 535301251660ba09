"""The ground itself: what the fixtures promise to the other tests."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests import lanes
from tests.parts import ENGINE, NETWORK, PARTS, files_of
from tests.support import ROOT, Stopwatch, command_lines, free_port, patient, slowness, wait_until


def test_wait_until_gives_the_value_it_waited_for() -> None:
    """The first true value comes back, so that a test can go on with it."""
    values = iter([0, "", "here"])
    assert wait_until(lambda: next(values)) == "here"


def test_wait_until_says_what_it_waited_for() -> None:
    """A wait in vain names what was missing and shows the last value."""
    with pytest.raises(AssertionError, match="in vain for a door; last value: 0"):
        wait_until(lambda: 0, timeout=0.05, what="a door")


def test_free_ports_are_below_the_kernels_own() -> None:
    """A port that is handed out is not one the kernel gives to an outgoing connection."""
    assert all(15_000 <= free_port() < 32_768 for _ in range(20))


def test_who_opens_a_socket_does_so_as_all_do() -> None:
    """The library's own pings take a server that is asked much, or read slowly, for one that is gone."""
    connecting = re.compile(r"^from websockets\.sync\.client import .*\bconnect\b", re.MULTILINE)
    opening = [p for p in ROOT.glob("tests/**/*.py") if connecting.search(p.read_text())]
    assert [str(p.relative_to(ROOT)) for p in opening] == ["tests/socket_client.py"]


@pytest.mark.engine
def test_a_container_logs_what_it_was_told(container) -> None:
    """A container of the test image runs a shell command and its output reaches the engine."""
    one = container("echo out; echo err >&2")
    one.wait(timeout=patient(20))
    assert sorted(one.logs().splitlines()) == [b"err", b"out"]


@pytest.mark.engine
def test_containers_carry_the_label_of_the_run(container) -> None:
    """What a run started can be found and removed by its label alone."""
    assert "cloudbang.test" in container().labels


def _lanes(first: str, second: str, **environ: str) -> subprocess.Popen[str]:
    """Two parts of a suite, each for ``sh -c``: one on the machine's engine, one on any."""
    parts = [
        (name, needs, ("tests",), ("sh", "-c", command))
        for name, needs, command in (
            ("one", NETWORK, first),
            ("two", ENGINE, second),
        )
    ]
    inherited = {k: v for k, v in os.environ.items() if k != "DOCKER_HOST"}
    program = "import sys; from tests import lanes; parts = {!r}; sys.exit(lanes.main([], {}))"
    return subprocess.Popen(
        [sys.executable, "-c", program.format(parts, "[lanes.Part(*part) for part in parts]")],
        cwd=ROOT,
        env=inherited | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


SAYS = {0: "== 3 passed in 1s ==", 1: "FAILED it\n== 1 failed, 2 passed in 1s ==", 3: "it crashed"}


@pytest.mark.engine
@pytest.mark.parametrize(
    ("first", "second", "sum_of_both"),
    [(0, 0, "6 passed, 0 failed"), (1, 0, "5 passed, 1 failed"), (0, 3, "3 passed, 1 failed")],
)
def test_lanes_run_beside_each_other_and_each_failure_counts(
    tmp_path: Path, first: int, second: int, sum_of_both: str
) -> None:
    """The second lane has an engine of its own; what fails or crashes fails the whole and stops
    nothing; all that was said is shown, and in the end what failed."""
    met = tmp_path / "met"
    run = _lanes(
        f"until [ -e {met} ]; do sleep 0.05; done; echo '{SAYS[first]}'; exit {first}",
        f"docker info --format 'engine {{{{.ServerVersion}}}}'; echo $DOCKER_HOST; touch {met};"
        f" echo '{SAYS[second]}'; exit {second}",
    )
    said, _ = run.communicate(timeout=patient(60))
    assert run.returncode == int(first + second > 0), said
    lines = said.splitlines()
    assert lines[-1] == sum_of_both, said
    assert any(line.startswith("engine ") for line in lines)
    assert f"unix://{tempfile.gettempdir()}/cb" in said
    assert said.count("FAILED it") == (2 if first else 0)
    assert ("ended with code 3" in said) == (second == 3)


def test_a_part_is_counted_by_its_last_summary() -> None:
    """Whatever comes after it, as from an engine that ends; and by none where there is none."""
    said = "== 9 passed in 1s ==\nE  - 5 passed, 1 failed\n==== 1 failed, 2 passed in 3s ====\n"
    for after in ("", "kill: (12) - No such process\n", "tail: cannot open '7 passed'\n"):
        assert lanes.count(said + after) == {"failed": 1, "passed": 2}
    assert lanes.count("it crashed\n") == {}


def test_without_a_second_engine_they_run_one_after_the_other(tmp_path: Path) -> None:
    """Whoever names an engine has the tests run on that."""
    runs = tmp_path / "runs"
    alone = f"mkdir {runs} && sleep 0.3 && rmdir {runs} && echo $DOCKER_HOST && echo 1 passed"
    run = _lanes(alone, alone, DOCKER_HOST="unix:///mine")
    said, _ = run.communicate(timeout=patient(30))
    assert (run.returncode, said.splitlines()[-1]) == (0, "2 passed, 0 failed"), said
    assert said.splitlines().count("unix:///mine") == 2


@pytest.mark.engine
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path, by: signal.Signals) -> None:
    """Every part is told to tidy up, and the engines go when they have."""
    tidy = "trap 'until docker version >/dev/null; do :; done; touch {0}.tidied; exit 1' INT; touch {0}; while :; do sleep 0.1; done"
    one, two = tmp_path / "one", tmp_path / "two"
    run = _lanes(tidy.format(one), f"echo $DOCKER_HOST >{two}.host; {tidy.format(two)}")
    wait_until(lambda: one.exists() and two.exists(), 30, "both to run")
    engine = Path(two.with_suffix(".host").read_text().strip().removeprefix("unix://")).parent
    assert engine.is_dir()
    run.send_signal(by)
    run.communicate(timeout=patient(60))
    assert run.returncode == 130
    assert one.with_suffix(".tidied").exists()
    assert two.with_suffix(".tidied").exists()
    assert not engine.exists()
    assert (
        engine.name.split("-")[0]
        not in subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
    )


def test_every_file_of_tests_is_in_one_part() -> None:
    """No file is left out or run twice, and every path of a part is there."""
    dealt = Counter(file for files in files_of(PARTS).values() for file in files)
    assert dealt == Counter(str(f.relative_to(ROOT)) for f in ROOT.glob("tests/**/test_*.py"))
    assert [p for part in PARTS for p in part.paths if not (ROOT / p).exists()] == []


OVER_BUDGET = """
import time, pytest
def test_long(): time.sleep(0.2)
def test_short(): pass
@pytest.mark.slow("it has to")
def test_allowed(): time.sleep(0.2)
"""
BUDGETED = """
from tests import conftest, support
from tests.conftest import pytest_runtest_call
conftest.BUDGET, conftest.BUSY, support._stalled = 0.1, 1e9, lambda: 0.0
"""


def test_a_test_over_its_budget_fails_unless_it_says_why(tmp_path: Path) -> None:
    """What takes longer than it may is a failure of that test, and of no other."""
    (tmp_path / "conftest.py").write_text(BUDGETED)
    (tmp_path / "test_it.py").write_text(OVER_BUDGET)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow(reason): why")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rf", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert re.search(r"test_long - Failed: it took 0\.\d s of a budget of 0\.1 s", done.stdout)


@pytest.mark.slow("an engine starts and ends")
@pytest.mark.engine
def test_another_engine_is_tried_beside_the_machines(docker_client, container) -> None:
    """With what is in a folder, in place of the machine's own, which is neither seen nor touched;
    the command's code is handed on, and nothing is left."""
    one = container()
    seen = "docker ps -a --format {{.Names}}; docker info -f {{.ID}}; ip -o link; exit 7"
    place = str(Path(shutil.which("dockerd") or "").parent)
    done = subprocess.run(
        [ROOT / "scripts" / "with-engine", place, "sh", "-c", seen], capture_output=True, text=True
    )
    assert done.returncode == 7, done.stderr
    its_id, *links = done.stdout.splitlines()
    assert its_id != docker_client.info()["ID"]
    assert {link.split(": ")[1] for link in links} >= {"lo", "docker0"}
    one.reload()
    assert one.status == "running"
    assert "/with-engine-" not in Path("/proc/self/mounts").read_text()


@pytest.mark.slow("an engine starts and ends")
@pytest.mark.engine
def test_another_engine_ends_with_who_is_killed(tmp_path: Path) -> None:
    """No engine is left that nobody would ever end, with what runs on it."""
    place = str(Path(shutil.which("dockerd") or "").parent)
    marker = f"83{os.getpid()}{time.monotonic_ns()}"
    command = [str(ROOT / "scripts" / "with-engine"), place, "sleep", marker]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}  # nobody takes its folder away
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environ) as run:
        asks = ["sleep", marker]
        wait_until(lambda: any(said == asks for _, said in command_lines()), 40, "its command")
        left = psutil.Process(run.pid).children(recursive=True)
        assert "dockerd" in {one.name() for one in left}
        run.kill()
        _, alive = psutil.wait_procs(left, timeout=patient(10))
    assert alive == []


def test_a_stopwatch_leaves_out_what_the_machine_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither more than passed, nor less than nothing; and waits grow within bounds."""
    held_up = iter([7.0, 7.0, 7.1, 99.0])
    with monkeypatch.context() as patch:  # which ends here: the test's own time is watched, too
        patch.setattr("tests.support._stalled", lambda: next(held_up))
        watch = Stopwatch()
        time.sleep(0.2)
        assert watch.seconds >= 0.2
        assert watch.seconds >= 0.1
        assert watch.seconds == 0
    assert 1 <= slowness() <= 6
