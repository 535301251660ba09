"""``cloudbang.tty.v1``: what our own page speaks. Output and input are binary frames, everything
else is JSON; see ``docs/protocols/terminal.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from cloudbang.core.peer_json import read_json
from cloudbang.core.rate import TokenBucket
from cloudbang.domain.terminals import SIZED_BY, ExitStatus, Size
from cloudbang.errors import BadRequest, CloudBangError
from cloudbang.terminals.participant import Participant
from cloudbang.terminals.registry import Terminals
from cloudbang.terminals.session import Session
from cloudbang.web.server.frames import TEXT, SharedFrame
from cloudbang.web.server.websocket import Socket

REFUSED, TOO_MUCH = 4403, 4413
MUST_READ = 1024 * 1024  # bytes
# Messages other than input and acks, and input of those who may not type: so many at once, and so
# many a second; beyond, the page is read more slowly.
OPS_AT_ONCE, OPS_PER_SECOND = 30, 20


class TtyV1Adapter:
    """One page. Nothing but :meth:`run` waits."""

    counts_drawn = True
    left_cleanly = False

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.output = socket.offer_bytes  # the echo of a key has one call less to make
        self._at: tuple[Session, Participant, Terminals] | None = None
        self._bucket = TokenBucket(OPS_AT_ONCE, OPS_PER_SECOND)

    # --- what the session asks of it --------------------------------------------------------------

    def tell(self, message: dict[str, object]) -> None:
        # Overload: small, never refused, but who lets a megabyte gather does not read at all.
        self.socket.post(SharedFrame(orjson.dumps(message), TEXT))
        if self.socket.backlog > MUST_READ:
            self.socket.drop()

    def ended(self, end: ExitStatus) -> None:
        self.tell({"op": "ended", "reason": end.reason, "code": end.code, "message": end.message})
        self.close(1000, end.reason)

    def close(self, code: int, reason: str) -> None:
        self.left_cleanly = True
        self.socket.start_close(code, reason)

    # --- before the session -----------------------------------------------------------------------

    def refuse(self, error: CloudBangError) -> None:
        """Say why not, and close."""
        self.tell({"op": "error", "code": error.code, "message": str(error)})
        self.socket.close(REFUSED, error.code)

    # --- the conversation -------------------------------------------------------------------------

    def attach(self, session: Session, one: Participant, terminals: Terminals) -> None:
        self._at = session, one, terminals
        self.socket.on_drained = self._drained
        session.drained(one)

    def _drained(self, _socket: Socket) -> None:
        if self._at is not None:
            self._at[0].drained(self._at[1])

    def _where(self) -> tuple[Session, Participant, Terminals]:
        assert self._at is not None, "run comes after attach"
        return self._at

    def run(self) -> None:
        """Handle what the page sends until the connection ends."""
        session, one, _ = self._where()
        receive = self.socket.receive
        while (message := receive()) is not None:
            if isinstance(message, bytes):
                if not session.type(one, message):
                    self._refuse_input(one)
                continue
            if not message.startswith('{"op":"ack"'):
                self._bucket.take()
            try:
                self._handle(message)
            except CloudBangError as e:
                self.tell({"op": "error", "code": e.code, "message": str(e)})
        self.left_cleanly = self.left_cleanly or self.socket.left

    def _refuse_input(self, one: Participant) -> None:
        if not one.may_type:
            self._bucket.take()
            self.tell({"op": "error", "code": "read-only", "message": "you may only watch here"})
        else:
            # A page waits for confirmations; who does not is not one of ours.
            self.tell(
                {
                    "op": "error",
                    "code": "too-much-input",
                    "message": "more input than the program reads: wait for confirmations",
                }
            )
            self.close(TOO_MUCH, "too much input")

    def _handle(self, text: str) -> None:
        try:
            message = read_json(text)
        except orjson.JSONDecodeError:
            raise BadRequest(
                "the message", "not JSON", "JSON, or input as a binary frame"
            ) from None
        op = message.get("op") if isinstance(message, dict) else None
        handler = HANDLERS.get(op) if isinstance(op, str) else None
        if handler is None:
            raise BadRequest("op", op, ", ".join(HANDLERS))
        handler(self, message)

    def _ack(self, message: dict[str, Any]) -> None:
        offset = message.get("offset")
        if isinstance(offset, bool) or not isinstance(offset, int):
            raise BadRequest("offset", offset, "a number of bytes")
        session, one, _ = self._where()
        session.drew(one, offset)

    def _resize(self, message: dict[str, Any]) -> None:
        size = Size.of(message.get("columns"), message.get("rows"))
        if size is None:
            raise BadRequest("columns and rows", message.get("columns"), "numbers")
        session, one, _ = self._where()
        session.resize(one, size)

    def _size_by(self, message: dict[str, Any]) -> None:
        session, one, _ = self._where()
        rule = next((rule for rule in SIZED_BY if rule == message.get("rule")), None)
        if one.mode != "own" or rule is None:
            said = f"{', '.join(SIZED_BY)}, sent by the owner of the terminal"
            raise BadRequest("rule", message.get("rule"), said)
        session.size_by(rule)

    def _take(self, message: dict[str, Any]) -> None:
        session, one, terminals = self._where()
        terminals.take(session, one)

    def _send_away(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        session, one, terminals = self._where()
        if one.mode != "own" or isinstance(number, bool) or not isinstance(number, int):
            raise BadRequest("id", number, "a guest's number, sent by the owner of the terminal")
        terminals.send_away(session, one, number)

    def _end(self, message: dict[str, Any]) -> None:
        session, one, terminals = self._where()
        if one.mode != "own":
            raise BadRequest("op", "end", "sent by the owner of the terminal")
        terminals.end_soon(session, "closed")

    def _ping(self, message: dict[str, Any]) -> None:
        self.tell({"op": "pong"})


HANDLERS: dict[str, Callable[[TtyV1Adapter, dict[str, Any]], None]] = {
    "ack": TtyV1Adapter._ack,
    "resize": TtyV1Adapter._resize,
    "size-by": TtyV1Adapter._size_by,
    "take": TtyV1Adapter._take,
    "send-away": TtyV1Adapter._send_away,
    "end": TtyV1Adapter._end,
    "ping": TtyV1Adapter._ping,
}
