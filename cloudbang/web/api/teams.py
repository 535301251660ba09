"""Teams: made, with who is in them and as what, deleted once they have no apps."""

from __future__ import annotations

from flask import Blueprint, Response

from cloudbang.accounts import INSTALLATION, Team
from cloudbang.web.api.operation import operation
from cloudbang.web.api.parsing import json, read_body
from cloudbang.web.api.schemas import teams as shapes
from cloudbang.web.api.schemas.shapes import moment_if
from cloudbang.web.security.authenticator import needs, needs_person
from cloudbang.web.services import services

bp = Blueprint("teams", __name__, url_prefix="/api/v1")


@bp.get("/teams")
@needs("manage", INSTALLATION)
@operation(gives=shapes.Teams)
def teams() -> Response:
    """Every team, with who is in it."""
    return json({"teams": [_team(one) for one in services().accounts.teams.all()]})


@bp.post("/teams")
@needs("manage", INSTALLATION)
@needs_person(or_machine=True)
@operation(body=shapes.NewTeam, gives=shapes.Team, status=201)
def create_team() -> Response:
    """Make a team, with nobody in it."""
    wanted = read_body(shapes.NewTeam)
    made = services().accounts.teams
    made.create(wanted.name)
    return json(_team(made.get(wanted.name)), 201)


@bp.delete("/teams/<team>")
@needs("manage", INSTALLATION)
@needs_person(or_machine=True)
@operation()
def delete_team(team: str) -> Response:
    """Delete a team that has no apps, with its credentials for hosts. The sessions of who was in it
    end."""
    services().accounts.teams.delete(team)
    return Response(status=204)


@bp.put("/teams/<team>/members/<int:account_id>")
@needs("manage", INSTALLATION)
@needs_person(or_machine=True)
@operation(body=shapes.Membership, gives=shapes.Team)
def put_member(team: str, account_id: int) -> Response:
    """Have somebody in a team, or as something else. Their sessions end where they may do less."""
    wanted = read_body(shapes.Membership)
    people = services().accounts
    people.set_role(account_id, wanted.role, team)
    return json(_team(people.teams.get(team)))


@bp.delete("/teams/<team>/members/<int:account_id>")
@needs("manage", INSTALLATION)
@needs_person(or_machine=True)
@operation()
def remove_member(team: str, account_id: int) -> Response:
    """Have somebody in a team no more; their sessions end."""
    services().accounts.set_role(account_id, None, team)
    return Response(status=204)


def _team(team: Team) -> shapes.Team:
    return {
        "name": team.name,
        "created_at": moment_if(team.created_at),
        "members": [
            {"account": one.account_id, "username": one.name, "role": one.role}
            for one in team.members
        ],
        "apps": team.apps,
    }
