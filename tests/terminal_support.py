"""Clients of the terminal socket: ``cloudbang.tty.v1`` and what the console of 2017 spoke.

Both hold a connection of the ``websockets`` package and read it in a thread of their own, so that
a test types, looks and waits as a person does. They work patched by gevent and unpatched.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import httpx

from tests.support import ServerProcess, http_client, patient, wait_until
from tests.terminal_sockets import MIB, PROTOCOL, Console, Terminal, new_client

__all__ = [
    "BACKGROUND",
    "MIB",
    "PROTOCOL",
    "STARTED",
    "STUBBORN",
    "TICKET",
    "Console",
    "Person",
    "Terminal",
    "known",
    "new_client",
    "processes",
    "rss",
    "wait_alone",
]

STARTED = "it has started"
"""What those below print: what was typed is echoed, too, and may be drawn again meanwhile."""
STUBBORN = "trap '' INT HUP TERM QUIT; echo it has star''ted; while :; do sleep 1; done\n"
"""Typed into a shell: a loop that ignores every polite signal."""
BACKGROUND = (
    "sleep 9999& (trap '' HUP;sleep 9999)& (trap '' 1 15;exec sleep 9999)& echo it has star''ted\n"
)
"""Jobs in the background, two of which ignore a hangup; with their shell at least four processes."""
TICKET = ("T_id", "S_id", "C_id", "Md5")


class Person:
    """Somebody with a login of their own: asks the API, and has the cookie for sockets."""

    def __init__(self, server: ServerProcess, name: str = "admin", password: str = "") -> None:
        self.server, self.name = server, name
        self.client = http_client(base_url=server.url, timeout=patient(60.0))
        answer = self.client.post(
            "/api/v1/session",
            json={"username": name, "password": password or server.password},
            headers={"Origin": server.url},
        )
        assert answer.status_code == 204, f"{name}: {answer.status_code} {answer.text[:500]}"
        self.csrf = self.client.get("/api/v1/me").json()["csrf_token"]

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    @property
    def headers(self) -> dict[str, str]:
        """What a socket's handshake shows: the cookie, and the Origin as a browser sends it."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        return {"Cookie": cookie, "Origin": self.server.url}

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Any call of the API, with the CSRF token."""
        headers = {"X-CSRF-Token": self.csrf, "Origin": self.server.url}
        return self.client.request(method, f"/api/v1{path}", json=body, headers=headers)

    def made(self, path: str, body: Any) -> Any:
        """What ``POST path`` made; AssertionError unless it is 201."""
        answer = self.ask("POST", path, body)
        assert answer.status_code == 201, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def got(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def account(self, name: str, role: str = "viewer") -> Person:
        """Make an account, and sign it in."""
        password = "a password of " + name
        self.made("/accounts", {"username": name, "password": password, "role": role})
        return Person(self.server, name, password)

    def ticket(self, container: str, command: Any = None, **request: Any) -> dict[str, Any]:
        """A ticket for a terminal in a container (its name or id)."""
        body = {"container": container, **request}
        if command is not None:
            body["command"] = command
        made = self.made("/terminals", body)
        assert isinstance(made, dict)
        return made

    def terminal(
        self,
        container: str,
        command: Any = None,
        *,
        columns: int = 80,
        rows: int = 24,
        client: str = "",
        **request: Any,
    ) -> Terminal:
        """A new terminal in a container; ``request`` as in :meth:`ticket`. Attached already."""
        made = self.ticket(container, command, **request)
        first = {key: made[key] for key in TICKET} | {"columns": columns, "rows": rows}
        return self.attach({**first, "client": client or new_client()})

    def attach(self, first: dict[str, Any], **options: Any) -> Terminal:
        """Open the socket with this first message, and wait for the answer to it."""
        made = Terminal(self.server, self.headers, **options)
        made.say(**first)
        made.wait_op("attached")
        return made

    def back(self, session: str, after: int | None = None, **more: Any) -> Terminal:
        """Come back to a session, as its owner or (with ``key``) as a guest."""
        first = {"session": session, "columns": 80, "rows": 24, "client": new_client(), **more}
        return self.attach(first if after is None else {**first, "after": after})


def known(server: ServerProcess, *names: str) -> None:
    """Wait until the server knows these containers as apps of the same name."""
    wanted = set(names)
    wait_until(
        lambda: wanted <= {app["name"] for app in server.get("/api/v1/apps")["apps"]},
        20,
        f"{', '.join(names)} to be known",
    )


# -- processes of the node ------------------------------------------------------------------------


def processes(container_id: str) -> dict[int, str]:
    """The live processes of a container on this node: pid and command line. No zombies."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if container_id not in (folder / "cgroup").read_text():
                continue
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            command = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf8", "replace")
            )
        except OSError:
            continue  # it has ended meanwhile
        if state not in "ZX":
            found[int(folder.name)] = command.strip()
    return found


def wait_alone(container: Any, timeout: float = 10.0) -> None:
    """Wait until nothing lives in a container but its first process."""
    first = container.attrs["State"]["Pid"]
    left: dict[int, str] = {}

    def alone() -> bool:
        left.clear()
        left.update((p, what) for p, what in processes(container.id).items() if p != first)
        return not left

    try:
        wait_until(alone, timeout, every=0.1)
    except AssertionError:
        raise AssertionError(
            f"still alive in {container.name} after {timeout:g} s: {left}"
        ) from None


def rss(pid: int) -> int:
    """Resident memory of a process, bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
