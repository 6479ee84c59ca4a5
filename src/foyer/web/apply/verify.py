"""The code from the mail, on the page that says "Check your inbox"; and having it sent again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import ngettext
from markupsafe import Markup

from foyer.applications import services
from foyer.applications.errors import CodeWrong, MailTooSoon, WrongState
from foyer.applications.mailing import CODE_IS_GOOD_FOR
from foyer.kit.refusal import Refusal
from foyer.web.apply.stage import Visit, go_on, of_one_request, show, too_many, trouble
from foyer.web.errors import allow
from foyer.web.forms import Error, by_field

AGAIN = "again"
FEW_TRIES = 5


@allow("GET", "POST")
@of_one_request
def page(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Ask for the code; where it is right, go on."""
    if not visit.application.awaits_proof:
        return go_on(request, visit)
    if request.method != "POST":
        return ask(request, visit, is_sent_again=request.GET.get("sent") == AGAIN)
    code = request.POST.get("code", "")
    refusal: Refusal | None = too_many(request, "verify")
    if refusal is None:
        try:
            verified = services.verify_by_code(visit.application, code)
        except WrongState:
            return go_on(request, visit.again())
        except Refusal as error:
            refusal = error
        else:
            return go_on_verified(request, visit.again(), verified.lost_name)
    return ask(request, visit, code=code, refusal=refusal)


def go_on_verified(request: HttpRequest, visit: Visit, lost_name: str) -> HttpResponse:
    """Go on once the email is proven; where the name was lost, that is said first."""
    return go_on(request, visit, f"/name?lost={lost_name}" if lost_name else None)


@allow("GET", "POST")
@of_one_request
def again(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Have the mail sent once more."""
    if request.method != "POST" or not visit.application.awaits_proof:
        return go_on(request, visit, "/verify" if visit.application.awaits_proof else None)
    refusal: Refusal | None = too_many(request, "resend")
    if refusal is None:
        try:
            services.resend(visit.application)
        except WrongState:
            return go_on(request, visit.again())
        except Refusal as error:
            refusal = error
        else:
            return go_on(request, visit, f"/verify?sent={AGAIN}")
    return ask(request, visit, refusal=refusal)


def ask(
    request: HttpRequest, visit: Visit, *, code: str = "", is_sent_again: bool = False, refusal: Refusal | None = None
) -> HttpResponse:
    """Show the page that waits for the code."""
    row = visit.application
    errors = [Error("code", _in_words(refusal))] if refusal is not None and refusal.field == "code" else []
    wait = services.seconds_until_resend(row)
    return show(
        request,
        visit,
        "apply/verify.html",
        "/verify",
        refusal=refusal,
        code=code.strip()[:20],
        email=row.email_to_prove,
        is_first=not row.email_wanted,
        is_refused=row.mail_refused_at is not None,
        is_sent_again=is_sent_again,
        minutes=int(CODE_IS_GOOD_FOR.total_seconds() // 60),
        wait_seconds=wait,
        wait_shown=Markup("<span data-left>{}:{:02d}</span>").format(wait // 60, wait % 60),
        errors=errors,
        errors_by_field=by_field(errors, ["code"]),
        # How long to wait stands beside the button already.
        trouble="" if errors or isinstance(refusal, MailTooSoon) else trouble(refusal),
    )


def _in_words(refusal: Refusal) -> str:
    left = refusal.params.get("left", 0)
    if not isinstance(refusal, CodeWrong) or not 0 < left <= FEW_TRIES:
        return str(refusal)
    tries = ngettext("You have %(count)s more try.", "You have %(count)s more tries.", left) % {"count": left}
    return f"{refusal} {tries}"
