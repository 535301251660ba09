"""What a release is made of, and going back to one: on a real engine."""

from __future__ import annotations

import io
import json

import pytest

from cloudbang.deploy.errors import ForAdmins, NoSuchRelease
from cloudbang.deploy.log import MASK
from cloudbang.deploy.service import Wanted
from cloudbang.domain.deploy.fields import SpecInvalid
from tests.deploy import apps
from tests.deploy.house import House, Swarm
from tests.support import holding, wait_until

pytestmark = pytest.mark.engine

CHECK = {"command": ["true"], "within": 5, "interval": 1}
CANARY = "canary-7f3a91c2"
TELLS = 'echo "it is $KEY"; cat /run/secrets/KEY; echo; cat /etc/motd; sleep 1000'


@pytest.mark.slow("three deployments, one with a release command")
def test_it_is_handed_its_secrets_and_files(house: House, image: str) -> None:
    """As variables and as files; the values are in no line of ours, and not in the database."""
    spec = apps.spec(image, health=CHECK)
    spec |= {
        "command": ["sh", "-c", TELLS],
        **apps.DEAF,
        "secrets": {"KEY": CANARY},
        "files": [{"path": "/etc/motd", "content": "good morning\n"}],
        "release_command": ["sh", "-c", 'echo "with $KEY"'],
    }
    done = house.serves("handed", **spec)
    mask = MASK.decode()
    wait_until(lambda: "good morning" in house.lines(done.id), 10, "what it prints")
    lines = house.lines(done.id)
    assert {f"it is {mask}", f"with {mask}", mask} <= set(lines)
    assert CANARY not in "\n".join(lines)
    assert holding(house.settings.storage.path, CANARY) == []
    names = house.engine.handed_over("secrets", "cloudbang.app=handed")
    assert len(names) == 1
    assert "KEY" in next(iter(names))

    # The value stays where none is given; another one is another secret of the engine's.
    again = house.serves("handed", **{**spec, "secrets": {"KEY": None}})
    assert house.engine.handed_over("secrets", "cloudbang.app=handed") == names
    release = house.store.release("handed", again.release)
    assert release
    assert release.secrets == {"KEY": 1}
    plan = house.deployments.plan("handed", Wanted({**spec, "secrets": {"KEY": "x"}}), admin=False)
    assert [change.field for change in plan.plan.changes] == ["secrets.KEY"]


@pytest.mark.slow("four deployments, and what each stops")
def test_back_to_a_release_without_a_registry(house: House, image: str) -> None:
    """By the id of its image and with the secrets that it had; to the one that serves, too."""
    spec = apps.spec(image, health=CHECK, secrets={"KEY": "old-value"})
    first = house.serves("back", **spec)
    house.serves("back", **{**spec, "env": {"RELEASE": "two"}, "secrets": {"KEY": "new-value"}})
    id = house.deployments.begin("back", Wanted(release=1), "ada", admin=False).id
    done = house.wait(id)
    assert (done.state, done.release, done.previous) == ("serving", 1, 2)
    assert [step.name for step in done.steps] == ["start", "health", "stop"]
    assert house.services("back") == ["back-r1"]
    (container,) = house.engine.released("back", 1)
    env = house.environment(container)
    assert env["KEY"] == "old-value"
    id = house.deployments.begin("back", Wanted(release=1), "ada", admin=False).id
    done = house.wait(id)
    assert (done.state, done.release) == ("serving", 3)
    assert house.services("back") == ["back-r3"]
    with pytest.raises(NoSuchRelease):
        house.deployments.begin("back", Wanted(release=9), "ada", admin=False)
    more = house.deployments.more(id)
    assert more
    assert more[0] == {"kind": "kept", "release": 1}
    assert set(house.deployments.usual("back")) == {"pull", "start", "health", "stop"}
    assert json.dumps(first.as_json())


@pytest.fixture
def removed(house: House, swarm: Swarm, image: str) -> str:
    """The id of the image of the first release of the app ``away``, that somebody has removed."""
    made = swarm.client.images.build(fileobj=io.BytesIO(f"FROM {image}\nLABEL of=away".encode()))[0]
    house.serves("away", **apps.spec(made.id, health=CHECK))
    house.serves("away", **apps.spec(image, health=CHECK))
    swarm.client.images.remove(made.id, force=True)
    return made.id


@pytest.mark.slow("two deployments before it")
def test_an_image_that_somebody_removed_is_said_before_and_touches_nothing(
    house: House, removed: str
) -> None:
    assert house.deployments.ways_back("away") == {1: "gone", 2: "here"}
    assert house.deployments.plan("away", Wanted(release=1), admin=False).image == "gone"
    done = house.wait(house.deployments.begin("away", Wanted(release=1), "ada", admin=False).id)
    assert done.failure
    assert (done.state, done.failure.kind, done.failure.what) == (
        "failed",
        "image-not-found",
        removed,
    )
    assert [step.name for step in done.steps] == ["pull", "start", "health", "stop"]
    assert house.services("away") == ["away-r2"]
    assert house.deployments.app("away").serving == 2  # type: ignore[union-attr]


def test_what_cannot_be_deployed_is_refused_before_anything_begins(
    house: House, image: str
) -> None:
    volume = {"volumes": [{"source": "/etc", "path": "/host"}]}
    for app, written, error in (
        ("../up", {}, SpecInvalid),
        ("x" * 300, {}, SpecInvalid),
        ("a\nb", {}, SpecInvalid),
        ("refused", {"secrets": {"KEY": None}}, SpecInvalid),
        ("refused", {"build": {}}, SpecInvalid),
        ("refused", volume, ForAdmins),
    ):
        wanted = Wanted({**apps.spec(image), **written})
        with pytest.raises(error):
            house.deployments.begin(app, wanted, "ada", admin=False)
    assert house.deployments.find("refused") == []
    assert house.apps.get("refused") is None


def test_a_job_is_done_when_it_has_ended_with_0(house: House, image: str) -> None:
    """Whose containers nobody asks, and that is not to be started again."""
    spec = apps.spec(image) | {"restart": "no", "command": ["sh", "-c", "echo done"]}
    done = house.serves("job", **spec)
    assert "done" in house.lines(done.id)
    spec["command"] = ["sh", "-c", "exit 5"]
    failed = house.wait(house.deploy("job", **spec))
    assert failed.failure
    assert (failed.failure.kind, failed.failure.exit_code) == ("exited", 5)


def test_an_old_release_that_somebody_removed_stands_in_nobodys_way(
    house: House, image: str
) -> None:
    spec = apps.web(image, health=CHECK, route={})
    house.serves("gone", **spec)
    assert house.engine.remove_service("gone-r1")
    assert house.serves("gone", **spec).release == 2


def test_numbers_go_on_above_what_the_engine_has(house: House, image: str) -> None:
    """As after a data folder was lost: its services are somebody's still."""
    spec = apps.spec(image, health=CHECK)
    house.serves("kept", **spec)
    house.store.forget("kept")
    done = house.serves("kept", **spec)
    assert (done.number, done.release, done.previous) == (1, 2, None)
    assert house.services("kept") == ["kept-r1", "kept-r2"]
