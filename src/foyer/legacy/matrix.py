"""The one question of the Matrix specification that a front door can answer: is this registration token good?

https://spec.matrix.org/v1.11/client-server-api/#get_matrixclientv1registermloginregistration_tokenvalidity
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from foyer.invites import queries
from foyer.invites.errors import InviteRefused
from foyer.legacy import wire


@wire.route("GET", rule="validity")
def validity(request: HttpRequest) -> HttpResponse:
    """Say whether an invitation is good at this moment. One that somebody is using up right now is not."""
    code = request.GET.get("token")
    if not code:
        return wire.error("M_MISSING_PARAM", "Missing query parameter: token")
    try:
        queries.find_live(code)
    except InviteRefused:
        return wire.answer({"valid": False})
    return wire.answer({"valid": True})
