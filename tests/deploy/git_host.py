"""A host of Git repositories, as those serve them that speak HTTP."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

import gevent
from gevent.pywsgi import WSGIServer

from cloudbang.deploy.git import Credentials
from tests.support import command_lines

EXEC_PATH = subprocess.run(["git", "--exec-path"], capture_output=True, text=True).stdout.strip()
BACKEND = f"{EXEC_PATH}/git-http-backend"
LOGIN = Credentials("ada", "canary-pass")


def git(*arguments: str, at: Path) -> str:
    env = {"PATH": os.environ["PATH"], "HOME": str(at), "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=at, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


class Host:
    """Serves repositories below a folder, as git's own CGI program does it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.private = self.slow = self.trickles = False
        self.arguments: list[str] = []  # of every process while something was asked for
        self.asked: list[str] = []
        self._server = WSGIServer(("127.0.0.1", 0), self._answer, log=None)
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.stop(1)

    def _answer(self, environ: dict, start: object) -> Iterable[bytes]:
        self.asked.append(environ["PATH_INFO"])
        if self.private:
            for _, arguments in command_lines():
                self.arguments += arguments
        if self.slow:
            gevent.sleep(30)
        if environ["PATH_INFO"].startswith("/moved"):
            start("302 Found", [("Location", f"{self.url}/web.git/info/refs")])  # type: ignore[operator]
            return []
        if self.private and environ.get("HTTP_AUTHORIZATION") != LOGIN.header.split(": ")[1]:
            start("401 Unauthorized", [("WWW-Authenticate", "Basic")])  # type: ignore[operator]
            return [b""]
        env = {
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": unquote(environ["PATH_INFO"]),
            "PATH": os.environ["PATH"],
            **{k: environ.get(k, "") for k in ("REQUEST_METHOD", "QUERY_STRING", "CONTENT_TYPE")},
            "GIT_PROTOCOL": environ.get("HTTP_GIT_PROTOCOL", ""),
            "HTTP_CONTENT_ENCODING": environ.get("HTTP_CONTENT_ENCODING", ""),
        }
        said = subprocess.run(
            [BACKEND], input=environ["wsgi.input"].read(), env=env, capture_output=True
        ).stdout
        head, _, body = said.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        start(fields.pop("Status", "200 OK"), list(fields.items()))  # type: ignore[operator]
        return _drops(body) if self.trickles else [body]


def _drops(body: bytes) -> Iterator[bytes]:
    """So slowly that it goes on until it is given up, which takes half a minute."""
    for n in range(0, len(body), 8):
        yield body[n : n + 8]
        gevent.sleep(0.1)


class Repository:
    """A repository with pages in a sub-folder of one branch, and a Dockerfile on another."""

    def __init__(self, folder: Path, image: str) -> None:
        self.served, self.work = folder / "served", folder / "work"
        for one in (self.served / "web.git", self.work / "shop"):
            one.mkdir(parents=True)
        git("init", "--quiet", "--bare", at=self.served / "web.git")
        git("init", "--quiet", at=self.work)
        (self.work / "Dockerfile").write_text(f"FROM {image}\nEXPOSE 9090\n")
        self.push("main", "begun")
        git("checkout", "--quiet", "-b", "next", at=self.work)
        (self.work / "Dockerfile").unlink()
        self.write("one")
        self.host = Host(self.served)
        self.url = f"{self.host.url}/web.git"
        self.place = self.host.url.removeprefix("http://")

    def write(self, text: str) -> str:
        """The commit with pages that say this, pushed."""
        (self.work / "shop" / "index.html").write_text(text)
        return self.push("next", text)

    def push(self, branch: str, message: str) -> str:
        git("add", "--all", ".", at=self.work)
        git("commit", "--quiet", "-m", message, at=self.work)
        git("push", "--quiet", str(self.served / "web.git"), branch, at=self.work)
        return git("rev-parse", "HEAD", at=self.work)
