"""What was wanted, what happened, what serves; and what nobody but an app is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from cloudbang.domain.deploy.deployment import Deployment, steps_of
from cloudbang.domain.deploy.failure import Failure
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.errors import StorageFailed
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.deployments import DeployedApp, DeploymentStore, Named
from cloudbang.storage.database.secrets import KEY, SecretStore, SecretUnreadable
from cloudbang.storage.database.tables import secret_values

WHEN = "2026-01-01T00:00:00.000000000Z"


@pytest.fixture
def store(database: Database) -> DeploymentStore:
    return DeploymentStore(database)


def release(app: str = "web", image: str = "web:1") -> Release:
    return Release(app, 0, read_spec({"image": image, "env": {"A": "b"}})[0], secrets={"KEY": 2})


def deployment(app: str = "web") -> Deployment:
    return Deployment(0, app, 0, 0, None, "ada", WHEN, steps_of("image", routed=True))


def test_numbers_are_given_by_app_and_ids_to_all(store: DeploymentStore) -> None:
    """A release and a deployment are counted by their own; going back makes no new release."""
    one, first = store.add(release(), deployment(), {"kind": "image"})
    two, second = store.add(release(), deployment(), {"kind": "image"})
    other, third = store.add(release("shop"), deployment("shop"), {"kind": "image"})
    again, fourth = store.add(one, deployment(), {"kind": "kept"})
    assert [r.number for r in (one, two, other, again)] == [1, 2, 1, 1]
    assert [d.number for d in (first, second, third, fourth)] == [1, 2, 1, 3]
    assert [d.release for d in (first, second, third, fourth)] == [1, 2, 1, 1]
    assert [d.id for d in (first, second, third, fourth)] == [1, 2, 3, 4]
    assert [r.number for _, r in store.releases("web")] == [2, 1]


def test_a_deployment_is_kept_as_it_is(store: DeploymentStore) -> None:
    """With its steps, how far they are, and why it failed."""
    _, made = store.add(release(), deployment(), {"kind": "image"})
    made = made.begin().enter("pull", WHEN).progress("pull", {"layers": {"a": [1, 2]}})
    store.save(made)
    assert store.get(made.id) == made
    failed = made.fail(Failure("exited", "no", 3, 1.5), WHEN)
    store.save(failed, ["one", "two"])
    assert store.get(made.id) == failed
    assert store.more(made.id) == ({"kind": "image"}, ["one", "two"])
    store.save(failed.settle())
    assert store.more(made.id) == ({"kind": "image"}, ["one", "two"])
    assert store.get(99) is None
    assert store.more(99) is None


def test_which_releases_are_there_to_end(store: DeploymentStore) -> None:
    """By what was asked for, whatever their containers were labelled with."""

    def add(app: str, **written: object) -> None:
        spec = read_spec({"image": "x", **written})[0]
        store.add(replace(release(app), spec=spec), deployment(app), {})

    add("job", job=True)
    add("job")
    add("once", restart="no")
    add("web", restart="on-failure", port=80)
    add("text", env={"A": '"job"'})
    assert store.jobs() == {("job", 1), ("once", 1)}


def test_what_releases_name_of_the_engines_own(store: DeploymentStore) -> None:
    """Of each app the same once, and nothing of one that names nothing."""

    def add(app: str, **written: object) -> None:
        spec = read_spec({"image": "x", **written})[0]
        store.add(replace(release(app), spec=spec), deployment(app), {})

    add("plain")
    for n in range(3):
        add("web", volumes=[{"name": "data", "path": "/data"}], env={"N": str(n)})
    add("web", volumes=[{"source": "/srv", "path": "/srv"}, {"name": "new", "path": "/new"}])
    add("db", networks=["mesh"], stack="shop")
    assert sorted(store.named(), key=lambda one: (one.app, one.volumes)) == [
        Named("db", networks=("mesh",), stack="shop"),
        Named("web", volumes=("data",)),
        Named("web", volumes=("new",)),
    ]


def test_what_is_left_to_be_done_is_found_after_a_kill(store: DeploymentStore) -> None:
    """The oldest first."""
    ids = [store.add(release(), deployment(), {})[1] for _ in range(4)]
    store.save(ids[0].begin())
    store.save(ids[1].begin().fail(Failure("exited"), WHEN))
    store.save(ids[2].begin().fail(Failure("exited"), WHEN).settle())
    assert [d.id for d in store.unsettled()] == [1, 2, 4]


def test_deployments_are_found_by_app_state_and_page(store: DeploymentStore) -> None:
    for app in ("web", "shop", "web"):
        store.add(release(app), deployment(app), {})
    store.save(replace(store.find()[0], state="serving"))
    assert [d.id for d in store.find()] == [3, 2, 1]
    assert [d.id for d in store.find("web")] == [3, 1]
    assert [d.id for d in store.find(states=["queued"])] == [2, 1]
    assert [d.id for d in store.find(before=3, limit=1)] == [2]


def test_of_a_release_only_the_image_becomes_known(store: DeploymentStore) -> None:
    kept, _ = store.add(release(), deployment(), {})
    store.save_release(kept.with_image("sha256:1", "web@sha256:2", "c0ffee"))
    found = store.release("web", 1)
    assert found == kept.with_image("sha256:1", "web@sha256:2", "c0ffee")
    assert store.release("web", 2) is None


def test_what_serves(store: DeploymentStore) -> None:
    assert store.app("web") is None
    store.save_app(DeployedApp("web", 3))
    store.save_app(DeployedApp("web", 4, stopped=True, replicas=2))
    assert store.app("web") == DeployedApp("web", 4, True, 2)
    assert store.apps() == [DeployedApp("web", 4, True, 2)]
    store.add(release(), deployment(), {})
    store.forget("web")
    assert (store.apps(), store.find(), store.releases("web")) == ([], [], [])


# --- secrets -----------------------------------------------------------------------------------


def test_a_secret_is_kept_by_version(database: Database, tmp_path: Path) -> None:
    """Another value is another version; the old one stays for who goes back to it."""
    secrets = SecretStore(database, tmp_path)
    assert secrets.put("web", {"A": "one", "B": "é"}) == {"A": 1, "B": 1}
    assert secrets.put("web", {"A": "two", "B": "é"}) == {"A": 2, "B": 1}
    again = SecretStore(database, tmp_path)
    assert again.get("web", {"A": 1, "B": 1}) == {"A": "one", "B": "é"}
    assert again.get("web", {"A": 2}) == {"A": "two"}
    assert again.newest("web") == {"A": 2, "B": 1}
    assert again.get("web", {}) == {}
    again.forget("web", keep={("A", 2)})
    assert again.newest("web") == {"A": 2}


def test_nothing_of_it_is_in_the_database(database: Database, tmp_path: Path) -> None:
    """The key is a file beside it that only its owner can read."""
    SecretStore(database, tmp_path).put("web", {"A": "canary-value"})
    database.close()
    for path in tmp_path.glob("cloudbang.db*"):
        assert b"canary" not in path.read_bytes()
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / KEY).read_bytes() not in (tmp_path / "cloudbang.db").read_bytes()


def test_a_row_that_was_moved_does_not_open(database: Database, tmp_path: Path) -> None:
    """Whoever can write to the database gives no app the secret of another."""
    secrets = SecretStore(database, tmp_path)
    secrets.put("web", {"A": "mine"})
    database.write(lambda c: c.execute(sa.update(secret_values).values(app="shop")).rowcount)
    with pytest.raises(SecretUnreadable) as e:
        secrets.get("shop", {"A": 1})
    assert "secret A of shop" in str(e.value)


def test_another_key_is_said_and_a_damaged_one(database: Database, tmp_path: Path) -> None:
    """And the secret can be written anew."""
    SecretStore(database, tmp_path).put("web", {"A": "one"})
    (tmp_path / KEY).write_bytes(b"x" * 32)
    changed = SecretStore(database, tmp_path)
    with pytest.raises(SecretUnreadable):
        changed.get("web", {"A": 1})
    assert changed.put("web", {"A": "one"}) == {"A": 2}
    (tmp_path / KEY).write_bytes(b"short")
    with pytest.raises(StorageFailed) as e:
        SecretStore(database, tmp_path).get("web", {"A": 1})
    assert "32 bytes" in str(e.value)


def test_what_an_app_has_had_is_told_as_far_as_its_key_opens_it(
    database: Database, tmp_path: Path
) -> None:
    """Every version, of this app alone; without its key nothing, since its log has to go on."""
    secrets = SecretStore(database, tmp_path)
    for value in ("first", "second"):
        secrets.put("web", {"A": value})
    secrets.put("shop", {"A": "another's"})
    assert sorted(secrets.values_of("web")) == ["first", "second"]
    assert secrets.values_of("cache") == []
    (tmp_path / KEY).write_bytes(b"short")
    assert SecretStore(database, tmp_path).values_of("web") == []
    (tmp_path / KEY).write_bytes(b"x" * 32)
    assert SecretStore(database, tmp_path).values_of("web") == []
