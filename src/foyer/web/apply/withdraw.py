"""Withdrawing a request, behind a page that asks once more."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from foyer.applications import services
from foyer.applications.errors import WrongState
from foyer.kit.refusal import Refusal
from foyer.web.apply.stage import Visit, go_on, of_one_request, show, too_many, trouble
from foyer.web.apply.status import NOT_WITHDRAWABLE, NOT_WITHDRAWN
from foyer.web.errors import allow


@allow("GET", "POST")
@of_one_request
def page(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Ask whether it is meant; where it is, withdraw."""
    if visit.application.state in NOT_WITHDRAWABLE:
        return go_on(request, visit, f"?sent={NOT_WITHDRAWN}" if request.method == "POST" else None)
    if request.method != "POST":
        return _ask(request, visit)
    refusal: Refusal | None = too_many(request, "reply")
    if refusal is None:
        try:
            services.withdraw(visit.application)
        except WrongState:
            return go_on(request, visit.again(), f"?sent={NOT_WITHDRAWN}")
        except Refusal as error:
            refusal = error
        else:
            return go_on(request, visit.again())
    return _ask(request, visit, refusal)


def _ask(request: HttpRequest, visit: Visit, refusal: Refusal | None = None) -> HttpResponse:
    return show(request, visit, "apply/withdraw.html", "/withdraw", refusal=refusal, trouble=trouble(refusal))
