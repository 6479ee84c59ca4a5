"""The first page of a server."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from foyer.config import current
from foyer.web.errors import allow
from foyer.web.pages import render_once


@dataclass(frozen=True, slots=True)
class Way:
    """One way in: where it begins, what its button says, and the template of its first step."""

    path: str
    label: Promise
    first_step: str


# By the names that `ways_in` has. What is not here is not built, and not shown.
WAYS = {
    "invitation": Way("register", _("I have an invitation"), "code.html"),
    "application": Way("apply", _("Apply for an account"), "apply/name.html"),
}


@allow("GET")
def page(request: HttpRequest) -> HttpResponseBase:
    """Show the ways in that are open; with a single one, its first step."""
    ways = [WAYS[name] for name in current().open_ways if name in WAYS]
    if len(ways) == 1:
        return render_once(request, ways[0].first_step)
    return render_once(request, "landing.html", ways=ways)
