"""The second step, an email: with it the request begins. And correcting it, as long as nothing is decided."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from foyer.accounts.rules import allowed_localpart
from foyer.applications import services
from foyer.applications.errors import DoorClosed, EmailUnchanged, WrongState
from foyer.kit.refusal import Refusal
from foyer.web import edge
from foyer.web.apply import traps
from foyer.web.apply.asking import ask_email, ask_name
from foyer.web.apply.stage import (
    CORRECTABLE,
    Visit,
    closed,
    go_on,
    is_open,
    of_one_request,
    show,
    too_many,
    trouble,
)
from foyer.web.errors import allow
from foyer.web.forms import by_field, errors_of
from foyer.web.pages import go_to


@allow("GET", "POST")
def page(request: HttpRequest) -> HttpResponseBase:
    """Ask for the email; begin the request, and go on to the code."""
    if not is_open():
        return closed(request)
    form = request.POST if request.method == "POST" else None
    username = form.get("username", "") if form is not None else request.GET.get("name", "")
    email = form.get("email", "") if form is not None else ""
    try:
        localpart = allowed_localpart(username)
    except Refusal:
        if form is not None and (refusal := too_many(request, "availability")):
            return ask_name(request, username, email=email.strip(), refusal=refusal)
        return go_to(request, "apply" + edge.language(request).query)
    if form is None:
        return ask_email(request, localpart, "")
    if form.get("go") != "name":
        return _begin(request, localpart, email)
    if refusal := too_many(request, "availability"):
        return ask_email(request, localpart, email, refusal)
    return ask_name(request, localpart, email=email.strip())


def _begin(request: HttpRequest, localpart: str, email: str) -> HttpResponseBase:
    refusal: Refusal | None = too_many(request, "apply")
    if refusal is None:
        client = edge.client(request)
        try:
            started = services.start(
                localpart,
                email,
                ip=client.ip if client.is_known else None,
                language=edge.language(request).code,
                traps=traps.sprung(request.POST),
            )
        except DoorClosed:
            return closed(request)
        except Refusal as error:
            refusal = error
        else:
            return go_to(request, f"apply/{started.key}/verify{edge.language(request).query}")
    return ask_email(request, localpart, email, refusal)


@allow("GET", "POST")
@of_one_request
def correct(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Take another email for this request, and go on to its code."""
    if visit.application.state not in CORRECTABLE:
        return go_on(request, visit)
    if request.method != "POST":
        return _ask_again(request, visit, visit.application.email_to_prove)
    email = request.POST.get("email", "")
    refusal: Refusal | None = too_many(request, "resend")
    if refusal is None:
        try:
            services.correct_email(visit.application, email)
        except WrongState:
            return go_on(request, visit.again())
        except EmailUnchanged as error:
            if not visit.application.awaits_proof:
                return _ask_again(request, visit, email, error)
            return go_on(request, visit, "/verify")
        except Refusal as error:
            refusal = error
        else:
            return go_on(request, visit.again(), "/verify")
    return _ask_again(request, visit, email, refusal)


def _ask_again(request: HttpRequest, visit: Visit, email: str, refusal: Refusal | None = None) -> HttpResponse:
    in_field = refusal if refusal is not None and refusal.field == "email" else None
    errors = errors_of([in_field] if in_field else [])
    return show(
        request,
        visit,
        "apply/correct.html",
        "/email",
        refusal=refusal,
        email=email.strip(),
        errors=errors,
        errors_by_field=by_field(errors, ["email"]),
        trouble="" if in_field else trouble(refusal),
    )
