"""Images that are fetched, and containers that CloudBang makes for itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import gevent
import orjson

from cloudbang.engine.http import EngineHttp
from cloudbang.errors import EngineRefused, NoSuchContainer

CONNECT = 120.0  # seconds a registry gets for its first word
SILENT = 120.0  # seconds without a byte after which a pull is given up
GONE = 3.0  # seconds that somebody else's removal of a container is waited for
LOOK = 0.5  # seconds between looks at whether a pull is still wanted


@dataclass(frozen=True, slots=True)
class PullStep:
    """One line of the engine's progress."""

    layer: str  # "" when it is about the whole image
    status: str  # "Downloading", "Pull complete", …
    done: int = 0  # bytes, of
    total: int = 0  # 0 when that is not known


class ContainerCalls(EngineHttp):
    """The engine's calls about images, and about containers of our own."""

    def has_image(self, image: str) -> bool:
        try:
            path = f"/images/{quote(image, safe='/:@')}/json"
            self._json(path, what=f"the image {image}", call="images")
        except EngineRefused as e:
            if e.engine_status == 404:
                return False
            raise
        return True

    def pull(self, image: str, wanted: Callable[[], bool] = lambda: True) -> Iterator[PullStep]:
        """Fetch an image, step by step; stops soon after it is not ``wanted`` any more.

        Raises EngineRefused with what the registry says, or when it says nothing for long.
        """
        # Without a tag the engine would fetch all there are.
        name = image.rpartition("/")[2]
        full = image if ":" in name or "@" in name else f"{image}:latest"
        what = f"the image {image}"
        stream = self._open(
            "/images/create",
            {"fromImage": full},
            method="POST",
            timeout=CONNECT,
            what=what,
            call="pull",
        )
        rest, heard = b"", time.monotonic()
        try:
            while wanted():
                if not stream.wait(LOOK):
                    if time.monotonic() - heard > SILENT:
                        raise EngineRefused(what, 504, f"nothing came for {SILENT:.0f} s")
                    continue
                data = stream.read_now()
                if data == b"":
                    if rest.strip():
                        yield _step(rest, what)
                    return
                heard = time.monotonic()
                *lines, rest = (rest + (data or b"")).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield _step(line, what)
        finally:
            stream.close()

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


def _step(line: bytes, what: str) -> PullStep:
    """Raises EngineRefused: what it says is an error, or cannot be understood."""
    try:
        told = orjson.loads(line)
        error = told.get("error")
        detail = told.get("progressDetail") or {}
        step = PullStep(
            layer=str(told.get("id") or ""),
            status=str(told.get("status") or ""),
            done=int(detail.get("current") or 0),
            total=int(detail.get("total") or 0),
        )
    except (AttributeError, TypeError, ValueError):
        said = line[:200].decode("utf-8", "replace").strip()
        raise EngineRefused(what, 502, f"it is told what nobody understands: {said}") from None
    if error:
        raise EngineRefused(what, 500, str(error))
    return step
