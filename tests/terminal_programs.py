"""Terminals without an engine: what they show is a test's own."""

from __future__ import annotations

from cloudbang.accounts import Caller
from cloudbang.domain.terminals import Size, TerminalRequest, TerminalTarget
from cloudbang.terminals.registry import Terminals
from cloudbang.terminals.share_source import ShareSource


class Program:
    """Stands where the command of a shared program is: takes everything, ends when told to."""

    def __init__(self) -> None:
        self.source = ShareSource(self, write=True)

    def hand(self, data: bytes) -> bool:
        return True

    def tell(self, message: dict[str, object]) -> bool:
        if message["op"] == "end":
            self.source.lose()
        return True

    def cut(self) -> None:
        self.source.lose()


def run_terminal(
    terminals: Terminals, session: str, owner: Caller, app: str = "web", team: str = "default"
) -> Program:
    """A terminal of ``owner`` that runs, without any engine."""
    program = Program()
    request = TerminalRequest(kind="share", command=("a secret command",))
    target = TerminalTarget(session, team, app, "", request=request)
    terminals.open_source(target, program.source, owner, "192.0.2.1", "test", Size())
    return program
