"""Compose files as people publish them: read by Docker's own Compose, and nothing of them is lost
in silence. Written by us after the habits of public ones."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cloudbang.deploy.compose_errors import ComposeInvalid
from cloudbang.deploy.compose_file import Compose
from cloudbang.deploy.compose_names import paths_of
from cloudbang.domain.deploy.compose import ComposeSource, Stack, stack_of
from cloudbang.domain.deploy.fields import SpecInvalid
from cloudbang.domain.deploy.not_honoured import VALUE_HERE
from cloudbang.domain.deploy.spec import read_spec

FILES = sorted((Path(__file__).parent / "compose").glob("*.yaml"))
VALUES = {
    "HOME": "/home/ann",
    "POSTGRES_PASSWORD": "pass",
    "IMAGE": "web",
    "TOKEN": "t",
    "DB_PASSWORD": "d",
}
BESIDE = {"nginx.conf": "events {}\n", "plain.conf": "a\n", "api_key.txt": "k3y", ".env": "A=1\n"}

# What says only what is so anyway, or was merged into the rest by Compose.
USUAL = (
    r"ports\.\d+\.(mode|name)",
    r"ports\.\d+\.protocol=tcp",
    r"depends_on\.[^.]+\.required",
    r"depends_on\.[^.]+\.condition=service_started",
    r"volumes\.\d+\.(type|bind\.create_host_path|read_only)",
    r"build\.dockerfile=Dockerfile",
    r"deploy\.mode=replicated",
    r"restart=always",
    r"deploy\.restart_policy\.condition=any",
    r"(deploy\.)?(replicas|scale)=1",
    r"stop_grace_period=10s",
    r"(env_file|label_file|profiles|expose|links|extends)\..*",
    r"healthcheck\.disable",
    r"networks\.[^.]+\.aliases\.\d+",  # one that the service is called anyway
)


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Compose:
    return Compose(tmp_path_factory.mktemp("compose"))


@cache
def read(compose: Compose, path: Path) -> tuple[Mapping[str, Any], ComposeSource]:
    beside = ComposeSource(BESIDE, VALUES, ["debug"])
    found = compose.read(path.read_text(), "shop", beside)
    assert found.config is not None, found.variables
    return found.config, beside


def leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value that is neither an object nor a list, with the way to it."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, (*at, key))
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from leaves(one, (*at, n))
    else:
        yield at, value


def otherwise(config: Mapping[str, Any], at: tuple[Any, ...]) -> Iterator[Mapping[str, Any]]:
    """The same without a value, and with another one in its place."""
    for change in (False, True):
        made = copy.deepcopy(config)
        inner: Any = made
        for key in at[:-1]:
            inner = inner[key]
        value = inner.pop(at[-1])
        if change:
            other = not value if isinstance(value, bool) else f"{value}1"
            if isinstance(inner, dict):
                inner[at[-1]] = other
            else:
                inner.insert(at[-1], other)
        yield made


def names_of(at: tuple[Any, ...], its: Mapping[str, Any]) -> set[str]:
    """As what it may be named in the list of what is not honoured: itself, or what it is in."""
    names = {".".join(map(str, at[:n])) for n in range(1, len(at) + 1)}
    if at[0] in ("secrets", "configs"):
        names.add(f"{at[0]}.{its[at[0]][at[1]]['source']}")
    if at[0] == "volumes" and isinstance(its["volumes"][at[1]], dict):
        names.add(f"volumes {its['volumes'][at[1]]['target']}")
    return names


def read_again(config: Mapping[str, Any], beside: ComposeSource) -> Stack | str:
    try:
        return stack_of(config, "shop", beside)
    except (SpecInvalid, KeyError, ValueError) as e:
        return repr(e)


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 50


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_key_is_honoured_or_named(compose: Compose, path: Path) -> None:
    """Whatever is taken out of a service, or is another: what comes out of it differs, unless it is
    in the list of what is not honoured."""
    config, beside = read(compose, path)
    whole = stack_of(config, "shop", beside)
    assert all(one.why.en and one.why.zh for one in whole.left)
    lost = []
    for service, its in config["services"].items():
        if its.get("profiles") and "debug" not in its["profiles"]:
            continue
        for at, value in leaves(its):
            name = ".".join(map(str, at))
            if value in (None, "", False) or str(at[0]).startswith("x-"):
                continue
            if any(
                re.fullmatch(one, name) or re.fullmatch(one, f"{name}={value}") for one in USUAL
            ):
                continue
            if names_of(at, its) & {one.key for one in whole.left if one.service == service}:
                continue
            others = otherwise(config, ("services", service, *at))
            if all(read_again(other, beside) == whole for other in others):
                lost.append(f"{service}.{name}={value}")
    assert not lost


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_they_can_be_deployed_as_they_are(compose: Compose, path: Path) -> None:
    """Every service is a specification that is taken as it is."""
    config, beside = read(compose, path)
    for service in stack_of(config, "shop", beside).services:
        spec, _ = read_spec(service.spec)
        assert spec.stack == "shop"
        assert service.name in spec.aliases


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("services: [", "line "),
        ("just words", "not-a-file"),
        ("- a\n- b\n", "not-a-file"),
        ("services: {a: {image: x, nonsense: 1}}", "nonsense"),
        ("services: {a: {}}", "neither an image nor a build context"),
        ("services: {a: {image: x, depends_on: [b]}}", "undefined service"),
        ("services: {a: {image: x, ports: ['99999999:80']}}", "hostPort"),
        ("services: {a: {image: x, env_file: ../../etc/passwd}}", "outside"),
        ("services: {a: {image: x, env_file: [{path: ~/x}]}}", "outside"),
        ("services: {a: {image: x, label_file: /etc/passwd}}", "outside"),
        ("services: {a: {extends: {file: ../b.yaml, service: b}}}", "outside"),
        (
            "x-a: &a {env_file: /etc/passwd}\nx-b: &b {<<: [*a]}\n"
            "services:\n  a: {image: x, <<: *b}",
            "outside",
        ),
        ("x-s: &s {a: {image: x, env_file: ../x}}\nservices: {<<: *s}", "outside"),
        ("services: {a: {image: x, env_file: '${A:-/etc/passwd}'}}", "outside"),
        ("services: {a: {image: x, env_file: '${A:-${B-..}/x}'}}", "outside"),
        ("services:\n  a:\n", "empty"),
        ("services: {a: {image: x}, b: null}", "empty"),
        ("include: [https://example.com/x.git]\nservices: {a: {image: x}}", "remote"),
        ("include: [{path: [/etc/x.yaml]}]\nservices: {a: {image: x}}", "outside"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(compose: Compose, text: str, said: str) -> None:
    with pytest.raises(ComposeInvalid) as e:
        compose.read(text, "shop", ComposeSource())
    assert said in e.value.said


def test_merges_within_merges_are_looked_through_once(compose: Compose) -> None:
    """Written out they would be gigabytes. Compose itself is given up by then."""
    levels = [f"x{n}: &x{n} {{<<: [*x{n - 1}, *x{n - 1}, *x{n - 1}]}}" for n in range(1, 60)]
    text = "\n".join(["x0: &x0 {env_file: a.env}", *levels, "services: {a: {image: x, <<: *x59}}"])
    assert paths_of(text) == ["a.env"]


def test_it_knows_nothing_of_this_machine(compose: Compose, monkeypatch: Any) -> None:
    """No variable of ours, no file of ours: not even by a path that only it can make."""
    monkeypatch.setenv("CANARY", "of-ours")
    text = """
services:
  a:
    image: "x${CANARY}"
    environment: {PATH: "${PATH}", HOME: "${HOME}", WHO: "${USER-nobody}"}
"""
    found = compose.read(text, "shop", ComposeSource())
    assert found.config is not None
    [service] = stack_of(found.config, "shop").services
    assert service.spec["image"] == "x"
    assert "of-ours" not in str(found.config)
    extends = "services: {a: {extends: {file: b.yaml, service: b}}}"
    beside = ComposeSource({"b.yaml": "services: {b: {image: x, env_file: /etc/hostname}}"})
    with pytest.raises(ComposeInvalid):
        compose.read(extends, "shop", beside)


@pytest.mark.parametrize("env", ["A=1", "export A=1", "  A = 1", "A: 1"])
def test_what_is_set_beside_it_is_not_asked_for(compose: Compose, env: str) -> None:
    """In every way in which Compose reads it."""
    text = "services: {a: {image: 'x:${A:?}'}}"
    found = compose.read(text, "shop", ComposeSource({".env": f"# ours\n{env}\n"}))
    assert found.config is not None
    assert stack_of(found.config, "shop").services[0].spec["image"] == "x:1"


def test_what_a_file_cannot_be_read_without_is_asked_for(compose: Compose) -> None:
    """Though it does not call it required: it is refused for what nobody could have given it yet."""
    text = "services:\n  a:\n    image: x${A}\n    volumes:\n      - ${SOCKET}:/s.sock\n"
    found = compose.read(text, "shop", ComposeSource())
    assert found.config is None
    assert {one.name: one.required for one in found.variables} == {"A": False, "SOCKET": True}
    found = compose.read(text, "shop", ComposeSource(variables={"SOCKET": "/run/s.sock"}))
    assert found.config is not None
    with pytest.raises(ComposeInvalid):
        compose.read(text, "shop", ComposeSource(variables={"SOCKET": "none"}))


def test_whose_home_it_is_nobody_knows(compose: Compose) -> None:
    """It is asked for, like any other, and no folder is made up for it."""
    text = "services: {a: {image: x, volumes: ['~/x:/x', '${HOME:-/root}/y:/y', '${HOME}/z:/z']}}"
    found = compose.read(text, "shop", ComposeSource())
    assert [one.name for one in found.variables] == ["HOME"]
    tilde = compose.read(text.replace("HOME", "X"), "shop", ComposeSource())
    assert [one.name for one in tilde.variables] == ["HOME", "X"]
    assert found.config is not None
    [service] = stack_of(found.config, "shop").services
    with pytest.raises(SpecInvalid) as e:
        read_spec(service.spec)
    assert (e.value.field, e.value.value) == ("volumes[0].source", "~/x")
    assert [one["source"] for one in service.spec["volumes"]] == ["~/x", "/root/y", "/z"]  # type: ignore[attr-defined]
    given = compose.read(text, "shop", ComposeSource(variables={"HOME": "/home/ann"}))
    assert given.config is not None
    [service] = stack_of(given.config, "shop").services
    assert [one["source"] for one in service.spec["volumes"]] == [f"/home/ann/{x}" for x in "xyz"]  # type: ignore[attr-defined]


def test_values_of_variables_arrive_as_they_are(compose: Compose) -> None:
    nasty = "a\"b\\c$d'e\nf #x ${HOME} `id` $(id)"
    text = "services: {a: {image: x, environment: {V: '${V}'}}}"
    found = compose.read(text, "shop", ComposeSource(variables={"V": nasty}))
    assert found.config is not None
    assert stack_of(found.config, "shop").services[0].spec["env"] == {"V": nasty}


def test_a_variable_without_a_value_can_be_given_one(compose: Compose) -> None:
    """Beside the file, or as the others that it leaves open."""
    text = "services: {a: {image: x, environment: [TZ, A=1, B]}}"
    beside = ComposeSource({".env": "B=2"})
    found = compose.read(text, "shop", beside)
    assert [(one.name, one.required, one.line) for one in found.variables] == [("TZ", False, 1)]
    found = compose.read(text, "shop", beside._replace(variables={"TZ": "Asia/Shanghai"}))
    assert found.config is not None
    [service] = stack_of(found.config, "shop").services
    assert service.spec["env"] == {"TZ": "Asia/Shanghai", "A": "1", "B": "2"}


def test_a_path_may_be_named_by_a_variable(compose: Compose) -> None:
    """With what it is unless it is given, or as it is given; where nobody knows it is asked for."""
    text = "services:\n  a:\n    image: x\n    env_file: ${FILE:-one.env}\n"
    files = {"one.env": "A=1", "two.env": "A=2"}

    def env(text: str, **variables: str) -> object:
        beside = ComposeSource(files, variables)
        found = compose.read(text, "shop", beside)
        assert found.missing == ()
        if found.config is None:
            return [one.name for one in found.variables if one.required]
        return stack_of(found.config, "shop", beside).services[0].spec["env"]

    assert env(text) == {"A": "1"}
    assert env(text, FILE="two.env") == {"A": "2"}
    assert env(text.replace(":-one.env", "")) == ["FILE"]
    assert env(text.replace("${", "./${")) == {"A": "1"}
    assert compose.read(text, "shop", ComposeSource()).missing == ("one.env",)
    optional = text.replace("${FILE:-one.env}", "[{path: none.env, required: false}]")
    assert compose.read(optional, "shop", ComposeSource()).missing == ()


def test_an_example_stands_for_a_env_that_is_not_there(compose: Compose) -> None:
    """Documents say to copy it first. What it leaves empty is asked for."""
    text = """
services:
  # not ${OLD} here
  a:
    image: "x:${TAG:?which one}"
    environment: [TZ, "PASSWORD=${PASSWORD:?}", "N=${A:-${B:-c}}", "D=$${NOT}"]
    env_file: .env
"""
    example = "# a comment\nexport TAG='7' # here\nPASSWORD=\nB: d\n"
    files = {".env.example": example}
    found = compose.read(text, "shop", ComposeSource(files))
    assert (found.config, found.missing) == (None, ())
    by_name = {one.name: one for one in found.variables}
    assert sorted(by_name) == ["A", "B", "PASSWORD", "TAG"]
    tag = by_name["TAG"]
    assert (tag.default, tag.set_by, tag.line, tag.why) == ("7", ".env.example", 5, "which one")
    assert [one.name for one in found.variables if one.required and not one.default] == ["PASSWORD"]
    assert by_name["PASSWORD"].required
    assert not by_name["TAG"].required
    beside = ComposeSource(files, {"PASSWORD": "p"})
    found = compose.read(text, "shop", beside)
    assert found.config is not None
    [service] = stack_of(found.config, "shop", beside).services
    assert service.spec["image"] == "x:7"
    assert service.spec["env"] == {"PASSWORD": "p", "N": "d", "D": "${NOT}", "TAG": "7", "B": "d"}
    own = compose.read(text, "shop", ComposeSource({**files, ".env": "TAG=8\nPASSWORD=q"}))
    assert {one.set_by for one in own.variables} == {"", ".env"}


def test_what_a_secret_is_made_of_is_asked_for(compose: Compose) -> None:
    """A variable as any other: given, or set by what is beside the file."""
    text = """
services: {a: {image: x, secrets: [key], configs: [{source: conf, target: /c}]}}
secrets: {key: {environment: API_KEY}}
configs: {conf: {environment: CONF}}
"""
    found = compose.read(text, "shop", ComposeSource())
    assert [(one.name, one.line) for one in found.variables] == [("API_KEY", 3), ("CONF", 4)]
    assert found.config is not None
    left = {one.key: one.why for one in stack_of(found.config, "shop").left}
    assert left == {"secrets.key": VALUE_HERE, "configs.conf": VALUE_HERE}
    beside = ComposeSource({".env": "API_KEY=k\nCONF=other"}, {"CONF": "c"})
    found = compose.read(text, "shop", beside)
    assert {one.name: one.set_by for one in found.variables}["API_KEY"] == ".env"
    assert found.config is not None
    stack = stack_of(found.config, "shop", beside)
    assert stack.left == ()
    assert stack.services[0].spec["secrets"] == {"key": "k"}
    assert stack.services[0].spec["files"] == [{"path": "/c", "content": "c"}]


def test_nothing_of_it_stays(compose: Compose) -> None:
    """But for the program itself: every folder is gone, also after an error."""
    with pytest.raises(ComposeInvalid):
        compose.read("services: {a: {image: x, b: 1}}", "x", ComposeSource())
    with pytest.raises(ComposeInvalid):
        compose.read("services: {a: {image: x}}", "x", ComposeSource({"../../x": ""}))
    left = [path.name for path in compose._home.iterdir()]
    assert left == ["docker-compose"]
