"""Files out of the container of a terminal, and where its shell is. The way in is a socket: see
``files_door``."""

from __future__ import annotations

from flask import Blueprint, Response, request

from cloudbang.web.auth import caller
from cloudbang.web.downloads import send
from cloudbang.web.parts import parts
from cloudbang.web.requests import json
from cloudbang.web.terminal_access import typing_in

bp = Blueprint("terminal_files", __name__, url_prefix="/api/v1/terminals/<session>")


@bp.get("/folder")
def folder(session: str) -> Response:
    """The folder that the terminal's foreground process works in; "" when nobody knows."""
    found = typing_in(caller(), session, parts().terminals)
    return json({"folder": parts().files.folder(found)})


@bp.get("/files")
def files(session: str) -> Response:
    """A file as it is, or a folder as a tar."""
    found = typing_in(caller(), session, parts().terminals)
    path = request.args.get("path", "")
    download = parts().files.get(found, path, caller().name)
    kind = "application/x-tar" if download.size is None else "application/octet-stream"
    return send(download, download.name, kind, download.size)
