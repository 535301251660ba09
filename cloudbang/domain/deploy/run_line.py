"""A `docker run` line as a specification: what people paste from a README."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from cloudbang.domain.deploy.checks import DISABLED, health_of
from cloudbang.domain.deploy.fields import SpecInvalid, bytes_of, seconds_of
from cloudbang.domain.deploy.not_honoured import (
    ANONYMOUS,
    ANY_PORT,
    LOGS,
    LOOPBACK,
    OURS,
    SWARM,
    UNKNOWN,
    VALUE_HERE,
    WITH_HOST,
    of_address,
)
from cloudbang.domain.deploy.pasted import commands_in
from cloudbang.domain.deploy.spec import HOST
from cloudbang.domain.deploy.tmpfs import tmpfs_of, with_shared_memory
from cloudbang.domain.text import Text

Json = dict[str, object]


class NotHonoured(NamedTuple):
    """An option, and why an app has nothing of it."""

    option: str
    why: Text


class RunLine(NamedTuple):
    """``spec`` is SPEC as JSON, not checked; ``name`` "" where none is given."""

    spec: Json
    name: str
    not_honoured: list[NotHonoured]


DETACHED = Text("an app always runs in the background", "应用总是在后台运行")
ONE_NETWORK = Text("an app has networks of its own", "应用使用自己的网络")
FILES = Text(
    "a file of this machine is not read: write its variables here", "不读取本机文件：请在此填写变量"
)
OTHER_COMMAND = Text("only the command with docker run is read", "只读取 docker run 这一条命令")
ONE_TIME = Text(
    "how long an app may take to be healthy is one time: --health-start-period, and the retries after it",
    "应用变为健康的时限只有一个：--health-start-period 加上其后的重试",
)

# Without an argument, and with one: what is not listed in HONOURED.
_FLAGS = {
    **dict.fromkeys(("-d", "--detach", "--rm", "--sig-proxy"), DETACHED),
    **dict.fromkeys(("--privileged", "--oom-kill-disable", "--use-api-socket"), SWARM),
    **dict.fromkeys(("-P", "--publish-all", "--replace"), OURS),
    **dict.fromkeys(("--disable-content-trust", "-q", "--quiet"), OURS),
}
_OPTIONS = {
    **dict.fromkeys(
        (
            *("--device", "--gpus", "--pid", "--ipc", "--uts", "--userns", "--cgroupns", "--runtime"),
            *("--security-opt", "--cpuset-cpus", "--cpu-shares", "-c"),
            *("--memory-swap", "--memory-swappiness", "--mac-address", "--ip", "--ip6", "--link"),
            *("--volumes-from", "--storage-opt", "--blkio-weight", "--oom-score-adj"),
            *("--volume-driver", "--cgroup-parent", "--domainname", "--annotation", "--isolation"),
            *("--cpu-period", "--cpu-quota", "--cpu-rt-period", "--cpu-rt-runtime", "--cpuset-mems"),
            *("--device-cgroup-rule", "--device-read-bps", "--device-read-iops"),
            *("--device-write-bps", "--device-write-iops", "--blkio-weight-device"),
            *("--kernel-memory", "--link-local-ip"),
            *("--cpu-count", "--cpu-percent", "--io-maxbandwidth", "--io-maxiops"),
        ),
        SWARM,
    ),
    **dict.fromkeys(("--log-driver", "--log-opt"), LOGS),
    **dict.fromkeys(("--env-file", "--label-file", "--cidfile"), FILES),
    **dict.fromkeys(("--platform", "--pull", "-a", "--attach", "--detach-keys", "--expose"), OURS),
    **dict.fromkeys(("--health-start-interval",), ONE_TIME),
}  # fmt: skip

PROGRAMS = ("docker", "podman", "nerdctl", "docker.exe")
_VARIABLE = re.compile(r"[A-Za-z_]\w*=")
_PORT = re.compile(
    r"(?:(?P<ip>\[[^]]*\]|[^:]*):)?(?:(?P<out>\d*(?:-\d+)?):)?(?P<in>\d+(?:-\d+)?)(?:/(?P<how>\w+))?"
)
MOST_PORTS = 100  # of one range
# A path of the host, though perhaps not a whole one: its row says what it has to be.
_ON_HOST = re.compile(r"[/.~$%]|[A-Za-z]:[\\/]")
# What of a mount's options changes nothing here.
_PLAIN = frozenset({"ro", "rw", "cached", "delegated", "consistent", ""})
_MOUNT_KEYS = ("type", "source", "src", "target", "dst", "destination", "readonly", "ro")


def read_run_line(line: str) -> RunLine:
    """What a line of ``docker run`` asks for. Nothing is substituted; other commands that were pasted
    along are left out. Raises SpecInvalid."""
    try:
        commands = commands_in(line)
    except ValueError:
        raise SpecInvalid("line", "a command line with its quotes closed", line) from None
    for number, words in enumerate(commands):
        asked = _asked(words)
        if asked is not None:
            found = _Reader(asked).read()
            others = [" ".join(c) for n, c in enumerate(commands) if n != number]
            found.not_honoured.extend(NotHonoured(one[:200], OTHER_COMMAND) for one in others)
            return found
    raise SpecInvalid("line", 'a line that begins with "docker run"', line)


def _asked(words: list[str]) -> list[str] | None:
    """What stands behind ``docker run``; None for another command."""
    left = list(words)
    while left and (_VARIABLE.match(left[0]) or left[0] in ("sudo", "time")):
        left.pop(0)
    if not left or left.pop(0).rpartition("/")[2] not in PROGRAMS:
        return None
    if left and left[0] == "container":
        left.pop(0)
    return left[1:] if left and left[0] in ("run", "create") else None


class _Reader:
    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._spec: Json = {}
        self._name = ""
        self._entrypoint: str | None = None
        self._left: list[NotHonoured] = []
        self._command: list[str] = []  # of its check
        self._check: dict[str, float] = {}
        self._shm = ""

    def read(self) -> RunLine:
        while self._words and self._words[0].startswith("-") and self._words[0] != "-":
            word = self._words.pop(0)
            if word == "--":
                break
            self._option(word)
        if not self._words:
            raise SpecInvalid("image", rule="missing")
        self._spec["image"] = self._words.pop(0)
        if self._entrypoint == "":
            # The image's own is done without, and what stands behind the image is run.
            if self._words:
                self._spec["entrypoint"] = self._words
        else:
            if self._entrypoint is not None:
                self._spec["entrypoint"] = [self._entrypoint]
            if self._words:
                self._spec["command"] = self._words
        if self._command:
            retries = int(self._check.pop("retries", 0))
            self._spec["health"] = health_of(self._command, retries=retries, **self._check)
        if self._shm:
            with_shared_memory(
                self._spec.setdefault("tmpfs", []),  # type: ignore[arg-type]
                self._shm,
                [str(mount["path"]) for mount in self._listed("volumes")],
            )
        if HOST in self._listed("networks"):
            self._spec["networks"] = [HOST]
            for port in self._listed("ports"):
                self._not(f"-p {port['published']}:{port['target']}", WITH_HOST)
            self._spec.pop("ports", None)
        return RunLine(self._spec, self._name, self._left)

    def _option(self, word: str) -> None:
        name, equals, value = word.partition("=")
        if not name.startswith("--") and len(name) > 2:
            # -it, -p80:80, -eA=b: short ones run together, the last with its value.
            name, rest = word[:2], word[2:]
            if name in _TAKES or name in _OPTIONS:
                value, equals = rest.removeprefix("="), "="
            else:
                self._words.insert(0, f"-{rest}")
                equals = ""
        if name in _SWITCHES:
            if not equals or value.lower() in ("true", "1"):
                self._spec[_SWITCHES[name]] = True
        elif name == "--no-healthcheck":
            self._spec["health"] = dict(DISABLED)
        elif name in _FLAGS:
            if _FLAGS[name] is not DETACHED:
                self._left.append(NotHonoured(name, _FLAGS[name]))
        elif name in _TAKES or name in _OPTIONS:
            if not equals:
                if not self._words:
                    raise SpecInvalid("line", f"complete: {name} has no value", name)
                value = self._words.pop(0)
            if name in _TAKES:
                _TAKES[name](self, value)
            else:
                self._left.append(NotHonoured(f"{name} {value}", _OPTIONS[name]))
        else:
            # Whether it takes a value nobody can know; what follows may be the image.
            self._left.append(NotHonoured(word, UNKNOWN))

    def _not(self, option: str, why: Text) -> None:
        self._left.append(NotHonoured(option, why))

    def _listed(self, key: str) -> list[Any]:
        found = self._spec.get(key)
        return found if isinstance(found, list) else []

    def _list(self, key: str, value: object) -> None:
        found = self._spec.setdefault(key, [])
        assert isinstance(found, list)
        found.append(value)

    def _pair(self, key: str, value: str, option: str) -> None:
        name, equals, text = value.partition("=")
        if not equals and key == "env":
            # That of whoever runs it, or none at all, which is not an empty one.
            self._not(f"{option} {value}", VALUE_HERE)
            return
        found = self._spec.setdefault(key, {})
        assert isinstance(found, dict)
        found[name] = text

    def _port(self, value: str) -> None:
        match = _PORT.fullmatch(value)
        if match is None:
            raise SpecInvalid("ports", 'a port such as "8080:80"', value)
        # "8080:80" has a number where an address may be.
        ip, out = match["ip"] or "", match["out"] or ""
        if ip.replace("-", "").isdigit() and not out:
            ip, out = "", ip
        if why := of_address(ip):
            self._not(f"-p {value}", why)
            if why is LOOPBACK:
                return
        if not out:
            self._not(f"-p {value}", ANY_PORT)
        inside, outside = _range(match["in"]), _range(out or match["in"])
        if not inside or len(inside) != len(outside) or len(inside) > MOST_PORTS:
            raise SpecInvalid("ports", f"ranges of one length, {MOST_PORTS} at most", value)
        for target, published in zip(inside, outside, strict=True):
            port: Json = {"published": published, "target": target}
            if match["how"] and match["how"] != "tcp":
                port["protocol"] = match["how"]
            self._list("ports", port)

    def _volume(self, value: str) -> None:
        drive = 2 if re.match(r"[A-Za-z]:[\\/]", value) else 0
        source, _, rest = value[drive:].partition(":")
        source = value[:drive] + source
        if not rest:
            self._not(f"-v {value}", ANONYMOUS)
            return
        path, _, options = rest.partition(":")
        mount: Json = {"path": path}
        mount["source" if _ON_HOST.match(source) else "name"] = source
        told = options.split(",")
        if "ro" in told:
            mount["read_only"] = True
        if odd := [one for one in told if one not in _PLAIN]:
            self._not(f"-v {path}:{','.join(odd)}", SWARM)
        self._list("volumes", mount)

    def _mount(self, value: str) -> None:
        told = dict(part.partition("=")[::2] for part in value.split(","))
        path = told.get("target") or told.get("dst") or told.get("destination") or ""
        source = told.get("source") or told.get("src") or ""
        kind = told.get("type", "volume")
        if kind not in ("bind", "volume", "tmpfs") or not (source or kind == "tmpfs"):
            self._not(f"--mount {value}", ANONYMOUS if kind == "volume" else SWARM)
            return
        odd = {key: value for key, value in told.items() if key not in _MOUNT_KEYS}
        if kind == "tmpfs":
            options = {key: odd.pop(f"tmpfs-{key}", "") for key in ("size", "mode")}
            told_of = [f"{key}={value}" for key, value in options.items() if value]
            self._memory(path, told_of, f"--mount {path}: tmpfs-")
        for key in sorted(odd):
            self._not(f"--mount {path}: {key}={odd[key]}", SWARM)
        if kind == "tmpfs":
            return
        mount: Json = {"path": path, "source" if kind == "bind" else "name": source}
        if "readonly" in told or "ro" in told:
            mount["read_only"] = told.get("readonly", told.get("ro")) != "false"
        self._list("volumes", mount)

    def _tmpfs(self, value: str) -> None:
        path, _, options = value.partition(":")
        self._memory(path, options.split(","), f"--tmpfs {path}:")

    def _memory(self, path: str, options: list[str], option: str) -> None:
        made, left = tmpfs_of(path, options)
        for one in left:
            self._not(f"{option}{one}", SWARM)
        self._list("tmpfs", made)

    def _shared(self, value: str) -> None:
        if bytes_of(value) is None:
            raise SpecInvalid("tmpfs", 'an amount of bytes, such as "256m" or "2g"', value)
        self._shm = value

    def _pids(self, value: str) -> None:
        if value.lstrip("-").isdecimal() and int(value) <= 0:
            return  # none
        self._spec["pids_limit"] = value

    def _entry(self, value: str) -> None:
        self._entrypoint = value

    def _restart(self, value: str) -> None:
        known = {"no": "no", "always": "always", "unless-stopped": "always"}
        self._spec["restart"] = known.get(value, "on-failure")
        if ":" in value:
            self._not(f"--restart {value}", OURS)

    def _network(self, value: str) -> None:
        if value == HOST:
            self._list("networks", HOST)
        elif value in ("bridge", "none") or value.startswith("container:"):
            self._not(f"--network {value}", ONE_NETWORK)
        else:
            self._list("networks", value)

    def _limit(self, value: str) -> None:
        name, _, amounts = value.partition("=")
        soft, _, hard = amounts.partition(":")
        self._list("ulimits", {"name": name, "soft": soft, "hard": hard or soft})

    def _checks(self, value: str) -> None:
        self._command = ["sh", "-c", value]

    def _checked(self, key: str, value: str) -> None:
        amount = seconds_of(value)
        if amount is None or amount < 0:
            raise SpecInvalid("health", "a number, or a time such as 10s", value)
        self._check[key] = amount

    def _called(self, value: str) -> None:
        self._name = value


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _text(key: str) -> Callable[[_Reader, str], None]:
    return lambda reader, value: reader._spec.update({key: value})


def _each(key: str) -> Callable[[_Reader, str], None]:
    return lambda reader, value: reader._list(key, value)


_SWITCHES = {
    **dict.fromkeys(("-i", "--interactive"), "stdin_open"),
    **dict.fromkeys(("-t", "--tty"), "tty"),
    "--init": "init",
    "--read-only": "read_only",
}

_TAKES: dict[str, Callable[[_Reader, str], None]] = {
    "--name": _Reader._called,
    **dict.fromkeys(("-p", "--publish"), _Reader._port),
    **dict.fromkeys(("-v", "--volume"), _Reader._volume),
    "--mount": _Reader._mount,
    **dict.fromkeys(("-e", "--env"), lambda r, v: r._pair("env", v, "-e")),
    **dict.fromkeys(("-l", "--label"), lambda r, v: r._pair("labels", v, "-l")),
    "--sysctl": lambda r, v: r._pair("sysctls", v, "--sysctl"),
    **dict.fromkeys(("-m", "--memory"), _text("memory")),
    "--memory-reservation": _text("memory_reserved"),
    "--cpus": _text("cpus"),
    **dict.fromkeys(("-u", "--user"), _text("user")),
    **dict.fromkeys(("-w", "--workdir"), _text("working_dir")),
    **dict.fromkeys(("-h", "--hostname"), _text("hostname")),
    "--entrypoint": _Reader._entry,
    "--restart": _Reader._restart,
    **dict.fromkeys(("--network", "--net"), _Reader._network),
    "--network-alias": lambda r, v: r._not(f"--network-alias {v}", ONE_NETWORK),
    "--stop-signal": _text("stop_signal"),
    "--stop-timeout": _text("stop_grace"),
    "--cap-add": lambda r, v: r._list("cap_add", v.upper()),
    "--cap-drop": lambda r, v: r._list("cap_drop", v.upper()),
    "--dns": _each("dns"),
    "--dns-search": _each("dns_search"),
    **dict.fromkeys(("--dns-option", "--dns-opt"), _each("dns_opt")),
    "--group-add": _each("group_add"),
    "--pids-limit": _Reader._pids,
    "--shm-size": _Reader._shared,
    "--add-host": _each("extra_hosts"),
    "--tmpfs": _Reader._tmpfs,
    "--ulimit": _Reader._limit,
    "--health-cmd": _Reader._checks,
    "--health-interval": lambda r, v: r._checked("interval", v),
    "--health-start-period": lambda r, v: r._checked("start", v),
    "--health-timeout": lambda r, v: r._checked("timeout", v),
    "--health-retries": lambda r, v: r._checked("retries", v),
}
