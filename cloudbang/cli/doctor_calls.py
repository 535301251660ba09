"""Whether each call that the server makes comes through to the engine: something before it (a socket
proxy) may let some pass only.

Those that would change something name a container, a command or an image that there is not: the
engine says so, in its own words, and a filter says something else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from cloudbang.cli.doctor_checks import Finding
from cloudbang.domain.refusals import REFUSALS
from cloudbang.domain.text import Text

_NOBODY = "0" * 64
_OF_NOBODY = quote(json.dumps({"service": [_NOBODY]}))
_NO_CACHE = quote(json.dumps({"id": ["^$"]}))
_NO_IMAGE = "cloudbang.invalid/none:none"  # .invalid: never a registry (RFC 2606)


class Probe(NamedTuple):
    """One call of a kind."""

    call: str
    method: str
    path: str
    body: dict[str, Any] | None = None


PROBES = (
    Probe("events", "GET", "/events?since=0&until=1"),
    Probe("list", "GET", "/containers/json?all=1"),
    Probe("inspect", "GET", f"/containers/{_NOBODY}/json"),
    Probe("logs", "GET", f"/containers/{_NOBODY}/logs?stdout=1&stderr=1&tail=1"),
    Probe("stats", "GET", f"/containers/{_NOBODY}/stats?stream=false"),
    Probe("exec", "POST", f"/containers/{_NOBODY}/exec", {"Cmd": ["true"]}),
    Probe("exec", "POST", f"/exec/{_NOBODY}/start", {"Detach": False, "Tty": True}),
    Probe("exec", "POST", f"/exec/{_NOBODY}/resize?w=80&h=24"),
    Probe("exec", "GET", f"/exec/{_NOBODY}/json"),
    Probe("images", "GET", f"/images/{_NO_IMAGE}/json"),
    Probe("pull", "POST", "/images/create?fromImage=No-Such-Name"),  # not one a registry could have
    Probe("create", "POST", "/containers/create", {"Image": _NO_IMAGE}),
    Probe("create", "POST", f"/containers/{_NOBODY}/start"),
    Probe("create", "POST", f"/containers/{_NOBODY}/wait?condition=not-running"),
    Probe("create", "DELETE", f"/containers/{_NOBODY}?v=1"),
    Probe("tag", "POST", f"/images/{_NO_IMAGE}/tag?repo=cloudbang.invalid%2Fnone&tag=none"),
    Probe("tag", "DELETE", f"/images/{_NO_IMAGE}"),
    Probe("build", "POST", "/build?version=none"),
    Probe("build", "POST", "/build/cancel"),
    Probe("info", "GET", "/info"),
    Probe("swarm", "POST", "/swarm/init", {"ListenAddr": ""}),  # an address that is none
    Probe("swarm", "GET", "/nodes"),
    Probe("networks", "GET", f"/networks/{_NOBODY}"),
    Probe("networks", "POST", "/networks/create", {"Name": "", "CheckDuplicate": True}),
    Probe("services", "GET", f"/services/{_NOBODY}"),
    Probe("services", "GET", f"/tasks?filters={_OF_NOBODY}"),
    Probe("services", "POST", "/services/create", {}),
    Probe("services", "POST", f"/services/{_NOBODY}/update?version=1", {}),
    Probe("services", "DELETE", f"/services/{_NOBODY}"),
    *(
        Probe("operate", "POST", f"/containers/{_NOBODY}/{what}", body)
        for what, body in (
            *(("stop", None), ("restart", None), ("kill", None), ("pause", None)),
            *(("unpause", None), ("update", {"RestartPolicy": {"Name": "no"}})),
        )
    ),
    Probe("disk", "GET", "/system/df?type=container"),
    Probe("disk", "GET", "/volumes"),
    Probe("clean-up", "DELETE", f"/volumes/{_NOBODY}"),
    Probe("clean-up", "DELETE", f"/networks/{_NOBODY}"),
    Probe("clean-up", "POST", f"/build/prune?filters={_NO_CACHE}"),
    *(
        probe
        for kind in ("secrets", "configs")
        for probe in (
            Probe("secrets", "GET", f"/{kind}/{_NOBODY}"),
            Probe("secrets", "POST", f"/{kind}/create", {}),
            Probe("secrets", "DELETE", f"/{kind}/{_NOBODY}"),
        )
    ),
)

STREAMS = ("events", "pull")

Ask = Callable[..., tuple[int, bytes]]
"""``ask(path, method, body)``: status and body."""


def refused_by(status: int, body: bytes) -> str | None:
    """What a refusal says of itself; None when the engine answered."""
    try:
        said = json.loads(body) if body else None
    except ValueError:
        said = body
    message = said.get("message") if isinstance(said, dict) else None
    if message is not None:
        # By a plugin of the engine's, if at all.
        return f"{status}: {message}" if status in (401, 403) else None
    return str(status) if status >= 400 or isinstance(said, bytes) else None


def refusal(call: str, said: str) -> Finding:
    """What a refused call means, in the words of the pages."""
    found = REFUSALS[call]
    return Finding(
        f"refused-{call}",
        Text("Docker Engine", "Docker 引擎"),
        False,
        Text(f"{found.refused.en} ({said})", f"{found.refused.zh}（{said}）"),
        found.mend,
    )


def calls(ask: Ask) -> Iterator[Finding]:
    """One finding for each kind that is refused, or one that none is. Raises what ``ask`` does."""
    refused: dict[str, str] = {}
    for probe in PROBES:
        if probe.call not in refused:
            status, body = ask(probe.path, probe.method, probe.body)
            if probe.call in STREAMS and status == 200:
                continue  # of many documents
            if said := refused_by(status, body):
                refused[probe.call] = said
    for call, said in refused.items():
        yield refusal(call, said)
    if not refused:
        yield Finding(
            "engine-calls",
            Text("Calls to the engine", "对引擎的调用"),
            True,
            Text("all that are needed are allowed", "所需的都已放行"),
        )
