"""Flask, as it is started here: nothing is made before somebody asks for it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import NoReturn
from urllib.parse import urlsplit

import jinja2
from flask import Flask, Request
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import IntegerConverter, RequestRedirect, Rule

from cloudbang.web.security.cookies import CloudBangRequest

HERE = Path(__file__).parent
STATIC = HERE.parent.parent / "static"
TEMPLATES = HERE / "pages" / "templates"


class LateRule(Rule):
    """A rule that makes the function that builds its address when that is first asked for.

    Werkzeug writes two such functions for each rule and compiles them: a millisecond for each of
    fifty rules at every start, and few are ever asked.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_builder = super()._compile_builder
        made: Callable[..., tuple[str, str]] | None = None

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            nonlocal made
            if made is None:
                made = compile_builder(append_unknown)
            return made(rule, **values)

        return build


class Number(IntegerConverter):
    """A whole number in an address: of no more digits than a database takes, so that what is larger is
    the number of nothing and not a failure."""

    regex = r"\d{1,18}"


class CompiledTemplates(BytecodeCache):
    """Templates as they were compiled once, beside them as Python keeps its own: 0.2 s and 1.5 MB
    less at each start. What is kept of one says of what text it was made, so no old one is used;
    nor one that another Jinja made. Where nothing may be written nothing is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        compiler = os.stat(str(jinja2.compiler.__file__))
        self._by = hashlib.sha256(f"{compiler.st_size} {compiler.st_mtime_ns}".encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            with self._path(bucket).open("rb") as file:
                bucket.load_bytecode(file)
        except (OSError, EOFError, ValueError, UnpicklingError):  # none there, or a damaged one
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        path = self._path(bucket)
        # Renamed into place: another process may be reading it.
        fresh = path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            with fresh.open("wb") as file:
                bucket.write_bytecode(file)
            fresh.replace(path)

    def _path(self, bucket: Bucket) -> Path:
        return self._folder / f"{bucket.key}-{self._by[:12]}.template"


class FlaskApp(Flask):
    """The application without anything of ours in it but its templates."""

    url_rule_class = LateRule
    request_class = CloudBangRequest

    def __init__(self) -> None:
        super().__init__(
            "cloudbang.web",
            static_folder=str(STATIC),
            static_url_path="/static",
            template_folder=str(TEMPLATES),
        )
        self.url_map.converters["int"] = Number
        self.jinja_options = {"bytecode_cache": CompiledTemplates(TEMPLATES / "__pycache__")}

    def raise_routing_exception(self, request: Request) -> NoReturn:
        """As Flask's; but a redirect, of a doubled slash, is to the path alone: a proxy in front
        knows better by which scheme and name we were asked."""
        if isinstance(error := request.routing_exception, RequestRedirect):
            to = urlsplit(error.new_url)
            error.new_url = to.path + (f"?{to.query}" if to.query else "")
        super().raise_routing_exception(request)

    def template_names(self) -> list[str]:
        return self.jinja_env.list_templates(["html"])


def compile_templates() -> None:
    """Compile every template that is not; ``make`` does it, for whoever serves may not write here."""
    app = FlaskApp()
    for name in app.template_names():
        app.jinja_env.get_template(name)


if __name__ == "__main__":
    compile_templates()
