"""A certificate is got by the gateway itself, from an authority that asks for proof: another Caddy,
which finds the domain where the tests say, and asks at the ports that everybody asks at."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from cloudbang.config import GatewaySettings
from cloudbang.domain.alerts.rules import DEFAULTS
from cloudbang.gateway.gateway import Gateway
from cloudbang.gateway.image import find_program
from cloudbang.monitoring.alerts.measured import Certificates
from tests.gateway.ground import HTTP_PORT, HTTPS_PORT, OWN_PORTS, Ground, spec
from tests.support import ENDS_WITH_US, free_port, patient, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.slow("a certificate is asked for and proved")]

DOMAIN = "web.example.com"
HERE, THERE = "10.213.8.1", "10.213.8.2"


FORWARD = """
import socket, sys, threading
def copy(a, b):
    try:
        while data := a.recv(65536): b.sendall(data)
    except OSError: pass
    finally: b.close()
def serve(server, port):
    while True:
        one, _ = server.accept()
        other = socket.create_connection((sys.argv[1], port))
        for pair in ((one, other), (other, one)):
            threading.Thread(target=copy, args=pair, daemon=True).start()
for port, to in zip((80, 443), sys.argv[2:]):
    server = socket.create_server(("", port))
    threading.Thread(target=serve, args=(server, int(to))).start()
print("ready", flush=True)
"""


@contextmanager
def front() -> Iterator[None]:
    """What hands ports 80 and 443 on to the gateway's, on a machine of its own."""
    name = f"gw{uuid.uuid4().hex[:8]}"

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True)

    run("ip", "netns", "add", name)
    inside = ("nsenter", f"--net=/run/netns/{name}")
    process = None
    try:
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "addr", "add", f"{HERE}/24", "dev", name)
        run("ip", "link", "set", name, "up")
        run(*inside, "ip", "addr", "add", f"{THERE}/24", "dev", "eth0")
        run(*inside, "ip", "link", "set", "eth0", "up")
        arguments = (HERE, str(HTTP_PORT), str(HTTPS_PORT))
        command = [*ENDS_WITH_US, *inside, sys.executable, "-c", FORWARD, *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]
        subprocess.run(["ip", "netns", "delete", name], check=False)


@contextmanager
def authority(folder: Path, address: str) -> Iterator[str]:
    """Its directory."""
    port, admin = free_port(), free_port()
    server = {
        "listen": [f":{port}"],
        "routes": [{"handle": [{"handler": "acme_server", "ca": "local"}]}],
        "tls_connection_policies": [{"default_sni": address}],
        "automatic_https": {"disable": True},
    }
    issuers = [{"module": "internal", "ca": "local"}]
    config = {
        "admin": {"listen": f"127.0.0.1:{admin}", "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(folder)},
        "apps": {
            "http": {"http_port": free_port(), "servers": {"acme": server}},
            "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
            "tls": {
                "certificates": {"automate": [address]},
                "automation": {"policies": [{"subjects": [address], "issuers": issuers}]},
            },
        },
    }
    file = folder / "authority.json"
    file.write_text(json.dumps(config))
    log = (folder / "authority.log").open("wb")
    # It alone finds the domain, and there.
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{THERE} {DOMAIN}\n")
    inside = 'mount --bind "$1" /etc/hosts && exec "$2" run --config "$3"'
    arguments = [str(folder / "hosts"), str(find_program()), str(file)]
    command = [*ENDS_WITH_US, "unshare", "--mount", "sh", "-c", inside, "sh", *arguments]
    # Nothing of it is to be left on the machine: what it keeps is below the test's folder.
    environ = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environ})
    try:
        root = folder / "pki" / "authorities" / "local" / "root.crt"
        wait_until(root.exists, 20, "the authority")
        yield f"https://{address}:{port}/acme/local/directory"
    finally:
        process.kill()
        process.wait()
        log.close()


def about_certificates(gateway: Gateway, later: float) -> list[tuple[str, str, str]]:
    """What the usual rule says of them, so many seconds from now."""
    (rule,) = (one for one in DEFAULTS if one.name == "A certificate ends")
    seen = Certificates(gateway.certificates, gateway.hosts, lambda: time.time() + later)
    return [(one.app, one.subject, one.verdict) for one in seen.look([rule])]


def test_a_domain_gets_its_certificate(ground: Ground, tmp_path: Path) -> None:
    """Until then it is answered without; afterwards who asks so is sent to HTTPS."""
    for app in list(ground.gateway.apps):
        ground.gateway.withdraw(app)
    running = ground.run("secure", 1)
    before, kept = ground.gateway, ground.settings
    before.stop()
    with ExitStack() as stack:
        stack.enter_context(front())
        # The host as a container reaches it.
        address = ground.engine.gateway_of("docker_gwbridge")
        directory = stack.enter_context(authority(tmp_path, address))
        root = tmp_path / "pki" / "authorities" / "local" / "root.crt"
        settings = GatewaySettings(
            http_port=HTTP_PORT,
            https_port=HTTPS_PORT,
            ports=OWN_PORTS,
            https="always",
            acme=directory,
            acme_root=str(root),
        )
        ground.settings = kept.model_copy(update={"gateway": settings})
        ground.gateway = ground.new_gateway()
        stack.callback(ground.gateway.stop)
        ground.gateway.publish("secure", spec(route={"host": DOMAIN}))
        ground.gateway.switch("secure", running)
        assert ground.text(DOMAIN) == "secure-r1"
        assert ground.gateway.addresses("secure")[0].url == f"http://{DOMAIN}:{HTTP_PORT}/"
        wait_until(lambda: ground.ask(DOMAIN).status_code == 308, 20, "a certificate", every=0.3)
        to = ground.ask(DOMAIN, "/a?b").headers["Location"]
        assert to == f"https://{DOMAIN}:{HTTPS_PORT}/a?b"
        assert ground.gateway.addresses("secure")[0].url == f"https://{DOMAIN}:{HTTPS_PORT}/"
        with httpx.Client(
            verify=ssl.create_default_context(cafile=str(root)), timeout=patient(20)
        ) as client:
            answer = client.get(
                f"https://127.0.0.1:{HTTPS_PORT}/",
                headers={"Host": DOMAIN},
                extensions={"sni_hostname": DOMAIN},
            )
        assert (answer.status_code, answer.text) == (200, "secure-r1")
        assert about_certificates(ground.gateway, 0) == [("secure", DOMAIN, "under")]
        # Of twelve hours; an authority that gives it for so few has no alert of each.
        assert about_certificates(ground.gateway, 10 * 3600) == [("secure", DOMAIN, "over")]
        ground.gateway.withdraw("secure")
    ground.settings = kept
    with suppress(KeyError):
        ground.end(running)
    ground.gateway = ground.new_gateway()
