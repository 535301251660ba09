"""`docker run` lines as people paste them."""

from __future__ import annotations

from contextlib import suppress

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
            "ports": [{"published": 53, "target": 5353, "protocol": "udp"}],
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
            "tmpfs": [{"path": "/run", "size": 2**20}],
            "stop_grace": 30,
            "health": {"command": ["sh", "-c", "test -e /ok"]},
        },
        [],
    ),
    (
        "docker run --group-add video --group-add=44 --dns-search a.b --dns-option ndots:2 --dns-opt "
        "rotate --pids-limit 100 --shm-size=1g --tmpfs /t:rw,exec,mode=700 --no-healthcheck "
        "--mount type=tmpfs,dst=/m,tmpfs-size=5m,tmpfs-mode=1770 -v /anonymous/shm:/x x",
        "",
        {
            "image": "x",
            "group_add": ["video", "44"],
            "dns_search": ["a.b"],
            "dns_opt": ["ndots:2", "rotate"],
            "pids_limit": 100,
            "tmpfs": [
                {"path": "/t", "mode": 0o700},
                {"path": "/m", "size": 5 * 2**20, "mode": 0o1770},
                {"path": "/dev/shm", "size": 2**30},
            ],
            "health": {"disabled": True},
            "volumes": [{"path": "/x", "source": "/anonymous/shm"}],
        },
        ["--tmpfs /t:exec"],
    ),
    (
        "docker run --pids-limit -1 --shm-size 1g -v /dev/shm:/dev/shm --health-cmd true "
        "--health-timeout 3s --health-retries 2 --health-interval 5s x",
        "",
        {
            "image": "x",
            "volumes": [{"path": "/dev/shm", "source": "/dev/shm"}],
            "health": {
                "command": ["sh", "-c", "true"],
                "interval": 5,
                "within": 10,
                "retries": 2,
                "timeout": 3,
            },
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
        },
        ["-v /anonymous", "-e HOME", "--gpus all", "--log-driver json-file"],
    ),
    (
        "docker run --network=host -p 80:80 -p 127.0.0.1:5432:5432 -p [::1]:53:53/udp x",
        "",
        {"image": "x", "networks": ["host"]},
        ["-p 127.0.0.1:5432:5432", "-p [::1]:53:53/udp", "-p 80:80"],
    ),
    (
        "docker run -p 80 x",
        "",
        {"image": "x", "ports": [{"published": 80, "target": 80}]},
        ["-p 80"],
    ),
    (
        "docker run -dp 3000-3002:4000-4002/udp -p 0.0.0.0:80:80 --entrypoint '' --restart on-failure:3 "
        "--health-cmd true --health-retries 3 --dns-search a.b --cpu-quota 5 -v data:/data:ro,z "
        "--mount type=bind,src=/a,dst=/b,bind-propagation=shared app serve",
        "",
        {
            "image": "app",
            "entrypoint": ["serve"],
            "ports": [
                {"published": 3000, "target": 4000, "protocol": "udp"},
                {"published": 3001, "target": 4001, "protocol": "udp"},
                {"published": 3002, "target": 4002, "protocol": "udp"},
                {"published": 80, "target": 80},
            ],
            "restart": "on-failure",
            "health": {"command": ["sh", "-c", "true"], "within": 90, "retries": 3},
            "dns_search": ["a.b"],
            "volumes": [
                {"path": "/data", "name": "data", "read_only": True},
                {"path": "/b", "source": "/a"},
            ],
        },
        [
            *("--restart on-failure:3", "--cpu-quota 5"),
            *("-v /data:z", "--mount /b: bind-propagation=shared"),
        ],
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
        ("docker run -p 80-81:80 nginx", "ports"),
        ("docker run -p 1000-2000:1000-2000 nginx", "ports"),
    ],
)
def test_what_is_no_such_line_is_said(line, field) -> None:
    with pytest.raises(SpecInvalid) as e:
        read_run_line(line)
    assert e.value.field == field


@pytest.mark.parametrize(
    ("pasted", "others"),
    [
        ("$ docker run -e A=1 web", []),
        ("# docker run -e A=1 web", []),
        ("[root@web ~]# docker run -e A=1 web", []),
        ("ada@web:~/src$ sudo docker run -e A=1 web", []),
        ("PS C:\\Users\\ada> docker run -e A=1 web", []),
        ("DOCKER_HOST=tcp://x:1 docker run -e A=1 web", []),
        ("docker create -e A=1 web", []),
        ("nerdctl run -e A=1 web", []),
        ("docker run \\\n  -e A=1 `# as you like` \\\n  web", []),
        ("docker run ^\r\n  -e A=1 ^\r\n  web", []),
        ("docker run `\n  -e A=1 `\n  web", []),
        ("docker run -e A=1 web >/dev/null 2>&1", []),
        ("docker run -e A=1 web > run.log &", []),
        ("docker run -e A=1 web # to begin with", []),
        (
            "# first\ndocker volume create data\ndocker run -e A=1 web\n",
            ["docker volume create data"],
        ),
        ("docker pull web && docker run -e A=1 web; docker ps", ["docker pull web", "docker ps"]),
        ("docker run -e A=1 web | tee log", ["tee log"]),
    ],
)
def test_what_stands_around_it_is_no_part_of_it(pasted, others) -> None:
    """A prompt, remarks, where a line is broken, other commands."""
    found = read_run_line(pasted)
    assert found.spec == {"env": {"A": "1"}, "image": "web"}
    assert [one.option for one in found.not_honoured] == others


@pytest.mark.parametrize("filler", [" ", "\\ ", "a", "''", "`#", "x;", "$(", "[a", "a@b ", "-e A "])
def test_a_long_line_takes_no_longer_than_its_length(filler) -> None:
    """Half a megabyte, which would take hours where each character looks at all that follow."""
    with suppress(SpecInvalid):
        read_run_line(filler * (500_000 // len(filler)))
    with suppress(SpecInvalid):
        read_run_line("docker run " + filler * (500_000 // len(filler)))


def test_what_is_quoted_ends_nothing() -> None:
    line = r"""docker run -e 'A=1; 2' -e "B=\"x\" > y" -e C=a\;b -e D=<key> web sh -c 'a | b && c' ';' '>'"""
    found = read_run_line(line)
    assert found.spec["env"] == {"A": "1; 2", "B": '"x" > y', "C": "a;b", "D": "<key>"}
    assert found.spec["command"] == ["sh", "-c", "a | b && c", ";", ">"]
    assert found.not_honoured == []


@pytest.mark.parametrize(
    "path", ["$PWD", "${PWD}/x", "$(pwd -P)/data", "./x", "~/x", "%cd%", r"C:\x"]
)
def test_a_path_that_is_not_whole_is_asked_for_in_its_row(path) -> None:
    """It is a path of the host all the same, and no volume of that name."""
    found = read_run_line(f"docker run -v '{path}:/x' web")
    assert found.spec["volumes"] == [{"path": "/x", "source": path}]
    if path[0] == "$":  # a shell would read it
        assert read_run_line(f"docker run -v {path}:/x web").spec == found.spec
    with pytest.raises(SpecInvalid) as e:
        read_spec(found.spec)
    assert e.value.field == "volumes[0].source"


def test_nothing_is_substituted() -> None:
    """It is a text, and no shell reads it."""
    found = read_run_line("docker run -e A=$(whoami) -v $PWD:/x 'a;b' `id`")
    assert found.spec["env"] == {"A": "$(whoami)"}
    assert found.spec["command"] == ["`id`"]
