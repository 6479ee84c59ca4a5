"""axe-core, the accessibility checker, asked about a page that is open in a browser."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Any

from playwright.sync_api import Page

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
TAGS = [*WCAG, "best-practice"]


@functools.cache
def _script() -> str:
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def findings(page: Page, *, tags: list[str] = TAGS) -> list[str]:
    """Return what axe finds wrong with the page as it stands, a line for each place.

    The script is evaluated and not added as a tag: the page's Content-Security-Policy forbids that, as it should.
    """
    page.evaluate(_script())
    found: list[dict[str, Any]] = page.evaluate(
        "tags => axe.run(document, {runOnly: tags}).then(result => result.violations)", tags
    )
    return [f"{rule['id']}: {place['html']} {place['failureSummary']}" for rule in found for place in rule["nodes"]]
