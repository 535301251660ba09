"""A release as the engine is told of it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.deploy.release import Release, image_tag, service_name
from cloudbang.domain.deploy.spec import STACK, read_spec
from cloudbang.domain.deploy.swarm_spec import (
    NETWORK,
    Attached,
    Handed,
    command_service,
    is_team_network,
    networks_of,
    service_spec,
    stack_network,
    team_network,
)
from tests.domain.deploy.test_spec import WHOLE

ID = "sha256:" + "a" * 64


def release(written: dict[str, object], number: int = 3) -> Release:
    return Release("web", number, read_spec(written)[0], image_id=ID)


def test_a_plain_app():
    """The image by its id, which no node looks for in a registry; no virtual address."""
    made = service_spec(release({"image": "nginx:1"}), networks=[Attached("n1", ("web",))])
    assert made == {
        "Name": "web-r3",
        "Labels": {"cloudbang.app": "web", "cloudbang.release": "3"},
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": ID,
                "Labels": {
                    "cloudbang.app": "web",
                    "cloudbang.release": "3",
                    "cloudbang.image": "nginx:1",
                },
                "Env": [],
                "StopGracePeriod": 10_000_000_000,
            },
            "Resources": {},
            "RestartPolicy": {"Condition": "any", "Delay": 2_000_000_000},
            "Placement": {},
            "Networks": [{"Target": "n1", "Aliases": ["web"]}],
        },
        "Mode": {"Replicated": {"Replicas": 1}},
        "EndpointSpec": {"Mode": "dnsrr"},
    }


def test_what_is_to_end_says_so():
    """So that whoever sees the container knows that it is done, and not gone."""

    def label(written: dict[str, object], **more: bool) -> str | None:
        made = service_spec(release({"image": "x", **written}), networks=[], **more)
        labels: dict[str, str] = made["TaskTemplate"]["ContainerSpec"]["Labels"]
        return labels.get("cloudbang.job")

    assert label({"restart": "no"}) == label({"restart": "on-failure"}) == "true"
    assert label({}) is None
    assert label({"restart": "no", "port": 80}) is None
    assert label({"restart": "no", "release_command": ["x"]}, one_off=True) is None


def test_who_finds_an_app_by_which_name():
    """A stack has a network of its own, where its services have the names that its file gives
    them; the common one is for what the gateway reaches, and for apps without a stack."""
    plain = {"image": "x", "aliases": ["db"], "networks": ["lan", "cloudbang"]}
    assert networks_of(release(plain), "default") == (
        ("cloudbang", ("web", "db")),
        ("lan", ("web", "db")),
    )
    assert networks_of(release({**plain, "networks": [], "stack": "shop"}), "blue") == (
        ("cloudbang-shop", ("web", "db")),
    )
    routed = {**plain, "networks": [], "stack": "shop", "port": 80, "route": {}}
    assert networks_of(release(routed), "default") == (
        ("cloudbang-shop", ("web", "db")),
        ("cloudbang", ("web",)),
    )
    assert networks_of(release(routed), "blue") == (
        ("cloudbang-shop", ("web", "db")),
        ("cloudbang_blue", ("web",)),
    )
    made = service_spec(release(routed), networks=[])
    assert made["Labels"]["cloudbang.stack"] == "shop"
    assert made["TaskTemplate"]["ContainerSpec"]["Labels"]["cloudbang.stack"] == "shop"


def test_a_team_has_a_network_of_its_own() -> None:
    """Of a name that an overlay may have, whatever the team's is; no two have the same, and none that
    of a stack."""
    assert team_network("default") == NETWORK
    assert team_network("blue") == "cloudbang_blue"
    awkward = ["a-", "a_", "a", "A", "x" * 48, "x" * 49, "x" * 64, "x" * 63 + "y", "b" + "-" * 60]
    names = [team_network(team) for team in awkward]
    assert len(set(names)) == len(awkward)
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9](?:[-_]*[A-Za-z0-9]+)*", name), name
        assert len(f"{name}-free") <= 63
        assert is_team_network(name)
    assert not is_team_network(NETWORK)
    assert not is_team_network(stack_network("blue"))


@given(st.from_regex(STACK, fullmatch=True), st.from_regex(STACK, fullmatch=True))
def test_a_stack_of_any_name_has_a_network(one: str, other: str) -> None:
    """Of a name that Swarm takes, and of its own."""
    for stack in (one, other):
        name = stack_network(stack)
        assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?", name), name
        assert len(name) <= 63
    assert (stack_network(one) == stack_network(other)) == (one == other)


def test_networks_of_stacks_are_called_as_they_were() -> None:
    assert stack_network("shop") == "cloudbang-shop"
    assert stack_network("x" * 53) == f"cloudbang-{'x' * 53}"
    assert stack_network("my.shop").startswith("cloudbang--my-shop-")


def test_everything_that_can_be_asked_for_is_asked_for():
    made = service_spec(
        release(WHOLE),
        networks=[Attached("n1", ("web",)), Attached("n2")],
        secrets=[Handed("s1", "web-KEY-1", "KEY", 0o400)],
        files=[Handed("c1", "web-conf-1", "/etc/app.conf", 0o440, 1000, 101)],
        values={"KEY": "s3cret"},
    )
    container = made["TaskTemplate"]["ContainerSpec"]
    assert container["Command"] == ["/bin/tini", "--"]
    assert container["Args"] == ["nginx", "-g", "daemon off;"]
    assert container["Env"] == ["A=b", "EMPTY=", "KEY=s3cret"]
    assert container["Mounts"] == [
        {"Type": "volume", "Source": "data", "Target": "/var/lib/x"},
        {"Type": "bind", "Source": "/srv/files", "Target": "/srv", "ReadOnly": True},
        {"Type": "tmpfs", "Target": "/tmp"},
        {
            "Type": "tmpfs",
            "Target": "/cache",
            "TmpfsOptions": {"SizeBytes": 67108864, "Mode": 0o1770},
        },
    ]
    assert container["Groups"] == ["video", "999"]
    assert container["DNSConfig"] == {
        "Nameservers": ["1.1.1.1"],
        "Search": ["corp.example.com", "."],
        "Options": ["ndots:2", "use-vc"],
    }
    assert container["Secrets"] == [
        {
            "File": {"Name": "KEY", "UID": "0", "GID": "0", "Mode": 0o400},
            "SecretName": "web-KEY-1",
            "SecretID": "s1",
        }
    ]
    owner = {"UID": "1000", "GID": "101"}
    assert container["Configs"][0]["File"] == {"Name": "/etc/app.conf", **owner, "Mode": 0o440}
    assert container["Hosts"] == ["10.0.0.5 db"]
    assert container["CapabilityAdd"] == ["CAP_NET_ADMIN"]
    assert container["CapabilityDrop"] == ["ALL"]
    assert container["Ulimits"] == [{"Name": "nofile", "Soft": 1024, "Hard": 2048}]
    assert "Healthcheck" not in container  # HTTP is asked from outside
    assert made["TaskTemplate"]["Resources"] == {
        "Limits": {"NanoCPUs": 500_000_000, "MemoryBytes": 268435456, "Pids": 200},
        "Reservations": {"NanoCPUs": 250_000_000, "MemoryBytes": 134217728},
    }
    assert made["EndpointSpec"]["Ports"][1] == {
        "Protocol": "udp",
        "PublishMode": "host",
        "PublishedPort": 53,
        "TargetPort": 5353,
    }
    assert made["TaskTemplate"]["RestartPolicy"]["Condition"] == "on-failure"


def test_the_order_of_variables_is_always_the_same():
    """Swarm would restart everything for another one."""
    one = service_spec(release({"image": "a", "env": {"B": "1", "A": "2"}}), networks=[])
    two = service_spec(release({"image": "a", "env": {"A": "2", "B": "1"}}), networks=[])
    assert one == two


def test_a_command_is_checked_by_the_engine_and_has_its_time():
    spec = {"image": "a", "health": {"command": ["test", "-f", "/ok"], "within": 40, "interval": 3}}
    check = service_spec(release(spec), networks=[])["TaskTemplate"]["ContainerSpec"]["Healthcheck"]
    assert check == {
        "Test": ["CMD", "test", "-f", "/ok"],
        "Interval": 3_000_000_000,
        "Timeout": 5_000_000_000,
        "StartPeriod": 40_000_000_000,
        "Retries": 3,
    }


def test_a_check_whose_tries_are_said_is_as_docker_has_it():
    """All of them within the time that it has."""
    its = {"command": ["true"], "within": 80, "interval": 10, "retries": 5, "timeout": 2}

    def check(**changed: object) -> dict[str, object]:
        made = service_spec(release({"image": "a", "health": {**its, **changed}}), networks=[])
        found: dict[str, object] = made["TaskTemplate"]["ContainerSpec"]["Healthcheck"]
        return {key: found[key] for key in ("Timeout", "StartPeriod", "Retries")}

    assert check() == {"Timeout": 2 * 10**9, "StartPeriod": 30 * 10**9, "Retries": 5}
    assert check(within=1)["StartPeriod"] == 0
    off = service_spec(release({"image": "a", "health": {"disabled": True}}), networks=[])
    assert off["TaskTemplate"]["ContainerSpec"]["Healthcheck"] == {"Test": ["NONE"]}


def test_a_job_is_started_once_and_not_checked():
    """Unless it is to be tried again where it failed."""
    job = {"image": "a", "job": True, "health": {"command": ["true"]}}
    for spec, condition in ((job, "none"), ({**job, "restart": "on-failure"}, "on-failure")):
        task = service_spec(release(spec), networks=[])["TaskTemplate"]
        assert task["RestartPolicy"]["Condition"] == condition
        assert task["ContainerSpec"]["Healthcheck"] == {"Test": ["NONE"]}


def test_the_release_command_runs_once_and_is_not_the_app():
    """Without its ports, its name on the network, a restart or a check."""
    its = release(WHOLE)
    made = service_spec(its, networks=[Attached("n1", ("web",))], one_off=True)
    assert made["Name"] == command_service(its) != its.service
    container = made["TaskTemplate"]["ContainerSpec"]
    assert container["Args"] == ["./migrate"]
    assert container["Healthcheck"] == {"Test": ["NONE"]}
    assert container["Labels"]["cloudbang.one-off"] == "true"
    assert made["TaskTemplate"]["RestartPolicy"]["Condition"] == "none"
    assert made["TaskTemplate"]["Networks"] == [{"Target": "n1"}]
    assert made["EndpointSpec"] == {"Mode": "dnsrr"}
    assert made["Mode"] == {"Replicated": {"Replicas": 1}}


def test_scaled_to_nothing():
    made = service_spec(release(WHOLE), networks=[], replicas=0)
    assert made["Mode"] == {"Replicated": {"Replicas": 0}}


def test_a_release_is_kept_as_json():
    its = release(WHOLE).with_image(ID, "nginx@sha256:1", "abc")
    assert Release.of(its.as_json()) == its


SERVICE = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
NAMES = st.text("abAB019_.-", min_size=1, max_size=128)


@given(NAMES, NAMES, st.integers(1, 10**6))
def test_every_app_has_a_service_of_its_own(one, other, number):
    """A name without dots (a resolver would ask outside), of 63 characters at most, and another
    for each app and each release."""
    name = service_name(one, number)
    assert SERVICE.fullmatch(name)
    assert len(name) <= 63
    assert name.endswith(f"-r{number}")
    assert (service_name(other, number) == name) == (one == other)
    assert service_name(one, number + 1) != name
    assert image_tag(one, number) == f"cloudbang/{name[: -len(f'-r{number}')]}:r{number}"


def test_names_as_they_are_where_that_is_possible():
    assert service_name("web", 12) == "web-r12"
    assert service_name("my-shop", 1) == "my-shop-r1"
    for name in ("shop.web", "Web", "web_1", "-", "a" * 128):
        assert service_name(name, 1) != f"{name}-r1"
