"""What a page that is open in a browser looks like: axe-core is asked, on small and large screens, light and dark."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from importlib import resources
from typing import Any, Literal

from playwright.sync_api import Page

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
TAGS = [*WCAG, "best-practice"]
Scheme = Literal["light", "dark"]
LOOKS: list[tuple[int, Scheme]] = [(320, "light"), (320, "dark"), (1280, "light"), (1280, "dark")]
"""How wide the window is, and the colours that its owner prefers."""
# Colours that are still on their way to the new scheme would be judged too.
_AT_ONCE = "document.getAnimations().filter(it => it instanceof CSSTransition).forEach(it => it.finish())"


@functools.cache
def _script() -> str:
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def findings(page: Page, *, tags: list[str] = TAGS) -> list[str]:
    """Return what axe finds wrong with the page as it stands, a line for each place.

    The script is evaluated and not added as a tag: the page's Content-Security-Policy forbids that, as it should.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    found: list[dict[str, Any]] = page.evaluate(
        "tags => axe.run(document, {runOnly: tags}).then(result => result.violations)", tags
    )
    return [f"{rule['id']}: {place['html']} {place['failureSummary']}" for rule in found for place in rule["nodes"]]


def looks(page: Page) -> Iterator[tuple[int, Scheme]]:
    """Change the window to each of the LOOKS in turn, and say to which.

    The page is opened once: what it costs is opening it and making axe ready.
    """
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 720})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(_AT_ONCE)
        yield width, scheme


def faults(page: Page) -> list[str]:
    """Return what axe finds wrong in each of the looks, and in which of them the page is wider than its window."""
    found = []
    for width, scheme in looks(page):
        found += [f"{width}, {scheme}: {finding}" for finding in findings(page)]
        across = page.evaluate("document.documentElement.scrollWidth")
        if across != width:
            found.append(f"{width}, {scheme}: the page is {across} wide")
    return found
