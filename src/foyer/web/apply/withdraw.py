"""Withdrawing a request, behind a page that asks once more."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from foyer.applications import services
from foyer.applications.errors import WrongState
from foyer.applications.models import State
from foyer.kit.refusal import Refusal
from foyer.web.apply.stage import Visit, go_on, of_one_request, show, too_many, trouble
from foyer.web.errors import allow

NOT_FROM = frozenset({State.DONE, State.DENIED, State.EXPIRED, State.WITHDRAWN})


@allow("GET", "POST")
@of_one_request
def page(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Ask whether it is meant; where it is, withdraw."""
    if visit.application.state in NOT_FROM:
        return go_on(request, visit)
    if request.method != "POST":
        return _ask(request, visit)
    refusal: Refusal | None = too_many(request, "reply")
    if refusal is None:
        try:
            services.withdraw(visit.application)
        except WrongState:
            return go_on(request, visit.again())
        except Refusal as error:
            refusal = error
        else:
            return go_on(request, visit.again())
    return _ask(request, visit, refusal)


def _ask(request: HttpRequest, visit: Visit, refusal: Refusal | None = None) -> HttpResponse:
    return show(request, visit, "apply/withdraw.html", "/withdraw", refusal=refusal, trouble=trouble(refusal))
