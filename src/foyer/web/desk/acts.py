"""The small things that are done to one request, and taking back what was decided a moment ago."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foyer.applications import decisions, queries
from foyer.applications.models import Application
from foyer.kit.refusal import Refusal
from foyer.web import errors
from foyer.web.desk import frame
from foyer.web.desk.cards import address_of
from foyer.web.desk.deciding import sentence_of, told
from foyer.web.desk.door import Me, moderators
from foyer.web.desk.tabs import MOST_AT_ONCE
from foyer.web.errors import allow

BY_SCRIPT = "X-Foyer-Script"


@moderators
@allow("POST")
def page(request: HttpRequest, me: Me, number: int, act: str) -> HttpResponseBase:
    """Do it, and go back to the request."""
    try:
        sentence = _do(request, me, number, act)
    except Refusal as refusal:
        if refusal.status == 404:
            return errors.refused(request, refusal)
        sentence = sentence_of(refusal)
    if sentence is None:
        return errors.answer(request, errors.NOT_FOUND)
    if request.headers.get(BY_SCRIPT):
        return HttpResponse(status=204)
    frame.say(request, [sentence] if sentence else [])
    return frame.go_to(request, f"desk/requests/{number}", at="notes" if act == "note" else "")


def _do(request: HttpRequest, me: Me, number: int, act: str) -> str | None:
    """Return what is said of it; None where there is no such act."""
    row = queries.by_id(number)
    match act:
        case "claim":
            is_mine = decisions.claim_for_reading(number, me.actor)
            return "" if is_mine else _("Somebody else is reading this request.")
        case "release":
            decisions.release(number, me.actor)
            return ""
        case "note":
            decisions.note(number, me.actor, request.POST.get("text", ""))
            return ""
        case "undo":
            decisions.undo(number, me.actor)
            frame.forget_deed(request)
            return _("Taken back. The request waits again.")
        case "reopen":
            decisions.reopen(number, me.actor)
            return _("%(address)s waits again.") % {"address": address_of(row)}
        case _other:
            return None


@moderators
@allow("POST")
def undo_many(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Take back what was decided last."""
    ids = frame.numbers(request.POST.get("ids", ""), most=MOST_AT_ONCE)
    outcomes = decisions.undo_many(ids, me.actor)
    undone = sum(1 for it in outcomes if it.refusal is None)
    text = ngettext("Taken back: %(count)s request waits again.", "Taken back: %(count)s requests wait again.", undone)
    frame.forget_deed(request)
    rows = Application.objects.in_bulk([it.application_id for it in outcomes if it.refusal is not None])
    addresses = {it.application_id: address_of(rows[it.application_id]) for it in outcomes if it.application_id in rows}
    lost = [it for it in outcomes if it.application_id in addresses]
    frame.say(request, [*([text % {"count": undone}] if undone else []), *told(lost, addresses)])
    return frame.go_to(request, "desk/queue")
