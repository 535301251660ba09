"""Stacks: what is begun when, and after a kill. Their deployments are played; real ones are in the
tests of the pages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudbang.deploy.compose_file import Compose
from cloudbang.deploy.errors import ForAdmins, NameLost, SwarmOff
from cloudbang.deploy.stacks import Beside, Stacks, WantedPart
from cloudbang.deploy.wanted import Wanted
from cloudbang.domain.deploy.compose import ComposeSource
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.deploy.fields import SpecInvalid
from cloudbang.domain.deploy.not_honoured import NO_SUCH_NETWORK, ONE_MACHINE
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.errors import CloudBangError, EngineUnreachable, NoSuchApp, StorageFailed
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.deployments import DeployedApp
from cloudbang.storage.database.secrets import KEY, SecretStore
from cloudbang.storage.database.stacks import StackStore
from tests.support import wait_until


class Played:
    """Deployments that end as the test says."""

    def __init__(self) -> None:
        self.made: list[Deployment] = []
        self.wanted: dict[str, Wanted] = {}
        self.refuse: Exception | None = None
        self._listeners: list[Callable[[Deployment], None]] = []

    def plan(self, app: str, wanted: Wanted, *, admin: bool) -> None:
        spec, _ = read_spec(wanted.spec)
        if spec.for_admins and not admin:
            raise ForAdmins(spec.for_admins[0])

    def begin(
        self, app: str, wanted: Wanted, by: str, *, admin: bool, wait: bool = False
    ) -> Deployment:
        if self.refuse:
            raise self.refuse
        self.wanted[app] = wanted
        id, created = len(self.made) + 1, "2099-01-01T00:00:00Z"
        self.made.append(Deployment(id, app, 1, 1, None, by, created, ()))
        return self.made[-1]

    def get(self, id: int) -> Deployment | None:
        return self.made[id - 1] if id <= len(self.made) else None

    def find(
        self, app: str | None = None, states: Collection[str] = (), *, limit: int = 50
    ) -> list[Deployment]:
        return [one for one in reversed(self.made) if one.app == app][:limit]

    def listen(self, listener: Callable[[Deployment], None]) -> None:
        self._listeners.append(listener)

    def end(self, app: str, state: Any) -> None:
        for n, one in enumerate(self.made):
            if one.app == app:
                self.made[n] = replace(one, state=state)
                for listener in self._listeners:
                    listener(self.made[n])

    def apps(self) -> list[DeployedApp]:
        return []

    def release(self, app: str, number: int) -> None:
        return None

    @property
    def names(self) -> list[str]:
        return [one.app for one in self.made]


class House:
    """Stacks over a database of their own; ``again`` after a kill."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.deployments = folder, Played()
        self.unchanged: dict[str, int] = {}
        self.dropped: list[str] = []
        self.networks: dict[str, bool | None] = {}
        self.database = Database(folder)
        self.database.open()
        self.secrets = SecretStore(self.database, folder)
        self.stacks = self.new()

    def new(self) -> Stacks:
        store = StackStore(self.database)
        beside = Beside(self.as_it_is, self.dropped.append, self.carries)
        return Stacks(Compose(self.folder), store, self.secrets, self.deployments, beside, 0.05)

    def as_it_is(self, app: str, wanted: Wanted, admin: bool) -> int | None:
        return self.unchanged.get(app)

    def carries(self, network: str) -> bool | None:
        if network not in self.networks:
            raise EngineUnreachable("nowhere", "no engine")
        return self.networks[network]

    def again(self) -> None:
        self.stacks.stop()
        self.stacks = self.new()
        self.stacks.start()

    def state(self, id: int) -> str:
        run = self.stacks.get(id)
        assert run is not None
        return run.state


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.stacks.stop()
    made.database.close()


DB = WantedPart("db", {"image": "postgres", "secrets": {"PASSWORD": "canary-7"}})
WEB = WantedPart("web", {"image": "web"}, ("db",))


def test_one_whose_specifications_are_not_kept_is_not_there(house: House) -> None:
    """It could neither go on nor end, over any number of starts."""
    (house.folder / KEY).write_bytes(b"cut short")
    with pytest.raises(StorageFailed, match="it does not hold 32 bytes"):
        house.stacks.begin("shop", [DB, WEB], "ada", admin=True, team="everyone")
    assert house.stacks.find() == []
    (house.folder / KEY).unlink()
    house.again()
    run = house.stacks.begin("shop", [DB, WEB], "ada", admin=True, team="everyone")
    assert [one.id for one in house.stacks.find()] == [run.id]


def test_networks_that_carry_no_apps_are_said_before(house: House) -> None:
    """Files of app stores name one that their own panel makes: with it nothing could be deployed."""
    names = ("wide", "small", "none", "cloudbang")
    services = "".join(f"  on_{n}: {{image: x, networks: [{n}, default]}}\n" for n in names)
    declared = "".join(f"  {n}: {{external: true}}\n" for n in names)
    text = f"services:\n{services}networks:\n{declared}"

    def on() -> tuple[dict[str, object], dict[str, object]]:
        stack = house.stacks.read(text, "shop", ComposeSource()).stack
        assert stack is not None
        networks = {one.name: one.spec.get("networks") for one in stack.services}
        return networks, {one.key: one.why for one in stack.left}

    house.networks |= {"wide": True, "small": False, "none": None}
    assert on() == (
        {"on_wide": ["wide"], "on_small": None, "on_none": None, "on_cloudbang": ["cloudbang"]},
        {"networks.small": ONE_MACHINE, "networks.none": NO_SUCH_NETWORK},
    )
    house.networks.clear()  # no engine: it is said when it is deployed
    networks, left = on()
    assert (networks["on_none"], left) == (["none"], {})


def test_they_are_deployed_in_an_order_that_works(house: House) -> None:
    """With the stack in each specification, and every secret; afterwards nothing of it is kept
    twice."""
    run = house.stacks.begin("shop", [WEB, DB], "ada", admin=False, team="default")
    assert house.deployments.names == ["shop.db"]
    assert house.deployments.wanted["shop.db"].spec == {**DB.spec, "stack": "shop"}
    assert b"canary-7" not in (house.folder / "cloudbang.db").read_bytes()
    house.deployments.end("shop.db", "serving")
    wait_until(lambda: house.deployments.names == ["shop.db", "shop.web"])
    house.deployments.end("shop.web", "serving")
    wait_until(lambda: house.state(run.id) == "serving")
    wait_until(lambda: not house.secrets.newest(f"@stack-{run.id}"))


def test_what_needs_one_that_failed_is_not_begun(house: House) -> None:
    run = house.stacks.begin("shop", [WEB, DB], "ada", admin=False, team="default")
    house.deployments.end("shop.db", "failed")
    wait_until(lambda: house.state(run.id) == "failed")
    assert house.deployments.names == ["shop.db"]


def test_what_serves_as_it_is_wanted_is_left_as_it_is(house: House) -> None:
    """What needs it begins at once."""
    house.unchanged["shop.db"] = 7
    run = house.stacks.begin("shop", [WEB, DB], "ada", admin=False, team="default")
    assert house.deployments.names == ["shop.web"]
    states = {part.service: (part.state, part.deployment) for part in run.parts}
    assert states == {"web": ("running", 1), "db": ("serving", 7)}
    house.deployments.end("shop.web", "serving")
    wait_until(lambda: house.state(run.id) == "serving")


def test_a_folder_is_kept_until_what_is_built_of_it_has_begun(house: House) -> None:
    """And not for what never will."""
    web = replace(WEB, spec={"build": {}}, upload="f" * 32)
    run = house.stacks.begin("shop", [web, DB], "ada", admin=False, team="default")
    assert house.stacks.uploads() == ["f" * 32]
    house.deployments.end("shop.db", "failed")
    wait_until(lambda: house.state(run.id) == "failed")
    wait_until(lambda: house.dropped == ["f" * 32])
    assert house.stacks.uploads() == []


def test_a_stack_goes_on_after_a_kill(house: House) -> None:
    """Also one whose deployment was begun just before, and of which nothing was written down."""
    run = house.stacks.begin("shop", [WEB, DB], "ada", admin=False, team="default")
    house.stacks.stop()
    lost = house.stacks.get(run.id)
    assert lost is not None
    parts = tuple(replace(part, deployment=None, state="waiting") for part in lost.parts)
    StackStore(house.database).save(replace(lost, parts=parts))  # type: ignore[arg-type]
    house.deployments.end("shop.db", "serving")
    house.again()
    wait_until(lambda: house.deployments.names == ["shop.db", "shop.web"])
    house.deployments.end("shop.web", "serving")
    wait_until(lambda: house.state(run.id) == "serving")


def test_nothing_is_begun_or_kept_unless_all_can_be(house: House) -> None:
    bad = WantedPart("bad", {"image": "x", "port": "many"})
    host = WantedPart("host", {"image": "x", "volumes": [{"source": "/etc", "path": "/etc"}]})
    for parts, field in (
        ([DB, bad], "services.bad.port"),
        ([DB, host], "services.host.volumes[0]"),
        ([WEB], "services.web.after"),
        ([DB, DB], "services"),
        (
            [WantedPart("a", {"image": "x"}, ("b",)), WantedPart("b", {"image": "x"}, ("a",))],
            "after",
        ),
        ([], "services"),
    ):
        with pytest.raises((SpecInvalid, ForAdmins)) as e:
            house.stacks.begin("shop", parts, "ada", admin=False, team="default")
        assert e.value.field == field
    with pytest.raises(SpecInvalid):
        house.stacks.begin("../shop", [DB], "ada", admin=False, team="default")
    house.deployments.refuse = SwarmOff()
    with pytest.raises(SwarmOff):
        house.stacks.begin("shop", [DB], "ada", admin=False, team="default")
    assert house.stacks.find() == []
    assert house.deployments.names == []


@pytest.mark.parametrize(
    ("refused", "said"),
    [(SwarmOff(), SwarmOff()), (NoSuchApp("shop.web"), NameLost("shop.web"))],
)
def test_one_that_cannot_be_begun_later_has_failed(
    house: House, refused: CloudBangError, said: CloudBangError
) -> None:
    """Also one whose name another team was quicker to take: that is what is said."""
    run = house.stacks.begin("shop", [WEB, DB], "ada", admin=False, team="default")
    house.deployments.refuse = refused
    house.deployments.end("shop.db", "serving")
    wait_until(lambda: house.state(run.id) == "failed")
    found = house.stacks.get(run.id)
    assert found is not None
    assert {part.service: part.state for part in found.parts} == {"web": "failed", "db": "serving"}
    why = next(part.why for part in found.parts if part.service == "web")
    assert (why.template, str(why)) == (said.template(), str(said))
