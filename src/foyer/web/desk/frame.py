"""What every page of the desk has: the way around, who is signed in, and what was done a moment ago."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import get_template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from foyer.applications import queries
from foyer.applications.decisions import TIME_TO_UNDO
from foyer.kit.clock import now
from foyer.web import pages
from foyer.web.desk.door import Me

DEED = "desk_deed"
SAID = "desk_said"
MOST_SAID = 10


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the desk's way around. `count` names the figure that stands beside it."""

    key: str
    path: str
    name: Promise
    count: str = ""
    for_admins: bool = False


PLACES = (
    Place("overview", "desk/", _("Overview")),
    Place("queue", "desk/queue", _("Requests"), count="waiting"),
    Place("invitations", "desk/invitations", _("Invitations")),
    Place("people", "desk/people", _("People")),
    Place("rules", "desk/rules", _("Rules")),
    Place("history", "desk/history", _("History"), for_admins=True),
    Place("health", "desk/health", _("Health"), for_admins=True),
)


@dataclass(frozen=True, slots=True)
class Deed:
    """What the person who is signed in did last, as long as it can be undone."""

    sentence: str
    ids: str
    seconds: int


def render(
    request: HttpRequest, me: Me, template: str, *, here: str, status: int = 200, **context: Any
) -> HttpResponse:
    """Return a page of the desk. `here`: the key of the place that it belongs to.

    Nobody may keep it: it is about people.
    """
    return pages.render(
        request,
        template,
        status=status,
        secret=True,
        me=me,
        here=here,
        places=[place for place in PLACES if me.is_admin or not place.for_admins],
        counts=context.pop("counts", None) or queries.counts(),
        deed=_deed(request),
        said=request.session.pop(SAID, []),
        moment=now(),
        **context,
    )


def fragment(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Return a piece of a page, for a script."""
    response = HttpResponse(get_template(template).render(context, request))
    response["Cache-Control"] = "no-store"
    return response


def say(request: HttpRequest, sentences: Sequence[str]) -> None:
    """Show these on the next page."""
    if sentences:
        request.session[SAID] = [*sentences[:MOST_SAID]]


def remember_deed(request: HttpRequest, decision: str, ids: Sequence[int]) -> None:
    """Offer to undo it, on every page, for as long as it can be undone."""
    if ids:
        until = (now() + TIME_TO_UNDO).isoformat()
        request.session[DEED] = {"decision": decision, "ids": list(ids), "until": until}


def forget_deed(request: HttpRequest) -> None:
    """Offer it no more."""
    request.session.pop(DEED, None)


def _deed(request: HttpRequest) -> Deed | None:
    kept = request.session.get(DEED)
    if kept is None:
        return None
    left = int((datetime.fromisoformat(kept["until"]) - now()).total_seconds())
    if left <= 0:
        forget_deed(request)
        return None
    ids = kept["ids"]
    return Deed(_sentence(kept["decision"], len(ids)), joined(ids), left)


def _sentence(decision: str, count: int) -> str:
    if decision == "approve":
        text = ngettext("You have approved %(count)s request.", "You have approved %(count)s requests.", count)
    else:
        text = ngettext("You have denied %(count)s request.", "You have denied %(count)s requests.", count)
    return text % {"count": count}


def joined(ids: Sequence[int]) -> str:
    """Return numbers as one field of a form."""
    return ",".join(str(one) for one in ids)


def numbers(text: str, *, most: int) -> list[int]:
    """Return the numbers of such a field, each once; whatever is none is left out."""
    found = [int(part) for part in text.split(",") if part.isascii() and part.isdecimal() and len(part) < 19]
    return list(dict.fromkeys(found))[:most]


def go_to(
    request: HttpRequest, path: str, parameters: Mapping[str, str] | None = None, *, at: str = ""
) -> HttpResponse:
    """Send the browser on, with GET; empty parameters are left out. `at`: the part of the page to look at."""
    kept = {name: value for name, value in (parameters or {}).items() if value}
    query = f"?{urlencode(kept)}" if kept else ""
    return pages.go_to(request, f"{path}{query}{'#' + at if at else ''}")


def one(form: QueryDict, name: str, most: int = 200) -> str:
    """Return a short field of a form."""
    return form.get(name, "")[:most].replace("\0", "").strip()
