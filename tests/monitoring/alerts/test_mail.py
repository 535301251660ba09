"""What a mail server takes, refuses, and will take later, against one on loopback."""

from __future__ import annotations

import socketserver
from collections.abc import Iterator
from dataclasses import replace

import pytest
from gevent.server import StreamServer

from cloudbang.domain.alerts.receivers import Options
from cloudbang.monitoring.alerts import senders
from cloudbang.monitoring.alerts.senders import Outcome, send
from tests.monitoring.alerts.test_senders import letter
from tests.support import flood


class _Mailbox(socketserver.StreamRequestHandler):
    """SMTP, as far as it is needed."""

    kept: list[str]
    refuses: dict[str, str]

    def handle(self) -> None:
        self.wfile.write(b"220 mail\r\n")
        data = False
        lines: list[str] = []
        while line := self.rfile.readline().decode():
            word = line.strip()
            if data:
                if word == ".":
                    data = False
                    self.kept.append("".join(lines))
                    self.wfile.write(b"250 taken\r\n")
                else:
                    lines.append(line)
                continue
            verb = word.upper()[:4]
            refusal = next(
                (a for part, a in self.refuses.items() if part.upper() in word.upper()), ""
            )
            if refusal:
                self.wfile.write(refusal.encode() + b"\r\n")
            elif verb == "DATA":
                data = True
                self.wfile.write(b"354 go on\r\n")
            elif verb == "QUIT":
                return
            else:
                self.wfile.write(b"250 fine\r\n")


class Mail:
    def __init__(self) -> None:
        self.kept: list[str] = []
        self.refuses: dict[str, str] = {}
        handler = type("Box", (_Mailbox,), {"kept": self.kept, "refuses": self.refuses})
        self._server = StreamServer(
            ("127.0.0.1", 0), lambda socket, peer: handler(socket, peer, None)
        )
        self._server.start()
        self.port = int(self._server.server_port)

    def send(self, *to: str, taken: frozenset[str] = frozenset()) -> Outcome:
        options = Options(
            private=True,
            host="127.0.0.1",
            port=self.port,
            security="none",
            sender="cloudbang@example.com",
            to=to or ("ada@example.com",),
        )
        return send("email", replace(letter(), options=options, taken=taken))

    def close(self) -> None:
        self._server.stop(timeout=0)


@pytest.fixture
def mail() -> Iterator[Mail]:
    made = Mail()
    yield made
    made.close()


def test_a_mail_has_the_same_id_however_often_it_is_sent(mail: Mail) -> None:
    assert mail.send().accepted
    assert mail.send().accepted
    assert all("Message-ID: <uid-1@cloudbang>" in kept for kept in mail.kept)
    assert "web died" in mail.kept[0]


@pytest.mark.parametrize(
    ("at", "answer", "refused"),
    [
        ("RCPT", "550 no such user", True),
        ("MAIL", "451 later", False),
        ("DATA", "554 spam", True),
        ("EHLO", "421 busy", False),
    ],
)
def test_what_a_mail_server_refuses(mail: Mail, at: str, answer: str, refused: bool) -> None:
    mail.refuses[at] = answer
    mail.refuses["HELO"] = answer if at == "EHLO" else "250 fine"
    outcome = mail.send()
    assert not outcome.accepted
    assert not mail.kept
    if at != "EHLO":
        assert (outcome.code, outcome.refused) == (answer[:3], refused)
        assert answer[4:] in outcome.text


def test_one_of_two_who_is_refused_is_named(mail: Mail) -> None:
    """The other has it: to send it again would give it to them twice."""
    mail.refuses["bob"] = "550 no such user"
    outcome = mail.send("ada@example.com", "bob@example.com")
    assert outcome.accepted
    assert "bob@example.com" in outcome.text


def test_one_of_two_who_is_taken_later_is_tried_again_alone(mail: Mail) -> None:
    """As a server does that does not know us yet: the other has it, and is sent it once."""
    mail.refuses["bob"] = "451 greylisted, come back"
    outcome = mail.send("ada@example.com", "bob@example.com")
    assert (outcome.accepted, outcome.code, outcome.refused) == (False, "451", True)
    assert outcome.text == "bob@example.com: greylisted, come back"
    assert outcome.taken == {"ada@example.com"}
    again = mail.send("ada@example.com", "bob@example.com", taken=outcome.taken)
    assert not again.accepted
    assert len(mail.kept) == 1
    del mail.refuses["bob"]
    assert mail.send("ada@example.com", "bob@example.com", taken=outcome.taken).accepted
    assert len(mail.kept) == 2


def test_of_all_that_are_refused_one_that_may_be_taken_later_is_tried_again(mail: Mail) -> None:
    mail.refuses |= {"ada": "550 no such user", "bob": "450 later"}
    outcome = mail.send("ada@example.com", "bob@example.com")
    assert (outcome.code, outcome.refused) == ("450", False)


def test_a_mail_server_that_is_not_there() -> None:
    options = Options(private=True, host="127.0.0.1", port=9, security="none", to=("a@b.c",))
    outcome = send("email", replace(letter(), options=options))
    assert not outcome.accepted
    assert "could not be asked" in outcome.text


def test_a_mail_server_that_never_ends_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "MAIL_WITHIN", 600.0)  # it is bounded in bytes
    known = Options(private=True, host="127.0.0.1", security="none", to=("a@b.c",))
    with flood(b"", b"220-hello\r\n", reads=False) as port:
        outcome = send("email", replace(letter(), options=replace(known, port=port)))
    assert not outcome.accepted
    assert "says more than" in outcome.text
