"""The terminal socket: ``/docker_console``, for our own page and for the console of 2017.

Which of the two speaks is settled by the subprotocol. What they may is settled by the first
message; from then on a key goes from the socket to the process with nothing in between.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from cloudbang.accounts import Caller
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.peer_json import read_json
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.terminals import ExitStatus, Mode, Size
from cloudbang.errors import BadRequest, CloudBangError, NoSuchTerminal
from cloudbang.storage.database.terminals import TerminalStore
from cloudbang.terminals.admission import is_owner_of
from cloudbang.terminals.participant import Participant
from cloudbang.terminals.registry import Terminals
from cloudbang.terminals.session import Session
from cloudbang.web.security.proxies import Proxies
from cloudbang.web.security.sockets_by_login import SocketsByLogin
from cloudbang.web.server.socket_handler import SocketRoute
from cloudbang.web.server.websocket import Socket
from cloudbang.web.sockets.gotty import GottyAdapter
from cloudbang.web.sockets.tty_v1 import TtyV1Adapter

log = logging.getLogger(__name__)

MIB = 1024 * 1024
TTY = "cloudbang.tty.v1"
SUBPROTOCOLS = (TTY, "gotty", "webtty")  # the two others: what the page of 2017 may ask for
MAX_MESSAGE = MIB + 1024  # bytes: a megabyte of input, and what stands before it
QUEUE = 256 * 1024  # bytes that wait for a slow page; then the session waits or the page skips
FIRST_WITHIN = 10.0  # seconds
TICKET = ("T_id", "S_id", "C_id", "Md5")
_CLIENT = re.compile(r"[A-Za-z0-9_-]{1,64}")


class TerminalEndpoint:
    """``serve`` is what ``/docker_console`` and ``/ws`` lead to."""

    def __init__(self, terminals: Terminals, store: TerminalStore, proxies: Proxies) -> None:
        self._terminals, self._store, self._proxies = terminals, store, proxies
        self._supervisor = Supervisor("terminal-endpoint")
        self._sockets_by_login = SocketsByLogin(self._supervisor)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop closing sockets; the server closes those that are left."""
        self._supervisor.stop(deadline)

    def route(self, authenticate_socket: Callable[[dict[str, Any]], Any]) -> SocketRoute:
        """For the server. Nothing is compressed: a flood would cost the hub its time."""
        return SocketRoute(
            self.serve,
            authenticate_socket,
            SUBPROTOCOLS,
            max_message=MAX_MESSAGE,
            queue=QUEUE,
            compress=False,
        )

    def close_login(self, login: str) -> None:
        """That login has ended or may do less: its sockets are closed with 4401 and its terminals
        end."""
        self._sockets_by_login.close(login)
        self._terminals.end_login(login)

    def serve(self, socket: Socket, environ: Mapping[str, Any], caller: Caller) -> None:
        """Talk with one page until it leaves."""
        with self._sockets_by_login.holds(caller.login, socket):
            try:
                adapter = (
                    TtyV1Adapter(socket) if socket.subprotocol == TTY else GottyAdapter(socket)
                )
                self._serve(adapter, environ, caller)
            finally:
                socket.on_drained = None

    def _serve(
        self, adapter: TtyV1Adapter | GottyAdapter, environ: Mapping[str, Any], caller: Caller
    ) -> None:
        try:
            first = self._first(adapter)
            if first is None:
                return
            found = self._enter(adapter, first, environ, caller)
        except CloudBangError as e:
            adapter.refuse(e)
            return
        if found is None:
            return
        session, one = found
        # It hears of room as soon as it has somebody to tell.
        adapter.attach(session, one, self._terminals)
        try:
            adapter.run()
        finally:
            # A page that left said so; of one that broke off, what it did not see is kept a while.
            self._terminals.leave(session, one, lost=not adapter.left_cleanly)

    def _first(self, adapter: TtyV1Adapter | GottyAdapter) -> dict[str, Any] | None:
        try:
            text = adapter.socket.receive(FIRST_WITHIN)
        except TimeoutError:
            raise BadRequest(
                "the first message", "missing", f"sent within {FIRST_WITHIN:.0f} seconds"
            ) from None
        if text is None:
            return None
        allowed = '{"T_id","S_id","C_id","Md5"}'
        try:
            first = read_json(text)
        except orjson.JSONDecodeError:
            raise BadRequest("the first message", "not JSON", allowed) from None
        if not isinstance(first, dict):
            raise BadRequest("the first message", type(first).__name__, allowed)
        return first

    def _enter(
        self,
        adapter: TtyV1Adapter | GottyAdapter,
        first: dict[str, Any],
        environ: Mapping[str, Any],
        caller: Caller,
    ) -> tuple[Session, Participant] | None:
        size = Size.of(first.get("columns"), first.get("rows"))
        address = self._proxies.client_info(environ).address
        client = first.get("client", "")
        if client != "" and not (isinstance(client, str) and _CLIENT.fullmatch(client)):
            raise BadRequest("client", client, "1 to 64 letters, digits, _ or -")
        after = first.get("after")
        if isinstance(after, bool) or not isinstance(after, int):
            after = None
        mode: Mode
        if isinstance(adapter, TtyV1Adapter) and "session" in first:
            entered = self._come_back(adapter, first, caller)
            if entered is None:
                return None
            session, mode = entered
        else:
            values = [first.get(name) for name in TICKET]
            for name, value in zip(TICKET, values, strict=True):
                if not isinstance(value, str) or not 0 < len(value) <= 256:
                    raise BadRequest(name, "…" if name == "Md5" else value, "a text")
            team, app, container, md5 = map(str, values)
            target = self._terminals.redeem(caller, md5, team, app, container)
            agent = str(environ.get("HTTP_USER_AGENT", ""))
            session = self._terminals.open(target, caller, address, agent, size or Size())
            mode = "own"
        one = self._terminals.join(
            session, mode, adapter, caller, client=client, size=size, after=after, address=address
        )
        return session, one

    def _come_back(
        self, adapter: TtyV1Adapter, first: dict[str, Any], caller: Caller
    ) -> tuple[Session, Mode] | None:
        session_id, key = first["session"], first.get("key", "")
        if not isinstance(session_id, str) or not isinstance(key, str):
            raise BadRequest("session", session_id, "the id of a terminal")
        try:
            return self._terminals.admit(session_id, caller, key[:256])
        except NoSuchTerminal:
            # It may have ended while nobody looked: then the page is told how.
            if any(session.id == session_id for session in self._terminals.live()):
                raise  # it goes on, and is not theirs
            record = self._store.get(session_id)
            if not is_owner_of(record, caller):
                raise
            # Without an end it was a killed server's, of which something may still run.
            adapter.ended(
                ExitStatus(record.reason if record.ended else "server-lost", record.exit_code)
            )
            return None
