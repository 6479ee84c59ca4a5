"""For whoever was approved, and whose name the homeserver has given to somebody else before the password was chosen."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from foyer.applications import services
from foyer.applications.errors import WrongState
from foyer.kit.refusal import Refusal
from foyer.web.apply.stage import Visit, go_on, of_one_request, too_many
from foyer.web.apply.status import STILL_YOURS, tell
from foyer.web.errors import allow


@allow("GET", "POST")
@of_one_request
def page(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Let the link that was mailed have any name, if the one that was approved is not to be had."""
    if request.method != "POST":
        return go_on(request, visit)
    refusal: Refusal | None = too_many(request, "reply")
    if refusal is None:
        try:
            is_free = services.choose_freely(visit.application)
        except WrongState:
            return go_on(request, visit.again())
        except Refusal as error:
            refusal = error
        else:
            return go_on(request, visit.again(), "" if is_free else f"?sent={STILL_YOURS}")
    return tell(request, visit, refusal=refusal)
