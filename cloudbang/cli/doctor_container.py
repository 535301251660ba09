"""What the doctor checks of the container that CloudBang itself runs in, where it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from cloudbang.cli.doctor_calls import Ask
from cloudbang.cli.doctor_checks import Finding
from cloudbang.domain.text import Text
from cloudbang.engine.own_container import from_inspection, own_id

_WHAT = Text("CloudBang's container", "CloudBang 所在容器")


def own_container(ask: Ask, folder: Path, mounts: str) -> Iterator[Finding]:
    """Its network, from which apps have to be reached, and its data ``folder``, which it shares with
    the gateway; nothing outside of one. ``mounts`` are those of this process. Raises what ``ask`` does."""
    id = own_id(mounts)
    status, body = ask(f"/containers/{id}/json") if id else (404, b"")
    if status != 200:
        return
    own = from_inspection(id, json.loads(body))
    if not own.shares_network:
        yield Finding(
            "own-network",
            _WHAT,
            False,
            Text(
                "it has a network of its own, from which it does not reach the apps that it deploys, nor "
                "what exposes metrics",
                "它有自己的网络，无法访问它部署的应用，也无法读取应用公开的指标",
            ),
            Text(
                "run it in the machine's network: network_mode: host, as docker-compose.yml has it, and "
                "CLOUDBANG_SERVER_HOST=127.0.0.1",
                "让它使用宿主机的网络：network_mode: host（见 docker-compose.yml），并设置 "
                "CLOUDBANG_SERVER_HOST=127.0.0.1",
            ),
        )
    kept = own.on_the_machine(folder)
    if kept is None:
        yield Finding(
            "own-folder",
            _WHAT,
            False,
            Text(
                f"{folder} is in no mount: what is kept goes with the container, and the gateway cannot "
                "share it",
                f"{folder} 没有挂载：保存的内容会随容器一起消失，网关也无法共享它",
            ),
            Text(
                f"mount a folder or a volume at {folder}, as docker-compose.yml does",
                f"把目录或卷挂载到 {folder}（见 docker-compose.yml）",
            ),
        )
    elif own.shares_network:
        yield Finding(
            "own-container",
            _WHAT,
            True,
            Text(
                f"in the machine's network; {folder} is {kept} there",
                f"使用宿主机的网络；{folder} 在宿主机上是 {kept}",
            ),
        )
