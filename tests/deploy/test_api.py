"""Deploying as programs do: over HTTP, the live socket, webhooks and the command, on a real engine."""

from __future__ import annotations

import hmac
import io
import json
import os
import subprocess
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import httpx
import orjson
import pytest

from cloudbang.deploy.settling import QUIET
from tests.deploy import apps
from tests.deploy.house import machine_engine
from tests.deploy.program import FINAL, Program, folder_of
from tests.support import ROOT, Stopwatch, free_port, patient, wait_until


def test_from_the_click_to_serving(program: Program) -> None:
    """The first line comes at once; the feed has every line once, each state, and the same end as
    the API; who asks meanwhile is told who deploys."""
    begun = program.begin("click", spec=apps.web(program.image, "one"))
    watch = Stopwatch()
    channel = f"deployment/{begun['id']}"
    states: list[dict[str, Any]] = []
    lines: list[list[Any]] = []
    first, until = None, 0
    with program.live() as socket:
        socket.send(orjson.dumps({"op": "subscribe", "channel": channel, "after": 0}).decode())
        while not states or states[-1]["state"] not in FINAL or lines[-1][0] < until - 1:
            heard = orjson.loads(socket.recv(timeout=patient(40)))
            assert heard["channel"] == channel
            if heard["op"] == "lines":
                first = first or watch.seconds
                lines += heard["lines"]
            elif heard["op"] == "deployment":
                states.append(heard["deployment"])
                until = heard["next"]
                if len(states) == 1:
                    body = {"spec": {"image": "a"}}
                    busy = program.http.post("/api/v1/apps/click/deployments", json=body)
                    plan = program.http.post("/api/v1/apps/click/plan", json=body).json()
    assert first is not None
    assert first < 2
    assert (busy.status_code, busy.json()["code"]) == (409, "deployment-running")
    assert (busy.json()["by"], busy.json()["id"]) == ("tests", begun["id"])
    assert plan["refused"]["code"] == "deployment-running"
    assert plan["refused"]["detail"] == busy.json()["detail"]
    assert states[-1]["state"] == "serving", (states[-1], lines)
    assert [row[0] for row in lines] == list(range(1, len(lines) + 1))
    detail = program.get(begun["id"])
    assert [step["state"] for step in detail["steps"]] == ["done"] * len(detail["steps"])
    kept = program.http.get(f"/api/v1/deployments/{begun['id']}/lines").json()
    assert kept["lines"][: len(lines)] == lines
    app = program.http.get("/api/v1/apps/click").json()
    assert app["kind"] == "deployed"


@pytest.mark.slow("a deployment, and a server that is killed once it has begun")
def test_an_app_is_of_the_team_of_who_made_it(program: Program) -> None:
    """Where they may deploy, and nowhere else: also when the server is killed at once. Of two teams
    that want a name at the same moment one gets it, and the other one learns nothing of it."""
    with program.somebody("ben", "blue") as ben, program.somebody("rosa", "red") as rosa:
        begun = ben.begin("bens", spec=apps.web(program.image, "one"))
        program.server.kill()
        program.server.start()
        assert ben.ended(begun["id"])["state"] == "serving", ben.said(begun["id"])
        app = ben.http.get("/api/v1/apps/bens").json()
        assert (app["team"], app["kind"]) == ("blue", "deployed")
        for one in ("bens", f"@deployment-{begun['id']}"):
            assert (program.server.storage / "blue" / one).is_dir()
        for path in (f"/api/v1/deployments/{begun['id']}", "/api/v1/apps/bens"):
            assert rosa.http.get(path).status_code == 404
        refused = program.command("bens", "--team", "red", "--replicas", "2")
        assert (refused.returncode, "blue" in refused.stderr) == (4, True), refused.stderr

        with closing(docker.DockerClient(machine_engine(), version="1.41")) as client:
            volume = client.volumes.create(f"cloudbang-test-{uuid4().hex[:8]}")
            try:
                mounts = {"volumes": [{"name": volume.name, "path": "/data"}]}
                wanted = {"spec": {**apps.web(program.image), **mounts}}
                for call in ("plan", "deployments"):
                    barred = rosa.http.post(f"/api/v1/apps/rosas/{call}", json=wanted)
                    assert (barred.status_code, barred.json()["code"]) == (403, "others-have-it")
                    assert volume.name in barred.json()["detail"]
                asked = program.http.post("/api/v1/apps/admins/plan", json=wanted)
                assert asked.status_code == 200, asked.text
            finally:
                volume.remove()

        body = {"spec": {**apps.spec(program.image, LISTENS="no"), "secrets": {"KEY": "a"}}}
        with ThreadPoolExecutor() as pool:
            answers = list(
                pool.map(
                    lambda who: who.http.post("/api/v1/apps/wanted/deployments", json=body),
                    (ben, rosa),
                )
            )
        first, second = (ben, rosa) if answers[0].status_code == 202 else (rosa, ben)
        assert sorted(one.status_code for one in answers) == [202, 404], answers
        assert second.http.get("/api/v1/deployments?app=wanted").json()["deployments"] == ([])
        (made,) = first.http.get("/api/v1/deployments?app=wanted").json()["deployments"]
        assert len(first.http.get("/api/v1/apps/wanted/releases").json()["releases"]) == 1
        first.http.delete(f"/api/v1/deployments/{made['id']}")
        first.ended(made["id"])


def test_a_key_is_one_deployment(program: Program) -> None:
    """Sent twice, also at once, it begins one."""
    key = {"Idempotency-Key": "key-1"}
    body = {"spec": apps.spec(program.image, LISTENS="no"), "wait": True}
    path = "/api/v1/apps/once/deployments"
    first = program.http.post(path, json=body, headers=key)
    again = program.http.post(path, json=body, headers=key)
    assert (first.status_code, first.json()) == (202, again.json())
    other = program.http.post(path, json=body, headers={"Idempotency-Key": "key-2"})
    assert other.json()["id"] != first.json()["id"]
    for id in (first.json()["id"], other.json()["id"]):
        assert program.http.delete(f"/api/v1/deployments/{id}").status_code in (202, 409)
        program.ended(id)


def test_a_folder_is_built_and_serves(program: Program) -> None:
    """Sent as a form with its tar, and by the command; .git stays here."""
    dockerfile = f"FROM {program.image}\nENV RELEASE=built\nCOPY greeting /greeting\n"
    spec = {k: v for k, v in apps.web(program.image).items() if k != "image"}
    spec["env"] = {}
    form = {"spec": json.dumps({**spec, "build": {}})}
    tar = folder_of(Dockerfile=dockerfile, greeting="hello")
    answer = program.http.post(
        "/api/v1/apps/folder/deployments", data=form, files={"folder": ("f.tar.gz", tar)}
    )
    assert answer.status_code == 202, answer.text
    ended = program.ended(answer.json()["id"])
    lines = program.http.get(f"/api/v1/deployments/{ended['id']}/lines").json()["lines"]
    assert ended["state"] == "serving", (ended, [row[4] for row in lines])
    assert [step["name"] for step in ended["steps"]][:1] == ["build"]
    assert any("COPY greeting" in row[4] for row in lines)


@pytest.mark.slow("a deployment is watched for as long as any is")
def test_the_command_follows_to_the_end(program: Program, tmp_path: Path) -> None:
    """Its exit status says how it ended; the log is on standard output."""
    path = tmp_path / "app.yaml"
    path.write_text(json.dumps(apps.web(program.image, "yaml")))
    done = program.command("cli", str(path))
    assert done.returncode == 0, done.stderr
    assert "release 1 of cli serves" in done.stderr
    assert "health: done after" in done.stderr
    assert "deployment 1 of cli" in done.stdout
    failing = program.command("cli", "-e", "CODE=7", "-e", "RELEASE=bad", "--json")
    assert failing.returncode == 1, failing.stderr
    told = json.loads(failing.stdout)
    assert (told["class"], told["exit_code"]) == ("exited", 7)
    assert "release 1 goes on serving" in failing.stderr
    assert "失败" in program.command("cli", "-e", "CODE=7", environ={"LANG": "zh_CN.UTF-8"}).stderr
    back = program.command("cli", "--release", "1", "--plan", "--json")
    assert (back.returncode, json.loads(back.stdout)["changes"]) == (0, [])


def test_what_the_command_refuses(program: Program, tmp_path: Path) -> None:
    """Says why in one sentence, and with which status."""
    assert program.command("cli", "a b").returncode == 4
    assert program.command("cli", "nginx", environ={"CLOUDBANG_TOKEN": ""}).returncode == 2
    assert program.command("cli", "nginx", environ={"CLOUDBANG_TOKEN": "cbt_no"}).returncode == 4
    assert program.command("nothing").returncode == 2
    assert program.command("cli", "--spec", str(tmp_path / "none.yaml")).returncode == 2
    bad = tmp_path / "bad.yaml"
    bad.write_text("image: [")
    assert program.command("cli", str(bad)).returncode == 2
    nobody = program.command("cli", "nginx", "--server", f"http://127.0.0.1:{free_port()}")
    assert nobody.returncode == 5
    assert "no CloudBang answers" in nobody.stderr


@pytest.mark.slow("twenty pushes within some seconds, and what settles after them")
def test_of_many_pushes_two_are_deployed(program: Program) -> None:
    """The first at once, then the newest; what was asked twice is one; the last one serves."""
    program.ended(program.begin("pushed", spec=apps.web(program.image))["id"])
    hook = program.http.post("/api/v1/apps/pushed/webhooks", json={"kind": "github"}).json()
    ids, told = [], []
    for n in range(20):
        body = json.dumps(
            {"ref": "refs/heads/main", "after": f"{n + 1:040x}", "commits": []}
        ).encode()
        sign = hmac.new(hook["secret"].encode(), body, "sha256").hexdigest()
        headers = {
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": f"delivery-{n // 2}",
            "X-Hub-Signature-256": f"sha256={sign}",
            "Content-Type": "application/json",
        }
        answer = httpx.post(
            program.server.url + hook["path"],
            content=body,
            headers=headers,
            trust_env=False,
            timeout=patient(20),
        )
        assert answer.status_code == 202, answer.text
        assert answer.json()["again"] is bool(n % 2)
        ids.append(answer.json()["id"])
        told.append(time.monotonic())
        time.sleep(0.15)
    assert len(set(ids)) == 10
    ended = [program.ended(id) for id in sorted(set(ids))]
    states = [one["state"] for one in ended]
    assert states[-1] == "serving", ended[-1]
    # Where nothing came for as long as that, on a busy machine, what came last had its turn.
    quiet = sum(later - before >= QUIET * 0.9 for before, later in pairwise(told))
    assert states.count("serving") <= 2 + quiet, states
    assert set(states) == {"serving", "cancelled"}
    assert "newer" in ended[-2]["sentence"]


def test_a_killed_server_is_followed_on(program: Program) -> None:
    """The command asks again until the server is back, and says how it ended."""
    environ = {**program.server.environ, "CLOUDBANG_TOKEN": program.token}
    spec = json.dumps(apps.web(program.image, "killed", LATE="3"))
    with subprocess.Popen(
        [sys.executable, "-m", "cloudbang", "deploy", "killed", "--spec", "-"],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdin
        command.stdin.write(spec)
        command.stdin.close()
        path = "/api/v1/deployments?app=killed&state=running"
        wait_until(lambda: program.http.get(path).json()["deployments"], 30, "it begins", every=0.1)
        program.server.kill()
        program.server.start()
        assert command.wait(patient(60)) == 0, command.stderr.read() if command.stderr else ""


@pytest.mark.slow("200 MB are sent, unpacked and built")
def test_an_upload_in_no_memory(program: Program) -> None:
    """A folder far larger than any other body is sent to disk as it comes."""
    status = Path(f"/proc/{program.server.pid}/status")

    def peak() -> int:
        found = status.read_text().partition("VmHWM:")[2].split()[0]
        return int(found) // 1024

    before = peak()
    size = 200
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        info = tarfile.TarInfo("large")
        info.size = size * 1024 * 1024
        made.addfile(info, io.BytesIO(os.urandom(1024 * 1024) * size))
    answer = program.http.post(
        "/api/v1/apps/large/deployments",
        data={"spec": json.dumps({"build": {}, "prot": 1})},
        files={"folder": ("f.tar", out.getvalue())},
    )
    assert (answer.status_code, answer.json()["field"]) == (422, "prot")
    assert peak() - before < 40, (before, peak())
    assert list((program.server.storage / ".deploy" / "uploads").iterdir()) == []
