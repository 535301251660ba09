"""What a person may write about an app, and what is said of the rest."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.deploy.fields import SpecInvalid
from cloudbang.domain.deploy.spec import Spec, read_spec
from cloudbang.domain.deploy.spec_parts import Route

WHOLE = {
    "image": "registry.example.com:5000/team/web:1.27@sha256:" + "0" * 64,
    "command": ["nginx", "-g", "daemon off;"],
    "entrypoint": ["/bin/tini", "--"],
    "env": {"A": "b", "EMPTY": ""},
    "secrets": {"KEY": None},
    "port": 80,
    "route": {"host": "web.example.com", "path": "/api"},
    "replicas": 2,
    "memory": 268435456,
    "memory_reserved": 134217728,
    "cpus": 0.5,
    "cpus_reserved": 0.25,
    "pids_limit": 200,
    "health": {"http": "/healthz?full=1", "port": 81, "within": 45, "interval": 1.5},
    "volumes": [
        {"path": "/var/lib/x", "name": "data"},
        {"path": "/srv", "source": "/srv/files", "read_only": True},
    ],
    "tmpfs": ["/tmp", {"path": "/cache", "size": 67108864, "mode": 0o1770}],
    "files": [{"path": "/etc/app.conf", "content": "a = 1\n", "uid": 1000, "gid": 101}],
    "ports": [
        {"published": 5432, "target": 5432},
        {"published": 53, "target": 5353, "protocol": "udp"},
    ],
    "release_command": ["./migrate"],
    "stop_grace": 20,
    "stop_signal": "SIGINT",
    "restart": "on-failure",
    "labels": {"team": "blue", "cloudbang.metrics.port": "9100", "cloudbang.metrics.path": "/m"},
    "networks": ["backend"],
    "stack": "shop",
    "aliases": ["db", "my_db"],
    "user": "1000:1000",
    "group_add": ["video", "999"],
    "working_dir": "/app",
    "hostname": "web",
    "init": True,
    "tty": True,
    "stdin_open": True,
    "read_only": True,
    "cap_add": ["NET_ADMIN"],
    "cap_drop": ["ALL"],
    "dns": ["1.1.1.1"],
    "dns_search": ["corp.example.com", "."],
    "dns_opt": ["ndots:2", "use-vc"],
    "extra_hosts": ["db:10.0.0.5"],
    "sysctls": {"net.core.somaxconn": "1024"},
    "ulimits": [{"name": "nofile", "soft": 1024, "hard": 2048}],
}


def test_every_field_comes_back_as_it_was_written():
    """A specification is kept as JSON and shown as YAML: nothing gets lost on the way."""
    spec, secrets = read_spec(WHOLE)
    assert spec.as_json() == WHOLE
    assert read_spec(spec.as_json())[0] == spec
    assert secrets == {"KEY": None}


def test_the_whole_of_it_names_every_field():
    """So that the test above cannot forget one."""
    fields = set(Spec.__dataclass_fields__) - {"build", "job"}
    assert fields == set(WHOLE)


def test_a_job_comes_back_as_it_was_written_and_nobody_is_sent_to_it():
    job = {"image": "a", "job": True, "port": 80}
    spec, _ = read_spec(job)
    assert (spec.as_json(), spec.may_end) == (job, True)
    with pytest.raises(SpecInvalid) as e:
        read_spec({**job, "route": {}})
    assert (e.value.field, e.value.rule) == ("job", "both")


def test_a_build_comes_back_as_it_was_written():
    build = {
        "git": "https://git.example.com/web.git",
        "branch": "main",
        "folder": "services/web",
        "dockerfile": "docker/Dockerfile",
        "target": "run",
        "args": {"VERSION": "1"},
    }
    assert read_spec({"build": build})[0].as_json() == {"build": build}
    assert read_spec({"build": {"git": "g"}})[0].as_json() == {"build": {"git": "g"}}
    assert read_spec({"build": {}})[0].build is not None


def test_a_check_comes_back_as_it_was_written():
    for health in (
        {"command": ["true"], "timeout": 3, "retries": 10},
        {"http": "/", "timeout": 0.5},
        {"disabled": True},
    ):
        spec = {"image": "a", "port": 80, "health": health}
        assert read_spec(spec)[0].as_json() == spec
    with pytest.raises(SpecInvalid) as e:
        read_spec({"image": "a", "health": {"disabled": True, "command": "true"}})
    assert (e.value.field, e.value.rule) == ("health", "both")


@pytest.mark.parametrize("mode", [0o1777, "1777", "01777", "0o1777"])
def test_permissions_as_chmod_has_them(mode: object):
    """A text is read as octal: whoever writes "1777" means nothing else."""
    spec = {"image": "a", "tmpfs": [{"path": "/t", "mode": mode}]}
    assert read_spec(spec)[0].tmpfs[0].mode == 0o1777
    file = {"path": "/f", "content": "", "mode": "0644"}
    assert read_spec({"image": "a", "files": [file]})[0].files[0].mode == 0o644


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ({"memory": "256m"}, "memory", 256 * 1024**2),
        ({"memory": "1.5 GiB"}, "memory", 3 * 512 * 1024**2),
        ({"memory": 0}, "memory", 0),
        ({"command": 'sh -c "echo  a"'}, "command", ("sh", "-c", "echo  a")),
        ({"env": {"PORT": 8080, "DEBUG": True, "RATIO": 1.5, "NONE": None}}, "env",
         (("DEBUG", "true"), ("NONE", ""), ("PORT", "8080"), ("RATIO", "1.5"))),
        ({"stop_grace": "1m30s"}, "stop_grace", 90.0),
        ({"replicas": 0}, "replicas", 0),
        ({"port": 80, "route": {"host": "Web.Example.COM."}}, "route", Route("web.example.com")),
        ({"port": 80, "route": {}}, "route", Route()),
        ({"port": "80"}, "port", 80),
    ],
)  # fmt: skip
def test_what_people_write(written, field, value):
    """As Docker and Compose files have it."""
    assert getattr(read_spec({"image": "a", **written})[0], field) == value


def test_a_health_check_by_tcp():
    """With its own port, or the app's."""
    assert read_spec({"image": "a", "health": {"tcp": 81}})[0].health.port == 81
    spec = read_spec({"image": "a", "port": 80, "health": {"tcp": True}})[0]
    assert spec.as_json()["health"] == {"tcp": True}


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ({}, "image"),
        ({"image": ""}, "image"),
        ({"image": "-v"}, "image"),
        ({"image": "a b"}, "image"),
        ({"image": 5}, "image"),
        ({"image": "a", "replicaz": 2}, "replicaz"),
        ({"image": "a", "replicas": -1}, "replicas"),
        ({"image": "a", "replicas": 1.5}, "replicas"),
        ({"image": "a", "replicas": True}, "replicas"),
        ({"image": "a", "replicas": "1e400"}, "replicas"),
        ({"image": "a", "cpus": "nan"}, "cpus"),
        ({"image": "a", "cpus": 0}, "cpus"),
        ({"image": "a", "memory": "1m"}, "memory"),
        ({"image": "a", "memory": "much"}, "memory"),
        ({"image": "a", "memory": "64m", "memory_reserved": "65m"}, "memory_reserved"),
        ({"image": "a", "port": 0}, "port"),
        ({"image": "a", "port": 65536}, "port"),
        ({"image": "a", "command": 'echo "'}, "command"),
        ({"image": "a", "command": ["a", 5]}, "command[1]"),
        ({"image": "a", "command": ["a\0"]}, "command[0]"),
        ({"image": "a", "env": ["A=b"]}, "env"),
        ({"image": "a", "env": {"A=": "b"}}, "env.A="),
        ({"image": "a", "env": {"A": {}}}, "env.A"),
        ({"image": "a", "env": {"A": "b"}, "secrets": {"A": "c"}}, "env.A"),
        ({"image": "a", "route": {}}, "port"),
        ({"image": "a", "port": 80, "route": {"host": "a b"}}, "route.host"),
        ({"image": "a", "port": 80, "route": {"host": "http://a"}}, "route.host"),
        ({"image": "a", "port": 80, "route": {"path": "api"}}, "route.path"),
        ({"image": "a", "port": 80, "route": {"path": "/{http.vars}"}}, "route.path"),
        ({"image": "a", "health": {"http": "/", "tcp": True}, "port": 80}, "health"),
        ({"image": "a", "health": {"http": "/"}}, "health.port"),
        ({"image": "a", "health": {"within": 0}}, "health.within"),
        ({"image": "a", "volumes": [{"path": "/x"}]}, "volumes[0].name"),
        ({"image": "a", "volumes": [{"name": "v"}]}, "volumes[0].path"),
        ({"image": "a", "volumes": [{"name": "../v", "path": "/x"}]}, "volumes[0].name"),
        ({"image": "a", "volumes": [{"source": "srv", "path": "/x"}]}, "volumes[0].source"),
        ({"image": "a", "volumes": [{"source": "/srv/../etc", "path": "/x"}]}, "volumes[0].source"),
        ({"image": "a", "volumes": [{"name": "v", "path": "/x"}], "tmpfs": ["/x"]}, "tmpfs[0]"),
        ({"image": "a", "tmpfs": [{"path": "/x", "size": "some"}]}, "tmpfs[0].size"),
        ({"image": "a", "tmpfs": [{"path": "/x", "mode": "9"}]}, "tmpfs[0].mode"),
        ({"image": "a", "tmpfs": [{"path": "/x", "uid": 1}]}, "tmpfs[0].uid"),
        ({"image": "a", "tmpfs": [{"size": 1}]}, "tmpfs[0].path"),
        ({"image": "a", "group_add": ["a b"]}, "group_add"),
        ({"image": "a", "dns_search": ["a b"]}, "dns_search"),
        ({"image": "a", "dns_opt": ["ndots: 2"]}, "dns_opt"),
        ({"image": "a", "pids_limit": -1}, "pids_limit"),
        ({"image": "a", "ports": [{"published": 1}]}, "ports[0].target"),
        ({"image": "a", "ports": [{"target": 1}, {"target": 1}]}, "ports[1]"),
        ({"image": "a", "labels": {"cloudbang.app": "other"}}, "labels.cloudbang.app"),
        (
            {"image": "a", "labels": {"cloudbang.metrics.port": "http"}},
            "labels.cloudbang.metrics.port",
        ),
        (
            {"image": "a", "labels": {"cloudbang.metrics.path": "//host/x y"}},
            "labels.cloudbang.metrics.path",
        ),
        ({"image": "a", "networks": ["a/b"]}, "networks"),
        ({"image": "a", "user": "root; rm"}, "user"),
        ({"image": "a", "cap_add": ["net_admin"]}, "cap_add"),
        ({"image": "a", "restart": "unless-stopped"}, "restart"),
        ({"build": {"folder": "/etc"}}, "build.folder"),
        ({"build": {"folder": "a/../.."}}, "build.folder"),
        ({"build": {"branch": "--upload-pack=x"}}, "build.branch"),
        ("text", "spec"),
        (None, "spec"),
        (["image"], "spec"),
    ],
)  # fmt: skip
def test_what_may_not_be_written_is_named(written, field):
    """The field, in full, so that a form can show it where it is."""
    with pytest.raises(SpecInvalid) as e:
        read_spec(written)
    assert e.value.field == field
    assert field in str(e.value)


def test_the_value_of_a_secret_is_in_no_error():
    """An error is shown, logged and sent on."""
    for secrets in ({"KEY": ["canary-1"]}, {"KEY": "canary-1\0"}, "canary-1", {"A=": "canary-1"}):
        with pytest.raises(SpecInvalid) as e:
            read_spec({"image": "a", "secrets": secrets})
        assert "canary" not in str(e.value) + repr(vars(e.value))


def test_what_reaches_beyond_the_app_is_for_admins():
    """Paths of the host, its network, further rights."""
    assert read_spec(WHOLE)[0].for_admins == ("volumes[1]", "cap_add", "sysctls")
    limits = [{"name": name, "soft": 9} for name in ("nofile", "rtprio", "memlock")]
    spec = {"image": "a", "ulimits": limits, "group_add": ["0"], "cap_drop": ["ALL"]}
    spec |= {"tmpfs": [{"path": "/dev/shm", "size": 1}], "pids_limit": 1, "dns_search": ["a"]}
    assert read_spec(spec)[0].for_admins == ("ulimits[1]",)
    assert read_spec({"image": "a", "networks": ["host"]})[0].for_admins == ("networks[0]",)
    assert read_spec({"image": "a", "volumes": [{"name": "v", "path": "/x"}]})[0].for_admins == ()


def test_what_only_one_release_can_have():
    """A volume that is written to, and a published port; not what is read, or said to be shared."""
    assert read_spec(WHOLE)[0].exclusive == ("data", "5432/tcp", "53/udp")
    shared = {"image": "a", "volumes": [{"name": "v", "path": "/x", "shared": True}]}
    assert read_spec(shared)[0].exclusive == ()


TEXT = st.text("ab/.:-=@{} 05\0é猫", max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted([*WHOLE, "build"])), JSON, max_size=4))
def test_whatever_is_sent_is_read_or_refused(found):
    """Never another error than the one that names the field; and what was read comes back."""
    with suppress(SpecInvalid):
        spec, _ = read_spec({"image": "a", **found})
        assert read_spec(spec.as_json())[0] == spec
