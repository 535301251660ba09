"""A CloudBang in a container knows its data folder by another path than the machine does."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudbang.engine import own_container
from cloudbang.gateway.errors import GatewayFailed
from cloudbang.gateway.service import FOLDER, NAME
from tests.gateway.ground import IMAGE, Ground, spec

pytestmark = [pytest.mark.engine, pytest.mark.slow("two services come up")]


def test_it_is_shared_from_where_it_is(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway has the folder of the machine, and answers; what is nowhere but in the container is
    refused with what to do."""
    kept, elsewhere = ground.settings.storage.path, tmp_path / "kept-here"
    elsewhere.symlink_to(kept)
    mounts = tmp_path / "mountinfo"
    monkeypatch.setattr(own_container, "MOUNTS", mounts)

    def within(*volumes: str) -> None:
        own = ground.docker.containers.create(IMAGE, volumes=list(volumes), network_mode="host")
        made.append(own)
        mounts.write_text(
            f"9 8 0:1 /var/lib/docker/containers/{own.id}/hosts /etc/hosts rw - ext4 x rw\n"
        )

    made: list[object] = []
    try:
        within(f"{elsewhere}:{kept}")
        running = ground.run("moved", 1)
        ground.gateway.publish("moved", spec())
        ground.gateway.switch("moved", running)
        assert ground.text("moved.localhost") == "moved-r1"
        found = ground.engine.service(NAME)
        assert found is not None
        assert found.labels[FOLDER] == f"{elsewhere}/.gateway"
        shared = found.spec["TaskTemplate"]["ContainerSpec"]["Mounts"]
        assert all(one["Source"].startswith(f"{elsewhere}/.gateway/") for one in shared)
        ground.gateway.withdraw("moved")
        assert ground.engine.service(NAME) is None
        within()
        with pytest.raises(GatewayFailed, match="mount a folder or a volume there"):
            ground.gateway.publish("moved", spec())
    finally:
        mounts.write_text("")
        ground.gateway.withdraw("moved")
        ground.end("moved-r1")
        for one in made:
            one.remove(force=True)  # type: ignore[attr-defined]
