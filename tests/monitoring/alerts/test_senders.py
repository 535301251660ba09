"""What each service calls a refusal, and where a message never goes, against servers on loopback."""

from __future__ import annotations

import base64
import hmac
from contextlib import suppress
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qs, urlsplit

import gevent
import pytest
from gevent.server import StreamServer

from cloudbang.domain.alerts.incidents import Item
from cloudbang.domain.alerts.receivers import Kind, Options
from cloudbang.monitoring.alerts import http_client, senders
from cloudbang.monitoring.alerts.http_client import NotSent, addresses_of, post
from cloudbang.monitoring.alerts.senders import Letter, Outcome, send
from tests.monitoring.alerts.services import Service, answer, service
from tests.support import flood

ITEM = Item(
    *(7, "began", "2026-07-01T12:00:00.000000000Z", "web", "An app died", "critical"),
    "{app} died, exit code {exit_code}",
    {"app": "web", "exit_code": 1, "rule": "An app died"},
)


LONG = 600.0  # seconds, where it is not time that a thing is bounded by


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


PORTALS = (
    b"\xef\xbb\xbf <!DOCTYPE html><html><title>Sign in</title><body>welcome",
    b'<html><head><meta http-equiv="refresh" content="0; url=http://portal/">',
    "<HTML><head><title>统一登录</title><body><input type='password'>".encode(),
)


@pytest.mark.parametrize(
    "said",
    [
        *(b"", b"ok", b"1", [], "fine"),
        *({"ok": True, "error": None, "errors": []}, {"code": 0, "msg": "success"}),
        *({"code": 200, "message": "done"}, {"status": "success", "error": 0}),
        *(b"<html><body>Thank you</body></html>", {"errcode": "0", "errmsg": "ok"}),
    ],
)
def test_what_a_webhook_may_say_and_has_taken_it(said: object) -> None:
    """Also a page, as of a script in its usual form; none that wants to be signed in to."""
    assert told("webhook", answer(200, said))[0].accepted


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
        ("webhook", answer(200, {"errcode": "40001", "errmsg": "no"}), "40001", None),
        ("webhook", answer(200, {"code": "80501", "error": "no key"}), "80501", None),
        ("webhook", answer(200, {"status": "error", "message": "no"}), "200", None),
        ("webhook", answer(200, {"status": "FAIL"}), "200", None),
        ("webhook", answer(200, {"error": "invalid_token"}), "200", None),
        ("webhook", answer(200, {"errors": [{"message": "no"}]}), "200", None),
        ("webhook", answer(200, PORTALS[0]), "200", None),
        ("webhook", answer(200, PORTALS[1]), "200", None),
        ("webhook", answer(200, PORTALS[2]), "200", None),
        ("webhook", answer(429, b"", Retry_After="33"), "429", 33.0),
        ("webhook", answer(503, b"", Retry_After="Mon, 01 Jan 99999 0:0:0"), "503", None),
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
        ("feishu", answer(429, {"code": 11232, "msg": "too many"}), "11232", 60.0),
        ("feishu", answer(200, {"code": 9499, "msg": "too many request"}), "9499", 60.0),
        ("feishu", answer(200, b"<html>a proxy</html>"), "200", None),
        ("feishu", answer(502, {"code": 0}), "502", None),
        ("dingtalk", answer(429, {"errcode": 130101, "errmsg": "too fast"}), "130101", 600.0),
        ("dingtalk", answer(500, {"errcode": 0}), "500", None),
        ("wecom", answer(200, b"<!DOCTYPE html><title>Login</title>"), "200", None),
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


ODD = """<at user_id="all">everybody</at> <@boss> [here](http://evil) **b** `c`\n# \u202e\x1b[31m\x00"""
"""What a program may print, and a rule look for."""


def sent_to(kind: Kind, items: tuple[Item, ...], link: str = "") -> str:
    """What it is shown, of what it is sent."""
    with service(YES[kind]) as made:
        its = replace(letter(made.address), items=items, link=link)
        assert send(kind, its).accepted
        body = made.asked[0].json
    assert len(made.asked[0].body) <= 20_000
    return str(
        {
            "webhook": lambda: body["text"],
            "dingtalk": lambda: body["markdown"]["text"],
            "wecom": lambda: body["markdown"]["content"],
            "feishu": lambda: body["content"]["text"],
        }[kind]()
    )


@pytest.mark.parametrize("kind", [*YES])
def test_what_names_and_facts_hold_is_shown_and_does_nothing(kind: Kind) -> None:
    """It rings nobody, leads nowhere, is no line of its own and turns no other around."""
    item = replace(
        ITEM, template="lines of {app} with “{text}”", facts={"app": "web", "text": ODD}, rule=ODD
    )
    text = sent_to(kind, (item,), "http://[::1]:8188/alerts")
    assert "everybody" in text
    assert text.count("⟨U+202E⟩") == text.count("⟨U+0000⟩") >= 1
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "\n#" not in text.removeprefix("####")
    assert "http://[::1]:8188/alerts" in text
    for sign in {"webhook": (), "feishu": ("<at",)}.get(kind, ("<at", "<@", "[here", "**b", "`c")):
        assert sign not in text


@pytest.mark.parametrize("kind", ["dingtalk", "feishu", "wecom"])
@pytest.mark.parametrize("several", [1, 2, 500])
@pytest.mark.parametrize("sign", ["云", "😀", '"', "\\", "a"])
def test_as_much_as_each_takes_is_sent(kind: Kind, several: int, sign: str) -> None:
    """Of long names in any script, in whole characters; the address and the name of the message are
    there whatever is left out. WeCom takes 4,096 bytes, DingTalk and Feishu 20,000 of JSON."""
    items = tuple(
        replace(
            ITEM,
            app=f"{n}{'a' * 124}",
            rule=sign * 100,
            template="{app}: “{rule}” {text}",
            facts={"app": f"{n}{'a' * 124}", "rule": sign * 100, "text": sign * 500},
        )
        for n in range(several)
    )
    link = "https://cloudbang.example/alerts"
    text = sent_to(kind, items, link)
    assert len(text.encode()) <= (4_096 if kind == "wecom" else 20_000)
    assert link in text
    assert "uid-1" in text
    assert "\ufffd" not in text
    assert text.count(sign) > 100


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
    *("64:ff9b:1::7f00:1", "::127.0.0.1", "::ffff:0:a01:203", "fec0::1", "2001:0:7f00:1::"),
    *("fd00:ec2::254", "fd12::1", "100.100.100.200", "100.64.0.1", "224.0.0.1", "255.255.255.255"),
]
NEVER = ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "100.100.100.200", "fd00:ec2::254"]


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_not_asked(address: str) -> None:
    with pytest.raises(NotSent, match="private network"):
        addresses_of("inside.example", 443, False, lambda host, port: [address])


@pytest.mark.parametrize("address", NEVER)
def test_what_tells_secrets_is_never_asked(address: str) -> None:
    """Also where an administrator has allowed private addresses."""
    with pytest.raises(NotSent, match="private network"):
        addresses_of("inside.example", 443, True, lambda host, port: [address])


def test_a_private_address_is_asked_where_that_is_allowed() -> None:
    for address in ("127.0.0.1", "10.1.2.3", "fd12::1"):
        assert addresses_of("a.example", 80, True, lambda host, port, a=address: [a]) == [address]
    assert addresses_of("a.example", 80, False, lambda host, port: ["8.8.8.8"]) == ["8.8.8.8"]


def test_a_name_with_one_address_inside_is_refused() -> None:
    with pytest.raises(NotSent):
        addresses_of("both.example", 80, False, lambda host, port: ["8.8.8.8", "127.0.0.1"])


def test_of_several_addresses_one_that_is_down_is_no_reason() -> None:
    """The first answers nobody: the next one is told."""
    with service(answer(204)) as made:
        named = letter(f"http://a.example:{made.port}/hook")
        assert send("webhook", named, lambda host, port: ["127.0.0.9", "127.0.0.1"]).accepted
        outcome = send("webhook", named, lambda host, port: ["127.0.0.9", "127.0.0.8"])
        assert "could not be asked" in outcome.text


@pytest.mark.slow("a library reads as much as it may, six bytes at a time")
@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\nX: " + b"y" * 60_000 + b"\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;x=y\r\na\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
    ],
    ids=["interim", "long interim", "trailers", "chunks", "body"],
)
def test_who_never_ends_keeps_nobody_else_from_their_turn(
    first: bytes, again: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In loops of the library's own: it is bounded in bytes, and others have their turns meanwhile. On a
    busy machine the bound in time may come first, as of one that answers drop by drop."""
    monkeypatch.setattr(senders, "post", partial(post, within=LONG))
    with flood(first, again) as port:
        outcome = send("webhook", letter(f"http://127.0.0.1:{port}/"))
    assert outcome.accepted == (b"200" in first and again in (b"a", b"1;x=y\r\na\r\n"))
    if not outcome.accepted:
        assert "says more than" in outcome.text


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
