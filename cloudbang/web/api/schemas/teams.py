"""Teams and who is in them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from typing_extensions import TypedDict

from cloudbang.accounts.models import checked_role, checked_team
from cloudbang.web.api.schemas.shapes import Body, Role, Time, one_of


class NewTeam(Body):
    name: Annotated[str, AfterValidator(checked_team)]


class Membership(Body):
    role: Annotated[str, AfterValidator(checked_role), one_of("admin", "viewer")]


class Member(TypedDict):
    account: int
    username: str
    role: Role


class Team(TypedDict):
    """``created_at`` is null for the team `default`, which every installation has. ``apps`` counts those
    that are gone, too."""

    name: str
    created_at: Time | None
    members: list[Member]
    apps: int


class Teams(TypedDict):
    teams: list[Team]
