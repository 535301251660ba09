"""What the doctor says of the gateway."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from cloudbang.cli.doctor_gateway import gateway
from cloudbang.config import GatewaySettings, Settings, StorageSettings
from cloudbang.gateway import image
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.routes import KeptRoute, RouteStore
from tests.support import free_port


def settings(folder: Path) -> Settings:
    ports = GatewaySettings(http_port=free_port(), https_port=free_port())
    return Settings(storage=StorageSettings(path=folder), gateway=ports)


def test_before_the_first_route(tmp_path: Path) -> None:
    """The program is what it should be, and the ports can be had."""
    its = settings(tmp_path)
    [program, *ports] = gateway(its)
    assert (program.ok, program.found.en) == (True, f"Caddy {image.VERSION}")
    assert [finding.ok for finding in ports] == [True, True]
    with socket.create_server(("127.0.0.1", its.gateway.http_port)):
        [_, http, https] = gateway(its)
    assert (http.ok, https.ok) == (False, True)
    assert "CLOUDBANG_GATEWAY_HTTP_PORT" in str(http.mend)


def test_a_gateway_that_does_not_answer(tmp_path: Path) -> None:
    """It is wrong as soon as an app has a route."""
    database = Database(tmp_path)
    database.open()
    RouteStore(database).save(KeptRoute("web"))
    database.close()
    [finding] = [f for f in gateway(settings(tmp_path)) if f.code == "gateway-away"]
    assert not finding.ok
    assert "1 apps have a route" in finding.found.en
    assert finding.mend


def test_another_program_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = tmp_path / "caddy"
    stranger.write_bytes(b"#!/bin/sh")
    monkeypatch.setattr(image, "find_program", lambda: stranger)
    [finding] = [f for f in gateway(settings(tmp_path)) if f.code == "gateway-program"]
    assert not finding.ok
    assert str(stranger) in finding.found.en
