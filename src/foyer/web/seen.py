"""How a request arrives here, told to `foyer doctor` alone: whatever stands in between shows in it."""

from __future__ import annotations

from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponseBase, JsonResponse

import foyer
from foyer.web import edge
from foyer.web.errors import FORBIDDEN, allow, answer

GOOD_FOR_SECONDS = 60
SALT = "foyer.web.seen"
SUBJECT = "doctor"


def new_key() -> str:
    """Return a key that opens `/register/seen/KEY` for a minute, at this Foyer and no other."""
    return TimestampSigner(salt=SALT).sign(SUBJECT)


@allow("GET")
def seen(request: HttpRequest, key: str) -> HttpResponseBase:
    """Say whom the request came from, as far as it shows."""
    try:
        TimestampSigner(salt=SALT).unsign(key, max_age=GOOD_FOR_SECONDS)
    except BadSignature:
        return answer(request, FORBIDDEN)
    client = edge.client(request)
    told = {
        "version": foyer.__version__,
        "peer": request.META.get("REMOTE_ADDR", ""),
        "forwarded_for": request.META.get("HTTP_X_FORWARDED_FOR", ""),
        "client": client.ip,
        "is_known": client.is_known,
    }
    response = JsonResponse(told)
    response["Cache-Control"] = "no-store"
    return response
