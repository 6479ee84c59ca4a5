"""Every address of Foyer, on one screen."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, URLResolver, path
from django.urls.resolvers import RegexPattern

from foyer.legacy import matrix, register, tokens, tokens_07
from foyer.web import health, seen
from foyer.web.errors import allow
from foyer.web.public import branding, checks, join, landing, welcome


@allow("GET", "POST", "OPTIONS")
def register_door(request: HttpRequest) -> HttpResponseBase:
    """One address, two kinds of visitor: browsers get pages, programs get the predecessor's JSON."""
    if request.method == "OPTIONS":
        return register.preflight(request)
    if request.method != "POST":
        return join.page(request)
    wants_page = "text/html" in request.META.get("HTTP_ACCEPT", "")
    return join.submit(request) if wants_page else register.submit(request)


def _below(words: str, urls: str) -> URLResolver:
    """Ask the map in the module `urls` for what is below these words: it is read when somebody first asks for it.

    The door opens half a second sooner without the pages of staff, and a process that none of them uses stays smaller.
    """
    return URLResolver(RegexPattern(rf"^(?=(?:{words})(?:/|$))"), urls)


urlpatterns: list[URLPattern | URLResolver] = [
    path("", landing.page),
    path("i/<str:code>", join.invitation),
    path("register", register_door),
    path("register/available", checks.available),
    path("register/strength", checks.strength),
    path("register/apps", welcome.apps),
    path("register/theme.css", branding.theme),
    path("register/icon.svg", branding.icon),
    path("register/logo", branding.logo),
    path("register/welcome/<str:key>", welcome.page),
    path("register/seen/<str:key>", seen.seen),
    _below("apply", "foyer.web.apply.urls"),
    _below("check-username|email-input|verify-email|complete-registration|set-password", "foyer.web.apply.old"),
    _below("desk|admin", "foyer.web.staff.urls"),
    _below("desk", "foyer.web.desk.urls"),
    # matrix-registration's API: of 0.9, then of 0.7 and 0.8
    path("api/token", tokens.collection),
    path("api/token/<str:name>", tokens.item),
    path("api/version", tokens.version),
    path("token", tokens_07.collection),
    path("token/<str:name>", tokens_07.item),
    path("health", health.predecessors),
    path("_matrix/client/v1/register/m.login.registration_token/validity", matrix.validity),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", health.metrics),
]
handler400 = "foyer.web.errors.bad_request"
handler403 = "foyer.web.errors.forbidden"
handler404 = "foyer.web.errors.not_found"
handler429 = "foyer.web.staff.pages.too_many"  # allauth asks for it
handler500 = "foyer.web.errors.server_error"
