"""``python -m cloudbang deploy``: deploy an app on a server that runs, and follow it to its end.

Lines of the deployment's log go to standard output, what else is said to standard error. The exit
status says how it ended; see :class:`Exit`.
"""

from __future__ import annotations

import json
import os
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

import click

from cloudbang import config
from cloudbang.cli.deployed_spec import SpecUnreadable, changed, read_spec, spec_that_serves
from cloudbang.cli.language import is_chinese
from cloudbang.cli.server_api import Form, Refused, ServerApi, ServerAway, in_path
from cloudbang.domain.text import Text
from cloudbang.errors import CloudBangError

TOKEN = "CLOUDBANG_TOKEN"  # noqa: S105 - the name of the variable
EVERY = 0.25  # seconds between two questions
AWAY = 120.0  # seconds without an answer after which a server is given up
LINES = 1_000  # of one answer
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}  # noqa: S104


class Exit(IntEnum):
    """How it ended."""

    SERVING = 0
    FAILED = 1
    USAGE = 2
    CANCELLED = 3
    REFUSED = 4  # nothing was begun
    AWAY = 5  # the server does not answer: what has become of it, nobody knows here
    INTERRUPTED = 130  # it goes on


SAID = {
    "begun": Text(
        "deployment {number} of {app} (id {id}) has begun",
        "{app} 的第 {number} 次部署（id {id}）已开始",
    ),
    "step": Text("{step}: {state} after {seconds} s", "{step}：{state}，用时 {seconds} 秒"),
    "serving": Text("release {release} of {app} serves", "{app} 的版本 {release} 已在服务"),
    "cancelled": Text("cancelled", "已取消"),
    "failed": Text("failed ({kind}): {sentence}", "失败（{kind}）：{sentence}"),
    "before": Text("release {previous} goes on serving", "版本 {previous} 继续服务"),
    "interrupted": Text(
        "the deployment goes on without this command: {url}", "部署仍在继续：{url}"
    ),
    "away": Text("the server does not answer; asking it again", "服务器没有响应；正在重试"),
    "gap": Text("{count} lines are not kept any more", "有 {count} 行已不再保留"),
}
STATES = {
    "done": Text("done", "完成"),
    "failed": Text("failed", "失败"),
    "cancelled": Text("cancelled", "已取消"),
}


class NoToken(CloudBangError):
    """Nobody said who asks."""

    code = "no-token"
    sentence = (
        "set {variable} to an API token: `python -m cloudbang token create NAME` on the server's "
        "machine makes one"
    )

    def __init__(self) -> None:
        self.variable = TOKEN
        super().__init__()


@click.command()
@click.argument("app")
@click.argument("source", required=False)
@click.option("--spec", "spec_file", metavar="FILE", help="The specification; - is standard input.")
@click.option("--release", type=click.IntRange(1), help="Go back to this release.")
@click.option("-e", "--env", multiple=True, metavar="KEY=VALUE", help="Set a variable.")
@click.option("-p", "--port", type=click.IntRange(1, 65535), help="The port it listens on.")
@click.option("--replicas", type=click.IntRange(0), help="How many instances.")
@click.option(
    "--team", default="", help="Whose a new app is to be; else default, or your only one."
)
@click.option("--plan", "plan_only", is_flag=True, help="Say what would change; change nothing.")
@click.option("--wait", is_flag=True, help="Wait for a deployment of the app that runs.")
@click.option("-d", "--detach", is_flag=True, help="Do not follow it.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON, and no log.")
@click.option(
    "--server", metavar="URL", envvar="CLOUDBANG_SERVER", help="Else that of the settings."
)
def deploy(
    app: str,
    source: str | None,
    spec_file: str | None,
    release: int | None,
    env: tuple[str, ...],
    port: int | None,
    replicas: int | None,
    team: str,
    plan_only: bool,
    wait: bool,
    detach: bool,
    as_json: bool,
    server: str | None,
) -> None:
    """Deploy APP from SOURCE, and follow it until it serves or fails.

    SOURCE is a folder that is built on the server, a file with a specification (.json, .yaml, .yml),
    or the name of an image. With an image or a folder everything else stays as the release that
    serves has it, unless --spec says all of it. Without SOURCE and --spec that release is deployed
    anew, with what the options change.

    The token of whom this is for is taken from the variable CLOUDBANG_TOKEN.

    Exit status: 0 it serves, 1 it failed, 2 wrong usage, 3 it was cancelled, 4 it was refused and
    nothing was begun, 5 the server does not answer, 130 interrupted (it goes on).
    """
    told = Teller(is_chinese(), quiet=as_json)
    try:
        api = ServerApi(_address(server), _token(), "zh" if told.chinese else "en")
        folder = Path(source) if source and os.path.isdir(source) else None
        if source and not folder and not spec_file and source.endswith((".json", ".yaml", ".yml")):
            source, spec_file = None, source
        if source and folder is None and source.startswith((".", "/", "~")):
            raise click.UsageError(f"{source} is no folder")
        body: dict[str, Any] = {"release": release}
        if release is None:
            spec = read_spec(spec_file) if spec_file else spec_that_serves(api, app)
            body = {"spec": changed(spec, source, folder, env, port, replicas)}
        elif source or spec_file or env or port or replicas is not None:
            raise click.UsageError("--release takes all from that release: leave the rest out")
        body["team"] = team
        path = f"/api/v1/apps/{in_path(app)}"
        if plan_only:
            _show_plan(api.post(f"{path}/plan", body), as_json)
            sys.exit(Exit.SERVING)
        if folder is not None:  # which may take long to be sent
            _may_begin(api.post(f"{path}/plan", body), wait)
        begun = _begin(api, f"{path}/deployments", body, folder, wait)
    except (NoToken, SpecUnreadable) as e:
        told.say_plainly(str(e))
        sys.exit(Exit.USAGE)
    except Refused as e:
        told.say_plainly(str(e))
        sys.exit(Exit.REFUSED)
    except ServerAway as e:
        told.say_plainly(str(e))
        sys.exit(Exit.AWAY)
    told.say("begun", **begun)
    if detach:
        click.echo(json.dumps(begun) if as_json else str(begun["id"]))
        sys.exit(Exit.SERVING)
    sys.exit(_follow(api, int(begun["id"]), told, as_json))


class Teller:
    """Says on standard error how it goes, in the terminal's language."""

    def __init__(self, chinese: bool, quiet: bool) -> None:
        self.chinese, self.quiet = chinese, quiet

    def say(self, what: str, **facts: Any) -> None:
        self.say_plainly(SAID[what].of(self.chinese).format(**facts))

    def say_plainly(self, text: str) -> None:
        click.echo(f"cloudbang: {text}", err=True)


class Follower:
    """One deployment, asked for again and again: its lines once each, its steps as they end."""

    def __init__(self, api: ServerApi, id: int, told: Teller) -> None:
        self._api, self._id, self._told = api, id, told
        self._seq = 0
        self._ended: set[str] = set()

    def to_the_end(self) -> dict[str, Any]:
        """How it ended. Raises ServerAway, Refused."""
        away: float | None = None
        while True:
            try:
                now: dict[str, Any] = self._api.get(f"/api/v1/deployments/{self._id}")
                more = self._lines()
            except (ServerAway, Refused) as e:
                if isinstance(e, Refused) and e.status not in (502, 503, 504):
                    raise
                away = away or time.monotonic()
                if time.monotonic() - away > AWAY:
                    raise
                if time.monotonic() - away < EVERY:
                    self._told.say("away")
                time.sleep(4 * EVERY)
                continue
            away = None
            self._steps(now["steps"])
            # What it said before its end is read after the end is known.
            if now["state"] in ("serving", "failed", "cancelled"):
                while self._lines():
                    pass
                return now
            if not more:
                time.sleep(EVERY)

    def _lines(self) -> bool:
        """Print what is new; whether there may be more at once."""
        path = f"/api/v1/deployments/{self._id}/lines?after={self._seq}&limit={LINES}"
        answer = self._api.get(path)
        lines = answer["lines"]
        if lines and lines[0][0] > self._seq + 1:
            self._told.say("gap", count=lines[0][0] - self._seq - 1)
        for seq, _time, _container, _stream, text in lines:
            self._seq = seq
            if not self._told.quiet:
                click.echo(text)
        return len(lines) == LINES or "cursor" in answer

    def _steps(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            if step["name"] not in self._ended and step["state"] in STATES:
                self._ended.add(step["name"])
                state = STATES[step["state"]].of(self._told.chinese)
                seconds = _seconds(step["started"], step["finished"])
                self._told.say("step", step=step["name"], state=state, seconds=seconds)


def _follow(api: ServerApi, id: int, told: Teller, as_json: bool) -> int:
    try:
        ended = Follower(api, id, told).to_the_end()
    except KeyboardInterrupt:
        told.say("interrupted", url=f"{api.address}/deployments/{id}")
        return Exit.INTERRUPTED
    except (ServerAway, Refused) as e:
        told.say_plainly(str(e))
        return Exit.AWAY
    if as_json:
        click.echo(json.dumps(ended, ensure_ascii=False))
    state = ended["state"]
    if state == "serving":
        told.say("serving", **ended)
        return Exit.SERVING
    if state == "cancelled":
        told.say_plainly(ended["sentence"] or SAID["cancelled"].of(told.chinese))
        return Exit.CANCELLED
    told.say("failed", kind=ended["class"], sentence=ended["sentence"])
    if ended["previous"]:
        told.say("before", **ended)
    return Exit.FAILED


def _may_begin(plan: Mapping[str, Any], wait: bool) -> None:
    """Raises Refused."""
    if (refused := plan.get("refused")) and not (wait and refused["code"] == "deployment-running"):
        raise Refused(409, refused["code"], refused["detail"])


def _begin(
    api: ServerApi, path: str, body: Mapping[str, Any], folder: Path | None, wait: bool
) -> dict[str, Any]:
    if folder is None:
        begun: dict[str, Any] = api.post(path, {**body, "wait": wait})
        return begun
    with tempfile.TemporaryFile(prefix="cloudbang-") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            tar.add(folder, arcname=".", filter=_sent)
        size = file.tell()
        file.seek(0)
        fields = {"spec": json.dumps(body["spec"]), "team": body["team"]}
        fields["wait"] = "1" if wait else "0"
        sent: dict[str, Any] = api.send(path, Form(fields, "folder", file, size))
    return sent


def _sent(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """What of a folder is sent: files and folders, but for Git's own."""
    if member.name == "./.git" or not (member.isreg() or member.isdir()):
        return None
    return member


def _show_plan(plan: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(plan, ensure_ascii=False))
        return
    for change in plan["changes"]:
        before, after = (json.dumps(change[key], ensure_ascii=False) for key in ("before", "after"))
        click.echo(f"{change['field']}: {before} -> {after}")
    if plan["image_is"] not in (None, "here"):
        click.echo(f"image: {plan['image_is']}")
    if plan["interruption"]:
        click.echo(f"{plan['interruption']}: {', '.join(plan['because'])}")
    for left in plan["not_honoured"]:
        click.echo(f"{left['field']}: {left['reason']}")


def _address(server: str | None) -> str:
    """Where the server is: as said, else where the settings say that it listens."""
    if server:
        if not server.startswith(("http://", "https://")):
            raise click.UsageError(
                f"--server {server}: an address that begins with http:// is meant"
            )
        return server.rstrip("/")
    settings = config.load().server
    host = EVERYWHERE.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host and '[' not in host else host}:{settings.port}"


def _token() -> str:
    token = os.environ.get(TOKEN, "").strip()
    if not token:
        raise NoToken
    return token


def _seconds(started: str | None, finished: str | None) -> str:
    if not started or not finished:
        return "0.0"
    from cloudbang.domain.lines import parse_time

    return f"{(parse_time(finished) - parse_time(started)) / 1e9:.1f}"
