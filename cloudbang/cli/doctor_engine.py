"""What the doctor asks the engine. The checks look and change nothing.

It is asked over plain HTTP and not through :mod:`cloudbang.engine`: what is wanted here is the
reason why that does not work.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cloudbang.cli.doctor_calls import Ask, calls, refusal, refused_by
from cloudbang.cli.doctor_checks import Finding, room
from cloudbang.cli.doctor_container import own_container
from cloudbang.cli.doctor_metrics import metrics
from cloudbang.config import MIB, NodeSettings
from cloudbang.domain.apps import nothing_kept
from cloudbang.domain.lines import parse_time
from cloudbang.domain.names import is_hidden
from cloudbang.domain.podman import is_podman
from cloudbang.domain.text import Text
from cloudbang.engine.own_container import MOUNTS

PATIENCE = 5.0  # seconds for each answer of the engine
MAX_SKEW = 2.0  # seconds between the engine's clock and ours

_ENGINE = Text("Docker Engine", "Docker 引擎")
_CLOCK = Text("Clock", "时钟")


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over the engine's unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(host: str, environ: Mapping[str, str]) -> http.client.HTTPConnection:
    if host.startswith("unix://"):
        return _UnixConnection(host.removeprefix("unix://"))
    place = urlsplit(host if "://" in host else f"tcp://{host}")
    name = place.hostname or ""
    if not environ.get("DOCKER_TLS_VERIFY"):
        return http.client.HTTPConnection(name, place.port or 2375, timeout=PATIENCE)
    folder = environ.get("DOCKER_CERT_PATH") or os.path.expanduser("~/.docker")
    context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    return http.client.HTTPSConnection(name, place.port or 2376, timeout=PATIENCE, context=context)


def _ask(
    host: str,
    environ: Mapping[str, str],
    path: str,
    method: str = "GET",
    body: dict[str, Any] | None = None,
) -> tuple[int, bytes]:
    """Status and body of one call. Raises OSError, ssl.SSLError or http.client.HTTPException."""
    link = _connection(host, environ)
    try:
        headers = {} if body is None else {"Content-Type": "application/json"}
        link.request(method, path, None if body is None else json.dumps(body), headers)
        answer = link.getresponse()
        return answer.status, answer.read(4 * MIB)
    finally:
        link.close()


# What is its own, and no setting of ours mends.
_PODMAN = Finding(
    "podman",
    _ENGINE,
    True,
    Text(
        "Podman runs health checks by systemd's timers alone; a log with a small max-size loses "
        "lines of a flood, and no gap is marked; with a TTY, the times of the parts in which it read "
        "a line stay in that line; version 4 does not tell why a container could not be started",
        "Podman 只通过 systemd 定时器执行健康检查；max-size 较小的日志在大量输出时会丢行，且缺口没有标记；"
        "使用 TTY 时，被分段读取的行中会留下各段的时间；第 4 版不说明容器为何无法启动",
    ),
)


def engine(
    host: str,
    environ: Mapping[str, str],
    node: NodeSettings = NodeSettings(),  # noqa: B008 - a frozen value
    folder: Path | None = None,
) -> Iterator[Finding]:
    """Reachable, permitted, each call that is needed, its clock, its disk, and of its containers the
    log drivers and who measures them. ``folder`` is CloudBang's."""
    try:
        status, body = _ask(host, environ, "/version")
    except PermissionError:
        path = host.removeprefix("unix://")
        yield Finding(
            "socket-denied",
            _ENGINE,
            False,
            Text(f"{path} may not be opened by this user", f"当前用户无权打开 {path}"),
            Text(
                "run as root, or join the group docker: sudo usermod -aG docker $USER, "
                "then sign in again",
                "以 root 运行，或加入 docker 组：sudo usermod -aG docker $USER，然后重新登录",
            ),
        )
        return
    except (OSError, http.client.HTTPException, ValueError) as e:
        why = getattr(e, "strerror", None) or str(e) or type(e).__name__
        yield Finding(
            "engine-unreachable",
            _ENGINE,
            False,
            Text(f"nothing answers at {host} ({why})", f"{host} 没有应答（{why}）"),
            Text(
                "start it (systemctl start docker; scripts/engine-up installs it on Debian), "
                "or set DOCKER_HOST to one that runs",
                "启动它（systemctl start docker；在 Debian 上可用 scripts/engine-up 安装），"
                "或把 DOCKER_HOST 指向正在运行的引擎",
            ),
        )
        return
    version = _parsed(body)
    speaks = str(version.get("ApiVersion", "")) if isinstance(version, dict) else ""
    if status == 200 and not speaks:
        said = body[:200].decode("utf-8", "replace")
        yield Finding(
            "engine-unreachable",
            _ENGINE,
            False,
            Text(f"{host} is no Docker Engine: {said}", f"{host} 不是 Docker 引擎：{said}"),
            Text("set DOCKER_HOST to one", "把 DOCKER_HOST 指向 Docker 引擎"),
        )
        return
    if not speaks:
        yield refusal("version", refused_by(status, body) or str(status))
    else:
        number = version.get("Version", "?")
        if is_podman(version):
            number = f"Podman {number}"
        yield Finding(
            "engine",
            _ENGINE,
            True,
            Text(
                f"{number} answers at {host} (API {speaks})",
                f"{number}，在 {host} 应答（API {speaks}）",
            ),
        )
        if is_podman(version):
            yield _PODMAN

    def ask(
        path: str, method: str = "GET", body: dict[str, Any] | None = None
    ) -> tuple[int, bytes]:
        # As the server asks: by the version that the engine speaks.
        return _ask(host, environ, f"/v{speaks}{path}" if speaks else path, method, body)

    try:
        findings = list(calls(ask))
        yield from findings
        yield from _machine(host, ask)
        if folder is not None:
            yield from own_container(ask, folder, MOUNTS.read_text())
        refused = {finding.code for finding in findings}
        if not refused & {"refused-list", "refused-logs"}:
            yield from log_drivers(ask)
            yield from metrics(ask, node)
    except (OSError, http.client.HTTPException) as e:
        yield Finding(
            "engine-unreachable",
            _ENGINE,
            False,
            Text(f"the engine stopped answering: {e}", f"引擎中途没有应答：{e}"),
            Text("run doctor again", "再运行一次 doctor"),
        )


def _machine(host: str, ask: Ask) -> Iterator[Finding]:
    """The clock and the disk of the engine's machine, where it may be asked about them: the server
    does not need that."""
    _, body = ask("/info")
    info = _parsed(body)
    if not isinstance(info, dict) or "SystemTime" not in info:
        return
    yield from clock(str(info["SystemTime"]), time.time())
    yield from swarm(info)
    folder = Path(str(info.get("DockerRootDir", "")))
    if host.startswith("unix://") and folder.is_dir():
        yield room(
            "engine-disk", Text("Disk of the engine", "引擎所在磁盘"), folder, keep_free=256 * MIB
        )


def swarm(info: Mapping[str, Any]) -> Iterator[Finding]:
    """What comes with Swarm mode, where it is on: its calls listen where they were told to, and the
    network between apps on every address, by the kernel."""
    its = info.get("Swarm") or {}
    if its.get("LocalNodeState") != "active":
        return
    nodes = int(its.get("Nodes") or 1)
    rule, but = "iptables -I INPUT ! -i lo -p udp --dport 4789 -j DROP", ("", "")
    if nodes > 1:
        but = (" but for packets of the other machines", "，其他机器的数据包除外")
    yield Finding(
        "swarm",
        Text("Swarm mode", "Swarm 模式"),
        True,
        Text(
            f"on, {nodes} machine{'s' * (nodes > 1)}; the network between apps takes packets at "
            f"4789/udp on all addresses, which a firewall should close{but[0]}: {rule}, and the same "
            "with ip6tables",
            f"已开启，{nodes} 台机器；应用之间的网络在所有地址的 4789/udp 上接收数据包，应由防火墙关闭{but[1]}："
            f"{rule}，并用 ip6tables 执行同样的规则",
        ),
    )


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def clock(engine_says: str, ours: float) -> Iterator[Finding]:
    """Compare the engine's RFC 3339 time with ours (seconds since 1970)."""
    try:
        skew = parse_time(engine_says) / 1e9 - ours
    except ValueError:
        return
    ok = abs(skew) <= MAX_SKEW
    found = Text("the same as the engine's", "与引擎一致")
    if not ok:
        way, way_zh = ("ahead of", "快") if skew > 0 else ("behind", "慢")
        found = Text(
            f"the engine's is {abs(skew):.1f} s {way} ours",
            f"引擎比本机{way_zh} {abs(skew):.1f} 秒",
        )
    yield Finding(
        "clock-skew",
        _CLOCK,
        ok,
        found,
        Text(
            "keep both with NTP (timedatectl set-ntp true): lines carry the engine's time, and "
            "a jump to a moment is off by this much",
            "两边都用 NTP 校时（timedatectl set-ntp true）：日志用的是引擎的时间，"
            "按时间跳转会相差这么多",
        ),
    )


def log_drivers(ask: Ask) -> Iterator[Finding]:
    """One finding for each container whose log the engine cannot give, one for all the others.

    Asking for one line is the only sure way: ``journald`` and ``syslog`` work only with their
    daemon, and newer engines keep a readable copy of what goes elsewhere. One with the driver
    ``none`` is meant to keep nothing; one that never ran has no log.
    """
    what = Text("Logs of containers", "容器日志")
    _, body = ask("/containers/json?all=1")
    listed = [c for c in _parsed(body) or [] if isinstance(c, dict)]
    containers = [
        c for c in listed if not is_hidden(c.get("Labels") or {}) and c.get("State") != "created"
    ]
    readable, silent = 0, []
    for container in containers:
        one = str(container["Id"])
        name = str((container.get("Names") or [one[:12]])[0]).lstrip("/")
        status, body = ask(f"/containers/{one}/logs?stdout=1&stderr=1&tail=1")
        if status in (200, 404):  # 404: removed in this moment
            readable += 1
            continue
        status_now, inspected = ask(f"/containers/{one}/json")
        known = _parsed(inspected) or {}
        if status_now == 404 or (known.get("State") or {}).get("Status") in ("dead", "removing"):
            readable += 1  # it is being removed
            continue
        config = known.get("HostConfig", {}).get("LogConfig", {})
        driver = config.get("Type", "?")
        if driver == "none":
            silent.append(name)
            continue
        said = (_parsed(body) or {}).get("message", f"status {status}")
        yield Finding(
            "log-driver",
            what,
            False,
            Text(
                f"{name} logs with the driver {driver}, which cannot be read ({said})",
                f"{name} 的日志驱动 {driver} 无法读取（{said}）",
            ),
            Text(
                "create it again with --log-driver json-file --log-opt max-size=50m "
                "(Compose: logging.driver)",
                "用 --log-driver json-file --log-opt max-size=50m 重新创建它"
                "（Compose 中为 logging.driver）",
            ),
        )
    if silent:
        names = ", ".join(silent)
        yield Finding(
            "log-driver-none",
            what,
            True,
            Text(
                f"{nothing_kept('none')} ({names})", f"日志驱动为 none：不保存任何日志（{names}）"
            ),
        )
    if readable or not containers:
        yield Finding(
            "log-driver",
            what,
            True,
            Text(
                f"{readable} of {len(containers)} readable",
                f"{len(containers)} 个中 {readable} 个可读",
            ),
        )
