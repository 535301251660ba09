"""The page of what takes room: who uses what, and a clean-up that shows what goes before it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests import support
from tests.support import ServerProcess
from tests.support_engine import PrivateEngine
from tests.terminal_support import Person


@pytest.fixture(scope="module")
def engine() -> Iterator[PrivateEngine]:
    """One of its own: what is taken away here is nobody else's."""
    private = PrivateEngine()
    try:
        private.start()
        image = private.image()
        original = private.client.containers.create(image, ["true"], network_mode="none")
        for n in range(3):
            original.commit(f"cloudbang/old-{n}", "r1", changes=f"LABEL n={n}")
        original.commit("somebodys", "1", changes="LABEL n=9")
        original.remove()
        private.client.volumes.create("data")
        private.client.volumes.create("unused")
        private.client.containers.create(
            image, ["true"], name="shop", network_mode="none", volumes=["data:/d"]
        )
        yield private
    finally:
        private.close()


@pytest.fixture(scope="module")
def store(engine: PrivateEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    server = ServerProcess(tmp_path_factory.mktemp("storage"), {"DOCKER_HOST": engine.address})
    try:
        with Person(server.start()) as person:
            yield person
    finally:
        server.close()


@pytest.fixture
def page(store: Person, people: Callable[..., BrowserContext]) -> Page:
    return opened(people(store), store)


def opened(context: BrowserContext, store: Person) -> Page:
    page = context.new_page()
    page.goto(f"{store.server.url}/storage")
    expect(page.locator("#storage-list")).to_have_attribute("aria-busy", "false")
    return page


def test_what_takes_room_is_shown_with_who_uses_it(page: Page) -> None:
    """By kind, filtered by a word, and the address says what is seen."""
    volumes = page.locator("section", has=page.get_by_role("heading", name="Volumes"))
    data = volumes.get_by_role("row").filter(has_text="data")
    expect(data).to_contain_text("shop")
    expect(volumes.get_by_role("row").filter(has_text="unused")).to_contain_text("nobody")
    page.get_by_role("button", name="Volumes").click()
    expect(page.locator("section.storage-kind")).to_have_count(1)
    page.keyboard.press("f")
    page.keyboard.type("shop")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert "kind=volume" in page.url
    assert "q=shop" in page.url
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.keyboard.press("j")
    expect(page.locator("tbody tr")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_clean_up_takes_what_it_showed(page: Page, engine: PrivateEngine) -> None:
    """What is not ticked stays, and what others made is not among it unless it is asked for."""
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="Clean up")
    rows = dialog.locator(".clean-items li")
    expect(rows).to_have_count(3)
    dialog.get_by_label("Also what CloudBang did not make").check()
    expect(rows.filter(has_text="somebodys:1")).to_contain_text("not CloudBang's")
    dialog.get_by_label("Also what CloudBang did not make").uncheck()
    expect(rows).to_have_count(3)
    rows.filter(has_text="old-1").get_by_role("checkbox").uncheck()
    support.ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=support.ARTIFACTS / "storage-clean.png")
    engine.client.images.get("cloudbang/old-2:r1").tag("named-meanwhile", "1")
    dialog.get_by_role("button", name="Remove 2 things").click()
    expect(dialog.get_by_role("status")).to_contain_text("1 thing is gone")
    expect(rows.filter(has_text="old-2")).to_contain_text("given another name")
    dialog.get_by_role("button", name="Close").last.click()
    tags = {tag for image in engine.client.images.list() for tag in image.tags}
    assert {"cloudbang/old-1:r1", "cloudbang/old-2:r1", "somebodys:1"} <= tags
    assert "cloudbang/old-0:r1" not in tags
    images = page.locator("section", has=page.get_by_role("heading", name="Images"))
    expect(images.get_by_role("row").filter(has_text="old-1")).to_be_visible()
    expect(images.get_by_role("row").filter(has_text="old-0")).to_have_count(0)


@pytest.mark.parametrize(
    ("width", "scheme", "locale"), [(360, "dark", "zh-CN"), (1280, "light", "en")]
)
def test_it_fits(
    store: Person, people: Callable[..., BrowserContext], width: int, scheme: str, locale: str
) -> None:
    """A telephone and a desk, dark and light, Chinese and English."""
    size = {"width": width, "height": 800}
    context = people(store, viewport=size, color_scheme=scheme, locale=locale)
    page = opened(context, store)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#storage-clean").click()
    expect(page.locator(".clean-items li").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if support.PICTURES:
        page.screenshot(path=support.ARTIFACTS / f"storage-{width}-{scheme}-clean.png")
        page.keyboard.press("Escape")
        page.screenshot(path=support.ARTIFACTS / f"storage-{width}-{scheme}.png")
