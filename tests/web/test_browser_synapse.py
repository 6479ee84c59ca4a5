"""The whole way in a real browser, to a real Synapse."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dev.site import Site
from dev.synapse import Synapse
from foyer.invites.models import Invite
from tests.conftest import Configure
from tests.support.synapse import homeserver_keys
from tests.web.conftest import CODE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.synapse]

PASSWORD = "quarzlampe nebel tragen ufer"


def test_join_in_the_browser_opens_an_account_at_synapse(
    page: Page, configure: Configure, synapse: Synapse, credentials: str, invite: Invite
) -> None:
    name = f"browser.{credentials}"
    configure(server_name=synapse.server_name, homeserver=homeserver_keys(synapse, credentials))
    with Site() as site:
        page.goto(f"{site.url}/i/{CODE}")
        page.get_by_label("User name").fill(name)
        expect(page.get_by_text("This name is free.")).to_be_visible()
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Create account").click()

        expect(page.get_by_role("heading", name="Welcome to")).to_be_visible()
        expect(page.locator("[data-address]")).to_have_text(f"@{name}:{synapse.server_name}")

    status, _ = synapse.login(name, PASSWORD)
    assert status == 200
    assert Invite.objects.get(code=CODE).used == 1


def test_name_of_somebody_at_synapse_is_taken(
    page: Page, configure: Configure, synapse: Synapse, invite: Invite
) -> None:
    synapse.register("browser.somebody", PASSWORD)
    configure(server_name=synapse.server_name, homeserver=homeserver_keys(synapse, "both"))
    with Site() as site:
        page.goto(f"{site.url}/i/{CODE}")
        page.get_by_label("User name").fill("browser.somebody")

        expect(page.get_by_text("This user name is taken.")).to_be_visible()
