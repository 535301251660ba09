"""E-mail to a real server that wants TLS and a password, with a certificate of its own: what is taken, and
what is refused before a word was said."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from cloudbang.domain.alerts.receivers import Options, Security
from cloudbang.monitoring.alerts import http_client, senders
from cloudbang.monitoring.alerts.senders import Outcome, send
from tests.monitoring.alerts.mail_server import (
    PASSWORD,
    USER,
    MailServer,
    Mode,
    mail_server,
    make_certificate,
)
from tests.monitoring.alerts.test_senders import letter

HOST = "mail.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for HOST, and who made it."""
    folder = tmp_path_factory.mktemp("mail")
    make_certificate(folder, HOST)
    return folder


@pytest.fixture(scope="module")
def servers(authority: Path) -> Iterator[dict[Mode, MailServer]]:
    """One of each kind, at once."""
    with ExitStack() as stack:
        made: dict[Mode, MailServer] = {}
        for mode in get_args(Mode):
            folder = authority / mode
            shutil.copytree(authority, folder, ignore=shutil.ignore_patterns(*get_args(Mode)))
            made[mode] = stack.enter_context(mail_server(folder, mode))
        yield made


@pytest.fixture(params=["starttls", "tls"])
def security(request: pytest.FixtureRequest) -> Security:
    found: Security = request.param
    return found


@pytest.fixture
def server(servers: dict[Mode, MailServer], security: Security) -> MailServer:
    """That wants this."""
    return servers["tls" if security == "tls" else "starttls"]


@pytest.fixture
def trusted(authority: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As an administrator says that an authority of their own is one."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))
    http_client.tls.cache_clear()
    yield
    http_client.tls.cache_clear()


@pytest.fixture
def unknown() -> None:
    http_client.tls.cache_clear()


def mail(
    server: MailServer, security: Security, host: str = HOST, password: str = PASSWORD
) -> Outcome:
    options = Options(
        private=True,
        host=host,
        port=server.port,
        security=security,
        user=USER,
        sender="cloudbang@example.com",
        to=("ada@example.com", "bob@example.com"),
    )
    told = replace(letter(password=password), options=options)
    return send("email", told, lambda host, port: ["127.0.0.1"])


def test_a_mail_goes_over_tls_with_its_password(
    server: MailServer, trusted: None, security: Security
) -> None:
    """To all of them at once; and the server's word for a wrong password is shown."""
    before = len(server.kept)
    assert mail(server, security) == Outcome(True, "250", "")
    *_, kept = server.kept
    assert "X-To: ada@example.com,bob@example.com" in kept
    assert "web died, exit code 1" in kept
    assert "Message-ID: <uid-1@cloudbang>" in kept
    refused = mail(server, security, password="wrong")
    assert (refused.accepted, refused.code, refused.refused) == (False, "535", True)
    assert "credentials" in refused.text
    assert "wrong" not in refused.text
    assert len(server.kept) == before + 1


def test_a_certificate_that_nobody_vouches_for_is_no_server(
    server: MailServer, unknown: None, security: Security
) -> None:
    """Nothing is said to it, and why is said in plain words."""
    before = len(server.kept)
    outcome = mail(server, security)
    assert not outcome.accepted
    assert not outcome.refused  # the certificate may be mended
    assert outcome.text.startswith(f"{HOST} has no valid certificate (unable to get")
    assert len(server.kept) == before


def test_a_certificate_of_another_name_is_no_server(
    server: MailServer, trusted: None, security: Security
) -> None:
    before = len(server.kept)
    assert "Hostname mismatch" in mail(server, security, host="other.example").text
    assert len(server.kept) == before


def test_a_certificate_that_has_ended_is_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_certificate(tmp_path, HOST, days=-1)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    http_client.tls.cache_clear()
    with mail_server(tmp_path, "tls") as server:
        assert "expired" in mail(server, "tls").text
    http_client.tls.cache_clear()


def test_who_wants_starttls_says_nothing_to_a_server_without(
    servers: dict[Mode, MailServer], trusted: None
) -> None:
    """Somebody in between may have taken it out of the answer: neither password nor mail."""
    outcome = mail(servers["plain"], "starttls")
    assert not outcome.accepted
    assert "STARTTLS" in outcome.text
    assert not servers["plain"].kept


def test_the_wrong_way_round_sends_nothing(
    servers: dict[Mode, MailServer], trusted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who speaks TLS at once waits for it, and who does not understands nothing: each in its time."""
    monkeypatch.setattr(senders, "MAIL_WITHIN", 1.0)
    before = {mode: len(server.kept) for mode, server in servers.items()}
    assert not mail(servers["tls"], "starttls").accepted
    assert not mail(servers["starttls"], "tls").accepted
    assert {mode: len(server.kept) for mode, server in servers.items()} == before
