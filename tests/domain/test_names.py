"""From a container to its app."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.apps import App, Instance
from cloudbang.domain.names import (
    MAX_NAME,
    app_name,
    fitting,
    image_name,
    is_job,
    is_one_off,
    stack_name,
)

COMPOSE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
SWARM = {"com.docker.swarm.service.name": "shop_web", "com.docker.stack.namespace": "shop"}


@pytest.mark.parametrize(
    ("labels", "app", "stack"),
    [
        ({}, "brave_tesla", None),
        (COMPOSE, "shop.web", "shop"),
        (SWARM, "shop_web", "shop"),
        (COMPOSE | SWARM, "shop_web", "shop"),
        (COMPOSE | SWARM | {"cloudbang.app": "checkout"}, "checkout", "shop"),
        ({"cloudbang.app": " "}, "brave_tesla", None),
        ({"com.docker.compose.project": "shop"}, "brave_tesla", "shop"),
        ({"cloudbang.app": "a.b", "cloudbang.stack": "a"}, "a.b", "a"),
    ],
)
def test_the_order_in_which_a_name_is_looked_for(labels, app, stack):
    """The label, the Swarm service, Compose's project and service, the container's own name."""
    assert app_name(labels, "/brave_tesla") == app
    assert stack_name(labels) == stack


def test_an_operator_chooses_a_label_that_names_the_app():
    """For tools that make a name for each deploy; the label of ours comes before it."""
    labels = COMPOSE | {"deploy.app": "stock"}
    assert app_name(labels, "/stock-1732", "deploy.app") == "stock"
    assert app_name(labels, "/stock-1732") == "shop.web"
    assert app_name(labels | {"cloudbang.app": "x"}, "/stock-1732", "deploy.app") == "x"
    assert app_name(COMPOSE, "/stock-1732", "deploy.app") == "shop.web"


def test_an_image_is_called_as_people_call_it():
    """One that was deployed is started by its image's id."""
    assert image_name({}, "nginx:1.27") == "nginx:1.27"
    assert image_name({"cloudbang.image": "nginx:1.27"}, "sha256:ab12") == "nginx:1.27"


def test_one_off_tasks_say_nothing_of_their_service():
    """Of ``docker compose run``, and a release command: neither that it runs nor how it ended."""
    assert is_one_off({"com.docker.compose.oneoff": "True"})
    assert not is_one_off(COMPOSE | {"com.docker.compose.oneoff": "False"})
    assert is_one_off({"cloudbang.one-off": "true"})
    assert is_job({"cloudbang.one-off": "true"})
    assert is_job({"cloudbang.job": "true"})
    assert not is_job(COMPOSE)
    its = Instance("a" * 64, "api-1", "api", None, "i", "", "exited", "")
    task = Instance("b" * 64, "api-run-1", "api", None, "i", "", "running", "", one_off=True)
    service = App("api", instances=(its, task))
    assert (service.state, service.condition, service.running) == ("exited", "exited", 0)
    assert App("api", instances=(task,)).state == "running"


def test_what_does_not_fit_is_replaced_and_stays_apart():
    """Two names that look the same after the replacement are two apps."""
    one, other = fitting("web/a"), fitting("web:a")
    assert one.startswith("web_a-")
    assert other.startswith("web_a-")
    assert one != other
    assert fitting("web/a") == one


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "购物", "a" * 129, "a/../../b", "a b\n"]
)
def test_a_name_is_always_a_safe_folder(name):
    """No dot in front, nothing but letters, digits, ``_``, ``.`` and ``-``."""
    fitted = fitting(name)
    assert fitted != name
    assert not fitted.startswith(".")
    assert fitting(fitted) == fitted


@given(st.text(max_size=300))
def test_any_text_gives_a_name_that_fits(text):
    """Whatever a label holds."""
    name = app_name({"cloudbang.app": text}, "c")
    assert 1 <= len(name) <= MAX_NAME
    assert fitting(name) == name
