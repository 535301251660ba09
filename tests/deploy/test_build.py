"""Builds on a real engine: with BuildKit over its HTTP, and with the classic builder."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import docker
import gevent
import pytest

from cloudbang.deploy.build import MOST_OUTPUT, Builder
from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.sources import Fetched, Image
from cloudbang.domain.deploy.failure import Failure
from cloudbang.engine import Engine
from tests.deploy.source_ground import Ground, Kept
from tests.support import patient, running, wait_until

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, engine_socket: str, image: str
) -> Iterator[Ground]:
    found = Ground(tmp_path_factory.mktemp("ground"), Engine())
    yield found
    left = subprocess.run(
        ["docker", "image", "ls", "-q", "cloudbang/build-*"], capture_output=True, text=True
    ).stdout.split()
    subprocess.run(["docker", "image", "rm", "-f", *left], capture_output=True)
    found.close()


BUILDERS = ("buildkit", "classic")


@pytest.fixture
def ground(whole: Ground) -> Ground:
    use(whole, "buildkit")
    whole.kept = Kept()
    return whole


def use(ground: Ground, builder: str, **settings: object) -> None:
    sources = ground.sources
    given = ground.settings.deploy.model_copy(update=settings)
    sources._builder = Builder(
        ground.engine,
        sources._puller,
        sources._builder._disk,
        given,
        buildkit=builder == "buildkit",
    )


def source(folder: Path, files: Mapping[str, str]) -> Fetched:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Fetched(folder)


def build(ground: Ground, its: Fetched, secrets: tuple[str, ...] = (), **spec: object) -> Image:
    app = f"build-{uuid.uuid4().hex[:8]}"
    release, deployment = ground.begin(app, {"build": spec}, {"kind": "upload"})
    return ground.sources.build(deployment, release, its, ground.log(secrets), ground.kept.tell)


def failure(ground: Ground, its: Fetched, **spec: object) -> Failure:
    with pytest.raises(StepFailed) as found:
        build(ground, its, **spec)
    return found.value.failure


def said_by(image: Image) -> str:
    command = ["docker", "run", "--rm", "--network=none", image.id]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("builder", BUILDERS)
def test_an_image_is_built(ground: Ground, tmp_path: Path, image: str, builder: str) -> None:
    """What it tells goes to the log, step by step; the image has the tag that keeps it."""
    use(ground, builder)
    its = source(
        tmp_path,
        {
            "app/Dockerfile": f"ARG OF=none\nFROM {image} AS base\nARG NAME\n"
            f"RUN echo {builder} hello; echo {uuid.uuid4()}\nCOPY . /app\n"
            'RUN chmod +x /app/run.sh && echo "$NAME" >/app/name\nCMD ["/app/run.sh"]\n',
            "app/run.sh": "#!/bin/sh\ncat /app/name; ls -A /app\n",
            "app/.dockerignore": "*.log\nsecret\n",
            "app/some.log": "x",
            "app/secret/key": "x",
            "outside": "x",
        },
    )
    (tmp_path / "app" / "link").symlink_to("run.sh")
    made = build(ground, its, folder="app", args={"NAME": "ada"})
    assert made.name.startswith("cloudbang/build-")
    assert made.recipe == ""
    found = ground.engine.image(made.name)
    assert found is not None
    assert found.id == made.id
    assert said_by(made).split() == ["ada", ".dockerignore", "Dockerfile", "link", "name", "run.sh"]
    text = ground.kept.text
    assert f"{builder} hello" in text
    assert "] COPY . /app" in text
    assert "DONE" in text
    last = ground.kept.told[-1]
    assert last["doing"] == "build"
    steps = {name.partition("] ")[2].split()[0]: state for name, state, _ in last["steps"]}
    assert steps["COPY"] == steps["RUN"] == "done"
    assert last["steps_done"] == last["steps_all"]
    # The same once more is known, and is the same image.
    ground.kept = Kept()
    assert build(ground, its, folder="app", args={"NAME": "ada"}).id == made.id
    assert "CACHED" in ground.kept.text


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_build_that_fails(ground: Ground, tmp_path: Path, image: str, builder: str) -> None:
    use(ground, builder)
    its = source(tmp_path, {"Dockerfile": f"FROM {image}\nRUN echo almost; exit 7\nRUN true\n"})
    found = failure(ground, its)
    assert (found.kind, found.exit_code, found.what) == (
        "build-failed",
        7,
        "[2/3] RUN echo almost; exit 7",
    )
    assert "almost" in ground.kept.text
    states = [state for _, state, _ in ground.kept.told[-1]["steps"]]
    assert states[1:2] == ["failed"]


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_dockerfile_that_is_none(ground: Ground, tmp_path: Path, builder: str) -> None:
    use(ground, builder)
    found = failure(ground, source(tmp_path, {"Dockerfile": "FRM x\n"}))
    assert found.kind == "build-failed"
    assert "FRM" in found.said


def test_what_leads_out_of_the_source_is_not_read(ground: Ground, tmp_path: Path) -> None:
    its = source(tmp_path / "source", {"a": "b"})
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (its.folder / "Dockerfile").symlink_to("../Dockerfile")
    (its.folder / "out").symlink_to("..")
    assert "there is no Dockerfile" in failure(ground, its).said
    assert "leads out of the source" in failure(ground, its, folder="out").said
    assert "no folder none" in failure(ground, its, folder="none").said


def test_what_it_begins_with_is_looked_for_first(
    ground: Ground, tmp_path: Path, image: str
) -> None:
    """The build itself would only say that the network is to blame."""
    its = source(tmp_path, {"Dockerfile": "ARG TAG=1\nFROM 127.0.0.1:9/base:$TAG\n"})
    found = failure(ground, its)
    assert (found.kind, found.what) == ("registry-refused", "127.0.0.1:9/base:1")
    its = source(tmp_path, {"Dockerfile": f"FROM {image}\nADD http://127.0.0.1:9/x /x\n"})
    found = failure(ground, its)
    assert (found.kind, found.what) == ("build-failed", "ADD http://127.0.0.1:9/x")
    assert "CLOUDBANG_DEPLOY_ALLOWED_HOSTS" in found.said


def test_the_program_that_is_to_read_it_may_be_out_of_reach(
    ground: Ground, tmp_path: Path, image: str
) -> None:
    """The engine has one of its own; of another program nothing can stand in."""
    ground.sources._puller._silent = 0.5
    dockerfile = f"# syntax=docker/dockerfile:1\nFROM {image}\nRUN echo fine\n"
    build(ground, source(tmp_path, {"Dockerfile": dockerfile}))
    assert "the engine reads it by itself" in ground.kept.text
    other = dockerfile.replace("docker/dockerfile", "127.0.0.1:9/other")
    found = failure(ground, source(tmp_path, {"Dockerfile": other}))
    assert found.what == "127.0.0.1:9/other:1"
    ground.sources._puller._silent = 20.0


@pytest.mark.parametrize("builder", BUILDERS)
def test_an_id_can_be_begun_with(ground: Ground, tmp_path: Path, image: str, builder: str) -> None:
    use(ground, builder)
    found = ground.engine.image(image)
    assert found is not None
    its = source(tmp_path, {"Dockerfile": f"FROM {found.id}\nRUN true\n"})
    assert build(ground, its).id


def test_a_source_without_a_dockerfile_gets_one(ground: Ground, tmp_path: Path) -> None:
    """It is shown; here its base is in no reach, and that is said."""
    ground.sources._puller._silent = 0.5
    its = source(tmp_path, {"requirements.txt": "flask\n", "app.py": "app = Flask(__name__)\n"})
    found = failure(ground, its)
    assert found.what == "python:3.12-slim"
    assert "requirements.txt says that it is python" in ground.kept.text
    assert "FROM python:3.12-slim" in ground.kept.lines
    assert "COPY requirements.txt ." in ground.kept.lines
    found = failure(ground, source(tmp_path / "other", {"README": "x"}))
    assert "nothing that tells how it is built" in found.said
    ground.sources._puller._silent = 20.0


def test_a_recipe_is_built_by_and_told(
    ground: Ground, tmp_path: Path, image: str, docker_client: docker.DockerClient
) -> None:
    """One that was edited, and one that was written: that one comes back, to be kept."""
    its = source(tmp_path, {"index.html": "<p>hello</p>", "Dockerfile": "FROM none\n"})
    recipe = f"FROM {image}\nCOPY . /pages\nCMD cat /pages/index.html\n"
    made = build(ground, its, recipe=recipe)
    assert said_by(made) == "<p>hello</p>"
    assert made.recipe == ""
    assert "the source has a Dockerfile, which is not used" in ground.kept.text
    (tmp_path / "Dockerfile").unlink()
    docker_client.images.get(image).tag("nginx", "1.27-alpine")
    try:
        made = build(ground, its)
    finally:
        docker_client.images.remove("nginx:1.27-alpine")
    assert made.recipe.startswith("FROM nginx:1.27-alpine\n")


@pytest.mark.parametrize("builder", BUILDERS)
def test_who_cancels_comes_back_when_nothing_is_left_running(
    ground: Ground, tmp_path: Path, image: str, builder: str
) -> None:
    use(ground, builder)
    marker = f"sleep 98{uuid.uuid4().int % 10**7}"
    its = source(tmp_path, {"Dockerfile": f"FROM {image}\nRUN echo {builder}; {marker}\n"})
    going = gevent.spawn(build, ground, its)
    wait_until(lambda: running(marker.split()[1]), 20, "the command of the build")
    going.kill(timeout=patient(9))
    assert going.dead
    assert running(marker.split()[1]) == []
    assert "has not said" not in ground.kept.text
    # And the next one has its turn.
    assert build(ground, source(tmp_path / "next", {"Dockerfile": f"FROM {image}\nRUN true\n"})).id


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_build_that_never_ends(ground: Ground, tmp_path: Path, image: str, builder: str) -> None:
    use(ground, builder, build_minutes=patient(3) / 60)  # in which that command has begun
    marker = f"97{uuid.uuid4().int % 10**7}"
    its = source(tmp_path, {"Dockerfile": f"FROM {image}\nRUN echo on; sleep {marker}\n"})
    found = failure(ground, its)
    assert found.kind == "timed-out"
    assert found.what.startswith("[2/2] RUN")
    assert running(marker) == []


def test_one_at_a_time(ground: Ground, tmp_path: Path, image: str) -> None:
    """The second says what it waits for."""
    marker = f"96{uuid.uuid4().int % 10**7}"
    its = source(tmp_path / "a", {"Dockerfile": f"FROM {image}\nRUN sleep {marker}\n"})
    first = gevent.spawn(build, ground, its)
    wait_until(lambda: running(marker), 20, "the first build")
    other = source(tmp_path / "b", {"Dockerfile": f"FROM {image}\nRUN echo second\n"})
    second = gevent.spawn(build, ground, other)
    wait_until(lambda: {"doing": "wait"} in ground.kept.told, 5, "its turn")
    first.kill()
    assert second.get(timeout=patient(30)).id


@pytest.mark.slow("it prints far more than is kept")
@pytest.mark.parametrize("builder", BUILDERS)
def test_one_that_prints_too_much(ground: Ground, tmp_path: Path, image: str, builder: str) -> None:
    """Its beginning and its end are kept, and how much is not; others have their turn meanwhile."""
    use(ground, builder)
    script = "yes 0123456789012345678901234567890123456789012345678 | head -n 600000"
    its = source(
        tmp_path,
        {"Dockerfile": f"FROM {image}\nRUN echo first; {script}; echo the end; exit 3\n"},
    )
    turns = []

    def others() -> None:
        while True:
            gevent.sleep(0.01)
            turns.append(1)

    beside = gevent.spawn(others)
    found = failure(ground, its)
    beside.kill()
    assert found.exit_code == 3
    size = sum(map(len, ground.kept.records))
    assert size < 2.5 * MOST_OUTPUT
    assert any(line.endswith("first") for line in ground.kept.lines)
    if builder == "classic":  # BuildKit takes no more than 200 KiB a second from a command
        assert any("lines are left out" in line for line in ground.kept.lines)
        assert any(line.endswith("the end") for line in ground.kept.lines[-5:])
    assert len(turns) > 50


def test_what_a_secret_holds_is_in_no_line(ground: Ground, tmp_path: Path, image: str) -> None:
    its = source(tmp_path, {"Dockerfile": f"FROM {image}\nRUN echo the key is canary-4711\n"})
    build(ground, its, ("canary-4711",))
    assert "canary" not in ground.kept.text
    assert "the key is •••" in ground.kept.text


def test_builds_share_their_limits(ground: Ground, tmp_path: Path, image: str) -> None:
    """BuildKit's by its control group, the classic builder's by its own."""
    script = "cat /proc/self/cgroup; cat /sys/fs/cgroup/memory/memory.limit_in_bytes || true"
    for builder in BUILDERS:
        use(ground, builder, build_cpus=0.5, build_memory_bytes=256 * 1024**2)
        its = source(
            tmp_path / builder,
            {"Dockerfile": f"FROM {image}\nRUN echo {uuid.uuid4()}; {script}\n"},
        )
        build(ground, its)
    limits = ground.sources._builder._limits
    if Path("/sys/fs/cgroup/cpu").is_dir():
        group = Path("/sys/fs/cgroup/cpu/docker/buildkit")
        assert ":/docker/buildkit/" in ground.kept.text
        assert (group / "cpu.cfs_quota_us").read_text().strip() == "50000"
        memory = Path("/sys/fs/cgroup/memory/docker/buildkit/memory.limit_in_bytes")
    else:
        memory = Path("/sys/fs/cgroup/docker/buildkit/memory.max")
    assert memory.read_text().strip() == str(limits.memory)
    use(ground, "buildkit")
    ground.sources._builder._limits.set()
