"""What takes room on a real engine's disk, who uses it, and that only what was asked for goes."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from cloudbang.config import EngineSettings
from cloudbang.domain.deploy.disk import Item, Kept, Network, Use, clean_up
from cloudbang.engine import Engine
from cloudbang.errors import EngineRefused
from tests.support_engine import PrivateEngine

pytestmark = pytest.mark.engine


class Ground:
    """An engine of its own with its image."""

    def __init__(self, private: PrivateEngine) -> None:
        self.calls = Engine(EngineSettings(host=private.address))
        self.client = private.client
        self.image = private.image()

    def build(self, text: str, **query: str) -> list[dict[str, Any]]:
        """With BuildKit, without a network: what the engine said."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            entry = tarfile.TarInfo("Dockerfile")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
        api = self.client.api
        answer = api._post(
            api._url("/build"),
            data=packed.getvalue(),
            params={"version": "2", "networkmode": "none", **query},
            headers={"Content-Type": "application/x-tar"},
        )
        found = [json.loads(line) for line in answer.text.splitlines() if line.strip()]
        answer.close()
        assert not [one for one in found if "error" in one], found
        return found


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    private = PrivateEngine()
    try:
        private.start()
        yield Ground(private)
    finally:
        private.close()


def test_everything_is_told_with_who_uses_it(ground: Ground) -> None:
    """A container, whether it runs or not, uses its image, its volumes and its networks."""
    ground.client.volumes.create("data", labels={"a": "b"})
    network = ground.client.networks.create("lan", driver="bridge", internal=True)
    container = ground.client.containers.create(
        ground.image,
        ["sh", "-c", "echo 1234567890 > /data/x"],
        name="shop",
        volumes={"data": {"bind": "/data"}},
        network_mode="none",
    )
    container.start()
    container.wait()
    ground.client.networks.get("none").disconnect(container)
    network.connect(container)
    try:
        stock = ground.calls.stock()
        use = Use("container", "shop", "shop", False)
        (image,) = (one for one in stock.images if ground.image in one.tags)
        (volume,) = (one for one in stock.volumes if one.name == "data")
        assert image.used_by == volume.used_by == (use,)
        assert (volume.size, volume.driver, volume.labels) == (11, "local", {"a": "b"})
        assert image.size > 1_000_000
        names = {one.name: one for one in stock.networks}
        assert names["lan"].used_by == (use,)
        assert stock.layers >= image.size
        with pytest.raises(EngineRefused):
            ground.calls.remove_volume("data")
        with pytest.raises(EngineRefused):
            ground.calls.remove_image(image.id)
        assert not clean_up(stock, Kept(), ("image", "volume"), others=True)
    finally:
        container.remove(force=True)
    stock = ground.calls.stock()
    assert not clean_up(stock, Kept(), ("network", "volume"))
    found = {item.name for item in clean_up(stock, Kept(), ("network", "volume"), others=True)}
    assert found == {"lan", "data"}
    assert ground.calls.remove_volume("data")
    assert ground.calls.remove_network(network.id or "")
    assert not ground.calls.remove_volume("data")
    assert not ground.calls.remove_network(network.id or "")


def test_the_build_cache_goes_record_by_record(ground: Ground) -> None:
    """In the order of the plan; and what is over the budget at once."""
    text = f"FROM {ground.image}\nRUN echo 1 > /a\nRUN head -c 3000000 /dev/urandom > /b\n"
    ground.build(text, t="cloudbang/cached:r1")
    assert ground.calls.remove_image("cloudbang/cached:r1")
    stock = ground.calls.stock()
    assert stock.cache_size > 3_000_000
    plan = clean_up(stock, Kept(), ("cache",))
    (big,) = (item for item in plan if (item.size or 0) > 2_900_000)
    assert "urandom" in big.name
    freed: dict[str, int] = {}
    while more := {
        item.id: size
        for item in plan
        if item.id not in freed and (size := ground.calls.remove_cache(item.id)) is not None
    }:  # an engine 28 does not say which of them stand on which
        freed |= more
    assert freed[big.id] == pytest.approx(big.size, rel=0.01)
    left = {record.id for record in ground.calls.stock().cache}
    assert not left & {item.id for item in plan}
    assert ground.calls.remove_cache(big.id) is None

    ground.build(text, t="cloudbang/cached:r2")
    assert ground.calls.remove_image("cloudbang/cached:r2")
    assert ground.calls.shrink_cache(2**40) == 0
    assert ground.calls.shrink_cache(1_000_000) > 2_900_000
    assert ground.calls.stock().cache_size <= 1_000_000


def test_predefined_networks_stay(ground: Ground) -> None:
    """As the engine has them, whatever is asked for."""
    stock = ground.calls.stock()
    assert {network.name for network in stock.networks} >= {"host", "none"}
    assert all(isinstance(network, Network) for network in stock.networks)
    found: tuple[Item, ...] = clean_up(stock, Kept(), ("network",), others=True)
    assert found == ()
