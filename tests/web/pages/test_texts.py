"""Every text that a person may see is there in English and in Chinese."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import cloudbang.accounts.errors
import cloudbang.errors
from cloudbang.errors import CloudBangError
from cloudbang.web.api import problems
from cloudbang.web.pages.i18n import AREAS, FOLDER

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "cloudbang"

STRING = r'"(?:[^"\\\n]|\\.)*"' + r"|'(?:[^'\\\n]|\\.)*'"
_HTML = re.compile(rf"\b(?:_|gettext)\(\s*({STRING})")
_HTML_PLURAL = re.compile(rf"\bngettext\(\s*({STRING}),\s*({STRING})")
_JS = re.compile(rf"(?<![\w.$])t\(\s*({STRING})")
_JS_PLURAL = re.compile(rf"(?<![\w.$])tn\(\s*({STRING}),\s*({STRING})")


def catalogue() -> dict[str, str]:
    """Chinese texts by their English ones, of all areas; a plural under both of its forms."""
    found: dict[str, str] = {}
    for area in AREAS:
        with (FOLDER / "zh" / "LC_MESSAGES" / f"{area}.po").open("rb") as file:
            for message in read_po(file, locale="zh", abort_invalid=True):
                if not message.id or message.fuzzy:
                    continue
                ids = message.id if isinstance(message.id, tuple) else (message.id,)
                texts = message.string if isinstance(message.string, tuple) else (message.string,)
                for one in ids:
                    found[str(one)] = str(texts[0])
    return found


def unquoted(literal: str) -> str:
    value = ast.literal_eval(literal)
    assert isinstance(value, str)
    return value


def texts_of_python() -> dict[str, str]:
    """Texts given to gettext, sentences of errors and titles, with where they stand."""
    found: dict[str, str] = {}
    for path in PACKAGE.rglob("*.py"):
        here = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "gettext",
                "_",
                "ngettext",
            ):
                for argument in node.args[:2]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        found[argument.value] = here
            elif isinstance(node, ast.ClassDef):
                for item in node.body:
                    target = item.targets[0] if isinstance(item, ast.Assign) else None
                    if isinstance(target, ast.Name) and target.id == "sentence":
                        text = ast.literal_eval(item.value)  # type: ignore[union-attr]
                        found[text] = f"{here} {node.name}"
    tables = (problems.TITLES, problems.SENTENCES, problems.PAGE_SENTENCES)
    for text in [text for table in tables for text in table.values()]:
        found[text] = "problems.py"
    found.pop("", None)
    return found


def texts_of_pages() -> dict[str, str]:
    """Texts in templates and in the pages' scripts, with where they stand."""
    found: dict[str, str] = {}
    patterns = {
        "cloudbang/web/pages/templates/**/*.html": (_HTML, _HTML_PLURAL),
        "static/js/**/*.js": (_JS, _JS_PLURAL),
    }
    for glob, (single, plural) in patterns.items():
        for path in ROOT.glob(glob):
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".js":
                text = re.sub(r"/\*[^\0]*?\*/|^\s*//.*$", "", text, flags=re.MULTILINE)
            for match in single.finditer(text):
                found[unquoted(match[1])] = str(path.relative_to(ROOT))
            for match in plural.finditer(text):
                found[unquoted(match[2])] = str(path.relative_to(ROOT))
    return found


def test_every_text_has_chinese() -> None:
    """Each text used in code, templates and scripts is in a catalogue."""
    known = catalogue()
    used = texts_of_python() | texts_of_pages()
    missing = {text: where for text, where in used.items() if not known.get(text)}
    assert not missing, "\n".join(f"{where}: {text!r}" for text, where in missing.items())


def test_translations_keep_their_places() -> None:
    """What is filled into the English text is filled into the Chinese one too."""
    for text, chinese in catalogue().items():
        for place in (r"\{\w+\}", r"%\(\w+\)\w"):
            wanted, found = set(re.findall(place, text)), set(re.findall(place, chinese))
            # "there is no {what} {name}": the word for what is left out on purpose.
            assert found <= wanted, f"{chinese!r} fills in what {text!r} does not have"
            assert wanted - found <= {"{what}"}, f"{chinese!r} leaves out {wanted - found}"


def test_chinese_is_chinese() -> None:
    """No translation is empty or still English; punctuation is full-width among Chinese."""
    same = {"CloudBang", "English", "JSON", "stdout", "stderr"}
    for text, chinese in catalogue().items():
        words = re.sub(r"\{\w+\}|%\(\w+\)\w|[\W\d_]", "", text)
        if len(words) > 3 and text not in same and " " in text:
            assert re.search(r"[\u4e00-\u9fff]", chinese), f"{text!r} -> {chinese!r}"
        assert not re.search(r"[\u4e00-\u9fff][,;!?]", chinese), chinese
        assert "！" not in chinese


def errors_a_person_may_see() -> list[type[CloudBangError]]:
    modules = (cloudbang.errors, cloudbang.accounts.errors)
    return [
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, CloudBangError) and kind.__module__ == module.__name__
    ]


ONLY_AT_START = {"setting", "already-running", "port-in-use"}  # printed, never answered


@pytest.mark.parametrize("kind", errors_a_person_may_see(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_title_and_a_sentence(kind: type[CloudBangError]) -> None:
    """Whatever is raised while answering can be said in both languages."""
    if kind.code not in ONLY_AT_START:
        assert kind.code in problems.TITLES
        assert getattr(kind, "sentence", "") or kind.code in problems.SENTENCES


def test_sentences_fit_their_errors() -> None:
    """The translated sentence of an error says the same as the error's own."""
    from cloudbang import errors

    for error in (
        errors.BadRequest("limit", "0", "1"),
        errors.EngineRefused("x", 500, "y"),
        errors.EngineUnreachable("unix:///x", "gone"),
        errors.LogUnreadable("0123", "none"),
        errors.NoSuchApp("web"),
        errors.NoSuchContainer("0123"),
        errors.StorageFailed("/data", "no"),
        errors.StorageFull("/data"),
    ):
        shown = problems.SENTENCES[error.code].format(**vars(error))
        assert shown.replace("'", "") == str(error).replace("'", "")
