"""What a browser is told and given: cookies, headers, how errors read."""

from __future__ import annotations

import errno
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import gevent
import pytest

from cloudbang.accounts import Caller
from cloudbang.core.loop import yield_to_loop
from cloudbang.web import load_templates
from cloudbang.web.security.authenticator import authenticator_of
from cloudbang.web.security.cookies import COOKIE, cookies_of
from tests.web.api.test_account import code
from tests.web.security.test_proxies import behind_proxy, environ
from tests.web.web_support import PASSWORD, WebGround

__all__ = ["behind_proxy"]  # a fixture


def test_the_cookie_is_secure_over_https(behind_proxy: WebGround) -> None:
    """Secure when the browser came over https, as the trusted proxy says."""
    behind_proxy.accounts.create("ada", PASSWORD, "admin")
    body = {"username": "ada", "password": PASSWORD}
    for scheme, secure in (("https", True), ("http", False)):
        answer = behind_proxy.nobody().post(
            "/api/v1/session", body, headers={"X-Forwarded-Proto": scheme}
        )
        assert ("; Secure" in answer.headers["Set-Cookie"]) is secure


def test_nothing_private_stays_in_a_cache(ground: WebGround) -> None:
    """Answers are not stored; files under /static are, and asked about anew."""
    program = ground.program()
    for path in ("/api/v1/apps", "/api/v1/me", "/"):
        assert program.get(path).headers["Cache-Control"] == "no-store"
    answer = program.get("/static/js/live/live_socket.js", buffered=True)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["ETag"]
    assert answer.content_type == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    ("accepted", "cookie", "title"),
    [
        ("", "", "Not signed in"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "尚未登录"),
        ("zh-Hant-TW", "", "尚未登录"),
        ("fr, en;q=0.5, zh;q=0.1", "", "Not signed in"),
        ("fr", "", "Not signed in"),
        ("en", "zh", "尚未登录"),
        ("zh", "en", "Not signed in"),
        ("", "../../etc", "Not signed in"),
    ],
)
def test_problems_in_the_readers_language(
    ground: WebGround, accepted: str, cookie: str, title: str
) -> None:
    """The cookie decides, then the browser; the code is the same in every language."""
    nobody = ground.nobody()
    if cookie:
        nobody.flask.set_cookie("lang", cookie)
    answer = nobody.get("/api/v1/apps", headers={"Accept-Language": accepted})
    assert code(answer) == (401, "not-signed-in")
    assert answer.json["title"] == title
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_facts_are_filled_into_a_translated_sentence(ground: WebGround) -> None:
    """Braces in what a person sent are no places for facts."""
    answer = ground.program().get("/api/v1/apps/web%7Bapp%7D", headers={"Accept-Language": "zh"})
    assert answer.json["detail"].startswith("没有名为 web{app} 的应用")


def test_a_fault_of_our_own_tells_nothing(
    ground: WebGround, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unforeseen error is a problem document without its text; the log has the traceback."""

    def broken(*_: object) -> None:
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(ground.store, "totals", broken)
    answer = ground.program().get("/api/v1/status")
    assert code(answer) == (500, "internal")
    assert "secret reason" not in answer.text
    assert "secret reason" in caplog.text


def test_pages_send_nobody_to_the_right_place(ground: WebGround) -> None:
    """To the set-up page until there is an account, then to sign in and back again."""
    page = {"Accept": "text/html,application/xhtml+xml"}
    nobody = ground.nobody()
    assert nobody.get("/apps/web/logs", headers=page).headers["Location"] == "/setup"
    ground.accounts.create("ada", PASSWORD, "admin")
    answer = nobody.get("/apps/web/logs?tab=1&x=%2F%2Fevil", headers=page)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in?next=/apps/web/logs%3Ftab%3D1")
    assert nobody.get("/", headers=page).headers["Location"] == "/sign-in"


def test_the_first_part_of_an_apps_address_is_the_list(ground: WebGround) -> None:
    """Who cuts an address short finds the apps."""
    answer = ground.person().get("/apps", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_missing_page_is_a_page(ground: WebGround) -> None:
    """A browser that follows a wrong link gets HTML, a program JSON."""
    ground.accounts.create("ada", PASSWORD, "admin")
    nobody = ground.nobody()
    answer = nobody.get("/nothing<script>", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.content_type == "text/html; charset=utf-8"
    assert "<script>" not in answer.text.replace("<script type", "").split("</head>")[-1]
    assert code(nobody.get("/nothing")) == (404, "not-found")
    assert code(ground.program().ask("PUT", "/api/v1/apps")) == (405, "method-not-allowed")


def test_texts_for_scripts(ground: WebGround) -> None:
    """The sign-in page needs its texts before anybody is known; plurals under both forms."""
    nobody = ground.nobody()
    assert nobody.get("/i18n/en.json").json == {}
    chinese = nobody.get("/i18n/zh.json").json
    assert chinese["Not signed in"] == "尚未登录"
    assert "" not in chinese
    assert nobody.get("/i18n/xx.json").status_code == 404
    assert nobody.get("/i18n/..%2f..%2fetc.json").status_code == 404


def test_cookies_of_other_programs_that_are_not_utf_8(ground: WebGround) -> None:
    """They came with every request and made each a 500; now only they are lost."""
    person = ground.person()
    mine = str(person.flask.get_cookie(COOKIE).value)  # type: ignore[union-attr]
    odd = f'other=\xff\xfe"; {COOKIE}={mine}; lang=zh'
    sent = environ(HTTP_COOKIE=odd)
    assert cookies_of(sent)[COOKIE] == mine
    caller = authenticator_of(ground.app).authenticate_socket(sent)
    assert isinstance(caller, Caller)
    answer = ground.app.test_client(use_cookies=False).get(
        "/api/v1/nothing", environ_overrides={"HTTP_COOKIE": odd}
    )
    assert answer.status_code == 404
    assert "这里" in answer.text or "没有" in answer.text


def test_an_address_to_go_to_that_is_none(ground: WebGround) -> None:
    """Who is signed in already is sent to the apps, not to a fault."""
    answer = ground.person().get("/sign-in?next=//[", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_an_unknown_app_is_told_to_a_person_in_a_persons_words(ground: WebGround) -> None:
    """A page does not speak of calls of the API; a program is told which to make."""
    person = ground.person()
    for language, words in (("en", "perhaps it was renamed"), ("zh", "可能已改名")):
        headers = {"Accept": "text/html", "Accept-Language": language}
        page = person.get("/apps/nobody/logs", headers=headers).text
        assert words in page
        assert "/api/" not in page
    assert "GET /api/v1/apps" in person.get("/api/v1/apps/nobody").json["detail"]


def test_templates_are_loaded_before_anybody_asks(
    ground: WebGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first page of a start kept the hub for more than 100 ms; they come one by one, and the
    loop goes on in between."""
    cache = ground.app.jinja_env.cache
    assert cache is not None
    cache.clear()
    monkeypatch.setattr("cloudbang.web.LOAD_AFTER", 0)
    loading = gevent.spawn(load_templates, ground.app)
    seen = []
    while not loading.ready():
        yield_to_loop()
        seen.append(len(cache))
    names = {key[1] for key in cache}  # type: ignore[attr-defined]
    assert {"apps.html", "logs.html", "sign_in.html", "problem.html", "frame.html"} <= names
    steps = [after - before for before, after in pairwise(sorted({0, *seen}))]
    assert max(steps) <= 3  # a page, what it is framed by, and what it has parts of


def test_templates_that_could_not_be_opened_are_loaded_all_the_same(
    ground: WebGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are descriptors again in a moment."""
    monkeypatch.setattr("cloudbang.web.LOAD_AFTER", 0)
    real, tried = ground.app.jinja_env.get_template, []

    def get(name: str) -> object:
        tried.append(name)
        if tried.count(name) == 1:
            raise OSError(errno.EMFILE, "Too many open files", name)
        return real(name)

    monkeypatch.setattr(ground.app.jinja_env, "get_template", get)
    load_templates(ground.app)
    names = ground.app.template_names()
    assert tried == [name for name in names for _ in range(2)]


def test_sockets_alone_do_not_load_flask() -> None:
    """The echo application of the conformance suite, and agents, need no pages."""
    program = "import sys, cloudbang.web.server.server; sys.exit('flask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_cookie_from_elsewhere_does_not_hide_the_own(ground: WebGround) -> None:
    """Another port of this name can set one of the same name, and the browser sends both."""
    person = ground.person()
    mine = str(person.flask.get_cookie(COOKIE).value)  # type: ignore[union-attr]
    nobody = ground.app.test_client(use_cookies=False)
    for sent in (
        *(f"{COOKIE}=bad; {COOKIE}={mine}", f"{COOKIE}={mine}; {COOKIE}=bad"),
        *(f"__Host-{COOKIE}=bad; {COOKIE}={mine}", f"{COOKIE}=bad; __Host-{COOKIE}={mine}"),
    ):
        answer = nobody.get("/api/v1/me", headers={"Cookie": sent})
        assert answer.json.get("username") == "admin", sent
    many = "; ".join([f"{COOKIE}=bad"] * 50)
    answer = nobody.get("/api/v1/me", headers={"Cookie": many})
    assert answer.status_code == 401


def test_over_https_the_cookie_has_a_name_that_only_we_can_set(behind_proxy: WebGround) -> None:
    """With ``__Host-`` neither a neighbour's page nor plain HTTP can set it; signing out takes it
    away again."""
    behind_proxy.accounts.create("ada", PASSWORD, "admin")
    https = {"base_url": "https://localhost", "headers": {"X-Forwarded-Proto": "https"}}
    person = behind_proxy.nobody()
    body = {"username": "ada", "password": PASSWORD}
    given = person.post("/api/v1/session", body, **https).headers.getlist("Set-Cookie")
    assert [one for one in given if one.startswith(f"__Host-{COOKIE}=") and "; Path=/" in one]
    person.csrf = person.get("/api/v1/me", **https).json["csrf_token"]
    taken = person.delete("/api/v1/session", **https).headers.getlist("Set-Cookie")
    assert [one for one in taken if one.startswith(f"__Host-{COOKIE}=;") and "Secure" in one]
    assert person.get("/api/v1/me", **https).status_code == 401


def test_the_cookie_is_secure_where_the_public_address_is_https(tmp_path: Path) -> None:
    """Behind a proxy that is not among the trusted ones as well."""
    made = WebGround(tmp_path, server={"public_url": "https://cloud.example"})
    try:
        made.accounts.create("ada", PASSWORD, "admin")
        body = {"username": "ada", "password": PASSWORD}
        answer = made.nobody().post("/api/v1/session", body)
        assert all("; Secure" in one for one in answer.headers.getlist("Set-Cookie"))
    finally:
        made.close()


def test_a_browser_is_known_by_its_cookie_for_its_account_only(ground: WebGround) -> None:
    """It is given with the first sign-in, and lets nobody in; ten strangers' guesses later the
    person still gets in with it, and another account does not."""
    browser = ground.person("ada")
    ground.person("bob")
    for n in range(30):
        body = {"username": "ada" if n % 2 else "bob", "password": "guess"}
        answer = ground.nobody().post("/api/v1/session", body)
    assert answer.status_code == 429
    assert "user passwd" in answer.json["detail"]
    right = {"username": "ada", "password": PASSWORD}
    assert ground.nobody().post("/api/v1/session", right).status_code == 429
    assert browser.post("/api/v1/session", right).status_code == 204
    other = {"username": "bob", "password": PASSWORD}
    assert browser.post("/api/v1/session", other).status_code == 429
    known = browser.flask.get_cookie("cloudbang_known", path="/api/v1/session")
    assert known is not None
    forged = ground.nobody()
    forged.flask.set_cookie("cloudbang_known", known.value[:-4] + "AAAA", path="/api/v1/session")
    assert forged.post("/api/v1/session", right).status_code == 429
