"""What the doctor checks on this machine itself. The checks look and change nothing."""

from __future__ import annotations

import errno
import os
import resource
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cloudbang.config import GIB, MIB, ServerSettings, Settings, StorageSettings
from cloudbang.core import descriptors
from cloudbang.domain.text import Text
from cloudbang.storage.data_folder import is_served


@dataclass(frozen=True, slots=True)
class Finding:
    """``code`` names the check for programs; ``mend`` is what to do when it is not ``ok``."""

    code: str
    what: Text
    ok: bool
    found: Text
    mend: Text | None = None

    def as_json(self, chinese: bool) -> dict[str, object]:
        return {
            "check": self.code,
            "what": self.what.of(chinese),
            "ok": self.ok,
            "found": self.found.of(chinese),
            "mend": self.mend.of(chinese) if self.mend and not self.ok else None,
        }


def data_folder(storage: StorageSettings) -> Iterator[Finding]:
    """That the data folder can be written to and that its disk has room."""
    what = Text("Data folder", "数据目录")
    path = storage.path
    existing = next(p for p in (path, *path.parents) if p.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Finding(
            "data-folder",
            what,
            False,
            Text(f"{existing} cannot be written to", f"{existing} 不可写"),
            Text(
                "make it yours (chown), or choose another with CLOUDBANG_STORAGE_PATH",
                "改变它的属主（chown），或用 CLOUDBANG_STORAGE_PATH 另选一个目录",
            ),
        )
    else:
        yield Finding("data-folder", what, True, Text(str(path), str(path)))
    yield room("disk", Text("Disk", "磁盘"), existing, storage.keep_free_bytes)


def room(code: str, what: Text, folder: Path, keep_free: int) -> Finding:
    """Whether the disk of ``folder`` has room: bytes, and files it can still make."""
    disk = os.statvfs(folder)
    free, size = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    # Nearly full: under twice what is kept free, or under a twentieth of a disk that is not huge.
    few = free < max(2 * keep_free, min(size // 20, 2 * GIB))
    no_inodes = disk.f_files > 0 and disk.f_favail < max(1000, disk.f_files // 100)
    en = f"{_size(free)} of {_size(size)} free on the disk of {folder}"
    zh = f"{folder} 所在磁盘剩余 {_size(free)}，共 {_size(size)}"
    if no_inodes:
        en += f", but room for {disk.f_favail} more files only"
        zh += f"，但只能再建 {disk.f_favail} 个文件"
    return Finding(
        code,
        what,
        not (few or no_inodes),
        Text(en, zh),
        Text(
            "free some space, or keep less: CLOUDBANG_STORAGE_RETENTION_DAYS, "
            "CLOUDBANG_STORAGE_TOTAL_MAX_BYTES; json-file logs want --log-opt max-size",
            "腾出空间，或少留一些：CLOUDBANG_STORAGE_RETENTION_DAYS、"
            "CLOUDBANG_STORAGE_TOTAL_MAX_BYTES；json-file 日志应设 --log-opt max-size",
        ),
    )


def _size(count: int) -> str:
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"


def ports(settings: Settings) -> Iterator[Finding]:
    """That what will be listened on is free, or taken by the CloudBang of this data folder."""
    ours = is_served(settings.storage.path)
    wanted = [
        ("CLOUDBANG_SERVER_PORT", settings.server.host, settings.server.port),
        *(
            (variable, *_tcp(address))
            for variable, address in (
                ("ZMQ_BIND_SUB", settings.bus.bind_sub),
                ("ZMQ_BIND_PUB", settings.bus.bind_pub),
                ("ZMQ_BIND_PUB2", settings.bus.bind_pub2),
            )
        ),
    ]
    for variable, host, port in wanted:
        if port:
            yield can_listen(variable, host, port, ours)


def _tcp(address: str) -> tuple[str, int]:
    """Host and port of a ZeroMQ address; port 0 when it is not a TCP port of its own."""
    place = urlsplit(address)
    host = {"*": "0.0.0.0", None: ""}.get(place.hostname, place.hostname or "")  # noqa: S104
    try:
        return host, (place.port or 0) if place.scheme == "tcp" else 0
    except ValueError:
        return host, 0


def can_listen(variable: str, host: str, port: int, ours: bool = False) -> Finding:
    """Whether a port is free; ``ours``: a CloudBang runs that may have it."""
    what = Text(f"Port {port}", f"端口 {port}")
    why = _cannot_bind(host, port)
    if why is None:
        return Finding("port", what, True, Text("free", "空闲"))
    if why == errno.EADDRINUSE and ours:
        return Finding(
            "port", what, True, Text("held by CloudBang, which runs", "由运行中的云帮占用")
        )
    said = os.strerror(why)
    mend = Text(
        f"stop what holds it (ss -ltnp 'sport = :{port}' shows it), or choose another with {variable}",
        f"停掉占用它的程序（ss -ltnp 'sport = :{port}' 可查），或用 {variable} 另选一个",
    )
    if why == errno.EADDRINUSE:
        found = Text(f"taken on {host} by another program", f"{host} 上已被其他程序占用")
        return Finding("port", what, False, found, mend)
    found = Text(f"cannot be listened on at {host}: {said}", f"无法在 {host} 上监听：{said}")
    return Finding("port", what, False, found, mend)


def _cannot_bind(host: str, port: int) -> int | None:
    """None when it is free, else the errno. Nothing is listened on: nobody can connect meanwhile."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: connections that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror:
            return errno.EADDRNOTAVAIL
        except OSError as e:
            return e.errno
    return None


def file_descriptors(max_connections: int) -> Iterator[Finding]:
    """Whether this user may have as many open files as the connections that are allowed need.

    The hard limit counts: the server raises its own soft one to it at start.
    """
    hard = descriptors.hard_limit()
    wanted = max_connections + descriptors.OWN
    unlimited = hard == resource.RLIM_INFINITY
    room = descriptors.room_for(max_connections, hard)
    few = f"; {room} are taken at a time" if room < max_connections else ""
    few_zh = f"；同时只接受 {room} 个" if room < max_connections else ""
    yield Finding(
        "file-descriptors",
        Text("File descriptors", "文件描述符"),
        unlimited or hard >= wanted,
        Text(
            f"{'unlimited' if unlimited else hard}, {wanted} wanted for {max_connections} connections{few}",
            f"上限 {'不限' if unlimited else hard}，{max_connections} 个连接需要 {wanted}{few_zh}",
        ),
        Text(
            f"raise it (minfds in supervisord.conf, ulimit -Hn {wanted}, nofile in Compose), or "
            "lower CLOUDBANG_SERVER_MAX_CONNECTIONS",
            f"调高上限（supervisord.conf 的 minfds、ulimit -Hn {wanted}、Compose 的 nofile），"
            "或调低 CLOUDBANG_SERVER_MAX_CONNECTIONS",
        ),
    )


def proxies(server: ServerSettings) -> Iterator[Finding]:
    """What the settings say of a proxy in front: whether it is believed, and what it then has to
    do. Nothing where there is no sign of one."""
    what = Text("Proxy", "代理")
    if server.trusted_proxies:
        names = ", ".join(server.trusted_proxies)
        yield Finding(
            "proxies",
            what,
            True,
            Text(
                f"{names}: believed about who asks, so it has to set X-Forwarded-For and "
                "X-Forwarded-Proto itself; one that hands on a visitor's own lets visitors choose "
                "their address",
                f"{names}：其关于访问者的说法会被采信，因此它必须自行设置 X-Forwarded-For 和 "
                "X-Forwarded-Proto；若原样转发访问者自带的头，访问者便可任意冒充地址",
            ),
        )
    elif server.public_url.startswith("https:"):
        yield Finding(
            "proxies",
            what,
            False,
            Text(
                f"people come by {server.public_url}, so through a proxy, and none is trusted: all "
                "of them count as one address, and ten wrong passwords by anybody hold up everybody",
                f"用户经 {server.public_url} 访问，前面必有代理，但未信任任何代理：所有人都算作同一个"
                "地址，任何人十次输错密码都会拖住所有人",
            ),
            Text(
                "put the proxy's address into CLOUDBANG_SERVER_TRUSTED_PROXIES (of one on this "
                "machine 127.0.0.1; before a container 172.16.0.0/12)",
                "把代理的地址写入 CLOUDBANG_SERVER_TRUSTED_PROXIES（代理在本机则为 127.0.0.1；"
                "云帮在容器里则为 172.16.0.0/12）",
            ),
        )
