"""Behind the mailed link. Programs that look through mails open every link, with GET and HEAD: that changes nothing.

A person presses the button, which is a POST.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from foyer.applications import queries, services
from foyer.applications.errors import ApplicationUnknown, WrongState
from foyer.kit.refusal import Refusal
from foyer.web import edge
from foyer.web.apply.stage import LONGEST_KEY, Visit, over, status_of, too_many, trouble, with_wait
from foyer.web.apply.verify import go_on_verified
from foyer.web.errors import allow
from foyer.web.pages import render


@allow("GET", "POST")
def page(request: HttpRequest, mail_key: str) -> HttpResponseBase:
    """Show the button; where it was pressed, prove the email and go on."""
    mail_key = mail_key[:LONGEST_KEY]
    try:
        queries.by_mail_key(mail_key)
        return _press(request, mail_key) if request.method == "POST" else _ask(request, mail_key)
    except (ApplicationUnknown, WrongState):
        return over(
            request,
            title=_("This link leads nowhere any more"),
            sentence=_("The request that it belongs to has ended, or has another email by now."),
            status=404,
        )


def _press(request: HttpRequest, mail_key: str) -> HttpResponseBase:
    refusal: Refusal | None = too_many(request, "verify")
    if refusal is None:
        try:
            verified = services.verify_by_link(mail_key)
        except (ApplicationUnknown, WrongState):
            raise
        except Refusal as error:
            refusal = error
        else:
            visit = Visit(verified.key, queries.by_key(verified.key))
            return go_on_verified(request, visit, verified.lost_name)
    return _ask(request, mail_key, refusal)


def _ask(request: HttpRequest, mail_key: str, refusal: Refusal | None = None) -> HttpResponse:
    place = f"apply/confirm/{mail_key}"
    response = render(
        request,
        "apply/confirm.html",
        status=status_of(refusal),
        secret=True,
        place=place,
        path=edge.root(request) + place,
        parameters={},
        trouble=trouble(refusal),
    )
    return with_wait(response, refusal)
