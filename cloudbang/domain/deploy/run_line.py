"""A `docker run` line as a specification: what people paste from a README."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import NamedTuple

from cloudbang.domain.deploy.fields import SpecInvalid
from cloudbang.domain.deploy.not_honoured import ADDRESSES, ANONYMOUS, LOGS, SWARM, UNKNOWN
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
VALUE_HERE = Text("it has no value here: write one", "此处没有值：请填写")

# Without an argument, and with one: what is not listed in HONOURED.
_FLAGS = {
    **dict.fromkeys(("-d", "--detach", "--rm", "--sig-proxy"), DETACHED),
    **dict.fromkeys(("--privileged", "--oom-kill-disable", "--no-healthcheck"), SWARM),
    **dict.fromkeys(("-P", "--publish-all", "--disable-content-trust", "-q", "--quiet"), UNKNOWN),
}
_OPTIONS = {
    **dict.fromkeys(
        (
            *("--device", "--gpus", "--pid", "--ipc", "--uts", "--userns", "--cgroupns", "--runtime"),
            *("--security-opt", "--shm-size", "--pids-limit", "--cpuset-cpus", "--cpu-shares", "-c"),
            *("--memory-swap", "--memory-swappiness", "--mac-address", "--ip", "--ip6", "--link"),
            *("--group-add", "--volumes-from", "--storage-opt", "--blkio-weight", "--oom-score-adj"),
            *("--volume-driver", "--cgroup-parent", "--domainname", "--annotation"),
        ),
        SWARM,
    ),
    **dict.fromkeys(("--log-driver", "--log-opt"), LOGS),
    **dict.fromkeys(("--env-file", "--label-file", "--cidfile"), FILES),
    **dict.fromkeys(("--platform", "--pull", "-a", "--attach", "--detach-keys", "--expose"), UNKNOWN),
}  # fmt: skip

_PORT = re.compile(r"(?:(?P<ip>\[[^]]*\]|[^:]*):)?(?:(?P<out>\d*):)?(?P<in>\d+)(?:/(?P<how>\w+))?")


def read_run_line(line: str) -> RunLine:
    """What a line of ``docker run`` asks for. Nothing is substituted. Raises SpecInvalid."""
    # As it is written over several lines in a document, with the prompt in front.
    joined = re.sub(r"\\\r?\n", " ", line).strip().removeprefix("$ ")
    try:
        words = shlex.split(joined, comments=True)
    except ValueError:
        raise SpecInvalid("line", "a command line with its quotes closed", line) from None
    while words and words[0] in ("sudo", "docker", "podman", "container", "run"):
        if words.pop(0) == "run":
            break
    else:
        raise SpecInvalid("line", 'a line that begins with "docker run"', line)
    return _Reader(words).read()


class _Reader:
    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._spec: Json = {}
        self._name = ""
        self._left: list[NotHonoured] = []

    def read(self) -> RunLine:
        while self._words and self._words[0].startswith("-") and self._words[0] != "-":
            word = self._words.pop(0)
            if word == "--":
                break
            self._option(word)
        if not self._words:
            raise SpecInvalid("image", rule="missing")
        self._spec["image"] = self._words.pop(0)
        if self._words:
            self._spec["command"] = self._words
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

    def _list(self, key: str, value: object) -> None:
        found = self._spec.setdefault(key, [])
        assert isinstance(found, list)
        found.append(value)

    def _pair(self, key: str, value: str, option: str) -> None:
        name, equals, text = value.partition("=")
        if not equals and key == "env":
            self._not(f"{option} {value}", VALUE_HERE)
        found = self._spec.setdefault(key, {})
        assert isinstance(found, dict)
        found[name] = text

    def _port(self, value: str) -> None:
        match = _PORT.fullmatch(value)
        if match is None:
            raise SpecInvalid("ports", 'a port such as "8080:80"', value)
        # "8080:80" has a number where an address may be.
        ip, out = match["ip"] or "", match["out"] or ""
        if ip.isdigit() and not out:
            ip, out = "", ip
        if ip:
            self._not(f"-p {value}", ADDRESSES)
        port: Json = {"published": int(out or match["in"]), "target": int(match["in"])}
        if match["how"] and match["how"] != "tcp":
            port["protocol"] = match["how"]
        self._list("ports", port)

    def _volume(self, value: str) -> None:
        source, _, rest = value.partition(":")
        if not rest:
            self._not(f"-v {value}", ANONYMOUS)
            return
        path, _, options = rest.partition(":")
        mount: Json = {"path": path}
        mount["source" if source.startswith(("/", ".", "~")) else "name"] = source
        if "ro" in options.split(","):
            mount["read_only"] = True
        self._list("volumes", mount)

    def _mount(self, value: str) -> None:
        told = dict(part.partition("=")[::2] for part in value.split(","))
        path = told.get("target") or told.get("dst") or told.get("destination") or ""
        source = told.get("source") or told.get("src") or ""
        kind = told.get("type", "volume")
        if kind == "tmpfs":
            self._list("tmpfs", path)
            return
        if kind not in ("bind", "volume") or not source:
            self._not(f"--mount {value}", ANONYMOUS if kind == "volume" else SWARM)
            return
        mount: Json = {"path": path, "source" if kind == "bind" else "name": source}
        if "readonly" in told or "ro" in told:
            mount["read_only"] = told.get("readonly", told.get("ro")) != "false"
        self._list("volumes", mount)

    def _restart(self, value: str) -> None:
        known = {"no": "no", "always": "always", "unless-stopped": "always"}
        self._spec["restart"] = known.get(value, "on-failure")

    def _network(self, value: str) -> None:
        if value == "host":
            self._list("networks", "host")
        elif value in ("bridge", "none") or value.startswith("container:"):
            self._not(f"--network {value}", ONE_NETWORK)
        else:
            self._list("networks", value)

    def _limit(self, value: str) -> None:
        name, _, amounts = value.partition("=")
        soft, _, hard = amounts.partition(":")
        self._list("ulimits", {"name": name, "soft": soft, "hard": hard or soft})

    def _health(self, key: str, value: object) -> None:
        found = self._spec.setdefault("health", {})
        assert isinstance(found, dict)
        found[key] = value

    def _called(self, value: str) -> None:
        self._name = value


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
    "--entrypoint": lambda r, v: r._spec.update(entrypoint=[v]),
    "--restart": _Reader._restart,
    **dict.fromkeys(("--network", "--net"), _Reader._network),
    "--network-alias": lambda r, v: r._not(f"--network-alias {v}", ONE_NETWORK),
    "--stop-signal": _text("stop_signal"),
    "--stop-timeout": _text("stop_grace"),
    "--cap-add": _each("cap_add"),
    "--cap-drop": _each("cap_drop"),
    "--dns": _each("dns"),
    "--add-host": _each("extra_hosts"),
    "--tmpfs": lambda r, v: r._list("tmpfs", v.partition(":")[0]),
    "--ulimit": _Reader._limit,
    "--health-cmd": lambda r, v: r._health("command", ["sh", "-c", v]),
    "--health-interval": lambda r, v: r._health("interval", v),
    "--health-start-period": lambda r, v: r._health("within", v),
    "--health-timeout": lambda r, v: None,
    "--health-retries": lambda r, v: None,
}
