"""What somebody has the focus on, holds open, has selected or is about to press is still that when live
data comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.support import ServerProcess, wait_until
from tests.terminal_support import Person, known

pytestmark = [pytest.mark.browser, pytest.mark.engine]

# A list of three, of which one is drawn anew in many ways; what is left of what was held.
REDRAWN = """async () => {
  const { h, setChildren, keepFocus } = await import('/static/js/lib/dom.js');
  const { redraw } = await import('/static/js/lib/redraw.js');
  const { confirmButton } = await import('/static/js/lib/list_item.js');
  const list = h('ul');
  document.body.append(list);
  const did = [];
  const row = (key, { text = '', verb = 'Stop', open = false, more = null } = {}) =>
    h('li', { dataset: { key } },
      h('b', null, key), h('span', null, text),
      h('details', { open }, h('summary', null, `More ${text}`), h('p', null, 'what it says')),
      h('a', { href: `/apps/${key}` }, text || key),
      h('input', { 'aria-label': 'Note' }), h('input', { type: 'checkbox', 'aria-label': 'Choose' }),
      h('button', { onclick: () => did.push(`${verb} ${key} ${text}`) }, verb),
      confirmButton('Delete', `Delete ${key}`, async () => did.push(`deleted ${key} ${text}`)),
      more && h('div', { dataset: { as: more } }, h('i', null, more)));
  const at = (key, what) => list.querySelector(`[data-key="${key}"] ${what}`);
  const result = {};

  redraw(list, ['a', 'b', 'c'].map((key) => row(key)));
  const [b, button, link, note] =
    ['b', 'button:not(.danger)', 'a', 'input'].map((what) => at('b', what));
  const rowB = list.children[1];
  const details = at('b', 'details');
  details.open = true;
  note.value = 'half of a wo';
  button.focus();
  redraw(list, [row('new'), row('c'), row('b', { text: 'again' }), row('a')]);
  result.focus = document.activeElement === button;
  result.same = [at('b', 'b') === b, at('b', 'a') === link, at('b', 'input') === note];
  result.said = [at('b', 'span').textContent, link.textContent];
  result.open = details.isConnected && details.open;
  result.typed = note.value;
  result.order = [...list.children].map((one) => one.dataset.key).join('');
  button.click();
  result.did = [...did];

  // What is selected stays selected, though the rows before it come and go.
  getSelection().selectAllChildren(b);
  document.activeElement.blur();
  redraw(list, [row('b', { text: 'third' }), row('c'), row('d')]);
  result.selected = getSelection().toString();
  getSelection().empty();

  // Another verb never comes below a hand: who was at the one that is gone is at its row.
  button.focus();
  redraw(list, [row('b', { verb: 'Start' }), row('c'), row('d')]);
  result.verb = [button.isConnected, document.activeElement === rowB];
  redraw(list, [row('b', { verb: 'Start', text: 'more' }), row('c'), row('d')]);
  result.place = document.activeElement === rowB;
  redraw(list, [row('c'), row('d')]);
  result.gone = document.activeElement === document.body;

  // Who is asked whether that was meant is still asked.
  const sure = at('c', '.danger');
  sure.focus();
  sure.click();
  redraw(list, [row('c', { text: 'later' }), row('d')]);
  result.sure = [sure.isConnected, sure.dataset.sure, sure.textContent];
  sure.blur();
  redraw(list, [row('c', { text: 'later' }), row('d')]);
  result.forgot = sure.textContent;

  // What is filled when it is opened stays whole while it is of the same.
  redraw(list, [row('c', { more: 'one' })]);
  at('c', '[data-as]').append('filled');
  redraw(list, [row('c', { more: 'one', text: 'x' })]);
  result.as = at('c', '[data-as]').textContent;
  redraw(list, [row('c', { more: 'two' })]);
  result.other = at('c', '[data-as]').textContent;

  // Rows that are kept: neither a new order nor another list takes the focus.
  const kept = ['a', 'b', 'c'].map((key) => h('li', null, h('button', null, key)));
  setChildren(list, kept);
  const last = kept[2].firstChild;
  last.focus();
  let blurred = 0;
  last.addEventListener('blur', () => blurred++);
  setChildren(list, [kept[2], kept[0], kept[1]]);
  setChildren(list, [kept[1], kept[2], kept[0]]);
  result.moved = [document.activeElement === last, blurred,
    [...list.children].map((one) => one.textContent).join('')];
  const other = h('ul');
  list.after(other);
  keepFocus(() => { setChildren(list, [kept[1]]); setChildren(other, [kept[2]]); });
  result.elsewhere = document.activeElement === last;
  list.remove();
  other.remove();
  return result;
}"""


def test_what_is_drawn_anew_takes_the_place_of_what_says_the_same(
    people: Callable[..., BrowserContext], house: ServerProcess
) -> None:
    page = people(None).new_page()
    page.goto(f"{house.url}/sign-in")
    assert page.evaluate(REDRAWN) == {
        "focus": True,
        "same": [True, True, True],
        "said": ["again", "again"],
        "open": True,
        "typed": "half of a wo",
        "order": "newcba",
        "did": ["Stop b again"],
        "selected": "b",
        "verb": [False, True],
        "place": True,
        "gone": True,
        "sure": [True, "yes", "Really?"],
        "forgot": "Delete",
        "as": "onefilled",
        "other": "two",
        "moved": [True, 0, "bca"],
        "elsewhere": True,
    }


LOGGED = (
    "while sleep 0.2; do "
    """echo '{"msg":"no room","at":{"disk":{"name":"sda","of":{"rack":1}}},"level":"error"}'; done"""
)


@pytest.fixture
def another(
    docker_client: docker.DockerClient, image: str, house: ServerProcess
) -> Iterator[Callable[[str, str], Any]]:
    """Runs one more container, as whatever happens to others while somebody reads."""
    made = []

    def run(name: str, command: str = "sleep 1000") -> Any:
        one = docker_client.containers.run(
            image,
            ["sh", "-c", command],
            detach=True,
            network_mode="none",
            labels={"cloudbang.test": "held", "cloudbang.app": name},
        )
        made.append(one)
        known(house, name)
        return one

    yield run
    for one in made:
        one.remove(force=True)


HOLD = "(element) => { window.held = element; element.focus(); }"
STILL = "() => window.held.isConnected && document.activeElement === window.held"


def test_who_is_at_an_instance_is_there_when_others_come(
    tab: Page, house: ServerProcess, another: Callable[..., Any]
) -> None:
    for _ in range(2):
        another("held-two")
    tab.goto(house.url)
    tab.locator('[data-app="held-two"] .app-toggle').click()
    row = tab.locator(".instance-row").first
    row.locator("a.app-link").evaluate(HOLD)
    row.locator(".mono.faint").evaluate("(one) => getSelection().selectAllChildren(one)")
    selected = tab.evaluate("getSelection().toString()")
    another("held-later")
    another("held-two")
    expect(tab.locator(".instance-row")).to_have_count(3)
    expect(tab.locator('[data-app="held-later"]')).to_be_visible()
    assert tab.evaluate(STILL)
    assert tab.evaluate("getSelection().toString()") == selected != ""


def test_a_line_that_comes_again_stays_as_it_was_opened(
    tab: Page, house: ServerProcess, another: Callable[..., Any]
) -> None:
    another("held-log", LOGGED)
    tab.goto(f"{house.url}/apps/held-log")
    again = tab.locator(".row-again")
    expect(again).to_be_visible()
    row = tab.locator(".row", has=again)
    row.locator(".row-text").click()
    closed = row.locator("details.tree-branch:not([open])").first
    closed.evaluate("(one) => { window.branch = one; }")
    closed.locator("summary").click()
    expect(row.locator("details.tree-branch")).to_have_count(3)
    row.get_by_role("button", name="Copy link").evaluate(HOLD)
    before = again.text_content()
    expect(again).not_to_have_text(before or "")
    assert tab.evaluate("window.branch.isConnected && window.branch.open")
    assert tab.evaluate(STILL)


def test_a_menu_that_is_filled_up_leaves_who_is_in_it(tab: Page, owner: Person) -> None:
    """Apps that only have logs are asked for when the menu is opened, and come a moment later."""
    asked: list[Route] = []
    tab.route("**/api/v1/apps?state=gone*", lambda route: asked.append(route))
    tab.goto(f"{owner.server.url}/search")
    tab.locator("#search-apps").click()
    first = tab.locator("#search-apps-menu input").first
    first.evaluate(HOLD)
    wait_until(lambda: (tab.wait_for_timeout(20), bool(asked))[1], 20, "the menu to ask")
    asked[0].fulfill(json={"apps": [{"name": "long-gone"}]})
    expect(tab.locator("#search-apps-menu")).to_contain_text("long-gone")
    assert tab.evaluate(STILL)
