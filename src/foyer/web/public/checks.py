"""What the join page asks while somebody types."""

from __future__ import annotations

import math
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from foyer.accounts import services as accounts
from foyer.accounts.queries import TAKEN, suggestions
from foyer.config import current
from foyer.invites.errors import InviteRefused
from foyer.kit.matrix import mxid
from foyer.kit.refusal import Refusal
from foyer.screening import limits
from foyer.screening.errors import TooMany
from foyer.web import edge
from foyer.web.errors import allow
from foyer.web.strength import judge


@allow("GET")
def available(request: HttpRequest) -> HttpResponseBase:
    """Tell the holder of a live invitation whether a name is free, and names like it that are."""
    code, username = request.GET.get("token", ""), request.GET.get("username", "")
    try:
        limits.check("availability", edge.client(request))
        localpart = accounts.check_name(code, username)
    except Refusal as refusal:
        if refusal.field != "username":
            return _refused(refusal)
        near = suggestions(code, username) if refusal.code in TAKEN else []
        return _json({"available": False, "code": refusal.code, "sentence": str(refusal), "suggestions": near})
    return _json({"available": True, "username": localpart, "address": mxid(localpart, current().server_name)})


@allow("POST")
def strength(request: HttpRequest) -> HttpResponseBase:
    """Say how good a password is. It is looked at and forgotten; it never refuses anybody."""
    try:
        limits.check("strength", edge.client(request))
    except TooMany as refusal:
        return _refused(refusal)
    config = current()
    related = [request.POST.get("username", "")[:255], config.server_name, config.display_name]
    found = judge(request.POST.get("password", ""), related)
    return _json({"score": found.score, "words": found.words, "advice": found.advice})


def _json(content: dict[str, Any], status: int = 200) -> HttpResponse:
    response = JsonResponse(content, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _refused(refusal: Refusal) -> HttpResponse:
    status = 403 if isinstance(refusal, InviteRefused) else refusal.status
    response = _json({"code": refusal.code, "sentence": str(refusal)}, status)
    if wait := getattr(refusal, "retry_after", 0):
        response["Retry-After"] = str(math.ceil(wait))
    return response
