"""Requests go to the new release; those that the old one still answers are let finish."""

from __future__ import annotations

import time

import gevent

from cloudbang.core.looks import looks
from cloudbang.deploy.errors import StepFailed
from cloudbang.deploy.observer import EVERY
from cloudbang.deploy.work import Work
from cloudbang.domain.deploy.failure import Failure, FailureClass
from cloudbang.domain.deploy.release import Release
from cloudbang.gateway.errors import GatewayAway, GatewayFailed, NoFreePort, RouteTaken

SETTLES = 0.4  # seconds in which a request that read where to go before goes there
TWICE = 2  # looks in a row at which nothing is in flight


def switch(work: Work) -> None:
    """A gateway that is just coming up, as after a restart of the engine, is waited for."""
    gateway, release, away = work.parts.gateway, work.release, ""
    until = time.monotonic() + work.parts.limits.away
    while True:
        try:
            gateway.publish(work.app, release.spec)
            gateway.switch(work.app, release.service)
            break
        except GatewayAway as e:
            if time.monotonic() > until:
                raise StepFailed(Failure("timed-out", str(e), what="switch")) from None
            if str(e) != away:
                away = str(e)
                work.log.say(f"{away}; it is tried again")
            gevent.sleep(EVERY)
            # Gone with the engine, which may be away, or back with the release started anew.
            work.parts.engine.ping(within=2.0)
            work.watch_again()
        except (RouteTaken, NoFreePort) as e:
            raise StepFailed(Failure("port-taken", str(e))) from None
        except GatewayFailed as e:
            kind: FailureClass = "port-taken" if e.kind == "port" else "timed-out"
            broke_off = kind == "timed-out"
            said = Failure(kind, str(e), what="switch", broke_off=broke_off)
            raise StepFailed(said) from None
    work.watch.look()
    if release.spec.route is not None:
        work.log.say(f"requests go to {release.service}")


def drain(work: Work) -> None:
    """Until nothing of the old release is in flight, or that has taken too long.

    Where the old one is stopped before the new one starts, new requests wait from here on.
    """
    old = work.previous
    if old is None or old.spec.route is None:
        return
    gateway, limits = work.parts.gateway, work.parts.limits
    first = work.record.now.stop_first
    if first:
        gateway.switch(work.app, work.release.service)
        gateway.hold(work.app)
    addresses = _addresses(work, old)
    began, quiet, most, left = time.monotonic(), 0, 0, 0
    limit = limits.hold if first else limits.drain
    for _ in looks(limit):
        try:
            left = gateway.in_flight(work.app, old.spec.port, old.service, addresses)
            quiet = 0 if left else quiet + 1
        except GatewayAway as e:
            quiet = 0
            work.tell({"said": str(e)[:200]})
        most = max(most, left)
        work.tell({"in_flight": left, "serving": not first})
        if quiet >= TWICE and time.monotonic() - began >= SETTLES:
            break
        if not first:
            work.watch.look()
        gevent.sleep(EVERY)
    work.tell({"in_flight": 0, "finished": most - left, "cut": left})
    if left:
        work.log.say(f"{left} requests to {old.service} are cut off after {limit:.0f} s")
    else:
        work.log.say(f"{old.service} has answered what it was asked")


def _addresses(work: Work, old: Release) -> list[str]:
    # On all of its networks: by which one it is asked, the gateway alone knows.
    return [one for task in work.parts.engine.tasks(old.service) for one in task.addresses]
