"""The accounts that came through this door: by which invitation or request, when, and how they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from foyer.accounts import listing
from foyer.accounts.models import Account, State
from foyer.applications.models import Application
from foyer.applications.models import State as RequestState
from foyer.config import current
from foyer.invites import listing as invites
from foyer.kit.matrix import mxid
from foyer.web.desk import frame, lists
from foyer.web.desk.door import Me, moderators
from foyer.web.errors import allow

OF_STATE = {
    "in": [State.OPEN],
    "waiting": [State.HELD],
    "unclear": [State.CREATING, State.UNKNOWN],
    "gone": [State.SHELVED, State.REFUSED],
}


@dataclass(frozen=True, slots=True)
class Person:
    """One account. Of somebody else's invitation a moderator sees the label, and never the code."""

    address: str
    at: datetime
    state: str
    state_word: str
    request_id: int | None
    invitation_id: int | None
    invitation: str


@moderators
@allow("GET")
def page(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Show a page of them."""
    which = frame.one(request.GET, "which")
    words = frame.one(request.GET, "q", lists.MOST_WORDS)
    states = [str(state) for state in OF_STATE.get(which, [])]
    found = listing.page(states=states or None, words=words, before=lists.before_of(request))
    return frame.render(
        request,
        me,
        "desk/people.html",
        here="people",
        which=which if which in OF_STATE else "",
        tabs=[
            ("", _("All")),
            ("in", _("In")),
            ("waiting", _("Waiting")),
            ("unclear", _("Unclear")),
            ("gone", _("Not made")),
        ],
        words=words,
        people=_people(found.accounts, me),
        next_page=lists.following(found.before, which=which, q=words),
        looked_to=found.looked_to,
    )


def _people(rows: list[Account], me: Me) -> list[Person]:
    """Two more questions for a page, however long it is."""
    uses = invites.uses_of_holders(row.holder for row in rows)
    requests = dict(
        Application.objects.filter(account_id__in=[row.pk for row in rows], state=RequestState.DONE)
        .order_by("id")
        .values_list("account_id", "id")
    )
    server = current().server_name
    found = []
    for row in rows:
        use = uses.get(row.holder)
        invite = use.invite if use is not None else None
        is_theirs = invite is not None and (me.is_admin or invite.created_by == str(me.actor))
        label = "" if invite is None else invite.label or (invite.code if is_theirs else "")
        found.append(
            Person(
                address=mxid(row.localpart, server),
                at=row.settled_at or row.begun_at,
                state=row.state,
                state_word=state_word(row.state),
                request_id=requests.get(row.pk) or _request_in(row.made_for),
                invitation_id=invite.pk if invite is not None and is_theirs else None,
                invitation=label or (_("an invitation") if use is not None else ""),
            )
        )
    return found


def _request_in(holder: str) -> int | None:
    kind, _colon, number = holder.partition(":")
    return int(number) if kind == "application" and number.isdecimal() else None


def state_word(state: str) -> str:
    """Return how an account stands, in a word or two."""
    words = {
        State.CREATING: _("being made"),
        State.UNKNOWN: _("not clear yet"),
        State.HELD: _("closed until approved"),
        State.OPEN: _("in"),
        State.REFUSED: _("not made"),
        State.SHELVED: _("put away"),
    }
    return words[State(state)]
