"""What each service calls a refusal, and where a message never goes, against servers on loopback."""

from __future__ import annotations

import base64
import hmac
import socketserver
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import gevent
import pytest
from gevent.server import StreamServer

from cloudbang.domain.alerts.incidents import Item
from cloudbang.domain.alerts.receivers import Kind, Options
from cloudbang.monitoring.alerts import http_client, senders
from cloudbang.monitoring.alerts.http_client import NotSent, address_of, post
from cloudbang.monitoring.alerts.senders import Letter, Outcome, send
from tests.monitoring.alerts.services import Service, answer, service

ITEM = Item(
    *(7, "began", "2026-07-01T12:00:00.000000000Z", "web", "An app died", "critical"),
    "{app} died, exit code {exit_code}",
    {"app": "web", "exit_code": 1, "rule": "An app died"},
)


def letter(address: str = "", **more: str) -> Letter:
    secrets = {"address": address, **more}
    return Letter("uid-1", "alert", (ITEM,), Options(private=True), secrets, lambda text: text)


def told(kind: Kind, said: bytes, **more: str) -> tuple[Outcome, Service]:
    with service(said) as made:
        return send(kind, letter(made.address, **more)), made


YES: dict[Kind, bytes] = {
    "webhook": answer(204),
    "dingtalk": answer(200, {"errcode": 0, "errmsg": "ok"}),
    "feishu": answer(200, {"code": 0, "msg": "success"}),
    "wecom": answer(200, {"errcode": 0, "errmsg": "ok"}),
}


@pytest.mark.parametrize("kind", [*YES])
def test_what_each_takes(kind: Kind) -> None:
    """The message is in what it was sent: who, what, when with its zone, and its name."""
    outcome, made = told(kind, YES[kind])
    assert outcome.accepted
    text = made.asked[0].body.decode()
    assert "web died, exit code 1" in text
    assert "uid-1" in text
    assert "2026-07-01" in text


@pytest.mark.parametrize(
    ("kind", "said", "code", "retry"),
    [
        ("webhook", answer(500, b"down"), "500", None),
        ("webhook", answer(200, {"errcode": 40001, "errmsg": "no"}), "40001", None),
        ("webhook", answer(200, {"ok": False}), "200", None),
        ("webhook", answer(200, {"success": False}), "200", None),
        ("webhook", answer(429, b"", Retry_After="33"), "429", 33.0),
        ("webhook", answer(302, b"", Location="http://169.254.169.254/latest"), "302", None),
        ("dingtalk", answer(200, {"errcode": 310000, "errmsg": "keywords not in"}), "310000", None),
        ("dingtalk", answer(200, {"errcode": 130101, "errmsg": "too fast"}), "130101", 600.0),
        ("dingtalk", answer(200, {"errcode": 410100, "errmsg": "too fast"}), "410100", 600.0),
        ("dingtalk", answer(200, {"errcode": False, "errmsg": "?"}), "False", None),
        ("dingtalk", answer(200, {"errcode": "0"}), "0", None),
        ("dingtalk", answer(200, []), "200", None),
        ("dingtalk", answer(200), "200", None),
        ("dingtalk", answer(200, b"<html>a portal</html>"), "200", None),
        ("feishu", answer(200, {"code": 19021, "msg": "sign match fail"}), "19021", None),
        ("feishu", answer(200, {"StatusCode": 1}), "1", None),
        ("feishu", answer(200, {}), "200", None),
        ("feishu", answer(200, {"code": False}), "False", None),
        ("feishu", answer(200, {"code": 11232, "msg": "frequency limited"}), "11232", 60.0),
        ("feishu", answer(400, {"code": 9499, "msg": "Bad Request"}), "400", None),
        ("wecom", answer(200, {"errcode": 93000, "errmsg": "invalid webhook url"}), "93000", None),
        ("wecom", answer(200, {"errcode": 45033, "errmsg": "concurrent"}), "45033", 60.0),
        (
            "wecom",
            answer(200, {"errcode": 45009, "errmsg": "api freq out of limit"}),
            "45009",
            60.0,
        ),
    ],
)
def test_what_each_calls_a_refusal(kind: Kind, said: bytes, code: str, retry: float | None) -> None:
    """Most answer 200 to say no."""
    outcome, made = told(kind, said)
    assert (outcome.accepted, outcome.code, outcome.retry_after) == (False, code, retry)
    assert len(made.asked) == 1  # a redirect is not followed


def test_feishu_says_yes_in_its_old_form_too() -> None:
    assert told("feishu", answer(200, {"StatusCode": 0, "StatusMessage": "success"}))[0].accepted


def test_dingtalk_is_signed_with_its_own_secret() -> None:
    """The sign is quoted once, and of the milliseconds that stand beside it."""
    _, made = told("dingtalk", YES["dingtalk"], secret="SEC")
    asked = parse_qs(urlsplit(made.asked[0].path).query)
    stamp = asked["timestamp"][0]
    whole = hmac.digest(b"SEC", f"{stamp}\nSEC".encode(), "sha256")
    assert base64.b64decode(asked["sign"][0]) == whole
    assert len(stamp) == 13


def test_feishu_is_signed_with_its_own_secret() -> None:
    """By a key that is stamp and secret, over nothing."""
    _, made = told("feishu", YES["feishu"], secret="SEC")
    asked = made.asked[0].json
    whole = hmac.digest(f"{asked['timestamp']}\nSEC".encode(), b"", "sha256")
    assert base64.b64decode(asked["sign"]) == whole
    assert len(asked["timestamp"]) == 10


def test_a_webhook_is_signed() -> None:
    _, made = told("webhook", YES["webhook"], secret="SEC")
    asked = made.asked[0]
    whole = hmac.digest(b"SEC", asked.body, "sha256").hex()
    assert asked.headers["x-cloudbang-signature"] == f"sha256={whole}"
    assert asked.headers["x-cloudbang-message"] == asked.json["id"] == "uid-1"


def test_one_that_hangs_is_given_up() -> None:
    with service(lambda asked: None) as made, pytest.raises(NotSent, match="did not answer within"):
        post(made.address, b"{}", {}, private=True, within=0.3)


def test_one_that_answers_drop_by_drop_is_given_up() -> None:
    def drip(socket, _peer) -> None:  # type: ignore[no-untyped-def]
        with suppress(OSError):
            socket.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                socket.sendall(b"X-A: b\r\n")
                gevent.sleep(0.1)

    server = StreamServer(("127.0.0.1", 0), drip)
    server.start()
    with pytest.raises(NotSent, match="did not answer within"):
        post(f"http://127.0.0.1:{server.server_port}/", b"{}", {}, private=True, within=0.5)
    server.stop(timeout=0)


def test_of_a_long_answer_little_is_read() -> None:
    with service(answer(500, b"x" * 5_000_000)) as made:
        reply = post(made.address, b"{}", {}, private=True)
    assert len(reply.body) == http_client.REPLY
    outcome, _ = told("webhook", answer(500, b"\x1b[31mred\x00" + b"y" * 9_000))
    assert len(outcome.text) <= senders.SAID
    assert outcome.text.isprintable()


INSIDE = [
    *("127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "172.17.0.1", "169.254.169.254", "0.0.0.0"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1"),
    *("fd00:ec2::254", "fd12::1", "100.100.100.200", "100.64.0.1", "224.0.0.1", "255.255.255.255"),
]
NEVER = ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "100.100.100.200", "fd00:ec2::254"]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_not_asked(address: str) -> None:
    with pytest.raises(NotSent, match="private network"):
        address_of("inside.example", 443, False, lambda host, port: [address])


@pytest.mark.parametrize("address", NEVER)
def test_what_tells_secrets_is_never_asked(address: str) -> None:
    """Also where an administrator has allowed private addresses."""
    with pytest.raises(NotSent, match="private network"):
        address_of("inside.example", 443, True, lambda host, port: [address])


def test_a_private_address_is_asked_where_that_is_allowed() -> None:
    for address in ("127.0.0.1", "10.1.2.3", "fd12::1"):
        assert address_of("a.example", 80, True, lambda host, port, a=address: [a]) == address
    assert address_of("a.example", 80, False, lambda host, port: ["8.8.8.8"]) == "8.8.8.8"


def test_a_name_with_one_address_inside_is_refused() -> None:
    with pytest.raises(NotSent):
        address_of("both.example", 80, False, lambda host, port: ["8.8.8.8", "127.0.0.1"])


def test_a_name_that_changes_its_address_leads_nowhere_else() -> None:
    """It is resolved once, and what was looked at is dialled; the name goes into Host."""
    resolved = []

    def rebinds(host: str, port: int) -> list[str]:
        resolved.append(host)
        return ["127.0.0.1"] if len(resolved) == 1 else ["169.254.169.254"]

    with service() as made:
        url = f"http://rebinds.example:{made.port}/"
        assert post(url, b"{}", {}, private=True, resolve=rebinds).status == 200
        assert resolved == ["rebinds.example"]
        assert made.asked[0].headers["host"] == f"rebinds.example:{made.port}"
    with pytest.raises(NotSent, match="private network"):
        post(url, b"{}", {}, private=True, resolve=rebinds)


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with service(answer(500)) as proxy, service() as made:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.address)
        assert send("webhook", letter(made.address)).accepted
        assert not proxy.asked


def test_what_is_no_address_is_said() -> None:
    for address in ("ftp://a/", "http://", "http://a:b:c/", "http://[::1/", "https://no.invalid/"):
        outcome = send("webhook", letter(address))
        assert not outcome.accepted
        assert outcome.text
        assert "token" not in outcome.text


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

    def send(self, *to: str) -> Outcome:
        options = Options(
            private=True,
            host="127.0.0.1",
            port=self.port,
            security="none",
            sender="cloudbang@example.com",
            to=to or ("ada@example.com",),
        )
        return send("email", replace(letter(), options=options))

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


def test_a_mail_server_that_is_not_there() -> None:
    options = Options(private=True, host="127.0.0.1", port=9, security="none", to=("a@b.c",))
    outcome = send("email", replace(letter(), options=options))
    assert not outcome.accepted
    assert "could not be asked" in outcome.text
