"""What the gateway is told."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.deploy.caddy import (
    GatewayRoute,
    caddy_config,
    in_flight,
    local_host,
    upstream_file,
)


def servers(*routes: GatewayRoute, **how: object) -> dict[str, dict]:
    return caddy_config(list(routes), **how)["apps"]["http"]["servers"]


def test_an_app_with_a_domain() -> None:
    """A request of that domain goes where the app's file says, which a deployment changes."""
    [route, nowhere] = servers(GatewayRoute("web", 8000, "web.example.com"))["http"]["routes"]
    assert route["match"] == [{"host": ["web.example.com"]}]
    [proxy] = route["handle"]
    assert proxy["dynamic_upstreams"]["name"] == "{file./run/caddy/up/web}"
    assert proxy["dynamic_upstreams"]["port"] == "8000"
    assert nowhere["handle"][0]["status_code"] == 404


def test_an_app_without_one_answers_on_the_machine_and_at_its_own_port() -> None:
    """At its own name nobody from elsewhere is answered, whatever Host they send."""
    found = servers(GatewayRoute("web", 80, own_port=8181), local=["172.18.0.1"])
    [route, _] = found["http"]["routes"]
    assert route["match"] == [
        {"host": ["web.localhost"], "remote_ip": {"ranges": ["127.0.0.0/8", "172.18.0.1", "::1"]}}
    ]
    assert found["own-8181"]["listen"] == [":8181"]
    assert "match" not in found["own-8181"]["routes"][0]
    assert found["own-8181"]["automatic_https"] == {"disable": True}


def test_the_longer_path_is_asked_first() -> None:
    routes = [
        GatewayRoute("site", 80, "a.example.com"),
        GatewayRoute("api", 80, "a.example.com", "/api"),
        GatewayRoute("deep", 80, "a.example.com", "/api/v2/"),
    ]
    matches = [r["match"][0].get("path") for r in servers(*routes)["http"]["routes"][:-1]]
    assert matches == [["/api/v2/", "/api/v2/*"], ["/api", "/api/*"], None]


def test_https_is_served_and_the_plain_port_leads_there() -> None:
    found = servers(GatewayRoute("web", 80, "web.example.com", https=True))
    assert found["https"]["routes"][0]["match"] == [{"host": ["web.example.com"]}]
    [to, _] = found["http"]["routes"]
    assert to["handle"][0]["status_code"] == 308
    assert "https" not in servers(GatewayRoute("web", 80, "web.example.com"))


def test_the_same_routes_are_the_same_bytes() -> None:
    """So that a change made by hand is seen, and nothing is reloaded for nothing."""
    routes = [GatewayRoute(n, 80, f"{n}.example.com") for n in ("a", "b", "c")]
    once, again = caddy_config(routes), caddy_config(routes[::-1])
    assert json.dumps(once) == json.dumps(again)


def test_the_access_log_holds_no_request_up_at_the_start() -> None:
    config = caddy_config([], access_log="unix//run/caddy/access.sock")
    assert config["logging"]["logs"]["access"]["writer"]["soft_start"] is True
    assert config["apps"]["http"]["servers"]["http"]["logs"] == {}
    assert "logging" not in caddy_config([])


def test_requests_in_flight_are_counted_once() -> None:
    told = [
        {"address": "web-r1:80", "num_requests": 2, "fails": 0},
        {"address": "web-r1:80", "num_requests": 3},
        {"address": "10.0.1.4:80", "num_requests": 1},
        {"address": "10.0.1.9:80", "num_requests": 7},
    ]
    assert in_flight(told, ["web-r1:80", "10.0.1.4:80"]) == 4
    assert in_flight([], ["web-r1:80"]) == 0


@given(
    st.text("abAB019_.-", min_size=1, max_size=128), st.text("abAB_.-", min_size=1, max_size=128)
)
def test_every_app_has_a_file_and_a_name_of_its_own(one: str, other: str) -> None:
    name = upstream_file(one)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name)
    assert (upstream_file(other) == name) == (one == other)
    assert local_host(one) == f"{name}.localhost"
