"""`docker run` lines as people paste them."""

from __future__ import annotations

import pytest

from cloudbang.domain.deploy.fields import SpecInvalid
from cloudbang.domain.deploy.run_line import read_run_line
from cloudbang.domain.deploy.spec import read_spec

LINES = [
    (
        "docker run -d --name web -p 8080:80 --restart unless-stopped nginx:1.27",
        "web",
        {
            "image": "nginx:1.27",
            "ports": [{"published": 8080, "target": 80}],
        },
        [],
    ),
    (
        """$ sudo docker run -d \\
  --name=pg -e POSTGRES_PASSWORD='a b' -e PGDATA=/data/pg \\
  -v pgdata:/data:ro -v /etc/localtime:/etc/localtime:ro \\
  -m 512m --cpus=1.5 postgres:16 -c shared_buffers=256MB   # the database
""",
        "pg",
        {
            "image": "postgres:16",
            "env": {"POSTGRES_PASSWORD": "a b", "PGDATA": "/data/pg"},
            "volumes": [
                {"path": "/data", "name": "pgdata", "read_only": True},
                {"path": "/etc/localtime", "source": "/etc/localtime", "read_only": True},
            ],
            "memory": 512 * 1024**2,
            "cpus": 1.5,
            "command": ["-c", "shared_buffers=256MB"],
        },
        [],
    ),
    (
        "docker container run -it --rm -p53:5353/udp -p 127.0.0.1:81:80 --privileged alpine sh -c 'echo hi'",
        "",
        {
            "image": "alpine",
            "tty": True,
            "stdin_open": True,
            "ports": [
                {"published": 53, "target": 5353, "protocol": "udp"},
                {"published": 81, "target": 80},
            ],
            "command": ["sh", "-c", "echo hi"],
        },
        ["-p 127.0.0.1:81:80", "--privileged"],
    ),
    (
        "podman run --network host --add-host db:10.0.0.1 --cap-drop ALL --cap-add NET_BIND_SERVICE "
        "--user 1000:1000 -w /app --entrypoint /bin/app --ulimit nofile=1024:2048 --init --read-only "
        "--tmpfs /run:size=1m --stop-timeout 30 --health-cmd 'test -e /ok' app:2",
        "",
        {
            "image": "app:2",
            "networks": ["host"],
            "extra_hosts": ["db:10.0.0.1"],
            "cap_drop": ["ALL"],
            "cap_add": ["NET_BIND_SERVICE"],
            "user": "1000:1000",
            "working_dir": "/app",
            "entrypoint": ["/bin/app"],
            "ulimits": [{"name": "nofile", "soft": 1024, "hard": 2048}],
            "init": True,
            "read_only": True,
            "tmpfs": ["/run"],
            "stop_grace": 30,
            "health": {"command": ["sh", "-c", "test -e /ok"]},
        },
        [],
    ),
    (
        "docker run --mount type=bind,src=/srv,dst=/srv,readonly --mount type=volume,source=d,target=/d "
        "--mount type=tmpfs,target=/t -v /anonymous -e HOME --gpus all --log-driver json-file x",
        "",
        {
            "image": "x",
            "volumes": [
                {"path": "/srv", "source": "/srv", "read_only": True},
                {"path": "/d", "name": "d"},
            ],
            "tmpfs": ["/t"],
            "env": {"HOME": ""},
        },
        ["-v /anonymous", "-e HOME", "--gpus all", "--log-driver json-file"],
    ),
]


@pytest.mark.parametrize(("line", "name", "spec", "not_honoured"), LINES)
def test_a_line_becomes_a_specification(line, name, spec, not_honoured) -> None:
    """And what an app has nothing of is said with its reason."""
    found = read_run_line(line)
    assert found.name == name
    assert read_spec(found.spec)[0].as_json() == spec
    assert [one.option for one in found.not_honoured] == not_honoured
    assert all(one.why.en and one.why.zh for one in found.not_honoured)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("", "line"),
        ("rm -rf /", "line"),
        ("docker ps", "line"),
        ("docker run", "image"),
        ("docker run -d", "image"),
        ("docker run -e 'A nginx", "line"),
        ("docker run -p", "line"),
        ("docker run -p web nginx", "ports"),
    ],
)
def test_what_is_no_such_line_is_said(line, field) -> None:
    with pytest.raises(SpecInvalid) as e:
        read_run_line(line)
    assert e.value.field == field


def test_nothing_is_substituted() -> None:
    """It is a text, and no shell reads it."""
    found = read_run_line("docker run -e A=$(whoami) -v $PWD:/x 'a;b' `id`")
    assert found.spec["env"] == {"A": "$(whoami)"}
    assert found.spec["command"] == ["`id`"]
