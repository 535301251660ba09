"""Files out of the container of a terminal, and where its shell is. The way in is a socket: see
``web/sockets/files``."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, request

from cloudbang.web.api.downloads import send
from cloudbang.web.api.operation import Parameter, operation
from cloudbang.web.api.parsing import json
from cloudbang.web.api.schemas import terminals as shapes
from cloudbang.web.security.authenticator import caller
from cloudbang.web.security.terminal_access import typing_in
from cloudbang.web.services import services

bp = Blueprint("terminal_files", __name__, url_prefix="/api/v1/terminals/<session>")


@bp.get("/folder")
@operation(gives=shapes.Folder)
def folder(session: str) -> Response:
    """The folder that the terminal's foreground process works in; "" when nobody knows."""
    found = typing_in(caller(), session, services().terminals)
    return json({"folder": services().files.folder(found)})


@bp.get("/files")
@operation(
    gives=("application/octet-stream", "application/x-tar"),
    query={"path": Parameter({"type": "string"}, "the full path", required=True)},
)
def files(session: str) -> Response:
    """A file as it is, or a folder as a tar."""
    me, terminals = caller(), services().terminals
    found = typing_in(me, session, terminals)
    download = services().files.get(found, request.args.get("path", ""), me.name)
    kind = "application/x-tar" if download.size is None else "application/octet-stream"
    # They may lose the keyboard while it is sent.
    allow = partial(typing_in, me, session, terminals)
    return send(download, download.name, kind, download.size, allow)
