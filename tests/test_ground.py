"""The ground itself: what the fixtures promise to the other tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support import ROOT, free_port, wait_until


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


@pytest.mark.engine
def test_a_container_logs_what_it_was_told(container) -> None:
    """A container of the test image runs a shell command and its output reaches the engine."""
    one = container("echo out; echo err >&2")
    one.wait(timeout=20)
    assert sorted(one.logs().splitlines()) == [b"err", b"out"]


@pytest.mark.engine
def test_containers_carry_the_label_of_the_run(container) -> None:
    """What a run started can be found and removed by its label alone."""
    assert "cloudbang.test" in container().labels


def _side_by_side(first: str, second: str, **environ: str) -> subprocess.Popen[str]:
    inherited = {k: v for k, v in os.environ.items() if k != "DOCKER_HOST"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.side_by_side", first, second],
        cwd=ROOT,
        env=inherited | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.engine
@pytest.mark.parametrize(("first", "second", "code"), [(0, 0, 0), (3, 0, 1), (0, 3, 1)])
def test_who_fails_beside_another_is_heard(
    tmp_path: Path, first: int, second: int, code: int
) -> None:
    """One half of the tests that fails makes the whole fail; the second has its own engine."""
    met = tmp_path / "met"
    run = _side_by_side(
        f"until [ -e {met} ]; do sleep 0.05; done; echo first; exit {first}",
        f"docker info --format 'engine {{{{.ServerVersion}}}}'; echo $DOCKER_HOST; touch {met}; exit {second}",
    )
    said, _ = run.communicate(timeout=60)
    assert run.returncode == code, said
    lines = said.splitlines()
    assert lines[0] == "first"
    assert any(line.startswith("engine ") for line in lines)
    assert f"unix://{tempfile.gettempdir()}/cb" in said
    assert said.count("Failed (3)") == code


def test_without_a_second_engine_they_run_one_after_the_other() -> None:
    """Whoever names an engine has the tests run on that."""
    run = _side_by_side("echo one", "echo $DOCKER_HOST", DOCKER_HOST="unix:///mine")
    said, _ = run.communicate(timeout=30)
    assert (run.returncode, said.splitlines()[1:]) == (0, ["one", "unix:///mine"])


@pytest.mark.engine
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path, by: signal.Signals) -> None:
    """Both are told to tidy up, and the engine goes when they have."""
    tidy = "trap 'docker version >/dev/null && touch {0}.tidied; exit 1' INT; touch {0}; while :; do sleep 0.1; done"
    one, two = tmp_path / "one", tmp_path / "two"
    run = _side_by_side(tidy.format(one), f"echo $DOCKER_HOST >{two}.host; {tidy.format(two)}")
    wait_until(lambda: one.exists() and two.exists(), 30, "both to run")
    engine = Path(two.with_suffix(".host").read_text().strip().removeprefix("unix://")).parent
    assert engine.is_dir()
    run.send_signal(by)
    run.communicate(timeout=60)
    assert run.returncode == 130
    assert one.with_suffix(".tidied").exists()
    assert two.with_suffix(".tidied").exists()
    assert not engine.exists()
    assert (
        engine.name.split("-")[0]
        not in subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
    )
