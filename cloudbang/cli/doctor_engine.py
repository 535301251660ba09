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

from cloudbang.cli.doctor_checks import Finding, room
from cloudbang.config import MIB
from cloudbang.domain.lines import parse_time
from cloudbang.domain.text import Text

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


def _ask(host: str, environ: Mapping[str, str], path: str) -> tuple[int, bytes]:
    """Status and body of one GET. Raises OSError, ssl.SSLError or http.client.HTTPException."""
    link = _connection(host, environ)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.read(4 * MIB)
    finally:
        link.close()


def engine(host: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Reachable, permitted, its clock, its disk, and the log driver of each container."""
    try:
        status, body = _ask(host, environ, "/info")
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
    info = _parsed(body)
    if status != 200 or not isinstance(info, dict):
        said = body[:200].decode("utf-8", "replace")
        yield Finding(
            "engine-unreachable",
            _ENGINE,
            False,
            Text(f"{host} answers {status}: {said}", f"{host} 应答 {status}：{said}"),
            Text(
                "see the engine's own log: journalctl -u docker",
                "查看引擎自己的日志：journalctl -u docker",
            ),
        )
        return
    version = info.get("ServerVersion", "?")
    yield Finding(
        "engine",
        _ENGINE,
        True,
        Text(f"{version} answers at {host}", f"{version}，在 {host} 应答"),
    )
    yield from clock(str(info.get("SystemTime", "")), time.time())
    folder = Path(str(info.get("DockerRootDir", "")))
    if host.startswith("unix://") and folder.is_dir():
        yield room(
            "engine-disk", Text("Disk of the engine", "引擎所在磁盘"), folder, keep_free=256 * MIB
        )
    yield from log_drivers(host, environ)


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


def log_drivers(host: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """One finding for each container whose log the engine cannot give, one for all the others.

    Asking for one line is the only sure way: ``none`` never works, ``journald`` and ``syslog`` only
    with their daemon, and newer engines keep a readable copy of what goes elsewhere.
    """
    what = Text("Logs of containers", "容器日志")
    try:
        _, body = _ask(host, environ, "/containers/json?all=1")
        containers = [c for c in _parsed(body) or [] if isinstance(c, dict)]
        readable = 0
        for container in containers:
            one = str(container["Id"])
            name = str((container.get("Names") or [one[:12]])[0]).lstrip("/")
            path = f"/containers/{one}/logs?stdout=1&stderr=1&tail=1"
            status, body = _ask(host, environ, path)
            if status in (200, 404):  # 404: removed in this moment
                readable += 1
                continue
            _, inspected = _ask(host, environ, f"/containers/{one}/json")
            config = (_parsed(inspected) or {}).get("HostConfig", {}).get("LogConfig", {})
            driver = config.get("Type", "?")
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
    except (OSError, http.client.HTTPException) as e:
        yield Finding(
            "log-driver",
            what,
            False,
            Text(f"the engine stopped answering: {e}", f"引擎中途没有应答：{e}"),
            Text("run doctor again", "再运行一次 doctor"),
        )
        return
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
