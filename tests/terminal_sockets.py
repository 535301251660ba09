"""The sockets of ``terminal_support``: read in threads of their own."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import threading
import time
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.socket_client import open_socket
from tests.support import ServerProcess, patient, wait_until

PROTOCOL = "cloudbang.tty.v1"
MIB = 1024 * 1024
INPUT_WINDOW = MIB  # bytes of input that a client keeps unconfirmed, at most


def new_client() -> str:
    """A name for a tab."""
    return f"tab-{secrets.token_hex(6)}"


class Reading:
    """A connection that is read in a thread; ``pause`` and ``resume`` say whether."""

    def __init__(
        self,
        server: ServerProcess,
        headers: dict[str, str],
        subprotocols: list[str],
        path: str,
    ) -> None:
        self.socket: ClientConnection = open_socket(
            f"ws://127.0.0.1:{server.port}{path}",
            subprotocols=subprotocols or None,  # type: ignore[arg-type]
            additional_headers=headers,
            user_agent_header="tests",
            compression=None,
            legacy=True,
            max_size=None,
            max_queue=4,
            close_timeout=2,
        )
        self._go = threading.Event()
        self._go.set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.output = bytearray()
        self.closed = False

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                self._go.wait()
                self._take(self.socket.recv())
        except (ConnectionClosed, OSError, EOFError):
            pass
        finally:
            self.closed = True

    def _take(self, message: str | bytes) -> None:
        raise NotImplementedError

    def pause(self) -> None:
        """Stop reading: what the kernel and the package hold fills up, then the server waits."""
        self._go.clear()

    def resume(self) -> None:
        self._go.set()

    @property
    def close_code(self) -> int | None:
        return self.socket.close_code if self.closed else None

    def wait_closed(self, timeout: float = 10.0) -> int | None:
        """Wait for the server's close; its code."""
        wait_until(lambda: self.closed, timeout, "the socket to be closed")
        return self.socket.close_code

    def wait_for(self, text: str | bytes, timeout: float = 10.0, start: int = 0) -> int:
        """Wait until the output (from byte ``start`` of it on) has this text; where it ends."""
        wanted = text.encode() if isinstance(text, str) else text
        began = time.monotonic()
        seen = start
        while True:
            over = self.closed  # nothing comes after that: before the last look, not after it
            size = len(self.output)
            at = self.output.find(wanted, max(start, seen - len(wanted)))
            if at >= 0:
                return at + len(wanted)
            seen = size
            waited = time.monotonic() - began
            ended = over or waited >= patient(timeout)
            assert not ended, (
                f"waited {waited:.3g} s in vain for {wanted!r}; {size:,} bytes came, at the end "
                f"{bytes(self.output[-500:])!r}; closed: {self.closed} ({self.socket.close_code})"
                f"{self.said()}"
            )
            time.sleep(0.005)

    def said(self) -> str:
        """What else was heard, for who waited in vain."""
        return ""

    def close(self) -> None:
        """Hang up as a closed tab does."""
        self.resume()
        self.socket.close()
        self._thread.join(5)

    def drop(self) -> None:
        """The network is gone: cut, without a word."""
        self.resume()
        with contextlib.suppress(OSError):
            self.socket.socket.shutdown(2)
        self._thread.join(5)
        self.close()


class Terminal(Reading):
    """A page of ``cloudbang.tty.v1``.

    ``output`` is all that came, from byte ``start`` of the session's output on; ``position`` is the
    offset of the next byte. ``heard`` are the messages in the order they came. ``cut`` are binary
    messages that do not decode as UTF-8. With ``acks=False`` nothing is confirmed.
    """

    def __init__(
        self,
        server: ServerProcess,
        headers: dict[str, str],
        *,
        acks: bool = True,
        path: str = "/docker_console",
    ) -> None:
        super().__init__(server, headers, [PROTOCOL], path)
        assert self.socket.subprotocol == PROTOCOL
        self.acks = acks
        self.heard: list[dict[str, Any]] = []
        self.cut: list[bytes] = []
        self.skipped = 0
        self.resets: list[int] = []  # places in ``output`` where a cleared screen began
        self.start_offset = self.position = self.acked = 0
        self.typed = self.confirmed = 0  # offsets of input
        self.largest = 0  # bytes of the largest binary message
        self.start()

    # -- what comes -------------------------------------------------------------------------------

    def said(self) -> str:
        return f"; heard {self.heard[-4:]}"

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.output += message
            self.position += len(message)
            self.largest = max(self.largest, len(message))
            try:
                message.decode()
            except UnicodeDecodeError:
                self.cut.append(message)
            if self.acks and self.position - self.acked >= self.window // 4:
                self.ack()
            return
        heard = json.loads(message)
        if heard["op"] in ("attached", "reset"):
            self._moved(heard)
        elif heard["op"] == "input":
            self.confirmed = heard["offset"]
        self.heard.append(heard)

    def _moved(self, heard: dict[str, Any]) -> None:
        if heard["op"] == "attached":
            self.start_offset = heard["offset"]
            self.typed = self.confirmed = heard["input"]
        if heard["op"] == "reset" or heard["reset"]:
            self.resets.append(len(self.output))
        self.skipped += heard.get("skipped", 0)
        self.position = self.acked = heard["offset"]

    def ops(self, op: str) -> list[dict[str, Any]]:
        """The messages of one kind, oldest first."""
        return [one for one in list(self.heard) if one["op"] == op]

    def wait_op(self, op: str, timeout: float = 15.0, after: int = 0, **fields: Any) -> Any:
        """The first message of this kind with these fields, from number ``after`` of ``heard`` on."""
        began = time.monotonic()
        while True:
            closed = self.closed  # asked before what was heard is looked at: nothing comes after it
            for one in list(self.heard)[after:]:
                if one["op"] == op and all(one.get(k) == v for k, v in fields.items()):
                    return one
            may_come = not closed and time.monotonic() - began < patient(timeout)
            assert may_come, (
                f"no {op} {fields or ''} within {timeout:g} s; heard {self.heard[-8:]}, "
                f"closed: {self.closed} ({self.socket.close_code}); "
                f"output ends {bytes(self.output[-300:])!r}"
            )
            time.sleep(0.005)

    @property
    def attached(self) -> dict[str, Any]:
        return self.ops("attached")[0]

    @property
    def session(self) -> str:
        return str(self.attached["session"]["id"])

    @property
    def window(self) -> int:
        """Bytes that may come beyond the last ack."""
        found = self.ops("attached")
        return int(found[0]["window"]) if found else 4 * 65536

    def ended(self, timeout: float = 15.0) -> dict[str, Any]:
        """Wait for the end, and for the close with 1000 after it; the message."""
        found = wait_until(lambda: self.ops("ended"), timeout, f"the end; heard {self.heard[-5:]}")
        assert self.wait_closed() == 1000
        return found[0]

    def refused(self, timeout: float = 15.0) -> dict[str, Any]:
        """Wait for a refusal, and for the close with 4403 after it; the message."""
        found = wait_until(
            lambda: self.ops("error"), timeout, f"a refusal; heard {self.heard[-5:]}"
        )
        code = self.wait_closed()
        assert code == 4403, (code, self.heard[-5:])
        assert found[-1]["code"], found
        assert found[-1]["message"], found
        return found[-1]

    # -- what is said -----------------------------------------------------------------------------

    def say(self, op: str | None = None, **fields: Any) -> None:
        """A message; without ``op`` only its fields."""
        self.send(json.dumps({"op": op, **fields} if op else fields))

    def send(self, message: str | bytes) -> None:
        """Anything, as it is."""
        self.socket.send(message)

    def ack(self) -> None:
        self.acked = offset = self.position  # which goes on meanwhile, in the thread that reads
        with contextlib.suppress(ConnectionClosed):
            self.say("ack", offset=offset)

    def type(self, data: str | bytes, timeout: float = 60.0) -> None:
        """Input, in messages of at most 1 MiB, of which at most 1 MiB is unconfirmed at a time."""
        left = memoryview(data.encode() if isinstance(data, str) else data)
        while left:
            room = INPUT_WINDOW - (self.typed - self.confirmed)
            if room < min(len(left), INPUT_WINDOW // 4):
                self._wait_room(min(len(left), INPUT_WINDOW // 4), timeout)
                continue
            part, left = left[:room], left[room:]
            self.typed += len(part)
            self.send(bytes(part))

    def _wait_room(self, room: int, timeout: float) -> None:
        wait_until(
            lambda: self.closed or INPUT_WINDOW - (self.typed - self.confirmed) >= room,
            timeout,
            f"input to be confirmed: {self.typed:,} typed, {self.confirmed:,} confirmed",
            every=0.002,
        )
        assert not self.closed, f"closed with {self.socket.close_code} while typing"

    def wait_written(self, timeout: float = 60.0) -> None:
        """Wait until all that was typed is confirmed."""
        wait_until(lambda: self.confirmed >= self.typed, timeout, "input to be confirmed")

    def run(self, command: str, timeout: float = 10.0) -> str:
        """Type a command line into a shell; what it printed, without the echo and the prompt."""
        mark = secrets.token_hex(6)
        start = len(self.output)
        # The mark is written in two parts, so that its echo is not taken for its output.
        self.type(f"{command}; echo {mark[:6]}''{mark[6:]}\n")
        end = self.wait_for(mark, timeout, start)
        said = bytes(self.output[start : end - len(mark)]).decode(errors="replace")
        # Its next prompt belongs to this command; a shell that has ended gives none.
        until = time.monotonic() + patient(2)
        while not self.closed and time.monotonic() < until and not self.output[end:].strip():
            time.sleep(0.005)
        return said.partition("\n")[2].replace("\r\n", "\n")

    def ready(self, timeout: float = 10.0) -> Terminal:
        """Wait until the shell answers."""
        assert self.run("echo up", timeout).strip().endswith("up")
        return self

    def size(self) -> str:
        """What the shell says of its window: rows and columns, as ``stty size`` has them. One that
        has only just begun may not have any yet."""
        return wait_until(self._size, what="a size of the window")

    def _size(self) -> str:
        said = self.run("stty size").strip().splitlines()[-1]
        return said if re.fullmatch(r"\d+ \d+", said) else ""


class Console(Reading):
    """The console page of 2017: texts whose first character says what they are.

    ``output`` is decoded; ``others`` has what is not output, in the order it came.
    """

    def __init__(
        self,
        server: ServerProcess,
        headers: dict[str, str],
        first: dict[str, Any] | str | None = None,
        *,
        subprotocol: str = "",
        path: str = "/docker_console",
    ) -> None:
        super().__init__(server, headers, [subprotocol] if subprotocol else [], path)
        assert (self.socket.subprotocol or "") == subprotocol
        self.others: list[str] = []
        self.messages: list[str | bytes] = []
        self.start()
        if first is not None:
            self.socket.send(first if isinstance(first, str) else json.dumps(first))

    def _take(self, message: str | bytes) -> None:
        self.messages.append(message)
        if isinstance(message, str) and message[:1] == "0":
            self.output += base64.b64decode(message[1:], validate=True)
        else:
            self.others.append(message if isinstance(message, str) else repr(message))

    def type(self, text: str) -> None:
        self.socket.send("0" + text)

    def resize(self, columns: int, rows: int) -> None:
        self.socket.send("2" + json.dumps({"columns": columns, "rows": rows}))

    def ping(self) -> None:
        self.socket.send("1")

    def wait_other(self, start: str, timeout: float = 10.0) -> str:
        """The first message that begins with ``start``, without it."""
        found = wait_until(
            lambda: [one for one in list(self.others) if one.startswith(start)],
            timeout,
            f"a message {start}…; came {self.others}",
        )
        return found[0].removeprefix(start)
