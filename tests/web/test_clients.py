from __future__ import annotations

import pytest
from django.utils import translation

from foyer.config.clients import CLIENTS, OwnClient
from foyer.web.clients import KNOWN, deep_link, device, offer, on_the_phone

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36"
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
DEFAULT = ("element-x", "element", "cinny", "fluffychat")


def test_every_client_of_the_configuration_is_known() -> None:
    assert set(KNOWN) == set(CLIENTS)


@pytest.mark.parametrize(
    ("agent", "found"), [(IPHONE, "ios"), (ANDROID, "android"), (DESKTOP, "desktop"), ("", "desktop")]
)
def test_device_is_guessed_from_the_browser(agent: str, found: str) -> None:
    assert device(agent) == found


@pytest.mark.parametrize(("agent", "name"), [(IPHONE, "Element X"), (ANDROID, "Element X"), (DESKTOP, "Element")])
def test_offer_puts_the_app_for_this_device_first(agent: str, name: str) -> None:
    first, others = offer(DEFAULT, agent, "example.org", "maria")

    assert first is not None
    assert first.name == name
    assert {first.slug, *(app.slug for app in others)} == set(DEFAULT)


def test_deep_links_carry_server_and_name() -> None:
    assert deep_link(KNOWN["element-x"], "example.org", "maria") == (
        "https://mobile.element.io/element?account_provider=example.org&login_hint=mxid:@maria:example.org"
    )
    assert deep_link(KNOWN["cinny"], "example.org:8448", "a/b") == (
        "https://app.cinny.in/login/example.org:8448/?username=a%2Fb"
    )
    assert deep_link(KNOWN["element-x"], "example.org") == (
        "https://mobile.element.io/element?account_provider=example.org"
    )


def test_offer_of_the_owners_own_app_leads_there() -> None:
    first, others = offer((OwnClient("Our chat", "https://chat.example.org/"),), IPHONE, "example.org")

    assert first is not None
    assert (first.name, first.link) == ("Our chat", "https://chat.example.org/")
    assert others == []


def test_offer_without_any_app_is_empty() -> None:
    assert offer((), DESKTOP, "example.org") == (None, [])
    assert on_the_phone((), DESKTOP, "example.org") is None


def test_qr_code_is_for_computers_only() -> None:
    phone = on_the_phone(DEFAULT, DESKTOP, "example.org", "maria")

    assert phone is not None
    assert phone.name == "Element X"
    assert phone.code.startswith('<svg aria-hidden="true"')
    assert "style" not in phone.code
    assert on_the_phone(DEFAULT, IPHONE, "example.org", "maria") is None


def test_steps_speak_the_active_language() -> None:
    with translation.override("de"):
        first, _ = offer(DEFAULT, DESKTOP, "example.org")

    assert first is not None
    assert first.step == "Es öffnet sich in diesem Browser. Du brauchst nichts zu installieren."
