"""What the gateway is told."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.deploy.caddy import (
    Gate,
    GatewayRoute,
    caddy_config,
    in_flight,
    is_public,
    local_host,
    upstream_file,
)


def servers(*routes: GatewayRoute, **how: object) -> dict[str, dict]:
    return caddy_config(list(routes), Gate(**how))["apps"]["http"]["servers"]


def proxy_of(route: dict) -> dict:
    return next(one for one in route["handle"] if one["handler"] == "reverse_proxy")


def test_an_app_with_a_domain() -> None:
    """A request of that domain goes where the app's files say, which a deployment changes."""
    [route, nowhere] = servers(GatewayRoute("web", "web.example.com"))["http"]["routes"]
    assert route["match"] == [{"host": ["web.example.com"]}]
    upstreams = proxy_of(route)["dynamic_upstreams"]
    assert upstreams["name"] == "{file./run/caddy/up/web}"
    assert upstreams["port"] == "{file./run/caddy/up/web.port}"
    assert nowhere["handle"][0]["status_code"] == 404


def test_an_app_without_one_answers_on_the_machine_and_at_its_own_port() -> None:
    """At its own name nobody from elsewhere is answered, whatever Host they send."""
    found = servers(GatewayRoute("web", own_port=8181), local=["172.18.0.1"])
    [route, _] = found["http"]["routes"]
    assert route["match"] == [
        {"host": ["web.localhost"], "remote_ip": {"ranges": ["127.0.0.0/8", "172.18.0.1", "::1"]}}
    ]
    assert found["own-8181"]["listen"] == [":8181"]
    assert "match" not in found["own-8181"]["routes"][0]
    assert found["own-8181"]["automatic_https"] == {"disable": True}


def test_a_local_name_is_local_whoever_asked_for_it() -> None:
    [route, _] = servers(GatewayRoute("web", "shop.localhost"))["http"]["routes"]
    assert route["match"][0]["remote_ip"] == {"ranges": ["127.0.0.0/8", "::1"]}


def test_where_others_pass_for_the_machine_a_local_name_answers_nobody() -> None:
    """Unless the app answers everybody at its own port anyway."""
    gate = Gate(local=["172.18.0.1"], exposed=True)
    shop, web = GatewayRoute("shop", "shop.localhost"), GatewayRoute("web", own_port=8181)
    made = caddy_config([shop, web], gate)["apps"]["http"]["servers"]["http"]["routes"]
    found = {r["match"][0]["host"][0]: r["match"][0]["remote_ip"]["ranges"] for r in made[:-1]}
    assert found == {
        "shop.localhost": ["127.0.0.0/8", "::1"],
        "web.localhost": ["127.0.0.0/8", "172.18.0.1", "::1"],
    }


def test_the_longer_path_is_asked_first_and_a_name_before_a_pattern() -> None:
    routes = [
        GatewayRoute("all", "*.example.com"),
        GatewayRoute("site", "a.example.com"),
        GatewayRoute("api", "a.example.com", "/api"),
        GatewayRoute("deep", "a.example.com", "/api/v2/"),
    ]
    matches = [
        (r["match"][0]["host"][0], r["match"][0].get("path"))
        for r in servers(*routes)["http"]["routes"][:-1]
    ]
    assert matches == [
        ("a.example.com", ["/api/v2/", "/api/v2/*"]),
        ("a.example.com", ["/api", "/api/*"]),
        ("a.example.com", None),
        ("*.example.com", None),
    ]


def test_https_is_served_and_the_plain_port_leads_there() -> None:
    """From the moment there is a certificate on; before, both ports serve."""
    early = servers(GatewayRoute("web", "web.example.com", https=True))
    assert early["https"]["routes"][0]["match"] == [{"host": ["web.example.com"]}]
    assert proxy_of(early["http"]["routes"][0])
    found = servers(
        GatewayRoute("web", "web.example.com", https=True, redirect=True), https_port=8543
    )
    [to, _] = found["http"]["routes"]
    [answer] = to["handle"]
    assert answer["status_code"] == 308
    assert answer["headers"]["Location"] == ["https://{http.request.host}:8543{http.request.uri}"]
    assert "https" not in servers(GatewayRoute("web", "web.example.com"))


def test_certificates_come_from_where_the_settings_say() -> None:
    route = GatewayRoute("web", "web.example.com", https=True)
    assert "tls" not in caddy_config([route])["apps"]
    told = caddy_config([route], Gate(acme="https://ca.example.com/dir", email="a@example.com"))
    [policy] = told["apps"]["tls"]["automation"]["policies"]
    issuer = {"module": "acme", "ca": "https://ca.example.com/dir", "email": "a@example.com"}
    assert policy["issuers"] == [issuer]


def test_a_proxy_that_is_trusted_says_who_asks() -> None:
    """At every port; without one nobody's word counts."""
    route = GatewayRoute("web", own_port=8181)
    for server in servers(route, trusted=["10.0.0.5", "10.0.0.1"]).values():
        assert server["trusted_proxies"]["ranges"] == ["10.0.0.1", "10.0.0.5"]
    assert all("trusted_proxies" not in server for server in servers(route).values())


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("web.example.com", True),
        ("a.dev", True),
        *((h, False) for h in ("web", "localhost", "a.localhost", "nas.local", "x.internal")),
        *((h, False) for h in ("192.168.1.5", "*.example.com", "a.test", "a.example", "")),
    ],
)
def test_domains_that_a_certificate_is_given_for(host: str, public: bool) -> None:
    assert is_public(host) is public


@pytest.mark.parametrize(
    "text", ["{env.HOME}", "a b", "a\n", "a\\b", "a\0", "{http.request.host}", "}"]
)
def test_nothing_of_a_route_is_replaced_by_caddy(text: str) -> None:
    """What stands in braces is, wherever it stands."""
    for route in ({"host": text}, {"path": f"/{text}"}):
        with pytest.raises(ValueError, match="may not stand in a route"):
            GatewayRoute("web", **route)


def test_the_same_routes_are_the_same_bytes() -> None:
    """So that a change made by hand is seen, and nothing is reloaded for nothing."""
    routes = [GatewayRoute(n, f"{n}.example.com") for n in ("a", "b", "c")]
    once, again = caddy_config(routes), caddy_config(routes[::-1])
    assert json.dumps(once) == json.dumps(again)


def test_the_access_log_holds_no_request_up() -> None:
    """It is a file that is begun anew; no header that holds a secret is in it, and whose request it
    was is."""
    config = caddy_config([GatewayRoute("web", "web.example.com")])
    access = config["logging"]["logs"]["access"]
    assert access["writer"]["output"] == "file"
    assert {"request>headers", "resp_headers"} <= access["encoder"]["fields"].keys()
    http = config["apps"]["http"]["servers"]["http"]
    assert http["logs"] == {}
    assert http["routes"][0]["handle"][0] == {"handler": "log_append", "key": "app", "value": "web"}


def cookies_left(sent: str) -> str:
    """What of a Cookie an app gets."""
    [route, _] = servers(GatewayRoute("web", "a.example.com"))["http"]["routes"]
    for rule in proxy_of(route)["headers"]["request"]["replace"]["Cookie"]:
        sent = re.sub(rule["search_regexp"], rule["replace"], sent)
    return sent


def test_no_app_gets_our_logins() -> None:
    """A browser sends its cookies to every port of a host, and so to the own port of an app."""
    assert cookies_left("a=1; cloudbang_session=S; b=2") == "a=1; b=2"
    assert cookies_left("cloudbang_session=S; a=1") == "a=1"
    assert cookies_left("cloudbang_session=S;cloudbang_session=T; __Host-cloudbang_session=U") == ""
    assert cookies_left("x=1; cloudbang_known=S") == "x=1"
    assert cookies_left("my_cloudbang_session=S; cloudbang_sessions=T") == (
        "my_cloudbang_session=S; cloudbang_sessions=T"
    )


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
