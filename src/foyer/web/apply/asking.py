"""The forms of the first two steps. Nothing is kept yet, so each carries along what was typed on the other."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from foyer.applications import queries
from foyer.config import current
from foyer.kit.matrix import mxid
from foyer.kit.refusal import Refusal
from foyer.web import edge
from foyer.web.apply import traps
from foyer.web.apply.stage import status_of, trouble, with_wait
from foyer.web.forms import by_field, errors_of
from foyer.web.pages import render


def ask_name(request: HttpRequest, username: str, *, email: str = "", refusal: Refusal | None = None) -> HttpResponse:
    """Show the first step."""
    in_field = refusal if refusal is not None and refusal.field == "username" else None
    response = render(
        request,
        "apply/name.html",
        status=status_of(refusal),
        secret=True,
        username=as_meant(username),
        email=email,
        errors=errors_of([in_field] if in_field else []),
        trouble="" if in_field else trouble(refusal),
        usual_wait=queries.typical_wait(),
        path=edge.root(request) + "apply",
        parameters={},
    )
    return with_wait(response, refusal)


def as_meant(username: str) -> str:
    """Return what was typed as the field shows it again: `@Maria` is `maria`."""
    return username.strip().removeprefix("@").lower()


def ask_email(request: HttpRequest, localpart: str, email: str, refusal: Refusal | None = None) -> HttpResponse:
    """Show the second step."""
    in_field = refusal if refusal is not None and refusal.field == "email" else None
    errors = errors_of([in_field] if in_field else [])
    response = render(
        request,
        "apply/email.html",
        status=status_of(refusal),
        secret=True,
        username=localpart,
        address=mxid(localpart, current().server_name),
        email=email.strip(),
        errors=errors,
        errors_by_field=by_field(errors, ["email"]),
        trouble="" if in_field else trouble(refusal),
        marks=traps.marks(request.POST),
        path=edge.root(request) + "apply/email",
        parameters={"name": localpart},
    )
    return with_wait(response, refusal)
