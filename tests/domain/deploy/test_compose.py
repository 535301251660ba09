"""Compose files, as Docker's own Compose normalises them, as apps."""

from __future__ import annotations

import pytest

from cloudbang.domain.deploy import not_honoured
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
        "env": {"PRICE": "$5"},
        "labels": {"team": "blue", "cloudbang.metrics.port": "9100"},
        "networks": ["proxy"],
        "ports": [{"published": 8080, "target": 80}],
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
            "within": 80,
            "retries": 5,
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
        ("web", "networks.front"),
        ("web", "environment.NONE"),
        ("web", "ports 127.0.0.1:53:53/udp"),
        ("web", "volumes /cache"),
        ("web", "privileged"),
        ("web", "logging"),
        ("web", "secrets.key"),
    }
    assert all(one.why.en and one.why.zh for one in left)


def read(**service: object) -> tuple[dict, dict[str, object]]:
    """The specification of a file's only service; what is not honoured, with its reason."""
    stack = stack_of({"services": {"a": {"image": "x", **service}}})
    return stack.services[0].spec, {one.key: one.why for one in stack.left}


def test_a_port_that_only_this_machine_reaches_is_not_opened_to_all() -> None:
    """A database without a password would be everybody's."""
    mine = {"target": 5432, "published": "5432", "host_ip": "127.0.0.1"}
    spec, left = read(ports=[mine, {**mine, "host_ip": "::1"}, {**mine, "host_ip": "127.0.0.9"}])
    assert "ports" not in spec
    assert left == {
        f"ports {one}:5432:5432": not_honoured.LOOPBACK for one in ("127.0.0.1", "::1", "127.0.0.9")
    }
    spec, left = read(ports=[{**mine, "host_ip": "10.0.0.1"}, {"target": 80, "host_ip": "0.0.0.0"}])
    assert spec["ports"] == [{"published": 5432, "target": 5432}, {"published": 80, "target": 80}]
    assert left == {
        "ports 10.0.0.1:5432:5432": not_honoured.ADDRESSES,
        "ports 80": not_honoured.ANY_PORT,
    }


def test_the_machines_own_network() -> None:
    """As a service of Swarm has it, too; in it nothing is published."""
    spec, left = read(network_mode="host", ports=[{"target": 80, "published": "80"}])
    assert spec["networks"] == ["host"]
    assert "ports" not in spec
    assert left == {"ports": not_honoured.WITH_HOST}
    assert read(network_mode="bridge")[1] == {"network_mode": not_honoured.ONE_NETWORK}
    for mode in ("service:vpn", "container:vpn", "none"):
        spec, left = read(network_mode=mode)
        assert "networks" not in spec
        assert left == {"network_mode": not_honoured.SWARM}


def test_what_is_taken_away_from_an_image() -> None:
    """An entry point that is empty is not one that nobody speaks of."""
    spec, left = read(entrypoint=[], command=["serve"])
    assert (spec["entrypoint"], "command" in spec, left) == (["serve"], False, {})
    spec, left = read(entrypoint=None, command=["serve"])
    assert ("entrypoint" in spec, spec["command"], left) == (False, ["serve"], {})
    assert read(entrypoint=[], command=[])[1] == {"entrypoint": not_honoured.NO_FIELD}
    assert read(command=[])[1] == {"command": not_honoured.NO_FIELD}


def test_a_nought_is_said() -> None:
    assert read(scale=0)[0]["replicas"] == 0


def test_as_the_engine_takes_it() -> None:
    """Which is less strict than a specification."""
    spec, left = read(cap_drop=["all"], cap_add=["net_admin"], hostname="my_host")
    assert left == {}
    its = read_spec(spec)[0]
    assert (its.cap_drop, its.cap_add, its.hostname) == (("ALL",), ("NET_ADMIN",), "my_host")


@pytest.mark.parametrize(
    ("check", "within"),
    [
        ({"interval": "10s", "retries": 30}, 300),  # a database that is being made
        ({"interval": "10s", "retries": 3, "start_period": "1m0s"}, 90),
        ({"retries": 5}, 150),
        ({"start_period": "1m30s"}, 90),
        ({"start_period": "0s"}, 30),
        ({}, 30),
        ({"interval": "24h0m0s", "retries": 9}, 86400),
    ],
)
def test_it_has_as_long_to_be_healthy_as_docker_gives_it(check: dict, within: float) -> None:
    """Its tries after its start period, all of them."""
    spec, left = read(healthcheck={"test": ["CMD", "true"], "timeout": "5s", **check})
    health = read_spec(spec)[0].health
    assert (health.within, health.timeout, health.retries) == (within, 5, check.get("retries", 0))
    assert left == {}


def test_memory_as_a_file_system() -> None:
    """In both ways in which a file may write it, with its size and permissions; what processes share
    is one as well, unless something else is mounted there."""
    told = {"type": "tmpfs", "target": "/c", "tmpfs": {"size": "1024", "mode": 0o1777}}
    spec, left = read(tmpfs=["/run", "/t:size=1m,mode=700,noexec"], volumes=[told], shm_size="2048")
    assert left == {}
    assert read_spec(spec)[0].as_json()["tmpfs"] == [
        "/run",
        {"path": "/t", "size": 2**20, "mode": 0o700},
        {"path": "/c", "size": 1024, "mode": 0o1777},
        {"path": "/dev/shm", "size": 2048},
    ]
    shm = {"type": "bind", "source": "/dev/shm", "target": "/dev/shm/"}
    assert "tmpfs" not in read(volumes=[shm], shm_size="2048")[0]
    assert read(tmpfs="/dev/shm", shm_size="2048")[0]["tmpfs"] == ["/dev/shm"]
    assert read(tmpfs="/t:size=5%,exec")[1] == {
        "tmpfs /t:size=5%": not_honoured.SWARM,
        "tmpfs /t:exec": not_honoured.SWARM,
    }


def test_what_a_process_may_be_and_have() -> None:
    spec, left = read(
        group_add=["video", 44],
        dns="1.1.1.1",
        dns_search="a.b",
        dns_opt=["ndots:1"],
        deploy={"resources": {"limits": {"pids": 50}}},
    )
    assert left == {}
    its = read_spec(spec)[0]
    assert (its.group_add, its.dns, its.dns_search) == (("video", "44"), ("1.1.1.1",), ("a.b",))
    assert (its.dns_opt, its.pids_limit) == (("ndots:1",), 50)
    for none in (0, -1):
        assert "pids_limit" not in read(pids_limit=none)[0]
    assert read(deploy={"mode": "replicated-job"})[0]["job"] is True


def test_a_check_of_the_image_is_switched_off_or_stays() -> None:
    for check in ({"disable": True}, {"test": ["NONE"]}):
        assert read(healthcheck=check) == (
            {"stack": "stack", "image": "x", "aliases": ["a"], "health": {"disabled": True}},
            {},
        )
    assert read(healthcheck={"interval": "5s"})[1] == {"healthcheck": not_honoured.OF_THE_IMAGE}


def test_a_volume_that_is_another_name_for_a_folder() -> None:
    """As people write it who want a volume to be where they see it. What else a volume is made with
    is named."""
    options = {"type": "none", "o": "bind", "device": "/srv/data"}
    nfs = {"type": "nfs", "o": "addr=10.0.0.1,rw", "device": ":/data"}
    mounts = [{"type": "volume", "source": name, "target": f"/{name}"} for name in ("here", "nfs")]
    stack = stack_of(
        {
            "services": {"a": {"image": "x", "volumes": mounts}},
            "volumes": {
                "here": {"name": "s_here", "driver": "local", "driver_opts": options},
                "nfs": {"name": "s_nfs", "driver_opts": nfs},
            },
        }
    )
    assert stack.services[0].spec["volumes"] == [
        {"path": "/here", "source": "/srv/data"},
        {"path": "/nfs", "name": "s_nfs"},
    ]
    assert read_spec(stack.services[0].spec)[0].for_admins == ("volumes[0]",)
    assert [one.key for one in stack.left] == ["volumes.nfs.driver_opts"]


@pytest.mark.parametrize(
    ("name", "more", "restart"),
    [
        ("migrate", {}, "no"),
        ("db-migration", {}, "no"),
        ("createbuckets", {}, "no"),
        ("app_init", {}, "no"),
        ("mc", {"image": "quay.io/minio/mc:latest"}, "no"),
        ("migrate", {"restart": "unless-stopped"}, "always"),
        ("migrate", {"deploy": {"restart_policy": {"condition": "any"}}}, "always"),
        ("setup", {"ports": [{"target": 80, "published": "80"}]}, None),
        ("web", {}, None),
        ("worker", {}, None),
        ("seafile", {}, None),
        ("creator", {}, None),
        ("initiative", {"healthcheck": {"test": ["CMD", "x"]}}, None),
    ],
)
def test_what_is_done_once_is_not_started_again(name: str, more: dict, restart: str | None) -> None:
    """A file that does not say so has nothing started again; here what serves is kept running."""
    [service] = stack_of({"services": {name: {"image": "x", **more}}}).services
    assert service.spec.get("restart") == restart


def test_whose_a_file_is_that_is_handed_over() -> None:
    told = {"source": "c", "target": "/c", "uid": "1000", "gid": "staff", "mode": "0440"}
    stack = stack_of(
        {
            "services": {"a": {"image": "x", "configs": [told]}},
            "configs": {"c": {"content": "text"}},
        }
    )
    [file] = read_spec(stack.services[0].spec)[0].files
    assert (file.uid, file.gid, file.mode) == (1000, 0, 0o440)
    assert [(one.key, one.why) for one in stack.left] == [("configs.c.gid", not_honoured.OWNER)]


def test_a_limit_of_nought() -> None:
    spec, _ = read(ulimits={"core": {}, "nproc": {"hard": 9}})
    assert spec["ulimits"] == [
        {"name": "core", "soft": 0, "hard": 0},
        {"name": "nproc", "soft": 0, "hard": 9},
    ]


def test_nobody_is_waited_for_who_is_not_deployed() -> None:
    """As one of a profile that is not asked for, of which the file says that it may be missing."""
    needs = {"dbg": {"condition": "service_started", "required": False}, "db": {}}
    services = {
        "a": {"image": "x", "depends_on": needs},
        "db": {"image": "x"},
        "dbg": {"image": "y", "profiles": ["debug"]},
    }
    assert [one.service for one in stack_of({"services": services}).services[-1].after] == ["db"]


def test_a_variable_without_a_value_is_not_an_empty_one() -> None:
    """An image may say what it is where nobody does."""
    spec, left = read(environment={"TZ": None, "EMPTY": "", "A": 1})
    assert spec["env"] == {"EMPTY": "", "A": 1}
    assert left == {"environment.TZ": not_honoured.VALUE_HERE}


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
