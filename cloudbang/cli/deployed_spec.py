"""What ``python -m cloudbang deploy`` is to deploy: a file, or what serves with what the options change."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from cloudbang.cli.server_api import Refused, ServerApi, in_path
from cloudbang.errors import CloudBangError


class SpecUnreadable(CloudBangError):
    """A file that should hold a specification does not."""

    code = "spec-unreadable"
    sentence = "{path} holds no specification: {reason}"

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(path, reason)


def spec_that_serves(api: ServerApi, app: str) -> dict[str, Any]:
    """Of the release that serves, else of the newest; nothing of an app that is new."""
    path = f"/api/v1/apps/{in_path(app)}/releases?limit=1"
    try:
        found = api.get(path)
        if found["serving"] is not None:
            found = api.get(f"{path}&before={found['serving'] + 1}")
    except Refused as e:
        if e.problem == "no-such-app":
            return {}
        raise
    return dict(found["releases"][0]["spec"]) if found["releases"] else {}


def changed(
    spec: dict[str, Any],
    source: str | None,
    folder: Path | None,
    env: tuple[str, ...],
    port: int | None,
    replicas: int | None,
) -> dict[str, Any]:
    """The specification with what the command line says."""
    spec = dict(spec)
    if folder is not None:
        spec.pop("image", None)
        build = spec.get("build")
        built = dict(build) if isinstance(build, dict) else {}
        spec["build"] = {key: value for key, value in built.items() if key not in ("git", "branch")}
    elif source:
        spec.pop("build", None)
        spec["image"] = source
    if env:
        pairs = [pair.partition("=") for pair in env]
        if bad := [name for name, equal, _ in pairs if not equal]:
            raise click.UsageError(f"--env {bad[0]}: KEY=VALUE is meant")
        spec["env"] = {**(spec.get("env") or {}), **{name: value for name, _, value in pairs}}
    if port is not None:
        spec["port"] = port
    if replicas is not None:
        spec["replicas"] = replicas
    if not spec.get("image") and spec.get("build") is None:
        raise click.UsageError("say what to deploy: an image, a folder, or --spec FILE")
    return spec


def read_spec(path: str) -> dict[str, Any]:
    """Raises SpecUnreadable."""
    import yaml

    from cloudbang.cli.yaml_core import load

    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise SpecUnreadable(path, getattr(e, "strerror", None) or str(e)) from None
    try:
        found = json.loads(text) if path.endswith(".json") else load(text)
    except (ValueError, yaml.YAMLError) as e:
        raise SpecUnreadable(path, " ".join(str(e).split())) from None
    if not isinstance(found, dict):
        raise SpecUnreadable(path, "an object of fields is meant")
    return found
