"""The apps that people can sign in with, and which of them fits the device in hand.

Element X takes server and name from its link (https://mobile.element.io), Cinny takes them from its path; the others
must be told the server by hand.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode

import segno
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from markupsafe import Markup

from foyer.config.clients import OwnClient

Platform = Literal["ios", "android", "web", "desktop"]

RUNS_ON = {
    "ios": "iPhone, iPad",
    "android": "Android",
    "web": gettext_lazy("in the browser"),
    "desktop": gettext_lazy("on the computer"),
}


@dataclass(frozen=True, slots=True)
class Client:
    """An app we know. `platforms` is in the order in which it is best; `fills_in`: its link carries server and name."""

    slug: str
    name: str
    home: str
    platforms: tuple[Platform, ...]
    fills_in: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """An app as a page shows it to one person on one device."""

    slug: str
    name: str
    link: str
    runs_on: str
    step: str
    fills_in: bool


@dataclass(frozen=True, slots=True)
class Phone:
    """An app for the phone, and the QR code of the link to it."""

    name: str
    code: Markup


KNOWN = {
    client.slug: client
    for client in (
        Client("element-x", "Element X", "https://mobile.element.io/element", ("ios", "android"), fills_in=True),
        Client("element", "Element", "https://app.element.io/#/login", ("web", "desktop")),
        Client("fluffychat", "FluffyChat", "https://fluffychat.im/", ("android", "ios", "web", "desktop")),
        Client("cinny", "Cinny", "https://app.cinny.in/", ("web", "desktop"), fills_in=True),
        Client("nheko", "Nheko", "https://nheko-reborn.github.io/", ("desktop",)),
        Client("schildichat", "SchildiChat", "https://schildi.chat/", ("android", "web", "desktop")),
    )
}


def device(user_agent: str) -> Platform:
    """Guess what a page is read on: `ios`, `android`, or else `desktop`."""
    if "iPhone" in user_agent or "iPad" in user_agent:
        return "ios"
    return "android" if "Android" in user_agent else "desktop"


def deep_link(client: Client, server_name: str, localpart: str = "") -> str:
    """Return the link that opens an app, with server and name filled in where the app can take them."""
    if client.slug == "element-x":
        hint = {"login_hint": f"mxid:@{localpart}:{server_name}"} if localpart else {}
        return f"{client.home}?{urlencode({'account_provider': server_name, **hint}, safe=':@')}"
    if client.slug == "cinny":
        name = f"?{urlencode({'username': localpart})}" if localpart else ""
        return f"{client.home}login/{quote(server_name, safe=':')}/{name}"
    return client.home


def _own(own: OwnClient) -> Client:
    return Client(slug="", name=own.name, home=own.url, platforms=("web",))


def _step(client: Client, on: Platform) -> str:
    if on == "desktop" and "web" in client.platforms:
        return _("It opens in this browser. There is nothing to install.")
    return _("Install the app if you do not have it yet, then come back and press the button again.")


def _shown(client: Client, on: Platform, server_name: str, localpart: str) -> Shown:
    return Shown(
        slug=client.slug,
        name=client.name,
        link=deep_link(client, server_name, localpart),
        runs_on=" · ".join(str(RUNS_ON[platform]) for platform in client.platforms),
        step=_step(client, on),
        fills_in=client.fills_in,
    )


def _runs_on(client: Client, on: Platform) -> bool:
    return on in client.platforms or (on == "desktop" and "web" in client.platforms)


def _wanted(clients: Iterable[str | OwnClient]) -> list[Client]:
    return [_own(client) if isinstance(client, OwnClient) else KNOWN[client] for client in clients]


def offer(
    clients: Iterable[str | OwnClient], user_agent: str, server_name: str, localpart: str = ""
) -> tuple[Shown | None, list[Shown]]:
    """Return the app that fits the device best, by the owner's order, and all the others."""
    on = device(user_agent)
    wanted = _wanted(clients)
    first = next((client for client in wanted if _runs_on(client, on)), wanted[0] if wanted else None)
    rest = sorted((client for client in wanted if client is not first), key=lambda it: not _runs_on(it, on))
    shown = [_shown(client, on, server_name, localpart) for client in rest]
    return (_shown(first, on, server_name, localpart) if first else None), shown


def on_the_phone(
    clients: Iterable[str | OwnClient], user_agent: str, server_name: str, localpart: str = ""
) -> Phone | None:
    """Return what takes somebody at a computer on to their phone; None on a phone, or without an app for one."""
    client = next((client for client in _wanted(clients) if {"ios", "android"} & {*client.platforms}), None)
    if client is None or device(user_agent) != "desktop":
        return None
    return Phone(client.name, _qr_code(deep_link(client, server_name, localpart)))


@functools.lru_cache(maxsize=64)
def _qr_code(link: str) -> Markup:
    """Draw a QR code. It takes ten times as long as the rest of the page."""
    code = segno.make(link, error="m", micro=False)
    drawn = code.svg_inline(border=3, omitsize=True, svgclass=None, lineclass=None)
    # segno writes nothing but numbers and names of its own; nothing of the link's text. The words beside it say all.
    return Markup(drawn.replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704
