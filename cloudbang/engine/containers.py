"""Containers that CloudBang makes for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import gevent
import orjson

from cloudbang.engine.http import EngineHttp
from cloudbang.errors import EngineRefused, NoSuchContainer

GONE = 3.0  # seconds that somebody else's removal of a container is waited for


class ContainerCalls(EngineHttp):
    """The engine's calls about containers of our own."""

    def create_container(
        self,
        image: str,
        argv: Sequence[str],
        *,
        labels: Mapping[str, str],
        host: Mapping[str, Any],
        name: str = "",
    ) -> str:
        """The id of a container that was made, not started. ``host``: the engine's HostConfig."""
        body = {"Image": image, "Cmd": list(argv), "Labels": dict(labels), "HostConfig": dict(host)}
        query = {"name": name} if name else None
        # An entry point of the image would get the command as its arguments.
        body["Entrypoint"] = [""]
        made = self._json(
            "/containers/create",
            query,
            method="POST",
            body=body,
            what=f"a container of {image}",
            call="create",
        )
        return str(made["Id"])

    def start_container(self, container: str) -> None:
        """Raises NoSuchContainer, EngineRefused."""
        try:
            path = f"/containers/{quote(container, safe='')}/start"
            self._json(path, method="POST", what="to start a container", call="create")
        except EngineRefused as e:
            if e.engine_status == 404:
                raise NoSuchContainer(container[:12]) from None
            raise

    def remove_container(self, container: str) -> None:
        """By force, with its own volumes. It may have gone already; when somebody else is removing
        it, that is waited for, a few seconds at most."""
        try:
            path = f"/containers/{quote(container, safe='')}"
            self._json(
                path,
                {"force": "1", "v": "1"},
                method="DELETE",
                what="to remove a container",
                call="create",
            )
        except EngineRefused as e:
            if e.engine_status == 409:  # it is being removed already
                with gevent.Timeout(GONE, False), suppress(EngineRefused):
                    self._wait(container, "removed")
            elif e.engine_status != 404:
                raise

    def wait_stopped(self, container: str) -> None:
        """Wait, for as long as it takes, until a container does not run (or the engine ends)."""
        self._wait(container, "not-running")

    def _wait(self, container: str, condition: str) -> None:
        path, query = f"/containers/{quote(container, safe='')}/wait", {"condition": condition}
        what = "to wait for a container"
        stream = self._open(path, query, method="POST", what=what, call="create")
        try:
            stream.read_all()
        finally:
            stream.close()

    def labelled(self, label: str) -> dict[str, str]:
        """The containers with that label: its value, by id."""
        query = {"all": "1", "filters": orjson.dumps({"label": [label]}).decode()}
        found = self._json("/containers/json", query, what="its containers", call="list")
        return {str(one["Id"]): str((one.get("Labels") or {}).get(label, "")) for one in found}
