"""The addresses of synapse_registration, which links in old mails and bookmarks lead to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.urls import re_path
from django.utils.translation import gettext as _

from foyer.web import edge
from foyer.web.apply.stage import over
from foyer.web.errors import allow
from foyer.web.pages import go_to


@allow("GET")
def begin(request: HttpRequest) -> HttpResponseBase:
    """Lead to the first step, as the old ones did."""
    return go_to(request, "apply" + edge.language(request).query)


@allow("GET")
def link(request: HttpRequest) -> HttpResponseBase:
    """Explain what became of a link that was mailed; opening it changes nothing."""
    return over(
        request,
        title=_("This link no longer works"),
        sentence=_(
            "It was made by the program that was here before. Please ask for an account again; if you have an answer "
            "already, it holds."
        ),
        status=410,
    )


urlpatterns = [
    re_path(r"^(?:check-username|email-input)/?$", begin),
    re_path(r"^(?:verify-email|set-password)/[^/]+/?$", link),
    re_path(r"^complete-registration/?$", link),
]
