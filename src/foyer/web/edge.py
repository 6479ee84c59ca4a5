"""What the middleware notes on every request, for the views to ask for."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest

from foyer.kit.client_ip import ClientAddress
from foyer.web.language import Language

ENGLISH = Language("en")
NOBODY = ClientAddress("0.0.0.0", is_known=False)  # noqa: S104 - stands for no IP, not for a place to listen


def request_id(request: HttpRequest) -> str:
    """Return the id that stands in the answer's X-Request-Id and in the log."""
    return cast("str", getattr(request, "id", "-"))


def language(request: HttpRequest) -> Language:
    """Return the language of the answer."""
    return cast("Language", getattr(request, "language", ENGLISH))


def client(request: HttpRequest) -> ClientAddress:
    """Return where the request comes from."""
    return cast("ClientAddress", getattr(request, "client", NOBODY))


def root(request: HttpRequest) -> str:
    """Return what leads from the request's path to where Foyer begins: `""`, `../`, `../../`.

    Links made with it hold behind every proxy and under every path prefix, without anybody being told of them.
    """
    return "../" * (request.path_info.count("/") - 1)
