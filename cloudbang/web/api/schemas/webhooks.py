"""Webhooks of apps."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from cloudbang.domain.deploy.webhooks import WebhookKind
from cloudbang.web.api.schemas.shapes import Body, Time

Branch = Annotated[str, Field(max_length=250)]
Paths = Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=50)]


class NewWebhook(Body):
    """``branch``: a name or a pattern; the branch that the app is built from, unless said. ``paths``:
    patterns; a push that changes none of them is left out."""

    kind: WebhookKind
    branch: Branch = ""
    paths: Annotated[Paths, Field(default_factory=list)]


class WebhookChange(Body):
    branch: Branch | None = None
    paths: Paths | None = None
    enabled: bool | None = None


class WebhookDelivery(TypedDict):
    """``outcome``: begun, why it deployed nothing, or the code of an error."""

    received: Time
    deployment: int | None
    outcome: str


class Webhook(TypedDict):
    """``path`` of its address on this server."""

    id: int
    kind: WebhookKind
    branch: str
    paths: list[str]
    enabled: bool
    by: str
    created: Time
    path: str
    deliveries: list[WebhookDelivery]


class WebhookSecret(Webhook):
    secret: str


class Webhooks(TypedDict):
    webhooks: list[Webhook]


class Delivered(TypedDict):
    """The deployment that was begun, or why none was: not-a-push, no-branch, other-branch,
    other-paths. ``again``: it was received before."""

    id: int | None
    app: str
    number: int | None
    skipped: str | None
    again: bool
