"""Django's admin in a real browser: what axe says of the pages by which requests are decided.

The pages are Django's, so that only what WCAG asks for is asked of them, and not what is thought good beyond it."""

from __future__ import annotations

from typing import Literal

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser

from dev.site import Site
from tests.support.axe import WCAG, findings
from tests.web.admin.conftest import LIST, Apply, change_path

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

Scheme = Literal["light", "dark"]


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (320, "dark"), (1280, "light"), (1280, "dark")])
def test_axe_finds_nothing(
    site: Site, browser: Browser, admin: Client, apply: Apply, width: int, scheme: Scheme
) -> None:
    row = apply("maria")
    context = browser.new_context(viewport={"width": width, "height": 720}, color_scheme=scheme)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": admin.cookies[name].value, "url": site.url}])
    page = context.new_page()
    found = {}
    for path in ("/admin/", LIST, change_path(row), f"{change_path(row)}../history/"):
        page.goto(site.url + path)
        found[path] = findings(page, tags=WCAG)
    context.close()

    assert [finding for of_page in found.values() for finding in of_page] == []
