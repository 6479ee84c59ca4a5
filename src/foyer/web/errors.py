"""The answers where no view has one: a page for people, JSON for programs, never a traceback.

`bad_request`, `forbidden`, `not_found` and `server_error` are the handlers that foyer/urls.py names.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from foyer.config.database_errors import is_outage, sentence_for
from foyer.kit.refusal import Refusal
from foyer.web import edge
from foyer.web.pages import render

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

DATABASE_AGAIN_SECONDS = 30
log = structlog.get_logger(__name__)

PROGRAMS_ONLY = ("/api", "/_matrix", "/token")


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of answer: a status, a code for programs, and words for people."""

    status: int
    code: str
    title: Promise
    sentence: Promise


BAD_REQUEST = Problem(
    400,
    "bad-request",
    _("That did not arrive whole"),
    _("Your browser sent something we cannot read. Go back and try again."),
)
UNKNOWN_HOST = Problem(
    400,
    "unknown-host",
    _("This is not our name"),
    _("This server was asked for by a name that it does not know. Check the address you typed."),
)
FORBIDDEN = Problem(403, "forbidden", _("This door stays closed"), _("You may not see this page."))
NOT_FOUND = Problem(
    404,
    "not-found",
    _("There is nothing here"),
    _("This page does not exist. Check that you have copied the whole link."),
)
NOT_ALLOWED = Problem(
    405,
    "method-not-allowed",
    _("Not in this way"),
    _("This page cannot be asked for in this way. Go back and try again."),
)
LENGTH_REQUIRED = Problem(
    411,
    "length-required",
    _("That did not arrive whole"),
    _("Your browser did not say how much it was sending. Go back and try again."),
)
TOO_LARGE = Problem(
    413, "body-too-large", _("That is too much"), _("You sent more than this form takes. Go back and shorten it.")
)
TOO_MANY = Problem(
    429, "too-many", _("A little slower, please"), _("There were too many tries from your network in a short time.")
)
BROKEN = Problem(
    500,
    "server-error",
    _("Something broke on our side"),
    _("It is not your fault, and nothing is lost. Wait a minute, then try again."),
)
UNAVAILABLE = Problem(
    503,
    "unavailable",
    _("We cannot do this at the moment"),
    _("Nothing is lost. Wait a minute, then try again."),
)


def wants_page(request: HttpRequest) -> bool:
    """Say whether a person reads the answer: their browser names text/html. GET outside the API counts as well."""
    if "text/html" in request.META.get("HTTP_ACCEPT", ""):
        return True
    return request.method in {"GET", "HEAD"} and not request.path_info.startswith(PROGRAMS_ONLY)


def answer(
    request: HttpRequest,
    problem: Problem,
    *,
    sentence: str = "",
    remedy: str = "",
    code: str = "",
    retry_after: float = 0,
) -> HttpResponse:
    """Say a problem to whoever asked. `sentence` and `code` replace the problem's own; `retry_after` is in seconds."""
    words = sentence or str(problem.sentence)
    later = come_back(retry_after)
    response: HttpResponse
    if wants_page(request):
        response = render(
            request,
            "error.html",
            status=problem.status,
            title=problem.title,
            sentence=words,
            remedy=remedy or later,
            start=problem is not UNKNOWN_HOST,
            # The address of an error page may carry anything; its language links lead to the start instead.
            path=edge.root(request) + "register",
            parameters={},
        )
    else:
        said = " ".join(part for part in (words, remedy, later) if part)
        known = {"code": code or problem.code, "sentence": said, "request_id": edge.request_id(request)}
        response = JsonResponse(known, status=problem.status)
        response["Cache-Control"] = "no-store"
    if retry_after:
        response["Retry-After"] = str(math.ceil(retry_after))
    return response


def come_back(seconds: float) -> str:
    """Return when to try again, in words; nothing where it is not known."""
    if seconds <= 0:
        return ""
    if seconds < 90:
        count = math.ceil(seconds)
        return ngettext("Try again in %(count)s second.", "Try again in %(count)s seconds.", count) % {"count": count}
    if seconds < 90 * 60:
        count = math.ceil(seconds / 60)
        return ngettext("Try again in %(count)s minute.", "Try again in %(count)s minutes.", count) % {"count": count}
    count = math.ceil(seconds / 3600)
    return ngettext("Try again in %(count)s hour.", "Try again in %(count)s hours.", count) % {"count": count}


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Say a refusal that belongs to no page of its own, such as too many tries."""
    problem = {403: FORBIDDEN, 404: NOT_FOUND, 429: TOO_MANY, 503: UNAVAILABLE}.get(refusal.status, BAD_REQUEST)
    wait = float(getattr(refusal, "retry_after", 0) or 0)
    return answer(request, problem, sentence=str(refusal), code=refusal.code, retry_after=wait)


def allow(*methods: str) -> Callable[[View[P]], View[P]]:
    """Let a view see these methods only; others get a 405 that names them. HEAD goes where GET goes."""
    known = {*methods, "HEAD"} if "GET" in methods else {*methods}

    def decorate(view: View[P]) -> View[P]:
        @functools.wraps(view)
        def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method in known:
                return view(request, *args, **kwargs)
            response = answer(request, NOT_ALLOWED)
            response["Allow"] = ", ".join(sorted(known))
            return response

        return inner

    return decorate


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400."""
    return answer(request, BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    return answer(request, FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    return answer(request, NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500, or 503 where it is the database that is gone, full or not to be written.

    Django logs a fault of ours with its traceback; the id on the page finds it.
    """
    error = sys.exc_info()[1]
    if error is None or not is_outage(error):
        return answer(request, BROKEN)
    log.error("the database cannot be used, so somebody was sent away", reason=sentence_for(error))
    response = answer(request, UNAVAILABLE, code="database-unavailable")
    response["Retry-After"] = str(DATABASE_AGAIN_SECONDS)
    response._has_been_logged = True  # type: ignore[attr-defined] # the traceback would say less
    return response
