"""Webhooks: a push to a repository deploys the app that is built from it.

What is deployed is what serves, with its source fetched anew; of what the host of the code says
only the branch, the paths and the image are looked at. So whoever has the secret can do no more than
deploy again what somebody who may has deployed before.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from gevent import get_hub
from gevent.event import Event

from cloudbang.core.peer_json import read_json
from cloudbang.core.threads import in_thread
from cloudbang.deploy.service import Deployments, Wanted
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.webhooks import (
    NAMES,
    Filter,
    Push,
    WebhookKind,
    delivery_of,
    is_signed,
    push_of,
    skipped,
)
from cloudbang.domain.lines import format_time
from cloudbang.errors import BadRequest, CloudBangError
from cloudbang.storage.database.secrets import SecretStore
from cloudbang.storage.database.webhooks import Delivery, Webhook, WebhookStore, scope_of

KEPT = 7 * 86400 * 1_000_000_000  # nanoseconds that it is known what came of a delivery
MOST = 20  # webhooks of an app
LARGE = 256 * 1024  # bytes of a body that is not looked at on the hub
LOOKED_AT = 20  # deployments of an app, for one that was asked for just before the end
NAME = "secret"
BEGINS = "begins"  # the outcome of what is under way

Act = Callable[[str], tuple[int | None, str]]
"""Is given what names the asking, for the deployment's record; gives the id of the deployment that it
began, or the outcome."""


class NoSuchWebhook(CloudBangError):
    """There is no webhook there."""

    code = "no-such-webhook"
    status = 404
    title = "No such webhook"
    sentence = "there is no such webhook: it was deleted, or its address is not whole"


class WrongSignature(CloudBangError):
    """Who called a webhook has not shown its secret."""

    code = "wrong-signature"
    status = 403
    title = "Not signed"
    sentence = (
        "the webhook of {app} was called without its secret: set the same in the host of the code"
    )

    def __init__(self, app: str) -> None:
        self.app = app
        super().__init__(app)


class WebhookOff(CloudBangError):
    """A webhook that somebody has switched off."""

    code = "webhook-off"
    status = 409
    title = "The webhook is off"
    sentence = "the webhook of {app} is switched off"

    def __init__(self, app: str) -> None:
        self.app = app
        super().__init__(app)


class TooManyWebhooks(CloudBangError):
    """An app has as many as it may."""

    code = "too-many-webhooks"
    status = 409
    title = "Too many webhooks"
    sentence = "{app} has {limit} webhooks, and no more are allowed: delete one first"

    def __init__(self, app: str, limit: int = MOST) -> None:
        self.app, self.limit = app, limit
        super().__init__(app, limit)


class NothingToFetch(CloudBangError):
    """An app was never deployed, or from a folder that was sent: nobody can fetch that anew."""

    code = "nothing-to-fetch"
    status = 409
    title = "Nothing to fetch"
    sentence = (
        "{app} has no release whose source could be fetched anew: deploy it from a Git address or an "
        "image first"
    )

    def __init__(self, app: str) -> None:
        self.app = app
        super().__init__(app)


@dataclass(frozen=True, slots=True)
class Received:
    """What came of a delivery: a deployment, or why there is none. ``again``: it came before."""

    app: str
    deployment: Deployment | None = None
    skipped: str = ""
    again: bool = False


class Once:
    """What somebody asks for under a name is done once, however often they ask, and whatever ends
    this process meanwhile."""

    def __init__(self, store: WebhookStore, deployments: Deployments) -> None:
        self._store, self._deployments = store, deployments
        self._under_way: dict[tuple[str, str], Event] = {}

    def do(self, app: str, scope: str, key: str, act: Act) -> tuple[Delivery, bool]:
        """What came of it, and whether it was done before. Raises what ``act`` raises: then it can be
        asked for again."""
        while (other := self._under_way.get((scope, key))) is not None:
            other.wait()
        done = self._under_way[scope, key] = Event()
        try:
            known = self._store.delivered(scope, key) if key else None
            if known is not None and known.outcome == BEGINS:
                known = self._found(app, known)
            if known is not None and not known.outcome.startswith("error:"):
                return known, True
            return self._act(scope, key, act), False
        finally:
            del self._under_way[scope, key]
            done.set()

    def _act(self, scope: str, key: str, act: Act) -> Delivery:
        now = time.time_ns()
        oldest = format_time(now - KEPT)
        begins = Delivery(scope, key or f"-{secrets.token_hex(8)}", format_time(now), BEGINS)
        if key:
            self._store.keep(begins, oldest)
        made = replace(begins, outcome="error:internal")
        try:
            deployment, outcome = act(_asked(begins) if key else "")
            made = replace(begins, outcome=outcome, deployment=deployment)
        except CloudBangError as e:
            made = replace(begins, outcome=f"error:{e.code}")
            raise
        finally:
            self._store.keep(made, oldest)
        return made

    def _found(self, app: str, begins: Delivery) -> Delivery | None:
        """What came of one that a process before this one began, and did not live to write down."""
        for one in self._deployments.find(app, limit=LOOKED_AT):
            more = self._deployments.more(one.id)
            if more and more[0].get("asked") == _asked(begins):
                found = replace(begins, outcome="begun", deployment=one.id)
                self._store.keep(found, format_time(time.time_ns() - KEPT))
                return found
        return None


class Webhooks:
    """All webhooks of all apps."""

    def __init__(self, store: WebhookStore, secrets: SecretStore, deployments: Deployments) -> None:
        self._store, self._secrets, self._deployments = store, secrets, deployments
        self.once = Once(store, deployments)

    # -- to make and to change

    def make(self, app: str, kind: WebhookKind, wanted: Filter, by: str) -> tuple[Webhook, str]:
        """A new one, and its secret, which is not shown again. Raises TooManyWebhooks, and NothingToFetch
        for what was built from a folder that was sent: each push would be refused."""
        if len(self._store.of(app)) >= MOST:
            raise TooManyWebhooks(app)
        made_of = self._made_of(app)
        if made_of is not None and (build := made_of.spec.build) is not None and not build.git:
            raise NothingToFetch(app)
        key = secrets.token_urlsafe(16)
        secret = _new_secret()
        made = self._store.add(
            Webhook(app, key, kind, by, format_time(time.time_ns()), wanted),
            # Without it it would refuse whatever comes.
            lambda c, id: self._secrets.put_in(c, _place(id), {NAME: secret}),
        )
        return made, secret

    def rotate(self, webhook: Webhook) -> str:
        """A new secret, which is not shown again; the one before is good no more."""
        secret = _new_secret()
        self._secrets.replace(_place(webhook.id), {NAME: secret})
        return secret

    def change(self, webhook: Webhook, wanted: Filter, enabled: bool) -> Webhook:
        changed = replace(webhook, filter=wanted, enabled=enabled)
        self._store.save(changed)
        return changed

    def delete(self, webhook: Webhook) -> None:
        self._store.delete(webhook.id, lambda c, id: self._secrets.forget_in(c, _place(id)))

    def forget(self, app: str) -> None:
        """An app is deleted: nobody deploys it by an old address, should its name come back."""
        for webhook in self._store.of(app):
            self.delete(webhook)

    def of(self, app: str) -> list[Webhook]:
        return self._store.of(app)

    def get(self, app: str, id: int) -> Webhook:
        """Raises NoSuchWebhook."""
        found = self._store.get(id)
        if found is None or found.app != app:
            raise NoSuchWebhook
        return found

    def deliveries(self, webhook: Webhook, limit: int = 20) -> Sequence[Delivery]:
        """What came of the newest ones."""
        return self._store.deliveries(scope_of(webhook.id), limit)

    # -- to be called

    def called(self, key: str) -> Webhook:
        """The one of this address. Raises NoSuchWebhook."""
        found = self._store.called(key) if len(key) <= 64 else None
        if found is None:
            raise NoSuchWebhook
        return found

    def receive(
        self,
        webhook: Webhook,
        headers: Mapping[str, str],
        body: bytes,
        json_of: Callable[[bytes], bytes] = bytes,
    ) -> Received:
        """Do what a delivery asks for. ``headers`` by names in small letters; ``json_of`` gives the
        JSON in a body.

        Raises WrongSignature, WebhookOff, BadRequest, NothingToFetch, and what keeps a deployment
        from beginning.
        """
        place = _place(webhook.id)
        secret = self._secrets.get(place, self._secrets.newest(place)).get(NAME, "")
        pool = get_hub().threadpool if len(body) > LARGE else None
        signed = _maybe(pool, is_signed, webhook.kind, headers, body, secret)
        if not secret or not signed:
            raise WrongSignature(webhook.app)
        if not webhook.enabled:
            raise WebhookOff(webhook.app)
        push = push_of(webhook.kind, headers, _maybe(pool, _read, json_of, body))
        begun: list[Deployment] = []

        def act(asked: str) -> tuple[int | None, str]:
            if push is None:
                return None, "not-a-push"
            found = self._begin(webhook, push, asked)
            if isinstance(found, str):
                return None, found
            begun.append(found)
            return found.id, "begun"

        key = delivery_of(webhook.kind, headers)
        done, again = self.once.do(webhook.app, scope_of(webhook.id), key, act)
        if done.deployment is None:
            return Received(webhook.app, skipped=done.outcome, again=again)
        made = begun[0] if begun else self._deployments.get(done.deployment)
        return Received(webhook.app, made, again=again)

    def _begin(self, webhook: Webhook, push: Push, asked: str) -> Deployment | str:
        """Deploy what serves, its source fetched anew; or why not."""
        app = webhook.app
        of = self._made_of(app)
        if of is None:
            raise NothingToFetch(app)
        build = of.spec.build
        if why := skipped(push, webhook.filter, build.branch if build else ""):
            return why
        spec: dict[str, Any] = of.spec.as_json()
        if push.image and build is None:
            spec["image"] = push.image
        elif build is not None and not build.git:
            raise NothingToFetch(app)
        who = f"{push.by} ({NAMES[webhook.kind]})" if push.by else NAMES[webhook.kind]
        # Its fields are those that somebody who may has deployed: an admin's are an admin's.
        return self._deployments.begin(
            app, Wanted(spec=spec, asked=asked), who, admin=True, wait=True, settle=True
        )

    def _made_of(self, app: str) -> Release | None:
        """The release that serves, or the newest; None where there is none."""
        deployed = self._deployments.app(app)
        releases = [release for _, release in self._deployments.releases(app)]
        serving = deployed.serving if deployed else None
        return next((r for r in releases if r.number == serving), releases[0] if releases else None)


def _asked(delivery: Delivery) -> str:
    return f"{delivery.scope}/{delivery.key}"


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _place(id: int) -> str:
    """Where the secrets have a webhook's own: no app is called so."""
    return f"@webhook-{id}"


def _read(json_of: Callable[[bytes], bytes], body: bytes) -> Mapping[str, Any]:
    """Raises BadRequest."""
    try:
        told = read_json(json_of(body) or b"{}")
    except orjson.JSONDecodeError as e:
        raise BadRequest("body", e.msg, "a JSON object") from None
    if not isinstance(told, dict):
        raise BadRequest("body", "…", "a JSON object")
    return told


def _maybe(pool: Any, work: Callable[..., Any], *arguments: Any) -> Any:
    """In a thread where there is much to do."""
    return work(*arguments) if pool is None else in_thread(pool, work, *arguments)
