"""``python -m cloudbang share``: a command of the host at a one-time link of the running server.

Everything is real: the server, the command with its terminal, the people at their sockets. No
engine is needed, and none is there.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.typing import Subprotocol

from cloudbang.cli.share.program import members
from cloudbang.terminals import pty_receiver, share_pass
from tests.socket_client import open_socket
from tests.support import ROOT, ServerProcess, patient, wait_until
from tests.terminal_support import Person, Terminal, rss

# The clients of ``terminal_sockets`` outlive the block that opens them.
pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")


class Share:
    """``python -m cloudbang share`` as a child; ``link`` is what it printed on standard output."""

    def __init__(self, server: ServerProcess, folder: Path, *arguments: str, **environ: str):
        self.server = server
        self.errors = folder / f"share{len(list(folder.glob('share*')))}.err"
        self.started = time.time()
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cloudbang", "share", *arguments],
                cwd=ROOT,
                env=server.environ | {"LC_ALL": "C.UTF-8"} | environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._link = ""

    @property
    def link(self) -> str:
        if not self._link:
            assert self.process.stdout
            self._link = self.process.stdout.readline().decode().strip()
            assert self._link, self.said()
        return self._link

    @property
    def session(self) -> str:
        return self.link.rpartition("/")[2].partition("#")[0]

    @property
    def key(self) -> str:
        return self.link.partition("#")[2]

    def said(self) -> str:
        """What it printed on standard error."""
        return self.errors.read_text()

    def wait(self, timeout: float = 15.0) -> int:
        return self.process.wait(patient(timeout))

    def open(self, person: Person, **more: Any) -> Terminal:
        """As the page does that the link leads to."""
        return person.back(self.session, key=self.key, **more)

    def refused(self, person: Person, key: str | None = None) -> dict[str, Any]:
        made = Terminal(self.server, person.headers)
        made.say(
            session=self.session, key=key if key is not None else self.key, columns=80, rows=24
        )
        try:
            return made.refused()
        finally:
            made.close()

    def state(self) -> dict[str, Any]:
        """The session as the server has it."""
        found = self.server.get(f"/api/v1/terminals/{self.session}")
        assert isinstance(found, dict)
        return found

    def ended(self) -> dict[str, Any]:
        return wait_until(lambda: (s := self.state())["state"] == "ended" and s, 15, "the end")

    @property
    def program(self) -> int:
        """The process that runs the command: the leader of a process session of its own."""
        own = command_of(self.process.pid)  # which its guard has, too

        def found() -> int:
            mine = (c for c in children(self.process.pid) if session_of(c) == c)
            return next((c for c in mine if command_of(c) not in (own, b"")), 0)

        return wait_until(found, what="the command to run")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(patient(10))
        assert self.process.stdout
        self.process.stdout.close()


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def session_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[3])
    except OSError:
        return 0


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server without an engine: none is needed."""
    folder = tmp_path_factory.mktemp("share")
    one = ServerProcess(folder, {"DOCKER_HOST": f"unix://{folder}/none.sock"}).start()
    yield one
    one.close()


@pytest.fixture(scope="module")
def admin(server: ServerProcess) -> Iterator[Person]:
    with Person(server) as one:
        yield one


@pytest.fixture(scope="module")
def ada(admin: Person) -> Iterator[Person]:
    with admin.account("ada") as one:
        yield one


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Person]]:
    """A server to which no terminal can be handed over, as from another mount namespace; and
    somebody there."""
    folder = tmp_path_factory.mktemp("apart")
    one = ServerProcess(folder, {"DOCKER_HOST": f"unix://{folder}/none.sock"}).start()
    way = one.storage / pty_receiver.FILE
    wait_until(way.exists, what="terminals to be taken, which is later than the page is there")
    way.unlink()
    with Person(one) as admin:
        yield one, admin
    one.close()


ShareFactory = Callable[..., Share]


@pytest.fixture
def share(server: ServerProcess, tmp_path: Path) -> Iterator[ShareFactory]:
    """Share commands: ``share("-w", "sh")``. What still runs in the end is ended."""
    made: list[Share] = []

    def make(*arguments: str, of: ServerProcess = server, **environ: str) -> Share:
        made.append(Share(of, tmp_path, *arguments, **environ))
        return made[-1]

    yield make
    for one in made:
        one.close()


# --- what people see -----------------------------------------------------------------------------


def test_the_link_shows_the_command(
    share: ShareFactory, server: ServerProcess, ada: Person
) -> None:
    """Standard output has the link alone; whoever opens it reads what was printed so far."""
    one = share("sh", "-c", "echo hello from the host; read x")
    assert one.link.startswith(f"{server.url}/terminals/")
    page = one.open(ada)
    page.wait_for("hello from the host")
    told = page.attached["session"]
    assert (told["kind"], told["app"], told["container"]) == ("share", "", "")
    assert told["command"] == ["sh", "-c", "echo hello from the host; read x"]
    assert told["account"].partition("@")[2]
    assert page.attached["mode"] == "watch"
    page.close()


def test_read_only_refuses_typing(share: ShareFactory, ada: Person, tmp_path: Path) -> None:
    """Without -w nothing that is typed reaches the command, whatever the page sends."""
    typed = tmp_path / "typed"
    one = share("sh", "-c", f'echo ready; read x; echo "$x" > {typed}')
    page = one.open(ada)
    page.wait_for("ready")
    page.send(b"forbidden\n")
    page.say("ping")
    page.wait_op("pong")
    page.resume()
    admin = one.open(ada)  # again, from another tab
    admin.send(b"forbidden\n")
    admin.say("ping")
    admin.wait_op("pong")
    assert one.process.poll() is None
    assert not typed.exists()
    assert b"forbidden" not in page.output
    page.close()
    admin.close()


def names(leader: int) -> set[str]:
    """The names of the programs of a process session, as they are once they run."""
    found = set()
    for pid in members(leader):
        try:
            found.add(Path(f"/proc/{pid}/comm").read_text().strip())
        except OSError:
            continue  # it has ended meanwhile
    return found


def has_terminal(server: ServerProcess) -> bool:
    """Whether the server itself has the terminal of a program."""
    descriptors = Path(f"/proc/{server.pid}/fd")
    return any(os.readlink(one) == "/dev/ptmx" for one in descriptors.iterdir())


def test_the_terminal_is_handed_over(
    share: ShareFactory, server: ServerProcess, ada: Person
) -> None:
    """No second process is on the way of a key; the server lets go of it at the end."""
    one = share("-w", "sh")
    page = one.open(ada)
    page.ready()
    assert has_terminal(server)
    page.type("exit\n")
    page.ended()
    assert one.wait() == 0
    wait_until(lambda: not has_terminal(server), what="the terminal to be let go")


def test_with_w_the_guest_types(share: ShareFactory, ada: Person) -> None:
    """Keys, ^C, much at once: a shell of the host answers."""
    answers(share("-w", "sh"), ada)


def test_a_terminal_that_cannot_be_handed_over_is_shown_through_the_command(
    share: ShareFactory, apart: tuple[ServerProcess, Person]
) -> None:
    """The same, the tail and the window, with all of it through the command's own connection."""
    server, admin = apart
    answers(share("-w", "sh", of=server), admin)
    assert not has_terminal(server)
    one = share("-w", "sh", "-c", "stty size; read x; stty size; seq 1 20000; exit 7", of=server)
    page = one.open(admin, columns=101, rows=31)
    wait_until(lambda: one.state()["columns"] == 101, what="the size")
    page.type("\n")
    assert page.ended()["code"] == 7
    wanted = "31 101\r\n" + "".join(f"{n}\r\n" for n in range(1, 20001))
    assert bytes(page.output).endswith(wanted.encode())
    assert one.wait() == 7


def answers(one: Share, person: Person) -> None:
    page = one.open(person)
    assert page.attached["mode"] == "type"
    page.ready()
    assert page.run("echo $((6 * 7))") == "42\n"
    page.type("sleep 1000\n")
    wait_until(lambda: "sleep" in names(one.program), what="sleep to run")
    page.type(b"\x03")
    assert page.run("echo $?").endswith("130\n")
    much = bytes(random.Random(3).choices(b"0123456789abcdef\n", k=700_000))
    page.type(f"stty raw -echo; echo go''on; head -c {len(much)} | md5sum; stty sane\n")
    page.wait_for("goon")
    page.type(much)
    page.wait_for(hashlib.md5(much).hexdigest(), 30)
    page.wait_written()
    page.type("exit 5\n")
    assert page.ended()["code"] == 5
    assert one.wait() == 5


@pytest.mark.parametrize("program", [["seq", "1", "20000"], ["sh", "-c", "seq 1 20000; exit 7"]])
def test_the_tail_and_the_exit_status(share: ShareFactory, ada: Person, program: list[str]) -> None:
    """Every byte of the output, then the exit status: to the page, the list and the caller."""
    one = share(*program)
    status = 7 if "sh" in program else 0
    assert one.wait() == status
    page = one.open(ada)  # which comes late: what was printed is kept for a while
    assert page.ended()["code"] == status
    wanted = "".join(f"{n}\r\n" for n in range(1, 20001)).encode()
    assert bytes(page.output) == wanted
    assert (one.state()["reason"], one.state()["exit_code"]) == ("exit", status)


def test_what_a_signal_ended(share: ShareFactory) -> None:
    """128 and the number of the signal, as shells say it."""
    one = share("sh", "-c", "kill -TERM $$")
    assert one.wait() == 128 + signal.SIGTERM


def test_the_window_reaches_the_program(share: ShareFactory, ada: Person) -> None:
    """The program has the size of the page, and hears of it when that changes."""
    one = share("-w", "sh")
    page = one.open(ada, columns=101, rows=31)
    page.ready()
    assert page.size() == "31 101"
    page.run("trap 'echo changed' WINCH")
    page.say("resize", columns=90, rows=20)
    page.wait_op("size", columns=90, rows=20)
    wait_until(lambda: page.size() == "20 90", what="the new size")
    page.wait_for("changed")
    page.close()


def test_the_title_is_shown(share: ShareFactory, ada: Person) -> None:
    """--title names the session; options after the command are the command's."""
    one = share("--title", "the report", "sh", "-c", "read x", "-w", "--title", "no")
    assert one.state()["title"] == "the report"
    assert one.state()["command"] == ["sh", "-c", "read x", "-w", "--title", "no"]


# --- who may ---------------------------------------------------------------------------------------


def test_the_link_is_good_once(share: ShareFactory, admin: Person, ada: Person) -> None:
    """The first account has it, and may come back; for others it is used up."""
    one = share("sh", "-c", "echo hello; read x")
    bob = admin.account("bob")
    assert one.refused(ada, "nonsense")["code"] == "no-such-terminal"
    first = one.open(ada)
    first.wait_for("hello")
    first.close()
    for late in (bob, admin):
        refusal = one.refused(late)
        assert refusal["code"] == "link-used"
        assert "somebody has used it" in refusal["message"]
    again = one.open(ada)
    again.wait_for("hello")
    again.close()
    bob.client.close()


def route(server: ServerProcess, secret: str, **headers: str) -> ClientConnection:
    """Its socket; a pass has been answered with the proof, which nobody here looks at."""
    socket = open_socket(
        f"ws://127.0.0.1:{server.port}/terminal_share",
        subprotocols=[Subprotocol("cloudbang.share.v1")],
        additional_headers=headers or {"Authorization": f"Bearer {secret}"},
        compression=None,
        legacy=True,
    )
    if secret.startswith("cbs_"):
        assert json.loads(socket.recv(timeout=patient(10)))["op"] == "proof"
    return socket


def says(socket: ClientConnection, first: Any) -> tuple[dict[str, Any], int | None]:
    """The answer to a first message, and the close code after it."""
    with socket:
        socket.send(json.dumps(first) if not isinstance(first, bytes) else first)
        answer = json.loads(socket.recv(timeout=patient(10)))
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=patient(10))
        return answer, socket.close_code


def closing_code(socket: ClientConnection) -> int | None:
    """The code that it is closed with, whatever else comes before."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=patient(10))
    return socket.close_code


def a_pass(server: ServerProcess, now: float | None = None, *, asked: bool = True) -> str:
    """``asked``: the server has signed its nonce, as it does for whoever asks."""
    key = share_pass.read_key(server.storage)
    assert key
    nonce = share_pass.new_nonce()
    if asked:
        with pytest.raises(InvalidStatus) as refused:
            route(server, "", **{share_pass.NONCE_HEADER: nonce})
        answer = refused.value.response
        proof = share_pass.proof(key, nonce, server.port, share_pass.FIRST)
        assert (answer.status_code, answer.headers[share_pass.PROOF_HEADER]) == (401, proof)
    return share_pass.make(key, "me@here", time.time() if now is None else now, nonce)


def test_the_door_is_for_who_reads_the_data_folder(server: ServerProcess, admin: Person) -> None:
    """Not for people's own tokens, be they admins; not for a pass that is old or was used."""
    share = {"op": "share", "command": ["true"]}
    mine = admin.made("/tokens", {"name": "mine", "role": "admin"})["token"]
    for secret in (mine, admin.client.cookies.get("cloudbang_session") or ""):
        answer, code = says(route(server, secret), share)
        assert (answer["op"], answer["code"], code) == ("error", "not-allowed", 4403)
    for stale in (-100, 100):
        with pytest.raises(Exception, match="401"):
            route(server, a_pass(server, time.time() + stale))
    with pytest.raises(Exception, match="401"):
        route(server, a_pass(server, asked=False))
    once = a_pass(server)
    with pytest.raises(Exception, match="401"):
        route(server, once[:-1] + ("0" if once[-1] != "0" else "1"))
    socket = route(server, once)
    socket.send(json.dumps(share))
    assert json.loads(socket.recv(timeout=patient(10)))["op"] == "shared"
    answer, code = says(route(server, once), share)
    assert (answer["op"], code) == ("error", 4403)
    socket.close()


@pytest.mark.parametrize(
    "first",
    [
        b"\xff",
        [],
        {"op": "nonsense"},
        {"op": "share"},
        {"op": "share", "command": []},
        {"op": "share", "command": "ls"},
        {"op": "share", "command": ["ls", 1]},
        {"op": "share", "command": ["x" * 70_000]},
        {"op": "share", "command": ["ls"], "title": 7},
    ],
)
def test_bad_first_messages_are_refused(server: ServerProcess, first: Any) -> None:
    """With a sentence and 4403; no session is made."""
    answer, code = says(route(server, a_pass(server)), first)
    assert (answer["op"], code) == ("error", 4403)
    assert answer["message"]


def test_a_revoked_token_ends_its_share(server: ServerProcess) -> None:
    """A token of the command line may share, too; once revoked its socket is closed with 4401."""
    secret = server.command("token", "create", "sharing").stdout.strip()
    asks = {"Authorization": f"Bearer {secret}"}
    wait_until(lambda: server.client.get("/api/v1/me", headers=asks).status_code == 200)
    socket = route(server, secret)
    socket.send(json.dumps({"op": "share", "command": ["x"]}))
    assert json.loads(socket.recv(timeout=patient(10)))["op"] == "shared"
    server.command("token", "revoke", "sharing")
    assert closing_code(socket) == 4401


def test_nothing_secret_is_left_about(share: ShareFactory, server: ServerProcess) -> None:
    """Not in the arguments, not in the log, not in what the program finds around it; and no token
    is made that could be forgotten."""
    one = share("sh", "-c", "env; read x")
    key = share_pass.read_key(server.storage)
    assert key
    arguments = command_of(one.process.pid)
    around = Path(f"/proc/{one.program}/environ").read_text()
    for text in (arguments.decode(), around, server.said(100_000), one.said()):
        assert share_pass.PREFIX not in text
        assert key.hex() not in text
        assert one.key not in text
    assert server.password not in around
    assert "TERM=xterm-256color" in around
    assert "me@" not in server.command("token", "list").stdout


# --- how it ends -----------------------------------------------------------------------------------

STUBBORN = "trap '' HUP TERM INT; sleep 1000 & echo ready; while :; do sleep 1; done"


def started(one: Share, person: Person) -> tuple[Terminal, int]:
    """A share whose command has said that it is ready; its process session."""
    page = one.open(person)
    page.wait_for("ready")
    leader = one.program
    assert members(leader)
    return page, leader


def gone(leader: int) -> None:
    """All of a process session have ended; where they have not: what they are, and who shares still."""
    try:
        wait_until(lambda: not members(leader), 6, "the processes to end")
    except AssertionError as error:
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                pid, command = int(folder.name), command_of(int(folder.name))
                if session_of(pid) == leader or b"cloudbang\0share" in command:
                    error.add_note(f"{command!r} {(folder / 'stat').read_text()}")
        raise


def test_killed_it_leaves_nothing(share: ShareFactory, ada: Person) -> None:
    """kill -9: the session ends, and so does every process, even those that ignore SIGHUP."""
    one = share("-w", "sh", "-c", STUBBORN)
    page, leader = started(one, ada)
    os.killpg(one.process.pid, signal.SIGKILL)
    assert page.ended()["reason"] == "command-ended"
    gone(leader)
    assert one.ended()["reason"] == "command-ended"


def test_the_watchdog_is_there_before_anything_runs() -> None:
    """Who kills the whole process group the moment a share begins does not kill its watchdog."""
    code = (
        "import os; from cloudbang.cli.share.program import Watchdog\n"
        "one = Watchdog(); print(os.getsid(one.pid) == one.pid); one.dismiss()"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert ran.stdout == b"True\n"


def test_ctrl_c_ends_the_command(share: ShareFactory, ada: Person) -> None:
    """As a person ends a share; the page sees the end, the caller 130."""
    one = share("sh", "-c", STUBBORN)
    page, leader = started(one, ada)
    one.process.send_signal(signal.SIGINT)
    assert one.wait() == 130
    assert not members(leader)
    page.ended()
    assert not children_of_dead(one)


def children_of_dead(one: Share) -> list[int]:
    """Processes of the session that the command line itself led."""
    return members(one.process.pid)


def test_ended_on_the_server(share: ShareFactory, admin: Person, ada: Person) -> None:
    """An admin ends the session: the command hears of it, ends its program and says so."""
    one = share("sh", "-c", STUBBORN)
    page, leader = started(one, ada)
    assert admin.ask("DELETE", f"/terminals/{one.session}").status_code == 204
    assert not members(leader)
    page.ended()
    assert one.wait() == 128 + signal.SIGKILL
    assert "ended on the server" in one.said()


def test_what_it_leaves_running_ends_with_it(share: ShareFactory) -> None:
    """A job in the background does not outlive the command."""
    one = share("sh", "-c", "trap '' HUP; sleep 1000 & echo $!; sleep 0.2; exit 4")
    leader = one.program
    assert one.wait() == 4
    assert not members(leader)
    assert one.ended()["exit_code"] == 4


def test_who_signs_out_ends_nothing(share: ShareFactory, admin: Person) -> None:
    """A guest's sign-out closes their socket; the share goes on."""
    one = share("sh", "-c", "echo ready; read x")
    with admin.account("carol") as carol:
        page = one.open(carol)
        page.wait_for("ready")
        carol.ask("DELETE", "/session")
        assert page.wait_closed() == 4401
    assert one.state()["state"] == "running"
    assert one.process.poll() is None


def reason_of(server: ServerProcess, share: Share) -> str | None:
    """Why the session ended, from the audit list of a server that need not run."""
    database = sqlite3.connect(server.storage / "cloudbang.db")
    try:
        found = database.execute("SELECT reason FROM terminals WHERE session = ?", (share.session,))
        return str(found.fetchone()[0])
    finally:
        database.close()


@pytest.mark.parametrize(
    ("end", "said", "reason"),
    [("terminate", "has stopped", "server-stopped"), ("kill", "is lost", "server-lost")],
)
def test_the_server_stops(
    share: ShareFactory, tmp_path: Path, end: str, said: str, reason: str
) -> None:
    """The command says so, ends its program and gives 1; the audit list has the reason, after a
    kill from the next start on."""
    own = ServerProcess(tmp_path, {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}).start()
    try:
        one = share("sh", "-c", STUBBORN, of=own)
        with Person(own) as person:
            page, leader = started(one, person)
            getattr(own, end)()
            assert one.wait() == 1
            assert not members(leader)
            assert said in one.said()
            page.drop()
        if end == "kill":
            own.start()
        wait_until(lambda: reason_of(own, one) == reason, what=reason)
    finally:
        own.close()


# --- much of it ------------------------------------------------------------------------------------


def test_a_flood_with_a_stuck_guest_stays_bounded(
    share: ShareFactory, server: ServerProcess, ada: Person
) -> None:
    """Who types sets the pace: when their page is stuck the program waits, nothing piles up, and
    ^C still reaches it."""
    one = share("-w", "sh")
    page = one.open(ada)
    page.ready()
    before = {pid: rss(pid) for pid in (server.pid, one.process.pid)}
    page.acks = False
    page.type("yes flooding\n")
    page.wait_for("flooding\r\nflooding")
    wait_until(lambda: stalled(page), 20, "the flood to stop at the window", every=0.5)
    for pid, size in before.items():
        assert rss(pid) - size < 20_000_000
    page.type(b"\x03")
    wait_until(
        lambda: not [p for p in members(one.program) if command_of(p).startswith(b"yes")],
        10,
        "^C to reach it",
    )
    page.acks = True
    page.ack()
    page.ready(20)
    page.close()


def stalled(page: Terminal) -> bool:
    seen = page.position
    time.sleep(0.4)
    return page.position == seen


def test_a_flood_that_nobody_reads_costs_nothing(
    share: ShareFactory, server: ServerProcess, ada: Person
) -> None:
    """Who only watches slows nobody: a stuck watcher skips, and the program runs to its end."""
    one = share("sh", "-c", "read x < /dev/null; sleep 1; seq 1 3000000; echo at last")
    page = one.open(ada)
    page.acks = False
    before = rss(server.pid)
    assert one.wait(patient(60)) == 0
    assert rss(server.pid) - before < 30_000_000
    page.acks = True
    page.ack()
    page.wait_for("at last", 20)
    assert page.skipped > 0


# --- what can be wrong -----------------------------------------------------------------------------


def test_no_server(share: ShareFactory, server: ServerProcess, tmp_path: Path) -> None:
    """A sentence and 1: nobody listens, or another data folder is served; nothing is run."""
    ran = tmp_path / "ran"
    one = share("touch", str(ran), CLOUDBANG_SERVER_PORT="1")
    assert one.wait() == 1
    assert "no CloudBang answers at 127.0.0.1:1" in one.said()
    nowhere = tmp_path / "nowhere"
    one = share("touch", str(ran), CLOUDBANG_STORAGE_PATH=str(nowhere))
    assert one.wait() == 1
    assert f"{nowhere} is not the data folder" in one.said()
    assert not nowhere.exists()
    other = ServerProcess(tmp_path, {"CLOUDBANG_STORAGE_PATH": str(tmp_path / "other")})
    assert other.command("token", "list").returncode == 0
    with_key = tmp_path / "other" / "cloudbang.db"
    give_key(with_key)
    one = share("touch", str(ran), CLOUDBANG_STORAGE_PATH=str(tmp_path / "other"))
    assert one.wait() == 1
    assert "does not prove that it is the CloudBang of the data folder" in one.said()
    assert not ran.exists()
    for said in (one.said(),):
        assert len(said.strip().splitlines()) == 1


class FalseServer:
    """Somebody who listens where the server would, and keeps what they are shown. ``answers``: what
    they say, by the number of the connection, after the head of a request."""

    def __init__(self, *answers: Callable[[str], bytes]) -> None:
        self.shown: list[str] = []
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for answer in self._answers:
            with self._listener.accept()[0] as sock:
                sock.settimeout(patient(10))
                asked = sock.recv(65536).decode()
                self.shown.append(asked)
                with contextlib.suppress(OSError):
                    sock.sendall(answer(asked))
                    while more := sock.recv(65536):
                        self.shown.append(more.decode("latin-1"))

    def close(self) -> None:
        self._listener.close()


def accepts(asked: str, *messages: dict[str, Any]) -> bytes:
    """The answer to a handshake, and messages after it."""
    key = re.search(r"Sec-WebSocket-Key: (\S+)", asked)
    assert key
    guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    digest = base64.b64encode(hashlib.sha1((key[1] + guid).encode()).digest()).decode()
    head = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {digest}\r\nSec-WebSocket-Protocol: cloudbang.share.v1\r\n\r\n"
    )
    texts = [json.dumps(message).encode() for message in messages]
    return head.encode() + b"".join(bytes([0x81, len(text)]) + text for text in texts)


SHARED = {"op": "shared", "session": "0" * 16, "url": "/\x1b[31m/x"}


def refuses(asked: str) -> bytes:
    proof = "0" * 64
    return f"HTTP/1.1 401 No\r\nX-CloudBang-Proof: {proof}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    "answer",
    [accepts, lambda asked: accepts(asked, {"op": "proof", "proof": "x"}, SHARED), refuses],
)
def test_who_only_listens_on_the_port_is_shown_nothing(
    share: ShareFactory, server: ServerProcess, tmp_path: Path, answer: Callable[[str], bytes]
) -> None:
    """Anybody may, while the server does not run: no pass, no command, nothing is started."""
    ran = tmp_path / "ran"
    false = FalseServer(answer)
    one = share("-w", "touch", str(ran), CLOUDBANG_SERVER_PORT=str(false.port))
    assert one.wait() == 1
    false.close()
    assert "does not prove that it is the CloudBang" in one.said()
    assert "was shown nothing" in one.said()
    assert "cbs_" not in "".join(false.shown)
    assert not ran.exists()


def test_who_has_it_proven_elsewhere_is_believed_nowhere(
    share: ShareFactory, server: ServerProcess, tmp_path: Path
) -> None:
    """Somebody who asks the server that runs on another port; or who takes its place just when the
    pass is shown: nothing is started, and the pass is good for nobody else."""
    key = share_pass.read_key(server.storage)
    assert key
    ran = tmp_path / "ran"

    def relays(asked: str) -> bytes:
        with socket.create_connection(("127.0.0.1", server.port)) as real:
            real.sendall(asked.encode())
            with real.makefile("rb") as answer:
                return answer.read()

    false = FalseServer(relays)
    one = share("touch", str(ran), CLOUDBANG_SERVER_PORT=str(false.port))
    assert one.wait() == 1
    false.close()
    assert "cbs_" not in "".join(false.shown)

    def proves(asked: str) -> bytes:
        nonce = re.search(r"X-CloudBang-Nonce: (\S+)", asked)
        assert nonce
        proof = share_pass.proof(key, nonce[1], false.port, share_pass.FIRST)
        return (
            f"HTTP/1.1 401 No\r\nX-CloudBang-Proof: {proof}\r\nContent-Length: 0\r\n\r\n".encode()
        )

    false = FalseServer(proves, lambda asked: accepts(asked, {"op": "proof", "proof": "x"}, SHARED))
    one = share("-w", "touch", str(ran), CLOUDBANG_SERVER_PORT=str(false.port))
    assert one.wait() == 1
    false.close()
    shown = "".join(false.shown)
    secret = re.search(r"Bearer (cbs_\S+)", shown)
    assert secret
    assert '"op": "share"' not in shown
    with pytest.raises(Exception, match="401"):
        route(server, secret[1])
    assert not ran.exists()


def give_key(database: Path) -> None:
    """As the first start of a server does."""
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO settings VALUES ('signing_key', ?)", ("ab" * 32,))
    connection.close()


def test_no_such_program(share: ShareFactory, tmp_path: Path) -> None:
    """127, and nothing is shared; 126 for what is no program."""
    one = share("there-is-no-such-program")
    assert one.wait() == 127
    assert "there-is-no-such-program cannot be started" in one.said()
    text = tmp_path / "text"
    text.write_text("no program")
    assert share(str(text)).wait() == 126
    text.chmod(0o755)
    one = share(str(text))
    assert one.wait() == 126
    assert one.ended()["exit_code"] == 126


def test_in_chinese(share: ShareFactory) -> None:
    """What it says follows the terminal's language."""
    one = share("true", LC_ALL="zh_CN.UTF-8")
    assert one.wait() == 0
    assert "按 Ctrl+C 结束" in one.said()
