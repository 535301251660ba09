"""What a person may do with what a team owns: the one table, and the questions it answers.

A role is a set of permissions, held in a team. What belongs to the installation and to no app
(accounts, tokens of the command line, commands of the host) is owned by the team ``default``,
which every installation has: who manages that manages the installation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from cloudbang.domain.names import DEFAULT_TEAM as DEFAULT_TEAM

Permission = Literal["view", "terminal", "deploy", "manage"]
Role = Literal["admin", "viewer"]
Roles = Mapping[str, Role]
"""Who somebody is in each team that they belong to."""

INSTALLATION = DEFAULT_TEAM

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "viewer": frozenset({"view"}),
    # A shell in a container is root there: whoever may have one may as well do the rest.
    "admin": frozenset(get_args(Permission)),
}
ROLES: tuple[Role, ...] = tuple(PERMISSIONS)  # from the least to the most


def permissions_of(role: Role | None) -> frozenset[Permission]:
    """What a role may do; nothing without one."""
    return PERMISSIONS[role] if role else frozenset()


def least_role_with(permission: Permission) -> Role:
    """The role to ask for, for who lacks a permission."""
    return next(role for role in ROLES if permission in PERMISSIONS[role])


def lesser(one: Role, other: Role) -> Role:
    """The role that may less."""
    return min(one, other, key=ROLES.index)


def greatest(roles: Iterable[Role]) -> Role:
    """The role that may most; the least one of all where there is none."""
    return max(roles, key=ROLES.index, default=ROLES[0])


def covers(roles: Roles, others: Roles) -> bool:
    """Whether who has ``roles`` may do everything that ``others`` allow."""
    return all(permissions_of(roles.get(t)) >= PERMISSIONS[role] for t, role in others.items())
