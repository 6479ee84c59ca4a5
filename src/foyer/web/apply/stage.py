"""Where somebody stands on the way to an account, and what the pages of one request share."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foyer.applications import queries
from foyer.applications.errors import ApplicationUnknown
from foyer.applications.models import Application, State
from foyer.config import current
from foyer.kit.matrix import mxid
from foyer.kit.refusal import Refusal
from foyer.screening import limits
from foyer.screening.errors import TooMany
from foyer.screening.rules import RuleName
from foyer.web import edge
from foyer.web.pages import go_to, render

LONGEST_KEY = 200
CORRECTABLE = frozenset({State.UNVERIFIED, State.VERIFIED, State.WAITING, State.ASKED})


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at the pages of their own request."""

    key: str
    application: Application

    @property
    def place(self) -> str:
        """Return the path that all of its pages begin with."""
        return f"apply/{self.key}"

    @property
    def address(self) -> str:
        """Return the Matrix address that is asked for; without a name yet, nothing."""
        localpart = self.application.localpart
        return mxid(localpart, current().server_name) if localpart else ""

    def again(self) -> Visit:
        """Return the visit with the row as it is now."""
        return Visit(self.key, queries.by_id(self.application.id))


View = Callable[[HttpRequest, Visit], HttpResponseBase]


def of_one_request(view: View) -> Callable[[HttpRequest, str], HttpResponseBase]:
    """Give a view the request that the key in its path leads to; show what a wrong key is otherwise."""

    @functools.wraps(view)
    def inner(request: HttpRequest, key: str) -> HttpResponseBase:
        try:
            application = queries.by_key(key[:LONGEST_KEY])
        except ApplicationUnknown:
            return unknown(request)
        return view(request, Visit(key, application))

    return inner


def step_of(application: Application) -> str:
    """Return the page where this request goes on, under its own path: `verify`, `name`, `about`, or the status page."""
    if application.state == State.UNVERIFIED:
        return "/verify"
    if application.state == State.VERIFIED:
        return "/about" if application.localpart else "/name"
    return ""


def go_on(request: HttpRequest, visit: Visit, page: str | None = None) -> HttpResponse:
    """Send the browser where the request goes on, or to a page of it that is named."""
    page = step_of(visit.application) if page is None else page
    path, question, query = f"{visit.place}{page}".partition("?")
    chosen = edge.language(request).query
    together = f"{chosen}&{query}" if chosen and question else chosen or f"{question}{query}"
    return go_to(request, path + together)


def show(
    request: HttpRequest, visit: Visit, template: str, page: str, *, refusal: Refusal | None = None, **context: object
) -> HttpResponse:
    """Return a page of one request. `page` is its own path, for the language switcher, where the form was posted."""
    response = render(
        request,
        template,
        status=status_of(refusal),
        secret=True,
        path=f"{edge.root(request)}{visit.place}{page}",
        parameters={},
        place=visit.place,
        address=visit.address,
        **context,
    )
    return with_wait(response, refusal)


def status_of(refusal: Refusal | None) -> int:
    """Return the status of a page that says a refusal."""
    return refusal.status if refusal else 200


def with_wait(response: HttpResponse, refusal: Refusal | None) -> HttpResponse:
    """Tell programs too when to come back."""
    if wait := getattr(refusal, "retry_after", 0):
        response["Retry-After"] = str(math.ceil(wait))
    return response


def too_many(request: HttpRequest, rule: RuleName) -> TooMany | None:
    """Count an attempt; return the refusal where there were too many. The page then keeps what was typed."""
    try:
        limits.check(rule, edge.client(request))
    except TooMany as refusal:
        return refusal
    return None


def trouble(refusal: Refusal | None) -> str:
    """Return what no field is to blame for, in a sentence or two; nothing where there is none."""
    if refusal is None:
        return ""
    wait = getattr(refusal, "retry_after", 0)
    return f"{refusal} {_try_again(wait)}".strip() if isinstance(refusal, TooMany) else str(refusal)


def _try_again(seconds: float) -> str:
    minutes = max(1, math.ceil(seconds / 60))
    return ngettext("Try again in %(count)s minute.", "Try again in %(count)s minutes.", minutes) % {"count": minutes}


def unknown(request: HttpRequest) -> HttpResponse:
    """Show that a link leads to no request (any more)."""
    return over(
        request,
        title=_("We do not know this request"),
        sentence=_("Check that you have copied the whole link. Requests are deleted some time after they are decided."),
        status=404,
    )


def over(request: HttpRequest, *, title: str, sentence: str, status: int = 200) -> HttpResponse:
    """Show a request that is not there (any more), and the way to a new one."""
    return render(
        request,
        "apply/over.html",
        status=status,
        secret=True,
        title=title,
        sentence=sentence,
        may_begin=is_open(),
        path=f"{edge.root(request)}apply",
        parameters={},
    )


def is_open() -> bool:
    """Say whether anybody may ask for an account at the moment."""
    return "application" in current().open_ways


def closed(request: HttpRequest) -> HttpResponse:
    """Show that nobody can ask for an account here."""
    sentence = _(
        "New accounts cannot be asked for here at the moment. If you have one already, you can sign in as always."
    )
    return over(request, title=_("This door is closed at the moment"), sentence=sentence, status=403)
