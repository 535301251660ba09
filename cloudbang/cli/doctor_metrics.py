"""What the doctor says of measuring: who tells each number, and what a folder that is not mounted
costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cloudbang.cli.doctor_calls import Ask
from cloudbang.cli.doctor_checks import Finding
from cloudbang.config import NodeSettings
from cloudbang.domain.text import Text
from cloudbang.node.sampler.files import Room
from cloudbang.node.sampler.hierarchies import PRESSURE, Hierarchies, proc_folder
from cloudbang.node.sampler.network import Networks

_GROUPS = Text("Metrics: processor, memory, disk", "监控：处理器、内存、磁盘")
_NETWORK = Text("Metrics: network", "监控：网络")
_MEMORY = Text("Metrics: memory", "监控：内存")
_PRESSURE = Text("Metrics: pressure", "监控：资源压力")
MOST = 20  # containers that are looked at


def metrics(
    ask: Ask, settings: NodeSettings, mountinfo: str = "/proc/self/mountinfo"
) -> Iterator[Finding]:
    """Of the containers that run; where none does, of what is mounted."""
    proc = proc_folder(settings.proc)
    there = Hierarchies(settings.cgroup, proc, mountinfo)
    networks = Networks(proc, Room(0))
    running = _running(ask)
    seen = [c for c in running if there.find(*_where(c))]
    yield _groups(there, len(seen), len(running))
    if seen or not running:
        yield from _kernel(there)
    own = [c for c in running if _has_own_network(c)]
    yield _network(proc, sum(networks.sees(_pid(c), str(c["Id"])) for c in own), len(own))


def _groups(there: Hierarchies, seen: int, running: int) -> Finding:
    if seen == running and there.is_there:
        told = sorted(
            {(group.version, name) for name, group in there.controllers.items() if name != PRESSURE}
        )
        versions = ", ".join(f"{name} (v{version})" for version, name in told)
        return Finding(
            "metrics-groups",
            _GROUPS,
            True,
            Text(
                f"read from the control groups at {there.root}: {versions}",
                f"读自 {there.root} 的控制组：{versions}",
            ),
        )
    return Finding(
        "metrics-groups",
        _GROUPS,
        False,
        Text(
            f"the control groups of {running - seen} of {running} containers are not seen at "
            f"{there.root}: the engine is asked about them, which costs it some ten times as much, "
            "happens less often the more there are, and tells neither limits nor pressure nor kills",
            f"在 {there.root} 看不到 {running} 个容器中 {running - seen} 个的控制组：改为向引擎查询，"
            "其开销约为十倍，容器越多查询越稀，且没有限额、资源压力和 OOM 终止次数",
        ),
        Text(
            "mount the machine's: - /sys/fs/cgroup:/host/cgroup:ro (Compose: volumes), or say where "
            "they are with CLOUDBANG_NODE_CGROUP",
            "挂载宿主机的目录：- /sys/fs/cgroup:/host/cgroup:ro（Compose 的 volumes），"
            "或用 CLOUDBANG_NODE_CGROUP 指明其位置",
        ),
    )


def _kernel(there: Hierarchies) -> Iterator[Finding]:
    """What the kernel was told not to count."""
    if there.is_there and "memory" not in there.controllers:
        yield Finding(
            "metrics-memory",
            _MEMORY,
            False,
            Text("memory accounting is off", "内存统计未开启"),
            Text(
                "add cgroup_enable=memory to the kernel's command line, and start the machine anew",
                "在内核命令行加入 cgroup_enable=memory，并重启机器",
            ),
        )
    if PRESSURE not in there.controllers:
        yield Finding(
            "metrics-pressure",
            _PRESSURE,
            True,
            Text(
                "not told: there are no control groups of version 2",
                "无法测量：没有第 2 版控制组",
            ),
        )
    elif not there.tells_pressure:
        yield Finding(
            "metrics-pressure",
            _PRESSURE,
            True,
            Text(
                "not told by this kernel; psi=1 on its command line switches it on",
                "内核未提供；在内核命令行加入 psi=1 即可开启",
            ),
        )


def _network(proc: str, seen: int, own: int) -> Finding:
    if seen == own:
        return Finding(
            "metrics-network",
            _NETWORK,
            True,
            Text(f"read from the processes at {proc}", f"读自 {proc} 中的进程"),
        )
    return Finding(
        "metrics-network",
        _NETWORK,
        False,
        Text(
            f"the processes of {own - seen} of {own} containers are not seen at {proc}: the engine "
            "is asked what they send and receive, less often the more there are",
            f"在 {proc} 看不到 {own} 个容器中 {own - seen} 个的进程：改为向引擎查询其收发量，"
            "容器越多查询越稀",
        ),
        Text(
            "mount the machine's: - /proc:/host/proc:ro (Compose: volumes), or say where it is "
            "with CLOUDBANG_NODE_PROC",
            "挂载宿主机的目录：- /proc:/host/proc:ro（Compose 的 volumes），"
            "或用 CLOUDBANG_NODE_PROC 指明其位置",
        ),
    )


def _running(ask: Ask) -> list[dict[str, Any]]:
    """Some containers, as the engine tells of each."""
    found = []
    listed = _parsed(ask("/containers/json")[1])
    for entry in (listed if isinstance(listed, list) else [])[:MOST]:
        told = _parsed(ask(f"/containers/{entry['Id']}/json")[1])
        # One that has ended meanwhile is not seen anywhere.
        if isinstance(told, dict) and _pid(told):
            found.append(told)
    return found


def _where(container: dict[str, Any]) -> tuple[str, str, int]:
    parent = (container.get("HostConfig") or {}).get("CgroupParent") or ""
    return str(container["Id"]), str(parent), _pid(container)


def _pid(container: dict[str, Any]) -> int:
    return int((container.get("State") or {}).get("Pid") or 0)


def _has_own_network(container: dict[str, Any]) -> bool:
    mode = str((container.get("HostConfig") or {}).get("NetworkMode") or "")
    return mode not in ("host", "none") and not mode.startswith("container:")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
