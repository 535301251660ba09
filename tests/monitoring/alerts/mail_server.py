"""A mail server in a process of its own (aiosmtpd), with a certificate that the test has made, by STARTTLS
or from the first byte, which wants a password: ``python -m tests.monitoring.alerts.mail_server FOLDER MODE``.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from tests.support import ROOT, wait_until

Mode = Literal["starttls", "tls", "plain"]
USER, PASSWORD = "cloudbang", "pass word of it"


def make_certificate(folder: Path, host: str, days: int = 30) -> None:
    """Of an authority that nobody knows, for that name: ``cert.pem``, ``key.pem``, ``ca.pem``."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.now(UTC)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    def made(subject: str, key: Any, issuer: str, signer: Any, *more: Any) -> x509.Certificate:
        builder = x509.CertificateBuilder(name(issuer), name(subject), key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=60))
        builder = builder.not_valid_after(now + timedelta(days=days))
        for extension, critical in more:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer, hashes.SHA256())

    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    own = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    usage = x509.KeyUsage(*([False] * 5), True, True, *([False] * 2))
    ca = made(
        *("Nobody's authority", authority, "Nobody's authority", authority),
        *((x509.BasicConstraints(True, None), True), (own, False), (usage, True)),
    )
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    cert = made(host, key, "Nobody's authority", authority, (names, False), (by, False))
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "cert.pem").write_bytes(cert.public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, *private))


@dataclass
class MailServer:
    """``port`` on loopback; ``kept``: what it took, the oldest first."""

    folder: Path
    port: int

    @property
    def kept(self) -> list[str]:
        return [one.read_text() for one in sorted(self.folder.glob("*.eml"))]


@contextmanager
def mail_server(folder: Path, mode: Mode) -> Iterator[MailServer]:
    """``folder`` has its certificate."""
    command = [sys.executable, "-m", __name__, str(folder), mode]
    running = subprocess.Popen(command, cwd=ROOT)
    try:
        place = folder / "port"
        wait_until(lambda: place.exists() or running.poll() is not None, 20, "a mail server")
        yield MailServer(folder, int(place.read_text()))
    finally:
        running.kill()
        running.wait()


class _Box:
    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self._count += 1
        head = f"X-To: {','.join(envelope.rcpt_tos)}\n"
        made = self._folder / f"{self._count:03}.part"
        made.write_text(head + envelope.content.decode("utf-8", "replace"))
        made.rename(made.with_suffix(".eml"))
        return "250 taken"


async def _serve(folder: Path, mode: str) -> None:
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def authenticate(_server: Any, _session: Any, _envelope: Any, _how: str, given: Any) -> Any:
        right = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=given == right, handled=False)

    def made() -> Any:
        more: dict[str, Any] = {}
        if mode == "starttls":
            more = {"tls_context": context, "require_starttls": True}
        return SMTP(
            box,
            authenticator=authenticate,
            auth_required=mode != "plain",
            auth_require_tls=mode == "starttls",
            **more,
        )

    box = _Box(folder)
    loop = asyncio.get_running_loop()
    secure = context if mode == "tls" else None
    server = await loop.create_server(made, "127.0.0.1", 0, ssl=secure)
    part = folder / "port.part"
    part.write_text(str(server.sockets[0].getsockname()[1]))
    part.rename(folder / "port")
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2]))
