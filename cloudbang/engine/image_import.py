"""An image made of files of this machine: nothing is fetched, nothing is built."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlencode

import orjson

from cloudbang.engine.images import ImageCalls
from cloudbang.errors import EngineRefused

WITHIN = 120.0  # seconds until the engine has written it


class ImageImportCalls(ImageCalls):
    """Raise EngineRefused with what the engine says."""

    def import_image(
        self, name: str, changes: Sequence[str], archive: Callable[[], Iterable[bytes]]
    ) -> str:
        """The id of the new image "name:tag", whose files are a tar archive in pieces; ``changes``
        as lines of a Dockerfile."""
        repo, _, tag = name.rpartition(":")
        query = [("fromSrc", "-"), ("repo", repo), ("tag", tag)]
        query += [("changes", change) for change in changes]
        what = f"to import the image {name}"
        stream = self._open(
            f"/images/create?{urlencode(query)}",
            method="POST",
            pieces=archive,
            timeout=WITHIN,
            what=what,
            call="pull",
        )
        try:
            said = stream.read_all().splitlines()
        finally:
            stream.close()
        told = [orjson.loads(line) for line in said if line.strip()]
        if told and isinstance(told[-1], dict) and "error" in told[-1]:
            raise EngineRefused(what, 500, str(told[-1]["error"]), "pull")
        # In the words of this engine or of that one, it is there or not.
        found = self.image(name)
        if found is None:
            raise EngineRefused(what, 500, "it is not there", "pull")
        return found.id
