"""Whose a domain is, which port an app gets, and where it answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudbang.config import GatewaySettings, ServerSettings, Settings
from cloudbang.gateway.errors import NoFreePort, RouteTaken
from cloudbang.gateway.routes import CERTIFICATES, Routes, taken_ports
from tests.gateway.ground import spec

PORTS = (8181, 8182)


class Wanted(Routes):
    """Routes that are taken as they are asked for."""

    def __init__(self, *, public_url: str = "", **gateway: object) -> None:
        self.teams: dict[str, str] = {}
        settings = Settings(
            server=ServerSettings(public_url=public_url),
            gateway=GatewaySettings(**gateway),  # type: ignore[arg-type]
        )
        super().__init__(settings, lambda app: self.teams.get(app, "default"))

    def add(self, app: str, host: str = "", path: str = "/", team: str = "default") -> int:
        self.teams[app] = team
        wanted = spec(route={"host": host, "path": path})
        self.by_app[app] = self.wanted(app, wanted, PORTS)
        return self.by_app[app].own_port


def test_a_port_is_kept_and_the_next_one_free(tmp_path: Path) -> None:
    """An app with a domain needs none; one that has a port keeps it."""
    routes = Wanted()
    assert [routes.add("a"), routes.add("b"), routes.add("a")] == [8181, 8182, 8181]
    with pytest.raises(NoFreePort) as e:
        routes.add("c")
    assert "8181-8199" in str(e.value)
    assert routes.add("b", "b.example.com") == 0
    assert routes.add("c") == 8182


def test_an_app_whose_port_is_gone_gets_another() -> None:
    """Or none, when there is none: it is still reached on the machine."""
    routes = Wanted()
    routes.add("a")
    routes.add("b")
    changed = routes.allot_again([8182, 8183])
    assert [(route.app, route.own_port) for route in changed] == [("a", 8183)]
    assert [r.own_port for r in routes.allot_again([8182])] == [0]
    assert routes.allot_again([8182]) == []


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("web.example.com", "/"),
        ("web.example.com", "/a"),
        ("*.example.com", "/"),
        ("web.localhost", "/"),
    ],
)
def test_a_domain_belongs_to_a_team(host: str, path: str) -> None:
    """With all that is below it, and the names that a pattern means; of whose it is nothing is
    told."""
    routes = Wanted()
    routes.add("shop", "web.example.com", team="red")
    routes.add("web", team="red")
    with pytest.raises(RouteTaken) as e:
        routes.add("other", host, path, team="blue")
    assert e.value.whose == "team"
    assert "shop" not in str(e.value)


@pytest.mark.parametrize(
    "host", ["web.example.com", "example.com", "a.b.example.com", "*.b.example.com"]
)
def test_what_is_below_a_pattern_is_the_teams_that_has_it(host: str) -> None:
    """And who has anything there does not come under another's: which of the two was first."""
    for first, second in (("*.example.com", host), (host, "*.example.com")):
        routes = Wanted()
        routes.add("shop", first, team="red")
        with pytest.raises(RouteTaken) as e:
            routes.add("other", second, team="blue")
        assert e.value.whose == "team"
        routes.add("mine", second, team="red")


@pytest.mark.parametrize(
    "host", ["*.com", "*.co.uk", "*.github.io", "*.xn--55qx5d.cn", "*.localhost", "*.lan"]
)
def test_what_is_everybodys_is_no_teams(host: str) -> None:
    with pytest.raises(RouteTaken) as e:
        Wanted().add("web", host)
    assert e.value.whose == "everybody"


def test_within_a_team_a_path_is_an_apps() -> None:
    """Two apps share a domain by different paths. Caddy looks at no capitals."""
    routes = Wanted()
    routes.add("site", "web.example.com")
    routes.add("api", "web.example.com", "/api")
    for path in ("/api", "/api/", "/API"):
        with pytest.raises(RouteTaken) as e:
            routes.add("other", "web.example.com", path)
        assert "leads to api" in str(e.value)
    routes.add("api", "web.example.com", "/api/")  # its own
    routes.add("all", "*.example.com")
    routes.add("deep", "a.b.example.com")
    with pytest.raises(RouteTaken):
        routes.add("web", "web.example.com")
    routes.add("web")
    with pytest.raises(RouteTaken):
        routes.add("other", "web.localhost")


def test_where_cloudbang_answers_no_app_does() -> None:
    """A browser would take its scripts for ours."""
    routes = Wanted(public_url="https://cloud.example.com")
    for host in ("cloud.example.com", "localhost"):
        with pytest.raises(RouteTaken) as e:
            routes.add("web", host)
        assert e.value.whose == "ours"
    assert routes.add("web", "web.cloud.example.com") == 0


def test_ports_of_ours_are_no_apps() -> None:
    """8188 is in the middle of the range."""
    taken = taken_ports(Settings())
    assert {8188, 8180, 8543, 9241, 9242, 9243} <= taken


def urls(routes: Routes, app: str, folder: Path) -> list[tuple[str, str]]:
    return [(one.url, one.kind) for one in routes.addresses(app, folder)]


def test_where_an_app_answers(tmp_path: Path) -> None:
    """With a domain there alone; without one on the machine, and at its own port."""
    routes = Wanted(public_url="http://cloud.example.com:8188", http_port=8180)
    routes.add("My.App", path="/a b".replace(" ", "é"))
    local, own = routes.addresses("My.App", tmp_path)
    assert local.url.startswith("http://my-app-")
    assert local.url.endswith(".localhost:8180/a%C3%A9b")
    assert (own.url, own.port) == ("http://cloud.example.com:8181/a%C3%A9b", 8181)
    routes.add("web", "web.example.com")
    assert urls(routes, "web", tmp_path) == [("http://web.example.com:8180/", "domain")]
    assert routes.addresses("none", tmp_path) == []


def test_https_from_the_moment_there_is_a_certificate(tmp_path: Path) -> None:
    """Where browsers ask; before, and elsewhere, it is served without."""
    routes = Wanted(http_port=80, https_port=443)
    routes.add("web", "web.example.com")
    routes.add("home", "nas.local")

    def told() -> tuple[bool, bool]:
        servers = routes.config([], tmp_path)["apps"]["http"]["servers"]  # type: ignore[index]
        plain = {r["match"][0]["host"][0]: r for r in servers["http"]["routes"] if "match" in r}
        redirected = plain["web.example.com"]["handle"][0]["handler"] == "static_response"
        assert plain["nas.local"]["handle"][-1]["handler"] == "reverse_proxy"
        return "https" in servers, redirected

    assert told() == (True, False)
    assert urls(routes, "web", tmp_path) == [("http://web.example.com/", "domain")]
    folder = tmp_path / CERTIFICATES / "acme" / "web.example.com"
    folder.mkdir(parents=True)
    (folder / "web.example.com.crt").write_text("…")
    assert told() == (True, True)
    assert urls(routes, "web", tmp_path) == [("https://web.example.com/", "domain")]
    away = Wanted()  # at other ports nobody proves a domain
    away.add("web", "web.example.com")
    assert "https" not in away.config([], tmp_path)["apps"]["http"]["servers"]  # type: ignore[index]
    forced = Wanted(https="always")
    forced.add("web", "web.example.com")
    assert "https" in forced.config([], tmp_path)["apps"]["http"]["servers"]  # type: ignore[index]
