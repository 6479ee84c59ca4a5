"""How things stand, at a glance."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from foyer.applications import queries
from foyer.applications.days import DAYS, lately
from foyer.web.desk import figures, frame
from foyer.web.desk.chart import chart
from foyer.web.desk.door import Me, moderators
from foyer.web.errors import allow


@moderators
@allow("GET")
def bare(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Lead to the address with its slash, from which every link of the desk starts."""
    return frame.go_to(request, "desk/")


@moderators
@allow("GET")
def page(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Show the figures."""
    days = lately()
    return frame.render(
        request,
        me,
        "desk/overview.html",
        here="overview",
        oldest=figures.oldest_waiting(),
        chart=chart(days),
        days=days,
        wait=queries.typical_wait(),
        approved=sum(day.approved for day in days),
        denied=sum(day.denied for day in days),
        ending=figures.ending(me),
        span=DAYS,
    )
