"""Django's admin in a real browser: what axe says of the pages by which requests are decided.

The pages are Django's, so that only what WCAG asks for is asked of them, and not what is thought good beyond it."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser

from dev.site import Site
from tests.support.axe import WCAG, findings, looks
from tests.web.admin.conftest import LIST, Apply, change_path

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_axe_finds_nothing(site: Site, browser: Browser, admin: Client, apply: Apply) -> None:
    row = apply("maria")
    context = browser.new_context()
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": admin.cookies[name].value, "url": site.url}])
    page = context.new_page()
    found = {}
    for path in ("/admin/", LIST, change_path(row), f"{change_path(row)}../history/"):
        page.goto(site.url + path)
        for look in looks(page):
            found[path, *look] = findings(page, tags=WCAG)
    context.close()

    assert found == {where: [] for where in found}
