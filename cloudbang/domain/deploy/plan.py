"""What a deployment would change, before it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cloudbang.domain.deploy.not_honoured import OF_A_COMMAND, OF_A_JOB
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import Spec
from cloudbang.domain.deploy.spec_parts import Health
from cloudbang.domain.text import Text

HIDDEN = "•••"  # what is shown of a secret that is there
Interruption = Literal["", "held", "moment"]


@dataclass(frozen=True, slots=True)
class Change:
    """One field, as it is written; None where it is not given. Of a secret only that it changes."""

    field: str
    before: object
    after: object

    def as_json(self) -> dict[str, object]:
        return {"field": self.field, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class Plan:
    """``interruption``: "" when the new release runs beside the old one; "held" when requests wait
    at the gateway meanwhile; "moment" when nobody answers for a moment. ``because``: what only one
    of the two can have. ``published``: ports that will be open on all addresses of the machine."""

    first: bool
    changes: tuple[Change, ...]
    replaces_instances: bool
    interruption: Interruption = ""
    because: tuple[str, ...] = ()
    published: tuple[str, ...] = ()

    @property
    def stop_first(self) -> bool:
        return bool(self.because)

    def as_json(self) -> dict[str, object]:
        return {
            "first": self.first,
            "changes": [change.as_json() for change in self.changes],
            "replaces_instances": self.replaces_instances,
            "interruption": self.interruption,
            "because": list(self.because),
            "published": list(self.published),
        }


def plan(before: Release | None, after: Spec, new_secrets: Sequence[str] = ()) -> Plan:
    """From the release that serves to a specification; ``new_secrets``: names of those that get
    another value."""
    changes = changes_between(before.spec if before else Spec(), after)
    written = [Change(f"secrets.{name}", HIDDEN, HIDDEN) for name in sorted(new_secrets)]
    known = {change.field for change in changes}
    changes = (*changes, *(change for change in written if change.field not in known))
    had = set(before.spec.exclusive) if before and before.spec.replicas else set()
    because = tuple(name for name in after.exclusive if name in had)
    interruption: Interruption = ""
    if because:
        assert before is not None
        interruption = "held" if after.route and before.spec.route else "moment"
    opened = set(before.spec.ports) if before else set()
    return Plan(
        first=before is None,
        changes=changes,
        replaces_instances=before is not None,
        interruption=interruption,
        because=because,
        published=tuple(f"{p.published}/{p.protocol}" for p in after.ports if p not in opened),
    )


def left_aside(spec: Spec) -> tuple[tuple[str, Text], ...]:
    """The fields of a specification that nothing is made of, as it is, and why."""
    if spec.job and spec.health != Health():
        return (("health", OF_A_JOB),)
    if spec.health.retries and spec.health.kind != "command":
        return (("health.retries", OF_A_COMMAND),)
    return ()


def changes_between(before: Spec, after: Spec) -> tuple[Change, ...]:
    """Field by field; of objects with names each name by itself."""
    old, new = before.as_json(), after.as_json()
    found: list[Change] = []
    for field in sorted({*old, *new}):
        was, now = old.get(field), new.get(field)
        if was == now:
            continue
        if isinstance(was or {}, dict) and isinstance(now or {}, dict):
            its, then = _named(field, was), _named(field, now)
            found += [
                Change(f"{field}.{name}", its.get(name), then.get(name))
                for name in sorted({*its, *then})
                if its.get(name) != then.get(name)
            ]
            if not its and not then:  # an object without anything in it, such as a route
                found.append(Change(field, was, now))
        else:
            found.append(Change(field, was, now))
    return tuple(found)


def _named(field: str, found: object) -> dict[str, object]:
    if not isinstance(found, dict):
        return {}
    return dict.fromkeys(found, HIDDEN) if field == "secrets" else found
