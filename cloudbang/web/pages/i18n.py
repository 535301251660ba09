"""Chinese and English: which of them, and the texts for the pages' scripts.

The English text is the key. There is a catalogue for each area: ``web`` (the API's sentences),
``frame`` (the pages around), ``events`` (what is said of them), ``log`` (the log page), ``terminal`` (one that is open),
``terminals`` (their lists and replays), ``new_app`` (what is deployed, as a form), ``operate`` (apps and containers
operated, and what takes room), ``metrics`` (how they do), ``search`` (through all logs) and ``personal`` (what people keep).
``make`` compiles them; where that was forgotten they are read as they stand, which takes longer.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

import orjson
from flask import Flask, Request, g, has_request_context, request
from markupsafe import Markup

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "translations"
AREAS = (
    "web",
    "frame",
    "events",
    "log",
    "deployments",
    "terminal",
    "terminals",
    "new_app",
    "operate",
    "metrics",
    "alerts",
    "search",
    "query",
    "personal",
)
LANGUAGES = ("en", "zh")
COOKIE = "lang"


def language() -> str:
    """The language of who reads the answer to this request."""
    return language_of(request)


def language_of(asked: Request) -> str:
    """The reader's language: chosen on the page, else the browser's, else English."""
    chosen = asked.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    # zh-CN, zh-Hans-CN and zh-TW are all better served by Chinese than by English.
    for value, _quality in asked.accept_languages:
        start = value.lower().split("-")[0]
        if start in LANGUAGES:
            return start
    return "en"


def install(app: Flask) -> None:
    """Give this application its texts, in views and in templates."""
    app.jinja_env.globals["_"] = _in_template
    app.context_processor(lambda: {"lang": language(), "texts_address": texts_address})


def gettext(text: str) -> str:
    """A text in the reader's language, or as it stands: where there is no reader, or no translation."""
    if not has_request_context():
        return text
    if "texts" not in g:
        g.texts = texts(language())
    return str(g.texts.get(text, text))


def say_in(lang: str) -> Callable[[str], str]:
    """What gives a text in this language, for who reads no answer to a request: a socket."""
    found = texts(lang)
    return lambda text: found.get(text, text)


def _in_template(text: str, **facts: object) -> Markup:
    """``_("…")``: the text is ours and may hold HTML, the facts that are filled in may not."""
    return Markup(gettext(text)) % facts  # noqa: S704 - a text of ours


@functools.cache
def texts(lang: str) -> dict[str, str]:
    """All texts of a language by their English ones; a plural under both of its forms."""
    found: dict[str, str] = {}
    for path in _catalogues(lang):
        for keys, forms in _entries(path):
            for key, text in zip(keys, [*forms, forms[-1]], strict=False):
                if key and text:
                    found.setdefault(key, text)
    return found


@functools.cache
def texts_version(lang: str) -> str:
    """12 hex digits that change with the texts of a language."""
    return hashlib.sha256(orjson.dumps(texts(lang), option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def texts_address(lang: str) -> str:
    """Where the pages' scripts get their texts: what is there never changes."""
    return f"/i18n/{lang}.json?v={texts_version(lang)}"


def _catalogues(lang: str) -> list[Path]:
    folder = FOLDER / lang / "LC_MESSAGES"
    return [path for area in AREAS if (path := folder / f"{area}.po").exists()]


def _entries(source: Path) -> list[tuple[list[str], list[str]]]:
    """Every entry of a catalogue: its English forms and its forms in the language."""
    compiled = source.with_suffix(".mo")
    if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
        return _compiled(compiled.read_bytes())
    log.warning("%s was not compiled: run `make`", source)
    from babel.messages.pofile import read_po

    with source.open("rb") as file:
        found = [(message.id, message.string) for message in read_po(file) if message.id]
    return [(_forms(id), _forms(text)) for id, text in found]


def _forms(text: str | Iterable[str] | None) -> list[str]:
    return [text] if isinstance(text, str) else list(text or ("",))


def _compiled(data: bytes) -> list[tuple[list[str], list[str]]]:
    """The entries of one that was compiled.

    Read here since gettext's reader forgets the plural that an entry is known by in the scripts.
    The format: https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html
    """
    _magic, _version, count, keys_at, texts_at = struct.unpack_from("<5I", data)

    def forms(at: int) -> list[str]:
        length, start = struct.unpack_from("<2I", data, at)
        return data[start : start + length].decode("utf-8").split("\0")

    return [(forms(keys_at + 8 * i), forms(texts_at + 8 * i)) for i in range(count)]
