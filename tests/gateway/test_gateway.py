"""Routes that come to be: on a real engine, with a real Caddy."""

from __future__ import annotations

import pytest

from tests.gateway.ground import Ground, spec

pytestmark = pytest.mark.engine


def test_an_app_is_reached(ground: Ground) -> None:
    """On the machine by its name, from elsewhere at a port of its own."""
    service = ground.run("web", 1)
    ground.gateway.publish("web", spec())
    ground.gateway.switch("web", service)
    assert ground.text("web.localhost") == "web-r1"
    local, own = ground.gateway.addresses("web")
    assert (local.url, local.kind) == ("http://web.localhost:8180/", "local")
    assert own.port == 8181
    assert ground.text("anything", port=own.port) == "web-r1"
    assert ground.ask("other.localhost").status_code == 404
