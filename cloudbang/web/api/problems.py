"""What went wrong, as RFC 9457 has it: ``application/problem+json`` with a stable ``code``.

Sentences are translated before their facts are filled in. A page gets a page, a program JSON.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson
from flask import Flask, Response, current_app, redirect, render_template, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from cloudbang.accounts import NotSignedIn
from cloudbang.errors import BadRequest, CloudBangError
from cloudbang.web.services import services

log = logging.getLogger(__name__)

# code -> what happened, in a few words
TITLES = {
    "already-set-up": "Set up already",
    "bad-request": "A value cannot be used",
    "container-not-running": "The container does not run",
    "cross-site": "Not from another site",
    "csrf": "The page is out of date",
    "engine-refused": "The engine refused",
    "engine-unreachable": "The engine does not answer",
    "file-refused": "The file cannot be moved",
    "file-too-large": "The file is too large",
    "internal": "Something went wrong here",
    "last-admin": "The last admin",
    "link-used": "The link was used",
    "log-unreadable": "The log cannot be read",
    "method-not-allowed": "Not done this way",
    "name-taken": "The name is taken",
    "no-such-app": "No such app",
    "no-recording": "No recording",
    "no-shell": "No shell in this image",
    "no-such-container": "No such container",
    "no-such-terminal": "No such terminal",
    "not-allowed": "Not allowed",
    "not-found": "Nothing here",
    "not-signed-in": "Not signed in",
    "not-started": "Nothing was started",
    "storage-failed": "The disk refuses",
    "storage-full": "The disk is full",
    "ticket-refused": "The ticket opens nothing",
    "too-busy": "Too busy",
    "too-large": "Too large",
    "too-many-attempts": "Too many attempts",
    "too-many-terminals": "Too many terminals",
    "unsupported-type": "Not JSON",
    "wrong-password": "Wrong name or password",
    "wrong-setup-token": "Wrong set-up token",
}

# Errors of other rooms whose sentence a person may see: the same text, with the fields in braces.
# A slash and a value: the sentence where a field of the error has that value.
SENTENCES = {
    "bad-request": "{name} is {value}, but may be {allowed}",
    "container-not-running": "container {container} does not run ({state}): start it, then open a terminal",
    "container-not-running/paused": "container {container} is paused: resume it, then open a terminal",
    "file-refused": "{path}: {reason}",
    "engine-refused": "the Docker Engine refused {what} ({engine_status}): {reason}",
    "link-used": "this link was good for one person, and somebody has used it: ask for a new one",
    "log-unreadable": "the log of container {container} cannot be read: {reason}",
    "no-recording": "terminal {session} has no recording: it was not recorded, or it was too old",
    "no-shell": "there is no shell in the image of container {container}: name a command that it has, or open a toolbox beside it",
    "no-such-container": "the engine has no container {container}",
    "no-such-terminal": "there is no terminal {session}: it has ended, or it is not yours",
    "not-started": "nothing could be started in container {container}: {reason}",
    "engine-unreachable": "no Docker Engine answers at {address} ({reason}): start it, or set DOCKER_HOST",
    "no-such-app": "there is no app named {app}: GET /api/v1/apps lists those there are",
    "storage-failed": "cannot use {path}: {reason}",
    "storage-full": "no room on the disk of {path}: collecting is paused, the engine keeps the lines; free some space and it goes on by itself",
    "ticket-refused": "this ticket opens no terminal: {reason}; ask for a new one",
    "too-many-terminals": "{limit} terminals are open, and no more are allowed: one has to end first",
    "too-many-terminals/person": "you have {limit} terminals open, and no more are allowed: end one first",
    "internal": "this is a fault in CloudBang: its log has the details",
    "method-not-allowed": "{method} is not possible here",
    "not-found": "there is nothing at {path}",
    "too-large": "the request is larger than {limit} bytes",
    "unsupported-type": "send the body as application/json",
}

# The same for who looks at a page and not at an API.
PAGE_SENTENCES = {
    "no-such-app": "there is no app named {app}: perhaps it was renamed, or its container and its lines are gone",
}

# Fields of errors that are texts of ours: they are translated before they are filled in.
TRANSLATED = ("allowed", "reason")

_CODES = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-type"}


def problem(
    status: int, code: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """A problem document."""
    title = gettext(TITLES.get(code, HTTPStatus(status).phrase))
    if _wants_page():
        body: str | bytes = _page(status, title, detail)
        kind = "text/html; charset=utf-8"
    else:
        body = orjson.dumps(
            {
                "type": "about:blank",
                "title": title,
                "status": status,
                "code": code,
                "detail": detail,
                **more,
            }
        )
        kind = "application/problem+json"
    return Response(body, status, headers=headers, content_type=kind)


def sentence_of(error: CloudBangError) -> str:
    """What an error says, in the language of this request."""
    text = getattr(error, "sentence", "") or _sentence(error)
    if _wants_page():
        text = PAGE_SENTENCES.get(error.code, text)
    if not text:
        return str(error)
    facts = {k: _short(v) for k, v in vars(error).items() if not k.startswith("_")}
    for name in TRANSLATED:
        if words := facts.get(name) and str(getattr(error, name)):
            facts[name] = _short(gettext(words))
    try:
        return gettext(text).format(**facts)
    except (KeyError, IndexError):
        return str(error)


def install(app: Flask) -> None:
    """Answer every error of this application with a problem document."""
    app.register_error_handler(CloudBangError, _of_ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _of_anything)


def _of_ours(error: Exception) -> Any:
    assert isinstance(error, CloudBangError)
    if isinstance(error, NotSignedIn) and _wants_page():
        if not services().accounts.is_set_up():
            return redirect("/setup")
        where = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return redirect("/sign-in" if where == "/" else f"/sign-in?next={quote(where)}")
    if error.status >= 500:
        log.warning("%s %s: %s", request.method, request.path, error)
    headers = {}
    if retry := getattr(error, "retry_after", None):
        headers["Retry-After"] = str(retry)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    more = {"name": error.name} if isinstance(error, BadRequest) else {}
    return problem(error.status, error.code, sentence_of(error), headers, **more)


def _of_http(error: Exception) -> Any:
    assert isinstance(error, HTTPException)
    status = error.code or 500
    if status < 400:
        return error  # a redirect of the router
    code = _CODES.get(status, "bad-request" if status < 500 else "internal")
    text = SENTENCES[code] if status in _CODES else (error.description or "")
    detail = (
        gettext(text).format(
            method=request.method,
            path=_short(request.path),
            limit=current_app.config["MAX_CONTENT_LENGTH"],
        )
        if status in _CODES
        else text
    )
    headers = {k: v for k, v in error.get_headers() if k.lower() in ("allow", "retry-after")}
    return problem(status, code, detail, headers)


def _of_anything(error: Exception) -> Any:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(500, "internal", gettext(SENTENCES["internal"]))


def _sentence(error: CloudBangError) -> str:
    for name in ("state", "whose"):
        if found := SENTENCES.get(f"{error.code}/{getattr(error, name, '')}"):
            return found
    return SENTENCES.get(error.code, "")


def _wants_page() -> bool:
    if request.path.startswith(("/api/", "/static/", "/i18n/")):
        return False
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _page(status: int, title: str, detail: str) -> str:
    if "problem.html" in current_app.jinja_env.list_templates(["html"]):
        return render_template("problem.html", status=status, title=title, detail=detail)
    return f"{status} {title}\n"


def _short(value: object) -> object:
    text = str(value)
    return value if len(text) <= 120 else text[:117] + "..."
