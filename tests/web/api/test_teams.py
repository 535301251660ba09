"""Teams over HTTP: for who manages the installation."""

from __future__ import annotations

from tests.web.api.test_account import code
from tests.web.web_support import WebGround


def test_an_admin_looks_after_teams(ground: WebGround) -> None:
    """Made, listed, with who is in them and as what; a name that cannot be, nobody, and a team that has
    apps are refused."""
    ada, bob = ground.person("ada"), ground.person("bob", "viewer")
    made = ada.post("/api/v1/teams", {"name": "blue"})
    assert (made.status_code, made.json["members"], made.json["apps"]) == (201, [], 0)
    assert code(ada.post("/api/v1/teams", {"name": "Blue"})) == (409, "name-taken")
    assert code(ada.post("/api/v1/teams", {"name": "../x"})) == (400, "bad-request")
    id = bob.get("/api/v1/me").json["id"]
    place = f"/api/v1/teams/blue/members/{id}"
    team = ada.put(place, {"role": "admin"}).json
    assert team["members"] == [{"account": id, "username": "bob", "role": "admin"}]
    assert ground.accounts.credentials.teams == {"default", "blue"}
    assert ada.put(place, {"role": "viewer"}).json["members"][0]["role"] == "viewer"
    assert code(ada.put(place, {"role": "king"})) == (400, "bad-request")
    assert code(ada.put("/api/v1/teams/red/members/1", {"role": "viewer"})) == (404, "not-found")
    assert code(ada.put("/api/v1/teams/blue/members/99", {"role": "viewer"})) == (404, "not-found")
    bob = ground.person("bob")
    assert ada.delete(place).status_code == 204
    assert bob.get("/api/v1/me").status_code == 401, "who is in a team no more has to sign in again"

    listed = ada.get("/api/v1/teams").json["teams"]
    assert [(one["name"], one["created_at"] is None) for one in listed] == [
        ("default", True),
        ("blue", False),
    ]
    ground.apps.create("blue-web", "blue")
    ground.apps.save()
    refused = ada.delete("/api/v1/teams/blue")
    assert code(refused) == (409, "team-in-use")
    assert code(ada.delete("/api/v1/teams/default")) == (409, "team-in-use")
    assert code(ada.delete("/api/v1/teams/red")) == (404, "not-found")


def test_who_leaves_the_installation_itself(ground: WebGround) -> None:
    """Somebody may be of one team alone; the last who manages the installation stays."""
    ada, bob = ground.person("ada"), ground.person("bob", "viewer")
    me, other = ada.get("/api/v1/me").json["id"], bob.get("/api/v1/me").json["id"]
    ada.post("/api/v1/teams", {"name": "blue"})
    ada.put(f"/api/v1/teams/blue/members/{other}", {"role": "admin"})
    assert ada.delete(f"/api/v1/teams/default/members/{other}").status_code == 204
    assert ground.accounts.get(other).role is None
    assert code(ada.delete(f"/api/v1/teams/default/members/{me}")) == (409, "last-admin")
