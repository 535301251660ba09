"""What the console of 2017 speaks, as GoTTY did: text frames, the first character says what.

From the page: ``0`` input, ``1`` ping, ``2`` size. To the page: ``0`` output in base64, ``1`` pong,
``2`` title, ``3`` preferences, ``4`` seconds after which it connects again: never, since it would do
that with the ticket that it has used.
"""

from __future__ import annotations

import time
from base64 import b64encode

import gevent
import orjson

from cloudbang.core.peer_json import read_json
from cloudbang.domain.terminals import ExitStatus, Size
from cloudbang.errors import CloudBangError
from cloudbang.terminals.participant import Participant
from cloudbang.terminals.registry import Terminals
from cloudbang.terminals.session import Session
from cloudbang.web.server.frames import TEXT, SharedFrame
from cloudbang.web.server.websocket import Socket

REFUSED = 4403
KEEPS_UP = 256 * 1024  # bytes of input that wait for the process; then its page is read no more

_NOTHING_MORE = "\r\n\x1b[2m{}\x1b[0m\r\n"


class GottyAdapter:
    """One page of 2017. It says nothing of what it has drawn: what the kernel takes counts."""

    counts_drawn = False
    left_cleanly = True  # it cannot come back for what it missed

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self._at: tuple[Session, Participant] | None = None

    # --- what the session asks of it --------------------------------------------------------------

    def output(self, data: bytes) -> bool:
        return self.socket.offer(SharedFrame(b"0" + b64encode(data), TEXT))

    def tell(self, message: dict[str, object]) -> None:
        kind = message["op"]
        if kind == "attached":
            session = message["session"]
            assert isinstance(session, dict)
            title = f"{session['app']} · {session['name']} ({session['container']})"
            self._post(b"2" + title.encode())
            self._post(b"3{}")  # its own: a name that it does not know it throws at
            self._post(b"40")
        elif kind in ("notice", "error"):
            self._say(str(message["message"]))

    def ended(self, end: ExitStatus) -> None:
        said = end.message or (f"exit code {end.code}" if end.code is not None else end.reason)
        self._say(said)
        self.close(1000, end.reason)

    def close(self, code: int, reason: str) -> None:
        self.socket.start_close(code, reason)

    def _say(self, sentence: str) -> None:
        self._post(b"0" + b64encode(_NOTHING_MORE.format(_plain(sentence)).encode()))

    def _post(self, data: bytes) -> None:
        self.socket.post(SharedFrame(data, TEXT))

    # --- before the session -----------------------------------------------------------------------

    def refuse(self, error: CloudBangError) -> None:
        """A sentence that its page shows, and the end."""
        self._post(b"0" + b64encode(f"{_plain(str(error))}\r\n".encode()))
        self.socket.close(REFUSED, error.code)

    # --- the conversation -------------------------------------------------------------------------

    def attach(self, session: Session, one: Participant, terminals: Terminals) -> None:
        self._at = session, one
        self.socket.on_drained = self._drained
        session.drained(one)

    def _drained(self, _socket: Socket) -> None:
        if self._at is not None:
            self._at[0].drained(self._at[1])

    def run(self) -> None:
        """Handle what the page sends until the connection ends."""
        assert self._at is not None, "run comes after attach"
        session, one = self._at
        while (message := self.socket.receive()) is not None:
            text = message if isinstance(message, str) else message.decode("utf-8", "replace")
            kind, rest = text[:1], text[1:]
            if kind == "0":
                data = rest.encode()
                while not session.type(one, data) and one.may_type and not self.socket.closed:
                    self._wait()  # another page has filled the room
                while session.unread > KEEPS_UP and not self.socket.closed:
                    self._wait()  # its page knows no confirmations: it is read more slowly
            elif kind == "1":
                self._post(b"1")
            elif kind == "2":
                self._resize(session, one, rest)
            # What it may send beyond that is not known, and no reason to end what somebody works in.

    def _wait(self) -> None:
        gevent.sleep(0.02)
        self.socket.seen = time.monotonic()  # what it answers meanwhile cannot be heard

    def _resize(self, session: Session, one: Participant, text: str) -> None:
        try:
            asked = read_json(text)
        except orjson.JSONDecodeError:
            return
        size = Size.of(asked.get("columns"), asked.get("rows")) if isinstance(asked, dict) else None
        if size is not None:
            session.resize(one, size)


def _plain(sentence: str) -> str:
    """Without control characters: some of it may be an engine's words, or a name that was given."""
    return "".join(c if c.isprintable() else " " for c in sentence)
