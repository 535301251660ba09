"""Compose files, as Docker's own Compose normalises them, as apps."""

from __future__ import annotations

import pytest

from cloudbang.domain.deploy.compose import After, stack_of
from cloudbang.domain.deploy.fields import SpecInvalid
from cloudbang.domain.deploy.spec import read_spec

SHOP = {
    "name": "shop",
    "services": {
        "web": {
            "build": {
                "context": "/compose/project/web",
                "dockerfile": "Dockerfile",
                "args": {"V": "1"},
            },
            "command": None,
            "entrypoint": None,
            "depends_on": {
                "db": {"condition": "service_healthy", "required": True},
                "migrate": {"condition": "service_completed_successfully", "required": True},
            },
            "deploy": {
                "replicas": 2,
                "resources": {"limits": {"cpus": 0.5, "memory": "268435456"}},
                "placement": {},
                "update_config": {"parallelism": 1},
            },
            "environment": {"PRICE": "$$5", "NONE": None},
            "labels": {"team": "blue", "cloudbang.app": "x", "cloudbang.metrics.port": "9100"},
            "networks": {"default": None, "front": {"aliases": ["www"]}, "proxy": None},
            "ports": [
                {"mode": "ingress", "target": 80, "published": "8080", "protocol": "tcp"},
                {"target": 53, "published": "53", "protocol": "udp", "host_ip": "127.0.0.1"},
            ],
            "restart": "unless-stopped",
            "volumes": [
                {"type": "volume", "source": "files", "target": "/files", "volume": {}},
                {"type": "bind", "source": "/etc/ssl", "target": "/ssl", "read_only": True},
                {"type": "volume", "target": "/cache"},
                {"type": "tmpfs", "target": "/tmp"},
            ],
            "ulimits": {"nofile": {"soft": 1024, "hard": 2048}, "nproc": 64},
            "extra_hosts": ["db:10.0.0.1"],
            "privileged": True,
            "container_name": "shop_web",
            "logging": {"driver": "json-file"},
            "configs": [{"source": "conf", "target": "/etc/web.conf"}],
            "secrets": [{"source": "key"}],
            "stop_grace_period": "1m0s",
            "x-custom": 1,
        },
        "db": {
            "image": "postgres:16",
            "healthcheck": {
                "test": ["CMD-SHELL", "pg_isready -U $${POSTGRES_USER}"],
                "interval": "10s",
                "start_period": "30s",
                "retries": 5,
            },
            "networks": {"default": None},
            "mem_limit": "536870912",
        },
        "migrate": {"image": "shop:1", "restart": "no", "depends_on": {"db": {}}},
    },
    "networks": {
        "default": {"name": "shop_default"},
        "front": {"name": "shop_front"},
        "proxy": {"name": "proxy", "external": True},
    },
    "volumes": {"files": {"name": "shop_files"}},
    "configs": {"conf": {"name": "shop_conf", "content": "price = $$5\n"}},
    "secrets": {"key": {"name": "shop_key", "file": "/compose/project/key"}},
    "include": [],
}


def test_each_service_becomes_an_app() -> None:
    stack = stack_of(SHOP)
    by_name = {one.name: one for one in stack.services}
    assert by_name["web"].app == "shop.web"
    assert by_name["web"].context == "web"
    assert by_name["web"].after == (After("db", "healthy"), After("migrate", "completed"))
    assert [one.name for one in stack.services if one.spec.get("job")] == ["migrate"]
    assert read_spec(by_name["web"].spec)[0].as_json() == {
        "build": {"args": {"V": "1"}, "folder": "web"},
        "stack": "shop",
        "aliases": ["web", "www", "shop_web"],
        "replicas": 2,
        "cpus": 0.5,
        "memory": 268435456,
        "env": {"PRICE": "$5", "NONE": ""},
        "labels": {"team": "blue", "cloudbang.metrics.port": "9100"},
        "networks": ["proxy"],
        "ports": [
            {"published": 8080, "target": 80},
            {"published": 53, "target": 53, "protocol": "udp"},
        ],
        "volumes": [
            {"path": "/files", "name": "shop_files"},
            {"path": "/ssl", "source": "/etc/ssl", "read_only": True},
        ],
        "tmpfs": ["/tmp"],
        "ulimits": [
            {"name": "nofile", "soft": 1024, "hard": 2048},
            {"name": "nproc", "soft": 64, "hard": 64},
        ],
        "extra_hosts": ["db:10.0.0.1"],
        "files": [{"path": "/etc/web.conf", "content": "price = $5\n"}],
        "stop_grace": 60,
    }
    assert read_spec(by_name["db"].spec)[0].as_json() == {
        "image": "postgres:16",
        "stack": "shop",
        "aliases": ["db"],
        "memory": 536870912,
        "health": {
            "command": ["sh", "-c", "pg_isready -U ${POSTGRES_USER}"],
            "interval": 10,
        },
    }
    assert by_name["migrate"].spec == {
        "image": "shop:1",
        "restart": "no",
        "stack": "shop",
        "aliases": ["migrate"],
        "job": True,
    }


def test_what_is_not_honoured_is_named_with_its_reason() -> None:
    left = stack_of(SHOP).left
    assert {(one.service, one.key) for one in left} == {
        ("", "include"),
        ("web", "deploy.update_config"),
        ("web", "labels.cloudbang.app"),
        ("db", "healthcheck.retries"),
        ("web", "networks.front"),
        ("web", "ports 127.0.0.1:53"),
        ("web", "volumes /cache"),
        ("web", "privileged"),
        ("web", "logging"),
        ("web", "secrets.key"),
    }
    assert all(one.why.en and one.why.zh for one in left)


def test_they_are_started_in_an_order_that_works() -> None:
    assert [one.name for one in stack_of(SHOP).services] == ["db", "migrate", "web"]


def test_who_waits_for_each_other_is_refused() -> None:
    services = {
        "a": {"image": "x", "depends_on": {"b": {}}},
        "b": {"image": "x", "depends_on": {"a": {}}},
    }
    with pytest.raises(SpecInvalid) as e:
        stack_of({"services": services})
    assert e.value.field == "depends_on"
    assert "a, b" in str(e.value)


@pytest.mark.parametrize("config", [{}, {"services": {}}, {"services": None}, {"services": []}])
def test_a_file_without_services_is_refused(config) -> None:
    with pytest.raises(SpecInvalid) as e:
        stack_of(config)
    assert e.value.field == "services"


def test_another_name_can_be_given() -> None:
    """So that a file can be deployed twice; what cannot be in a name is replaced."""
    [one] = stack_of({"name": "a", "services": {"web app": {"image": "x"}}}, "b c").services
    assert one.app.startswith("b_c.web_app")
