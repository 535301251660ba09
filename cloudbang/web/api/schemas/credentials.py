"""Users and passwords for registries and Git hosts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from cloudbang.web.api.schemas.shapes import Body


class NewCredentials(Body):
    """Of a token most hosts take any user."""

    user: Annotated[str, Field(max_length=1024)]
    password: Annotated[str, Field(max_length=32 * 1024)]


class HostWithCredentials(TypedDict):
    """``host`` with its port where that is not the usual one."""

    kind: Literal["registry", "git"]
    host: str


class Credentials(TypedDict):
    credentials: list[HostWithCredentials]
