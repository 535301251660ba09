"""``python -m cloudbang deploy`` towards a server that is played; on a real one it is tried in the
tests of deployments."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cloudbang.cli.deploy import TOKEN, Exit, deploy

PLAN = {"changes": [], "interruption": "", "because": [], "not_honoured": [], "image_is": None}
REFUSED = {"code": "deployment-running", "detail": "grace deploys web"}


class Played(ThreadingHTTPServer):
    """Says of each plan why it would be ``refused``; takes every deployment; keeps what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.refused: dict[str, str] | None = None
        self.asked: list[str] = []
        self.bodies: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    server: Played

    def do_GET(self) -> None:
        self._answer(200, {"releases": [], "serving": None, "next": None})

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        what = self.path.rpartition("/")[2]
        self.server.asked.append(f"{what} {self.headers['Content-Type'].partition(';')[0]}")
        if what == "plan":
            self._answer(200, {**PLAN, "refused": self.server.refused})
        else:
            self._answer(202, {"id": 1, "app": "web", "number": 1})

    def _answer(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Played]:
    made = Played()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def run(server: Played, folder: Path, *more: str) -> Result:
    address = f"http://127.0.0.1:{server.server_port}"
    arguments = ["web", str(folder), "--detach", "--server", address, *more]
    return CliRunner().invoke(deploy, arguments, env={TOKEN: "cbt_x", "LANG": "C.UTF-8"})


def test_a_folder_is_not_sent_when_it_would_be_refused(server: Played, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    server.refused = REFUSED
    done = run(server, tmp_path)
    assert done.exit_code == Exit.REFUSED
    assert "grace deploys web" in done.output
    assert server.asked == ["plan application/json"]


def test_who_waits_sends_it_all_the_same(server: Played, tmp_path: Path) -> None:
    """But not where nothing could be deployed afterwards either."""
    server.refused = REFUSED
    assert run(server, tmp_path, "--wait").exit_code == Exit.SERVING
    assert server.asked == ["plan application/json", "deployments multipart/form-data"]
    server.refused = {"code": "swarm-off", "detail": "Swarm is off"}
    assert run(server, tmp_path, "--wait").exit_code == Exit.REFUSED


def test_the_team_of_a_new_app_is_handed_on(server: Played, tmp_path: Path) -> None:
    """Of its plan, and with a folder."""
    assert run(server, tmp_path, "--team", "blue").exit_code == Exit.SERVING
    plan, form = server.bodies
    assert json.loads(plan)["team"] == "blue"
    assert b"name=team\r\n\r\nblue\r\n" in form
