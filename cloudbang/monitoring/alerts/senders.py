"""How each service is told, and what it calls a refusal: most of them answer 200 to say no."""

from __future__ import annotations

import base64
import hmac
import re
import smtplib
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlsplit

import gevent
import orjson

from cloudbang.core.bounded_file import bounded
from cloudbang.domain.alerts.incidents import Item
from cloudbang.domain.alerts.receivers import Kind, Options
from cloudbang.monitoring.alerts.http_client import (
    WITHIN,
    NotSent,
    Reply,
    Resolve,
    addresses_of,
    dial,
    post,
    resolved,
    tls,
    why_tls,
)
from cloudbang.monitoring.alerts.texts import SHOWN, cut, lines_of, sentence, title_of

SAID = 200  # characters of a service's own words that are kept
MAIL_WITHIN = 30.0  # seconds
MAIL_SAYS = 256 * 1024  # bytes that a mail server may say
MUTED = 600.0  # seconds for which DingTalk says nothing of who says too much
TOO_MUCH = 60.0  # seconds until the others listen again
WECOM_BYTES = 4_096
ROBOT_BYTES = 19_000  # of at most 20,000, with what stands around it
TITLE_BYTES = 400


PORTAL = "it is answered by a page to sign in, as of a proxy, and not by who is to be told"
NO = frozenset(("error", "fail", "failed", "failure"))
_PORTAL = re.compile(
    rb"""type\s*=\s*["']?password|http-equiv\s*=\s*["']?refresh|<title>[^<]*"""
    rb"(?:sign.?in|log.?in|captive|proxy|blocked|denied|\xe7\x99\xbb\xe5\xbd\x95|\xe8\xae\xa4\xe8\xaf\x81)"
)


# What names and facts may hold, and would be read as something else by who shows them: each by its
# full-width twin, which is read as itself. None of these services says how such a sign is escaped.
NONE: Mapping[int, str] = {}
MENTIONS = str.maketrans({"<": "＜"})  # <at user_id="all"></at> rings everybody
MARKDOWN = str.maketrans({"<": "＜", "*": "＊", "`": "｀", "[": "［"})


class Outcome(NamedTuple):
    """``code``: of HTTP, SMTP or the service; ``text``: its words or ours. ``refused``: it answered,
    and does not want this message; otherwise it may not want any now. ``taken``: who of several has it
    all the same, and is not sent it again."""

    accepted: bool
    code: str
    text: str
    retry_after: float | None = None
    refused: bool = False
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be told. ``secrets`` by name, of the receiver; ``taken``: who of several has it already."""

    uid: str
    kind: str
    items: tuple[Item, ...]
    options: Options
    secrets: Mapping[str, str]
    say: Callable[[str], str]
    link: str = ""
    taken: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        return title_of(self.items, self.say)

    def text(self, bytes: int = 1_000_000, marks: Mapping[int, str] = NONE) -> str:
        """Lines, of at most so many bytes with the address of what there is to see; ``marks``: what is
        markup there, and what stands for it."""
        link = f"\n{self.link}" if self.link else ""
        shown, room = SHOWN, bytes - len(link.encode())
        while True:
            text = "\n".join(lines_of(self.items, self.say, shown)).translate(marks)
            if (whole := cut(text, room)) == text or shown == 1:
                return whole + link
            shown = max(1, shown // 2)

    def short_title(self, marks: Mapping[int, str]) -> str:
        return cut(self.title.translate(marks), TITLE_BYTES)


def send(kind: Kind, letter: Letter, resolve: Resolve = resolved) -> Outcome:
    """Never raises what a service may cause. Blocks the calling greenlet, for half a minute at most."""
    try:
        return SENDERS[kind](letter, resolve)
    except NotSent as e:
        return Outcome(False, "", str(e))


def _webhook(letter: Letter, resolve: Resolve) -> Outcome:
    body = orjson.dumps(
        {
            "id": letter.uid,
            "kind": letter.kind,
            "title": letter.title,
            "text": letter.text(),
            "link": letter.link or None,
            "incidents": [
                {
                    "id": item.incident,
                    "change": item.change,
                    "time": item.time,
                    "app": item.app,
                    "rule": item.rule,
                    "severity": item.severity,
                    "text": sentence(item, letter.say),
                }
                for item in letter.items
            ],
        }
    )
    headers = {"Content-Type": "application/json", "X-CloudBang-Message": letter.uid}
    if secret := letter.secrets.get("secret"):
        digest = hmac.digest(secret.encode(), body, "sha256").hex()
        headers["X-CloudBang-Signature"] = f"sha256={digest}"
    reply = post(_address(letter), body, headers, private=letter.options.private, resolve=resolve)
    return _of_http(reply) or _of_words(reply) or Outcome(True, str(reply.status), "")


def _of_words(reply: Reply) -> Outcome | None:
    """Of a service that nobody knows: what plainly says no, or was answered by somebody else."""
    if _is_portal(reply.body):
        return Outcome(False, str(reply.status), PORTAL, None, True)
    told = _json(reply)
    no = _number(told.get("errcode")) or told.get("ok") is False or told.get("success") is False
    code = _number(told.get("code"))
    words = any(name in told for name in ("msg", "message", "error"))
    no = no or str(told.get("status", "")).lower() in NO
    no = no or any(told.get(name) and type(told[name]) is not int for name in ("error", "errors"))
    if not (no or (code and not 200 <= code < 300 and words)):
        return None
    return Outcome(
        False, str(told.get("errcode") or code or reply.status), _said(reply), None, True
    )


def _is_portal(body: bytes) -> bool:
    """Whether it is a page on which somebody is to sign in, or that sends a browser elsewhere: a proxy's
    or a network's, and no answer of who should be told."""
    text = body.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not text.startswith((b"<!doctype html", b"<html")):
        return False
    return bool(_PORTAL.search(text))


def _dingtalk(letter: Letter, resolve: Resolve) -> Outcome:
    address = _address(letter)
    if secret := letter.secrets.get("secret"):
        stamp = str(time.time_ns() // 1_000_000)
        digest = hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), "sha256")
        sign = quote_plus(base64.b64encode(digest).decode())
        address += f"{'&' if '?' in address else '?'}timestamp={stamp}&sign={sign}"
    title = letter.short_title(MARKDOWN)
    lines = letter.text(ROBOT_BYTES - 3 * TITLE_BYTES, MARKDOWN).replace("\n", "\n\n")
    text = {"title": title, "text": f"#### {title}\n\n{lines}\n\n`{letter.uid}`"}
    reply = _robot(letter, address, {"msgtype": "markdown", "markdown": text}, resolve)
    return _of_errcode(reply, {130101: MUTED, 410100: MUTED})


def _wecom(letter: Letter, resolve: Resolve) -> Outcome:
    head, tail = f"**{letter.short_title(MARKDOWN)}**\n", f"\n{letter.uid}"
    text = letter.text(WECOM_BYTES - len((head + tail).encode()), MARKDOWN)
    body = {"msgtype": "markdown", "markdown": {"content": head + text + tail}}
    reply = _robot(letter, _address(letter), body, resolve)
    return _of_errcode(reply, {45009: TOO_MUCH, 45033: TOO_MUCH})


def _feishu(letter: Letter, resolve: Resolve) -> Outcome:
    lines = letter.text(ROBOT_BYTES - 2 * TITLE_BYTES, MENTIONS)
    text = f"{letter.short_title(MENTIONS)}\n{lines}\n{letter.uid}"
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
    if secret := letter.secrets.get("secret"):
        stamp = str(int(time.time()))
        # The key is what is signed elsewhere, and nothing is signed with it.
        digest = hmac.digest(f"{stamp}\n{secret}".encode(), b"", "sha256")
        body |= {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}
    reply = _robot(letter, _address(letter), body, resolve)
    return _of_code(reply)


def _robot(letter: Letter, address: str, body: object, resolve: Resolve) -> Reply:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    private = letter.options.private
    return post(address, orjson.dumps(body), headers, private=private, resolve=resolve)


def _of_http(reply: Reply) -> Outcome | None:
    """None where HTTP says that all is well."""
    if 200 <= reply.status < 300:
        return None
    if 300 <= reply.status < 400:
        where = f" to {reply.location}" if reply.location else ""
        text = f"it redirects{where}: give the address that it leads to"
        return Outcome(False, str(reply.status), text, None, True)
    slow = reply.status in (408, 425, 429)
    refused = reply.status < 500 and not slow
    return Outcome(False, str(reply.status), _said(reply), reply.retry_after, refused)


def _of_errcode(reply: Reply, too_much: Mapping[int, float]) -> Outcome:
    """Of DingTalk and WeCom: 0 and nothing else says yes. That there was too much may come with any
    status."""
    code = _json(reply).get("errcode")
    wait = too_much.get(_number(code))
    if wait is None and (outcome := _of_http(reply)):
        return outcome
    if _is_yes(code):
        return Outcome(True, "0", "")
    shown = str(code) if code is not None else str(reply.status)
    return Outcome(False, shown, _said(reply), wait, wait is None)


def _of_code(reply: Reply) -> Outcome:
    """Of Feishu, in either of its forms. 9499 with 400 is a request that it cannot read."""
    told = _json(reply)
    code = told.get("code", told.get("StatusCode"))
    is_ok = 200 <= reply.status < 300
    wait = TOO_MUCH if code == 11232 or (is_ok and code == 9499) else None
    if wait is None and (outcome := _of_http(reply)):
        return outcome
    if _is_yes(code):
        return Outcome(True, "0", "")
    shown = str(code) if code is not None else str(reply.status)
    return Outcome(False, shown, _said(reply), wait, wait is None)


def _is_yes(code: object) -> bool:
    """0, and nothing that Python takes for it."""
    return type(code) is int and code == 0


def _json(reply: Reply) -> Mapping[str, Any]:
    try:
        told = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _number(value: object) -> int:
    """Also of one that is written as a text."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value, re.ASCII):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _said(reply: Reply) -> str:
    """What it says of itself, on one line, without what no screen shows."""
    told = _json(reply)
    words = told.get("errmsg") or told.get("msg") or told.get("message") or told.get("error")
    text = str(words) if words else reply.body[: SAID * 4].decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text)[:SAID].strip()


def _address(letter: Letter) -> str:
    return letter.secrets.get("address", "")


# -- e-mail


class _Mail(smtplib.SMTP):
    """Dials the addresses that were looked at."""

    addresses: Sequence[str] = ()

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        return dial(self.addresses, port, timeout)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = bounded(self.sock.makefile("rb"), MAIL_SAYS)
        return super().getreply()


class _MailTls(_Mail):
    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        plain = super()._get_socket(host, port, timeout)
        try:
            return tls().wrap_socket(plain, server_hostname=self._host)  # type: ignore[attr-defined]
        except BaseException:
            plain.close()
            raise


def _email(letter: Letter, resolve: Resolve) -> Outcome:
    options = letter.options
    host = options.host
    port = options.port or {"tls": 465, "starttls": 587, "none": 25}[options.security]
    limit = gevent.Timeout(MAIL_WITHIN)
    try:
        with limit:
            made = _MailTls if options.security == "tls" else _Mail
            mail = made(local_hostname="cloudbang", timeout=WITHIN)
            mail.addresses = addresses_of(host, port, options.private, resolve)
            mail._host = host  # type: ignore[attr-defined] # what its certificate has to be of
            try:
                code, words = mail.connect(host, port)
                if code != 220:
                    return Outcome(False, str(code), _mail_text(words))
                return _hand_in(mail, letter)
            finally:
                mail.close()
    except gevent.Timeout as e:
        if e is not limit:
            raise
        return Outcome(False, "", f"{host} did not take it within {MAIL_WITHIN:g} s")
    except smtplib.SMTPRecipientsRefused as e:
        # One that may be taken later is reason enough to try again.
        code, words = min(e.recipients.values(), key=lambda one: one[0])
        return Outcome(False, str(code), _mail_text(words), None, bool(letter.taken) or code >= 500)
    except smtplib.SMTPResponseException as e:
        return Outcome(False, str(e.smtp_code), _mail_text(e.smtp_error), None, e.smtp_code >= 500)
    except ssl.SSLError as e:
        return Outcome(False, "", f"{host} has no valid certificate ({why_tls(e)})")
    except (OSError, smtplib.SMTPException, UnicodeError, ValueError) as e:
        return Outcome(False, "", f"{host} could not be asked ({type(e).__name__}: {e})"[:SAID])


def _hand_in(mail: smtplib.SMTP, letter: Letter) -> Outcome:
    options = letter.options
    mail.ehlo_or_helo_if_needed()
    if options.security == "starttls":
        mail.starttls(context=tls())
        mail.ehlo_or_helo_if_needed()
    if options.user:
        mail.login(options.user, letter.secrets.get("password", ""))
    message = EmailMessage()
    message["Subject"] = " ".join(letter.title.split())
    message["From"] = options.sender
    message["To"] = ", ".join(options.to)
    message["Date"] = formatdate(localtime=True)
    # The same however often it is sent: a mailbox shows it once.
    message["Message-ID"] = f"<{letter.uid}@cloudbang>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{letter.text()}\n\n{letter.uid}\n")
    to = [one for one in options.to if one not in letter.taken]
    refused = mail.send_message(message, options.sender, to)
    if not refused:
        return Outcome(True, "250", "")
    later = [one for one, (code, _) in refused.items() if code < 500]
    if later:  # as who does not know us yet: those alone are tried again
        code, words = refused[later[0]]
        text = f"{', '.join(later)}: {_mail_text(words)}"[:SAID]
        return Outcome(False, str(code), text, None, True, letter.taken | {*to} - {*later})
    return Outcome(True, "250", f"not for all: {', '.join(refused)} was refused"[:SAID])


def _mail_text(words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return " ".join(text.split())[:SAID]


def shown_of(kind: Kind, address: str) -> str:
    """Of an address what is no secret: where it is."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…" if kind != "email" else ""


SENDERS: dict[Kind, Callable[[Letter, Resolve], Outcome]] = {
    "webhook": _webhook,
    "email": _email,
    "dingtalk": _dingtalk,
    "feishu": _feishu,
    "wecom": _wecom,
}
