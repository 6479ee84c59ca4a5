"""The owner's colour, icon and logo, from our own origin."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponseBase

from foyer.web import branding
from foyer.web.errors import allow
from foyer.web.pages import serve

# A picture may style itself; it may do nothing else, also when it is opened by itself.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


@allow("GET")
def theme(request: HttpRequest) -> HttpResponseBase:
    """Show the stylesheet with the owner's accent colour."""
    return serve(request, branding.theme())


@allow("GET")
def icon(request: HttpRequest) -> HttpResponseBase:
    """Show the sign in the browser's tab."""
    return serve(request, branding.icon())


@allow("GET")
def logo(request: HttpRequest) -> HttpResponseBase:
    """Show the owner's logo.

    Raises:
        Http404: there is none.
    """
    picture = branding.logo()
    if picture is None:
        raise Http404
    response = serve(request, picture)
    response["Content-Security-Policy"] = PICTURE_POLICY
    return response
