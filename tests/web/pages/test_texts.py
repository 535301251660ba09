"""Every text that a person may see is there in English and in Chinese."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask import Flask

import cloudbang
from cloudbang import errors
from cloudbang.domain.alerts.incidents import BEGAN, ENDED, FLAPPING, GONE, SILENT
from cloudbang.domain.alerts.rules import DEFAULTS
from cloudbang.domain.deploy.failure import (
    BROKE_OFF,
    ENDED_BY_ITSELF,
    ENDED_BY_ITSELF_SOMETIME,
    NOT_RUN,
    SENTENCES,
    WITHOUT_TIME,
)
from cloudbang.domain.events import KINDS
from cloudbang.domain.metrics import exposed
from cloudbang.domain.refusals import REFUSALS
from cloudbang.errors import CloudBangError
from cloudbang.monitoring.alerts.outbox import WHYS
from cloudbang.monitoring.alerts.texts import (
    MORE,
    NEWS,
    OVER,
    SEVERAL,
    STILL,
    STILL_ON,
    TEST,
    TEST_TITLE,
    TITLES,
)
from cloudbang.monitoring.series import MEASURING_IS_BEHIND, NOT_WRITTEN
from cloudbang.node.sampler import reasons
from cloudbang.web.deployment_json import CANCELLED, REPLACED, SECONDS
from cloudbang.web.pages.event_kinds import event_kinds
from cloudbang.web.pages.i18n import AREAS, FOLDER
from cloudbang.web.traffic_text import WHY as TRAFFIC

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "cloudbang"

STRING = r'"(?:[^"\\\n]|\\.)*"' + r"|'(?:[^'\\\n]|\\.)*'"
_HTML = re.compile(rf"\b(?:_|gettext)\(\s*({STRING})")
_HTML_PLURAL = re.compile(rf"\bngettext\(\s*({STRING}),\s*({STRING})")
_JS = re.compile(rf"(?<![\w.$])t\(\s*({STRING})")
_JS_PLURAL = re.compile(rf"(?<![\w.$])tn\(\s*({STRING}),\s*({STRING})")


def every_error() -> list[type[CloudBangError]]:
    """Every kind of error of every room."""
    for module in pkgutil.walk_packages(cloudbang.__path__, "cloudbang."):
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)
    found, left = [], [CloudBangError]
    while left:
        kind = left.pop()
        if kind.__module__.startswith("cloudbang."):
            found.append(kind)
        left += kind.__subclasses__()
    return sorted(found, key=lambda kind: kind.__name__)


ERRORS = every_error()


def sentences_of(kind: type[CloudBangError]) -> list[str]:
    """All that an error of this kind may say."""
    said = (kind.sentence, kind.page_sentence, *kind.variants.values())
    return [sentence for sentence in said if sentence]


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
    """Texts given to gettext, sentences and titles of errors, with where they stand."""
    found: dict[str, str] = {}
    for path in PACKAGE.rglob("*.py"):
        here = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "gettext",
                "_",
                "ngettext",
                "NotTaken",
            ):
                for argument in node.args[:2]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        found[argument.value] = here
    for kind in ERRORS:
        for text in (kind.title, *sentences_of(kind)):
            found[text] = kind.__name__
    found[MEASURING_IS_BEHIND] = found[NOT_WRITTEN] = "monitoring/series.py"
    for text in (
        *SENTENCES.values(),
        *(ENDED_BY_ITSELF, ENDED_BY_ITSELF_SOMETIME),
        *WITHOUT_TIME.values(),
        BROKE_OFF,
        NOT_RUN,
        CANCELLED,
        REPLACED,
        SECONDS,
    ):
        found[text] = "of deployments"
    for name, text in vars(reasons).items():
        if name.isupper():
            found[text] = "node/sampler/reasons.py"
    for name, text in vars(exposed).items():
        if name.isupper() and isinstance(text, str) and " " in text:
            found[text] = "domain/metrics/exposed.py"
    for text in TRAFFIC.values():
        found[text] = "web/traffic_text.py"
    said = (*BEGAN.values(), *ENDED.values(), (FLAPPING, GONE, SILENT), TITLES.values())
    words = (SEVERAL, OVER, STILL_ON, STILL, NEWS, MORE, TEST, TEST_TITLE, *WHYS)
    words = (*words, *(rule.name for rule in DEFAULTS))
    for text in (*(text for texts in said for text in texts), *words):
        found[text] = "of alerts"
    for event_kind in KINDS.values():
        for phrase in event_kind.phrases:
            found[phrase.words] = "domain/events.py"
    for text in list(found):
        if not re.search(r"\w", re.sub(r"\{\w+\}", "", text)):
            del found[text]  # nothing in it but what is filled in
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


def test_an_alert_of_a_rule_that_everybody_has_is_told_in_the_readers_language() -> None:
    """Its name is kept in English, and stands in the log between events that are not."""
    with Flask(__name__).test_request_context(headers={"Accept-Language": "zh"}):
        names = event_kinds()["names"]
    assert isinstance(names, dict)
    known = catalogue()
    assert names["rule"] == {rule.name: known[rule.name] for rule in DEFAULTS}


def test_pages_and_doctor_say_what_is_refused_in_the_same_words() -> None:
    """The doctor has no catalogue: what it says stands beside the English, and is the same."""
    known = catalogue()
    for refusal in REFUSALS.values():
        assert known[refusal.sentence.en] == refusal.sentence.zh
        assert refusal.refused.en in refusal.sentence.en
        assert refusal.mend.zh in refusal.sentence.zh


def test_translations_keep_their_places() -> None:
    """What is filled into the English text is filled into the Chinese one too."""
    for text, chinese in catalogue().items():
        for place in (r"\{\w+(?:!r)?\}", r"%\(\w+\)\w"):
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


def test_the_sentence_of_an_error_is_on_its_class() -> None:
    """Each kind of error has one of its own, but for the base of an area."""
    bases = {kind for kind in ERRORS if any(other.__base__ is kind for other in ERRORS)}
    for kind in ERRORS:
        assert kind in bases or "sentence" in vars(kind), kind.__name__
        assert "__str__" not in vars(kind) or kind is CloudBangError, kind.__name__


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_the_fields_of_an_error_fill_its_sentences(kind: type[CloudBangError]) -> None:
    """Nothing is asked for that the error does not carry."""
    error = an_error(kind)
    given = set(error.facts())
    for sentence in sentences_of(kind):
        assert set(re.findall(r"\{(\w+)(?:!r)?\}", sentence)) <= given, sentence
    assert str(error) == error.template().format(**error.facts())
    assert "{" not in str(error)


def an_error(kind: type[CloudBangError]) -> CloudBangError:
    """One of that kind, made of values of the types that it asks for."""
    values: dict[str, object] = {"int": 404, "float": 1.5, "int | None": 1, "Permission": "view"}
    asked = list(inspect.signature(kind.__init__).parameters.values())[1:]
    if any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in asked):
        return kind()  # Exception's own
    return kind(*[values.get(str(one.annotation), "x") for one in asked])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            errors.AlreadyRunning("/data", 12),
            "process 12 already runs CloudBang on the data folder",
        ),
        (errors.AlreadyRunning("/data"), "another process already runs CloudBang on the data"),
        (errors.ContainerNotRunning("0123", "paused"), "container 0123 is paused: resume it"),
        (errors.ContainerNotRunning("0123", "exited"), "container 0123 does not run (exited)"),
        (errors.TooManyTerminals(5, "person"), "you have 5 terminals open"),
        (errors.TooManyTerminals(50, "all"), "50 terminals are open"),
        (errors.BadRequest("q", "x" * 200, "less"), f"q is {'x' * 117}..., but may be less"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_sentence_may_depend_on_a_field(error: CloudBangError, said: str) -> None:
    """And what somebody sent is said back in its beginning only."""
    assert str(error).startswith(said)
