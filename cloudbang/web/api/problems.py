"""What went wrong, as RFC 9457 has it: ``application/problem+json`` with a stable ``code``.

Sentences are translated before their facts are filled in. A page gets a page, a program JSON.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson
from flask import Flask, Response, current_app, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from cloudbang.accounts import NotSignedIn
from cloudbang.core.descriptors import is_want
from cloudbang.errors import BadRequest, CloudBangError, shortened
from cloudbang.web.pages.i18n import gettext
from cloudbang.web.services import services

log = logging.getLogger(__name__)

# Fields of errors that are texts of ours: they are translated before they are filled in.
TRANSLATED = ("allowed", "reason", "said")
_NUMBERS = re.compile(r"\d+(?:\.\d+)?")


class NothingHere(CloudBangError):
    """No page and no call has this path."""

    code = "not-found"
    status = 404
    title = "Nothing here"
    sentence = "there is nothing at {path}"

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)


class MethodNotAllowed(CloudBangError):
    """There is something at the path, but not for this method."""

    code = "method-not-allowed"
    status = 405
    title = "Not done this way"
    sentence = "{method} is not possible here"

    def __init__(self, method: str) -> None:
        self.method = method
        super().__init__(method)


class TooLarge(CloudBangError):
    """A body that is larger than any that is needed here."""

    code = "too-large"
    status = 413
    title = "Too large"
    sentence = "the request is larger than {limit} bytes"

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(limit)


class UnsupportedType(CloudBangError):
    """A body that is not JSON: a form of another site could send it."""

    code = "unsupported-type"
    status = 415
    title = "Not JSON"
    sentence = "send the body as application/json"


class OutOfDescriptors(CloudBangError):
    """This process may open no further file."""

    code = "out-of-descriptors"
    status = 503
    title = "Too many open files"
    sentence = (
        "CloudBang has more connections and files open than it may: try again in a moment, and "
        "see `cloudbang doctor`"
    )
    retry_after = 5


class Internal(CloudBangError):
    """What nobody foresaw."""

    title = "Something went wrong here"
    sentence = CloudBangError.sentence


def problem_json(error: CloudBangError) -> dict[str, Any]:
    """What a problem document says of an error, for an answer that holds it."""
    more = {name: getattr(error, name) for name in error.told}
    return {"code": error.code, "detail": sentence_of(error), **more}


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """A problem document, or a page that says the same. ``title`` in English, "" for the status'."""
    title = gettext(title or HTTPStatus(status).phrase)
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
    return filled(error.template(on_page=_wants_page()), error.facts())


def filled(template: str, its_facts: Mapping[str, object]) -> str:
    """A sentence of an error with its facts, in the language of this request."""
    facts = dict(its_facts)
    for name in TRANSLATED:
        if words := str(facts.get(name) or ""):
            facts[name] = _translated(words)
    facts = {name: shortened(fact) for name, fact in facts.items()}
    return gettext(template).format(**facts) if template else ""


def _translated(words: str) -> str:
    """Also where numbers were filled in already: the catalogue has ``{}`` in their places."""
    found = gettext(words)
    if found == words and (numbers := _NUMBERS.findall(words)):
        template = _NUMBERS.sub("{}", words)
        if (text := gettext(template)) != template:
            return text.format(*numbers)
    return found


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
    if field := getattr(error, "field", ""):
        more["field"] = field
    more.update({name: getattr(error, name) for name in error.told})
    return problem(error.status, error.code, error.title, sentence_of(error), headers, **more)


def _of_http(error: Exception) -> Any:
    assert isinstance(error, HTTPException)
    status = error.code or 500
    if status < 400:
        return error  # a redirect of the router
    headers = {k: v for k, v in error.get_headers() if k.lower() in ("allow", "retry-after")}
    ours = _said_by_flask(status)
    if ours is not None:
        return problem(status, ours.code, ours.title, sentence_of(ours), headers)
    kind = BadRequest if status < 500 else Internal
    return problem(status, kind.code, kind.title, error.description or "", headers)


def _said_by_flask(status: int) -> CloudBangError | None:
    if status == 404:
        return NothingHere(request.path)
    if status == 405:
        return MethodNotAllowed(request.method)
    if status == 413:
        return TooLarge(request.max_content_length or current_app.config["MAX_CONTENT_LENGTH"])
    if status == 415:
        return UnsupportedType()
    return None


def _of_anything(error: Exception) -> Any:
    if is_want(error):
        return _of_ours(OutOfDescriptors())
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(500, Internal.code, Internal.title, sentence_of(Internal()))


def _wants_page() -> bool:
    if request.path.startswith(("/api/", "/static/", "/i18n/")):
        return False
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def _page(status: int, title: str, detail: str) -> str:
    if "problem.html" in current_app.jinja_env.list_templates(["html"]):
        return render_template("problem.html", status=status, title=title, detail=detail)
    return f"{status} {title}\n"
