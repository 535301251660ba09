"""A source from a Git address: the newest commit of one branch, without prompts, hooks, submodules,
or any protocol but HTTP.

Credentials reach git by its environment: an argument is seen by everybody on the machine, and an
address ends up in errors and logs.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
from gevent.os import nb_read
from gevent.subprocess import PIPE, STDOUT, Popen

from cloudbang.deploy.addresses import allowed_address, host_of
from cloudbang.errors import CloudBangError

WITHIN = 600.0  # seconds for all of it
SLOW = (1000, 30)  # bytes a second, for so many seconds, below which a transfer is given up
LINE = 8192  # bytes of one line of git's
QUIET = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "credential.helper": "",
    "http.followRedirects": "false",  # to where nobody has looked
    "protocol.allow": "never",
    "protocol.http.allow": "always",
    "protocol.https.allow": "always",
    "submodule.recurse": "false",
    "gc.auto": "0",
    "advice.detachedHead": "false",
}
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
# What git says, which may ask nobody, where its credentials do not suffice.
_REFUSED = re.compile(
    r"could not read (Username|Password)|Authentication failed|returned error: 40[13]\b"
)
ASKS = "its host asks for a user and a password: give them with the address"
REFUSES = (
    "its host does not take the user and the password that are kept for it: give others with the "
    "address"
)


class GitFailed(CloudBangError):
    """A source could not be fetched. ``said``: git's own last words, without credentials, or ours
    about them."""

    code = "git-failed"
    status = 422
    sentence = "the source {url} could not be fetched: {said}"
    variants = {  # noqa: RUF012
        ("said", "address"): (
            "{url} is no address that a source is fetched from: it has to begin with https://"
        ),
        ("said", "time"): "fetching the source {url} took too long, and was given up",
        ("said", "missing"): "git is not installed on this machine: install it, then deploy again",
    }

    def __init__(self, url: str, said: str) -> None:
        self.url, self.said = url, said
        super().__init__(url, said)

    @property
    def why(self) -> str:
        """The same for who knows which source it is about."""
        return str(self) if ("said", self.said) in self.variants else self.said


class Cancelled(Exception):
    """Somebody wants it to end, and it has."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """For HTTP's basic authentication; of a token most hosts take any user."""

    user: str
    password: str

    @property
    def header(self) -> str:
        return "Authorization: Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode()


def fetch(
    url: str,
    branch: str,
    into: Path,
    *,
    credentials: Credentials | None = None,
    allowed_hosts: Collection[str] = (),
    say: Callable[[bytes], None] = lambda line: None,
    wanted: Callable[[], bool] = lambda: True,
    within: float = WITHIN,
) -> str:
    """Put the files of the newest commit of a branch (or tag, or that commit) into an empty folder;
    the commit's id. ``branch`` "" is the one that the address shows by itself.

    ``say`` is given each line that git prints. Raises GitFailed, AddressRefused, Cancelled.
    """
    shown = without_credentials(url)
    try:
        host, port = host_of(url)
    except ValueError:
        raise GitFailed(shown[:200], "address") from None
    if shown != url:
        # They would be in the configuration of what is fetched, and in every error.
        raise GitFailed(shown, "it has a user or a password in it: give them by themselves")
    address = allowed_address(host, port, allowed_hosts)
    at = f"[{address}]" if ":" in address else address
    settings = {**QUIET, "http.curloptResolve": f"{host}:{port}:{at}"}
    if credentials is not None:
        settings["http.extraHeader"] = credentials.header
    env = _environment(settings, into)
    run = _Runner(shown, env, say, wanted, within, REFUSES if credentials else ASKS)
    run.git("init", "--quiet", str(into))
    # What follows -- is no option, whatever it begins with.
    options = ("--depth=1", "--no-tags", "--progress")
    run.git("-C", str(into), "fetch", *options, "--", url, branch or "HEAD")
    run.git("-C", str(into), "checkout", "--quiet", "--force", "FETCH_HEAD")
    commit = run.git("-C", str(into), "rev-parse", "HEAD").strip()
    if not _COMMIT.fullmatch(commit):
        raise GitFailed(shown, "there is no commit in it")
    return commit


def without_credentials(url: str) -> str:
    """The address as it can be shown."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)


def _environment(settings: Mapping[str, str], home: Path) -> dict[str, str]:
    """Nothing of ours but where programs are: no configuration, no credentials, no agent."""
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "SSH_ASKPASS": "false",
        "GIT_ALLOW_PROTOCOL": "http:https",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_HTTP_LOW_SPEED_LIMIT": str(SLOW[0]),
        "GIT_HTTP_LOW_SPEED_TIME": str(SLOW[1]),
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for n, (key, value) in enumerate(settings.items()):
        env[f"GIT_CONFIG_KEY_{n}"], env[f"GIT_CONFIG_VALUE_{n}"] = key, value
    return env


class _Runner:
    """Runs git, one call after the other, within one time for all of them."""

    def __init__(
        self,
        url: str,
        env: dict[str, str],
        say: Callable[[bytes], None],
        wanted: Callable[[], bool],
        within: float,
        refused: str,
    ) -> None:
        """``refused``: what it means that its credentials do not suffice."""
        self._url, self._env, self._say, self._wanted = url, env, say, wanted
        self._refused = refused
        self._until = time.monotonic() + within

    def git(self, *arguments: str) -> str:
        """What it prints. Raises GitFailed, Cancelled, and then nothing of it is left running."""
        try:
            process = Popen(
                ["git", *arguments],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                start_new_session=True,  # so that what it starts ends with it
            )
        except FileNotFoundError:
            raise GitFailed(self._url, "missing") from None
        watch = gevent.spawn(self._watch, process)
        last, printed = "", b""
        try:
            for line in _lines(process.stdout):
                self._say(line)
                printed = (printed + line + b"\n")[-LINE:]
                last = line.decode("utf-8", "replace").strip() or last
            code = process.wait()
        finally:
            watch.kill()
            _kill(process)
        if not self._wanted():
            raise Cancelled
        if code:
            late = time.monotonic() >= self._until
            if not late and _REFUSED.search(last):
                raise GitFailed(self._url, self._refused)
            said = re.sub(r"^(fatal|error): ", "", without_credentials(last))
            raise GitFailed(self._url, "time" if late else said[:300] or f"git exited with {code}")
        return printed.decode("utf-8", "replace")

    def _watch(self, process: Popen) -> None:
        """End it when it is not wanted any more, or has had its time."""
        while self._wanted() and time.monotonic() < self._until:
            gevent.sleep(0.1)
        _kill(process)


def _lines(pipe: Any) -> Iterator[bytes]:
    """As it is printed, also where progress comes without a newline."""
    rest = b""
    while data := nb_read(pipe.fileno(), LINE):
        *lines, rest = re.split(rb"[\r\n]+", rest + data)
        yield from lines
        if len(rest) > LINE:
            yield rest
            rest = b""
    if rest:
        yield rest


def _kill(process: Popen) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
