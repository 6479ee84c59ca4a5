"""After the door: the welcome page, and the apps that lead in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from foyer.accounts.queries import rooms_of
from foyer.config import current
from foyer.kit.matrix import mxid
from foyer.web.clients import offer, on_the_phone
from foyer.web.errors import allow
from foyer.web.pages import kept, render

SALT = "foyer.welcome"
LONGEST_KEY = 1000


@dataclass(frozen=True, slots=True)
class Room:
    """A room as the page names it."""

    name: str
    link: str


def path_of(localpart: str) -> str:
    """Return the path of somebody's welcome page. The key in it is signed, lasts, and tells only the name."""
    return f"register/welcome/{signing.Signer(salt=SALT).sign_object(localpart)}"


def _localpart_in(key: str) -> str:
    if len(key) > LONGEST_KEY:
        raise Http404
    try:
        return str(signing.Signer(salt=SALT).unsign_object(key))
    except (signing.BadSignature, ValueError):
        raise Http404 from None


@allow("GET")
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show somebody their new address and the way in.

    Raises:
        Http404: the key is not one of ours.
    """
    localpart = _localpart_in(key)
    config = current()
    return render(
        request,
        "welcome.html",
        secret=True,
        localpart=localpart,
        address=mxid(localpart, config.server_name),
        welcome_message=config.after.welcome_message or "",
        rooms=[_room(name) for name in rooms_of(localpart)],
        **apps_for(request, localpart),
    )


@allow("GET")
def apps(request: HttpRequest) -> HttpResponseBase:
    """Show the apps to somebody who has an account."""
    response = render(request, "apps.html", **apps_for(request))
    patch_vary_headers(response, ["User-Agent"])
    return kept(request, response)


def apps_for(request: HttpRequest, localpart: str = "") -> dict[str, Any]:
    """Return the apps that lead in on this device: the `first`, the `others`, and the way to the `phone`."""
    config = current()
    agent = request.META.get("HTTP_USER_AGENT", "")[:500]
    first, others = offer(config.after.clients, agent, config.server_name, localpart)
    phone = on_the_phone(config.after.clients, agent, config.server_name, localpart)
    return {"first": first, "others": others, "phone": phone}


def _room(name: str) -> Room:
    """Name a room. Here at home `#garden` says as much as `#garden:example.org`."""
    shown = name.removesuffix(f":{current().server_name}") if name.startswith("#") else name
    return Room(shown, f"https://matrix.to/#/{quote(name, safe='!:')}")
