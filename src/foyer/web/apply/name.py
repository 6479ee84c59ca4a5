"""The first step, a name; and the same again once the email is proven, where it may be said which names are free."""

from __future__ import annotations

import math
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from foyer.accounts.queries import TAKEN
from foyer.accounts.rules import allowed_localpart
from foyer.applications import services, welcome
from foyer.applications.errors import WrongState
from foyer.applications.models import State
from foyer.config import current
from foyer.kit.matrix import mxid, parse_localpart
from foyer.kit.refusal import Refusal
from foyer.web import edge
from foyer.web.apply.asking import as_meant, ask_email, ask_name
from foyer.web.apply.stage import Visit, closed, go_on, is_open, of_one_request, show, too_many, trouble
from foyer.web.errors import allow
from foyer.web.forms import by_field, errors_of
from foyer.web.pages import go_to


@allow("GET", "POST")
def page(request: HttpRequest) -> HttpResponseBase:
    """Ask for a name; take it, and go on to the email."""
    if not is_open():
        return closed(request)
    if request.method != "POST":
        return ask_name(request, request.GET.get("name", ""))
    username, email = request.POST.get("username", ""), request.POST.get("email", "")
    if refusal := too_many(request, "availability"):
        return ask_name(request, username, email=email, refusal=refusal)
    try:
        localpart = allowed_localpart(username)
        welcome.require(name=localpart)
    except Refusal as error:
        return ask_name(request, username, email=email, refusal=error)
    if email:
        # What was typed on the next step comes along in the form: no address may hold it.
        return ask_email(request, localpart, email)
    chosen = edge.language(request).chosen
    return go_to(request, f"apply/email?name={localpart}" + (f"&lang={chosen}" if chosen else ""))


@allow("GET", "POST")
@of_one_request
def again(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Choose another name: the one that was wished for is lost, or not wished for any more."""
    if visit.application.state != State.VERIFIED:
        return go_on(request, visit)
    if request.method != "POST":
        return _ask_again(request, visit, visit.application.localpart or _lost(request))
    username = request.POST.get("username", "")
    refusal: Refusal | None = too_many(request, "reply")
    if refusal is None:
        try:
            services.choose_name(visit.application, username)
        except WrongState:
            return go_on(request, visit.again())
        except Refusal as error:
            refusal = error
        else:
            return go_on(request, visit.again())
    return _ask_again(request, visit, username, refusal)


def _lost(request: HttpRequest) -> str:
    """Return the name that was lost, which the row has no more: the address of the page says it, once."""
    try:
        return parse_localpart(request.GET.get("lost", ""), current().server_name)
    except Refusal:
        return ""


def _ask_again(request: HttpRequest, visit: Visit, username: str, refusal: Refusal | None = None) -> HttpResponse:
    lost = "" if visit.application.localpart or request.method == "POST" else _lost(request)
    in_field = refusal if refusal is not None and refusal.field == "username" else None
    errors = errors_of([in_field] if in_field else [])
    wants_others = bool(lost) or (in_field is not None and in_field.code in TAKEN)
    return show(
        request,
        visit,
        "apply/rename.html",
        "/name",
        refusal=refusal,
        username=as_meant(username),
        lost=lost,
        may_leave=bool(visit.application.localpart),
        errors=errors,
        errors_by_field=by_field(errors, ["username"]),
        trouble="" if in_field else trouble(refusal),
        suggestions=services.suggestions(visit.application, as_meant(username)) if wants_others else [],
    )


@allow("GET")
@of_one_request
def available(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Tell somebody whose email is proven whether a name is free, and names like it that are."""
    username = request.GET.get("username", "")
    refusal: Refusal | None = too_many(request, "availability")
    if refusal is None:
        try:
            localpart = services.check_name(visit.application, username)
        except Refusal as error:
            refusal = error
        else:
            return _json({"available": True, "username": localpart, "address": mxid(localpart, current().server_name)})
    if refusal.field != "username":
        return _json({"code": refusal.code, "sentence": str(refusal)}, refusal)
    near = services.suggestions(visit.application, as_meant(username)) if refusal.code in TAKEN else []
    return _json({"available": False, "code": refusal.code, "sentence": str(refusal), "suggestions": near})


def _json(content: dict[str, Any], refusal: Refusal | None = None) -> HttpResponse:
    response = JsonResponse(content, status=refusal.status if refusal else 200)
    response["Cache-Control"] = "no-store"
    if wait := getattr(refusal, "retry_after", 0):
        response["Retry-After"] = str(math.ceil(wait))
    return response
