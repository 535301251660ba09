"""What the services of a Compose file mount: volumes, folders, files beside it, memory."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cloudbang.domain.deploy.compose_json import Json, an_object, objects, unread
from cloudbang.domain.deploy.compose_paths import FOLDER, beside
from cloudbang.domain.deploy.not_honoured import ANONYMOUS, BESIDE, NOT_SENT, OUTSIDE, SWARM
from cloudbang.domain.deploy.tmpfs import tmpfs_of
from cloudbang.domain.names import fitting
from cloudbang.domain.text import Text

_KNOWN = ("type", "source", "target", "read_only", "consistency", "bind", "volume", "tmpfs")


@dataclass(frozen=True, slots=True)
class Mounts:
    """``declared``: the volumes of the file; ``files``: the texts beside it; ``leave`` is told what is
    not honoured, and why."""

    project: str
    declared: Json
    files: Mapping[str, str]
    leave: Callable[[str, Text], None]

    def read(self, told: object) -> Iterator[tuple[str, object]]:
        """Each as SPEC has it, with the field that it belongs to."""
        for mount in objects(told):
            kind, source, path = mount.get("type"), str(mount.get("source") or ""), mount["target"]
            at, bind, volume = f"volumes {path}", mount.get("bind"), mount.get("volume")
            self._rest(at, mount, _KNOWN)
            self._rest(f"{at}.bind", an_object(bind), ("create_host_path",))
            self._rest(f"{at}.volume", an_object(volume), ())
            if kind == "tmpfs":
                yield from self._memory(str(path), an_object(mount.get("tmpfs")))
            elif kind not in ("volume", "bind") or not source:
                self.leave(at, ANONYMOUS if kind == "volume" else SWARM)
            else:
                yield from self._mount(kind, source, str(path), bool(mount.get("read_only")))

    def memory(self, told: object) -> Iterator[tuple[str, object]]:
        """What stands below ``tmpfs``: paths, perhaps with options of mount(8)."""
        for one in told if isinstance(told, list) else [told]:
            path, _, options = str(one).partition(":")
            made, left = tmpfs_of(path, options.split(","))
            for option in left:
                self.leave(f"tmpfs {path}:{option}", SWARM)
            yield "tmpfs", made

    def _memory(self, path: str, its: Json) -> Iterator[tuple[str, object]]:
        mode = its.get("mode")
        said = {"size": its.get("size"), "mode": f"{mode:o}" if isinstance(mode, int) else mode}
        self._rest(f"volumes {path}.tmpfs", its, tuple(said))
        made, left = tmpfs_of(path, [f"{key}={value}" for key, value in said.items() if value])
        for option in left:
            self.leave(f"volumes {path}.tmpfs {option}", SWARM)
        yield "tmpfs", made

    def _mount(
        self, kind: str, source: str, path: str, read_only: bool
    ) -> Iterator[tuple[str, object]]:
        one: Json = {"path": path}
        if kind == "volume":
            declared = an_object(self.declared.get(source))
            if (folder := bound_to(declared)) is not None:
                kind, source = "bind", folder
            else:
                one["name"] = declared.get("name") or source
        if kind == "bind":
            within = beside(source)
            if within is None or within.startswith("~"):
                # Whose home it is nobody knows: its row says what it has to be.
                one["source"] = within or source
                if str(one["source"]).startswith(posixpath.dirname(FOLDER.rstrip("/")) + "/"):
                    self.leave(f"volumes {path}", OUTSIDE)
                    return
            elif within in self.files:
                # A file beside the Compose file: its text goes into the container.
                yield "files", {"path": path, "content": self.files[within]}
                return
            elif "." in posixpath.basename(within).strip("."):
                self.leave(f"volumes {within}", NOT_SENT)
                return
            else:
                self.leave(f"volumes {within}", BESIDE)
                folder = within.replace("/", "_").strip("._") or "folder"
                one["name"] = fitting(f"{self.project}_{folder}")
        if read_only:
            one["read_only"] = True
        yield "volumes", one

    def _rest(self, at: str, its: Json, known: tuple[str, ...]) -> None:
        for part in unread(its, known):
            self.leave(f"{at}.{part}", SWARM)


def bound_to(declared: Json) -> str | None:
    """The folder that a volume of a file is another name for (``o: bind``); None for any other."""
    options = an_object(declared.get("driver_opts"))
    told = str(options.get("o") or "").split(",")
    if not {"bind", "rbind"} & set(told) or declared.get("driver") not in (None, "", "local"):
        return None
    return str(options.get("device") or "") or None
