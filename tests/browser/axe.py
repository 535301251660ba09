"""axe-core in a page of the tests: what it finds on what is shown, in both themes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.support import ROOT

SCRIPT = ROOT / "node_modules/axe-core/axe.min.js"
_RUN = """async ([only, within]) => {
    const options = { resultTypes: ['violations'], elementRef: false };
    if (only) options.runOnly = { type: 'rule', values: only };
    const { violations } = await axe.run(within ?? document, options);
    return violations.flatMap(({ id, impact, nodes }) =>
        nodes.map(({ target, html, failureSummary, any }) => ({
            rule: `${id} (${impact})`, html: html.slice(0, 200),
            at: [target, ...any.flatMap(({ relatedNodes }) => relatedNodes.map((one) => one.target))]
                .map((one) => one.flat().join(' ')).join(', '),
            why: failureSummary.split('\\n').slice(1).join(' ').trim(),
        })));
}"""


@cache
def _script() -> str:
    return SCRIPT.read_text()


def found(page: Page, where: str, within: str | None = None, only: Sequence[str] = ()) -> list[str]:
    """What is wrong with what the page shows now, light and dark, a sentence each: on all of it, or
    in what a selector finds. Everything, or ``only`` these rules, is looked for once; what a theme
    changes, in both."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    said = []
    themes: tuple[tuple[Any, Sequence[str]], ...] = (("light", only), ("dark", ["color-contrast"]))
    for theme, rules in themes[:1] if only else themes:
        page.emulate_media(color_scheme=theme)
        said += [
            f"{where}, {theme}: {one['rule']} at {one['at']}: {one['why']} {one['html']}"
            for one in page.evaluate(_RUN, [rules or None, within])
        ]
    page.emulate_media(color_scheme="light")
    return said
