"""Where CloudBang itself is in a container: what the engine knows of its folders and networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from cloudbang.cli.doctor_container import own_container as examined
from cloudbang.config import EngineSettings
from cloudbang.deploy.errors import OwnNetwork
from cloudbang.deploy.reach import require_way
from cloudbang.engine import Engine, own_container
from cloudbang.errors import EngineUnreachable

ID = "ab" * 32
# As a process in a container sees it, and as the machine does.
WITHIN = f"""\
1195 1071 0:133 / / rw,relatime master:400 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A
1209 1195 254:0 /var/lib/docker/containers/{ID}/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/vda rw
1210 1195 254:0 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw
"""
OUTSIDE = f"""\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
99 22 0:55 / /var/lib/docker/containers/{ID}/mounts/shm rw,nosuid - tmpfs shm rw,size=65536k
98 22 254:0 /srv/containers/{ID}/hostname /mnt/hostname rw,relatime - ext4 /dev/vda rw
"""


@pytest.mark.parametrize(
    ("mounts", "id"),
    [
        (WITHIN, ID),
        (WITHIN.replace("/var/lib/docker/", "/"), ID),  # a disk of the engine's own
        (OUTSIDE, ""),
        ("", ""),
    ],
)
def test_whose_mounts_these_are(mounts: str, id: str) -> None:
    assert own_container.own_id(mounts) == id


@pytest.fixture
def engine(engine_socket: str) -> Engine:
    return Engine(EngineSettings(host=engine_socket))


@pytest.fixture
def within(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """``within(container)``: this process sees what one in there would."""

    def see(id: str) -> None:
        file = tmp_path / "mountinfo"
        file.write_text(WITHIN.replace(ID, id))
        monkeypatch.setattr(own_container, "MOUNTS", file)

    return see


@pytest.mark.engine
def test_its_folders_and_its_network(
    engine: Engine, container: Any, within: Any, tmp_path: Path
) -> None:
    """A folder from elsewhere, a volume, and what is nowhere else; apps are reached from the machine's
    network, and from the team's."""
    assert own_container.own_container(engine) is None
    require_way(engine, "default")
    volume = f"cloudbang-test-{tmp_path.name}"
    one = container(
        volumes=[f"{tmp_path}:/data/docker_logs", f"{volume}:/kept"], network_mode="bridge"
    )
    within(one.id)
    own = own_container.own_container(engine)
    assert own is not None
    assert own.on_the_machine(Path("/data/docker_logs/.gateway/run")) == tmp_path / ".gateway/run"
    kept = own.on_the_machine(Path("/kept"))
    assert kept is not None
    assert kept.parts[-2:] == (volume, "_data")
    assert own.on_the_machine(Path("/data")) is None
    with pytest.raises(OwnNetwork):
        require_way(engine, "default")
    shares = container(network_mode="host")
    within(shares.id)
    require_way(engine, "default")
    one.remove(force=True, v=True)
    within(one.id)
    assert own_container.own_container(engine) is None, "it is on another engine"
    away = Engine(EngineSettings(host="tcp://127.0.0.1:9"))
    with pytest.raises(EngineUnreachable):
        own_container.own_container(away)


@pytest.mark.engine
def test_the_doctor_says_so(engine: Engine, container: Any, tmp_path: Path) -> None:
    def asked(path: str, *_: object) -> tuple[int, bytes]:
        return 200, orjson.dumps(engine.inspection(path.split("/")[2]))

    def found(id: str) -> dict[str, bool]:
        seen = examined(asked, Path("/data"), WITHIN.replace(ID, id))
        return {one.code: one.ok for one in seen}

    assert found(container(network_mode="bridge").id) == {"own-network": False, "own-folder": False}
    here = [f"{tmp_path}:/data"]
    assert found(container(network_mode="host", volumes=here).id) == {"own-container": True}
    assert list(examined(asked, Path("/data"), OUTSIDE)) == []
