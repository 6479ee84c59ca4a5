"""The queue: the oldest first, by tabs, with search; and the figures that keep themselves up to date."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _

from foyer.applications import queries
from foyer.applications.models import Application, State
from foyer.applications.moves import who
from foyer.kit.clock import now
from foyer.web.desk import frame
from foyer.web.desk.cards import cards
from foyer.web.desk.door import Me, moderators
from foyer.web.desk.tabs import MOST_AT_ONCE, tab_of, tab_words
from foyer.web.errors import allow

MOST_WORDS = 100


@moderators
@allow("GET")
def page(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Show a page of one tab."""
    tab = tab_of(frame.one(request.GET, "tab"))
    words = frame.one(request.GET, "q", MOST_WORDS)
    after = frame.one(request.GET, "after")
    found = queries.queue(tab, after=after, words=words)
    numbers = queries.counts()
    return frame.render(
        request,
        me,
        "desk/queue.html",
        here="queue",
        tab=tab,
        tabs=tab_words(),
        words=words,
        cards=cards(found.rows, me),
        next_page=found.after,
        looked_to=found.looked_to,
        is_first=not after,
        counts=numbers,
        in_tab=numbers.get(tab, 0) if not words else 0,
        most_at_once=MOST_AT_ONCE,
    )


@moderators
@allow("GET")
def counts(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Say how many wait, and who is reading what, for the scripts."""
    reading = Application.objects.filter(state__in=[State.WAITING, State.ASKED], claimed_until__gt=now()).exclude(
        claimed_by=str(me.actor)
    )
    said = {
        str(number): _("%(who)s is reading this") % {"who": who(by)}
        for number, by in reading.values_list("id", "claimed_by")
    }
    response = JsonResponse({"counts": queries.counts(), "reading": said})
    response["Cache-Control"] = "no-store"
    return response
