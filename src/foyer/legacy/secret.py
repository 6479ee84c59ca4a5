"""The one secret that opens the predecessor's API: `Authorization: SharedSecret <api.legacy_shared_secret>`."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Callable
from typing import Concatenate, ParamSpec

import structlog
from django.http import HttpRequest, HttpResponse

from foyer.config import current
from foyer.legacy import wire
from foyer.screening import limits

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

SCHEME = "sharedsecret"
CHALLENGE = 'SharedSecret realm="Authentication Required"'
log = structlog.get_logger(__name__)


def secret_required(view: View[P]) -> View[P]:
    """Let only those in who know the secret; wrong ones count, and after too many none is looked at for a while."""

    @functools.wraps(view)
    def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        limits.require("wrong-secret", wire.client(request))
        if _is_right(request):
            return view(request, *args, **kwargs)
        limits.check("wrong-secret", wire.client(request))
        response = wire.error("MR_BAD_SECRET", "wrong shared secret", 401)
        response["WWW-Authenticate"] = CHALLENGE
        return response

    return inner


def _is_right(request: HttpRequest) -> bool:
    secret = current().api.legacy_shared_secret
    if secret is None:
        log.warning(
            "matrix-registration's API was called, and it is closed",
            remedy="Set api.legacy_shared_secret in foyer.yaml to open it.",
        )
        return False
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    # WSGI gives the bytes of a header as latin-1.
    is_same = hmac.compare_digest(given.strip().encode("latin-1", "replace"), secret.get_secret_value().encode())
    return scheme.lower() == SCHEME and is_same
