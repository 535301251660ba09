"""The pages of deployments: there for who may view their app, and for nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from cloudbang.deploy.log import log_name
from cloudbang.domain.deploy.deployment import Deployment
from cloudbang.domain.deploy.release import Release
from cloudbang.domain.deploy.spec import read_spec
from cloudbang.storage.database.deployments import DeployedApp, DeploymentStore
from tests.web.web_support import Client, WebGround

WHEN = "2026-07-01T12:00:00.000000000Z"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebGround]:
    made = WebGround(tmp_path_factory.mktemp("web"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def deployed(ground: WebGround) -> Deployment:
    """A deployment of the app web, which has a line in its log."""
    ground.apps.create("web", "default")
    spec, _ = read_spec({"image": "nginx:1.27"})
    begun = Deployment(0, "web", 0, 0, None, "ann", WHEN, ())
    _, made = DeploymentStore(ground.database).add(
        Release("web", 0, spec), begun, {"kind": "image"}
    )
    ground.log(log_name(made.id), ["pulling nginx:1.27"])
    return made


@pytest.fixture(scope="module")
def browser(ground: WebGround) -> Client:
    return ground.person()


def tabs(html: str) -> list[str]:
    return re.findall(r'data-tab="(\w+)"', html)


def test_the_page_of_a_deployment_comes_with_its_log_under_the_tabs_of_its_app(
    browser: Client, deployed: Deployment
) -> None:
    html = browser.get(f"/deployments/{deployed.id}").text
    assert "pulling nginx:1.27" in html
    assert 'data-app="web"' in html
    assert tabs(html) == ["logs", "metrics", "app_deployments", "terminal", "configuration"]


def test_an_app_that_was_never_deployed_has_no_such_tabs(
    ground: WebGround, browser: Client
) -> None:
    ground.log("found", ["hello"])
    assert tabs(browser.get("/apps/found/logs").text) == ["logs", "metrics", "terminal"]


def test_a_deployment_of_another_team_is_not_there(ground: WebGround, deployed: Deployment) -> None:
    """Word for word as one that nobody made."""
    ground.accounts.teams.create("blue")
    other = ground.person("ben", "viewer")
    account = next(one for one in ground.accounts.list() if one.name == "ben")
    ground.accounts.set_role(account.id, "admin", "blue")
    ground.accounts.set_role(account.id, None)
    other = ground.person("ben")
    theirs, nobodys = (other.get(f"/deployments/{id}") for id in (deployed.id, 999))
    assert theirs.status_code == nobodys.status_code == 404
    token = r'name="csrf-token" content="[^"]*"'
    said = [re.sub(token, "", answer.text).replace("999", "1") for answer in (theirs, nobodys)]
    assert said[0] == said[1]
    assert "web" not in re.sub(r"[\w-]*web[\w-]+|/web", "", said[0])


def test_who_may_not_deploy_is_offered_nothing(ground: WebGround, deployed: Deployment) -> None:
    viewer = ground.person("vera", "viewer")
    html = viewer.get(f"/deployments/{deployed.id}").text
    assert 'data-may-deploy="no"' in html
    assert "app-operate" not in html


def test_what_serves_and_where_is_a_call(ground: WebGround, browser: Client) -> None:
    """Of an app that was never deployed: that nothing does."""
    ground.log("found", ["hello"])
    nothing = {"serving": None, "stopped": False, "replicas": None, "addresses": [], "usual": {}}
    assert browser.get("/api/v1/apps/found/deployed").json == nothing
    ground.apps.create("serving", "default")
    DeploymentStore(ground.database).save_app(DeployedApp("serving", 3, replicas=2))
    found = browser.get("/api/v1/apps/serving/deployed").json
    assert (found["serving"], found["replicas"]) == (3, 2)
