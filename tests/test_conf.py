"""The shipped configuration: complete, loadable, and what it says is what the code does."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from cloudbang.app import STOP_WITHIN
from cloudbang.config import Section, Settings, load
from cloudbang.errors import SettingError

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "conf" / "cloudbang.toml"
PRODUCTION = ROOT / "conf" / "production.toml"


def sections() -> dict[str, type[Section]]:
    """Every section of the settings by name."""
    return {
        name: info.annotation
        for name, info in Settings.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section)
    }


def test_the_shipped_file_says_what_the_code_does() -> None:
    """conf/cloudbang.toml loads and is exactly the defaults."""
    assert load(SHIPPED, {}) == Settings()


def test_the_shipped_file_names_every_setting() -> None:
    """Whatever config.py has is in the file, and nothing else is."""
    with SHIPPED.open("rb") as file:
        written = {section: set(values) for section, values in tomllib.load(file).items()}
    assert written == {name: set(kind.model_fields) for name, kind in sections().items()}


def test_every_setting_has_its_comment() -> None:
    """The line above each setting is a comment that explains it."""
    above = ""
    for text in SHIPPED.read_text(encoding="utf-8").splitlines():
        if re.match(r"\w+ = ", text):
            assert above.startswith("#"), f"no comment above: {text}"
        above = text


def test_secrets_are_not_in_the_file() -> None:
    """The password is shown as a comment only."""
    assert "# admin_password" in SHIPPED.read_text(encoding="utf-8")
    assert not load(SHIPPED, {}).admin_password


@pytest.mark.parametrize("environ", [{}, {"CLOUDBANG_STORAGE_PATH": "kept"}])
def test_the_folder_is_the_same_wherever_it_is_meant_from(environ: dict[str, str]) -> None:
    """What is started in a folder of its own, such as Compose, is not given a way from here."""
    assert load(SHIPPED, environ).storage.path == Path.cwd() / environ.get(
        "CLOUDBANG_STORAGE_PATH", "data"
    )


def test_production_listens_everywhere_and_keeps_in_data() -> None:
    """The production file changes the host, the folder, the gateway's ports and nothing else."""
    production, defaults = load(PRODUCTION, {}), Settings()
    assert production.server.host == "0.0.0.0"
    assert production.storage.path == Path("/data/docker_logs")
    assert (production.gateway.http_port, production.gateway.https_port) == (80, 443)
    same = {name: getattr(defaults, name) for name in ("server", "storage", "gateway")}
    assert production.model_copy(update=same) == defaults


def test_supervisord_keeps_it_running() -> None:
    """Restarted after any exit, with enough file descriptors and a log that rotates."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;",))
    parser.read(ROOT / "supervisord.conf")
    program = parser["program:cloudbang"]
    assert program["autorestart"] == "true"
    assert program["stopsignal"] == "TERM"
    assert int(program["stopwaitsecs"]) > STOP_WITHIN
    assert program["stdout_logfile_maxbytes"] == "50MB"
    assert int(parser["supervisord"]["minfds"]) >= 65536
    assert "conf/production.toml" in program["environment"]


def test_compose_runs_it_as_promised() -> None:
    """The engine's socket, the data folder, a bounded log, restarts and a health check."""
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["cloudbang"]
    assert service["restart"] == "always"
    assert service["logging"]["driver"] == "json-file"
    assert service["logging"]["options"]["max-size"] == "50m"
    assert "/var/run/docker.sock:/var/run/docker.sock" in service["volumes"]
    assert any(v.endswith(":/data/docker_logs") for v in service["volumes"])
    assert "healthz" in service["healthcheck"]["test"][-1]
    # From a network of its own it reaches no app; there, too, it listens for this machine alone.
    assert service["network_mode"] == "host"
    assert service["environment"]["CLOUDBANG_SERVER_HOST"].endswith(":-127.0.0.1}")
    for name in ("PUBLIC_URL", "TRUSTED_PROXIES", "SECURE_COOKIES"):
        assert f"CLOUDBANG_SERVER_{name}" in service["environment"]
    # An engine that may not raise it so far would not start the container at all.
    assert "ulimits" not in service


def test_image_and_compose_check_health_the_same_way() -> None:
    """The Dockerfile's health check is the one of docker-compose.yml."""
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["cloudbang"]
    assert service["healthcheck"]["test"][-1] in (ROOT / "Dockerfile").read_text()


def test_a_wrong_admin_password_is_not_said(tmp_path: Path) -> None:
    """A number where a text belongs stopped the start and put the password into the log."""
    file = tmp_path / "conf.toml"
    file.write_text("admin_password = 12345678\n")
    with pytest.raises(SettingError, match="admin_password") as caught:
        load(file, {})
    assert "12345678" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("https://cloud.example", "https://cloud.example"),
        ("http://192.0.2.1:8188/", "http://192.0.2.1:8188"),
        ("https://cloud.example/cloudbang/", None),
        ("https://cloud.example?x", None),
        ("cloud.example", None),
        ("ftp://cloud.example", None),
        ("https://", None),
        ("https://cloud.example:99999", None),
    ],
)
def test_a_public_address_has_no_path(tmp_path: Path, text: str, kept: str | None) -> None:
    """Pages name each other from the root on; who wants a sub-path is told at the start."""
    file = tmp_path / "conf.toml"
    file.write_text("")
    environ = {"CLOUDBANG_SERVER_PUBLIC_URL": text}
    if kept is None:
        with pytest.raises(SettingError, match="no path behind it"):
            load(file, environ)
    else:
        assert load(file, environ).server.public_url == kept
