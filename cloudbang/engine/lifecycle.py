"""Containers that somebody else made: stopped, held, removed; and all that is known of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from cloudbang.engine.http import EngineHttp
from cloudbang.errors import EngineRefused, NoSuchContainer

# Seconds until a stop is answered, beyond the grace that is asked for; of one that is not, the
# container has its own, which nobody has asked about.
STOP_ANSWER = 60.0
OWN_GRACE = 600.0


class LifecycleCalls(EngineHttp):
    """The engine's calls about the life of a container. Each raises NoSuchContainer, EngineRefused.

    One that is stopped already is no error: False then.
    """

    def stop_container(self, container: str, grace: int | None = None) -> bool:
        """``grace``: seconds until it is killed; None for its own."""
        path = f"/containers/{quote(container, safe='')}/stop"
        return self._end(path, container, grace, "to stop a container")

    def restart_container(self, container: str, grace: int | None = None) -> bool:
        path = f"/containers/{quote(container, safe='')}/restart"
        return self._end(path, container, grace, "to restart a container")

    def kill_container(self, container: str, signal: str = "KILL") -> None:
        path = f"/containers/{quote(container, safe='')}/kill"
        self._told(path, container, "to kill a container", {"signal": signal})

    def pause_container(self, container: str) -> None:
        path = f"/containers/{quote(container, safe='')}/pause"
        self._told(path, container, "to pause a container")

    def unpause_container(self, container: str) -> None:
        path = f"/containers/{quote(container, safe='')}/unpause"
        self._told(path, container, "to resume a container")

    def set_restart(self, container: str, policy: Mapping[str, Any]) -> None:
        """``policy`` as an inspection has it: {"Name": "no"}."""
        path = f"/containers/{quote(container, safe='')}/update"
        what, body = "to change when a container is restarted", {"RestartPolicy": dict(policy)}
        try:
            self._json(path, method="POST", body=body, what=what, call="operate")
        except EngineRefused as e:
            raise _found(e, container) from None

    def delete_container(
        self, container: str, *, force: bool = False, volumes: bool = False
    ) -> None:
        """``force``: also one that runs; ``volumes``: those without a name with it."""
        path = f"/containers/{quote(container, safe='')}"
        query = {"force": str(int(force)), "v": str(int(volumes))}
        try:
            self._json(path, query, method="DELETE", what="to remove a container", call="create")
        except EngineRefused as e:
            raise _found(e, container) from None

    def inspection(self, container: str, *, size: bool = True) -> dict[str, Any]:
        """Everything; ``size``: with how much it has written outside of its volumes."""
        path = f"/containers/{quote(container, safe='')}/json"
        what = f"the state of container {container[:12]}"
        try:
            query = {"size": str(int(size))}
            return dict(self._json(path, query, what=what, call="inspect", within=60.0))
        except EngineRefused as e:
            raise _found(e, container) from None

    def labels_of_container(self, container: str) -> dict[str, str]:
        """Raises NoSuchContainer."""
        path = f"/containers/{quote(container, safe='')}/json"
        what = f"the state of container {container[:12]}"
        try:
            told = self._json(path, what=what, call="inspect")
        except EngineRefused as e:
            raise _found(e, container) from None
        return dict((told.get("Config") or {}).get("Labels") or {})

    def containers_with(self, *labels: str) -> list[str]:
        """The ids of those that have all of these labels ("name" or "name=value")."""
        return list(self.labels_of(*labels))

    def labels_of(self, *labels: str) -> dict[str, dict[str, str]]:
        """By id all labels of the containers that have these."""
        query = {"all": "1", "filters": orjson.dumps({"label": list(labels)}).decode()}
        found = self._json("/containers/json", query, what="its containers", call="list")
        return {str(one["Id"]): dict(one.get("Labels") or {}) for one in found}

    def image_inspection(self, image: str) -> dict[str, Any] | None:
        """Everything of an image; None when it is gone."""
        path = f"/images/{quote(image, safe='/:@')}/json"
        try:
            return dict(self._json(path, what=f"the image {image}", call="images"))
        except EngineRefused as e:
            if e.engine_status == 404:
                return None
            raise

    def _end(self, path: str, container: str, grace: int | None, what: str) -> bool:
        query = None if grace is None else {"t": str(grace)}
        wait = OWN_GRACE if grace is None else grace + STOP_ANSWER
        try:
            stream = self._open(path, query, method="POST", timeout=wait, what=what, call="operate")
        except EngineRefused as e:
            raise _found(e, container) from None
        stream.close()
        return stream.status != 304

    def _told(
        self, path: str, container: str, what: str, query: Mapping[str, str] | None = None
    ) -> None:
        try:
            self._json(path, query, method="POST", what=what, call="operate")
        except EngineRefused as e:
            raise _found(e, container) from None


def _found(error: EngineRefused, container: str) -> EngineRefused | NoSuchContainer:
    """The error itself, or that there is no such container."""
    return NoSuchContainer(container[:12]) if error.engine_status == 404 else error
