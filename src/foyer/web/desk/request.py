"""One request, with its whole story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from foyer.applications import queries
from foyer.applications.errors import ApplicationUnknown
from foyer.applications.models import Application
from foyer.applications.moves import who
from foyer.applications.texts import MAX_TEXT_LENGTH
from foyer.notify import queries as deliveries
from foyer.notify.models import Delivery
from foyer.web import errors
from foyer.web.desk import frame, timeline
from foyer.web.desk.cards import Card, card, cards
from foyer.web.desk.door import Me, moderators
from foyer.web.errors import allow


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that was said or noted."""

    is_mine: bool
    by: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Group:
    """Other requests that have something in common with this one."""

    title: str
    cards: list[Card]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was sent, or is owed."""

    name: str
    to: str
    state: str
    is_bad: bool
    at: datetime


@moderators
@allow("GET")
def page(request: HttpRequest, me: Me, number: int) -> HttpResponseBase:
    """Show it."""
    try:
        row = queries.by_id(number)
    except ApplicationUnknown as refusal:
        return errors.refused(request, refusal)
    return frame.render(
        request,
        me,
        "desk/request.html",
        here="queue",
        card=card(row, me),
        language_asked=row.language,
        legal_accepted=row.legal,
        email_wanted=row.email_wanted,
        reason=row.reason,
        message=row.message,
        is_silent=row.is_silent,
        effects_started_at=row.effects_started_at,
        groups=_groups(row, me),
        moments=timeline.told(queries.history(row)),
        notes=[Turn(it.by == str(me.actor), who(it.by), it.text, it.at) for it in queries.notes(row)],
        conversation=[
            Turn(it.by != "applicant", timeline.actor_word(it.by), it.text, it.at) for it in queries.conversation(row)
        ],
        mails=[_mail(it) for it in deliveries.about(row.holder)],
        longest=MAX_TEXT_LENGTH,
    )


def _groups(row: Application, me: Me) -> list[Group]:
    alike = queries.look_alikes(row)
    groups = [
        Group(_("A name that looks the same"), cards(alike.by_name, me)),
        Group(_("The same mailbox"), cards(alike.by_email, me)),
        Group(_("The same network"), cards(alike.by_subnet, me)),
    ]
    return [group for group in groups if group.cards]


def _mail(delivery: Delivery) -> Mail:
    names = {
        "applications.verification": _("Code to confirm the email"),
        "applications.already-applied": _("Already applied"),
        "applications.received": _("Request received"),
        "applications.question": _("Question"),
        "applications.approved": _("Approval"),
        "applications.opening-failed": _("Choose another name"),
        "applications.denied": _("Denial"),
        "applications.lapsed": _("Lapsed"),
        "applications.new": _("New request, to the moderators"),
        "applications.answered": _("Answer, to the moderators"),
    }
    states = {
        "owed": _("on its way"),
        "sent": _("sent"),
        "refused": _("refused: this email takes no mail"),
        "gave-up": _("could not be sent"),
        "dropped": _("no longer needed"),
    }
    return Mail(
        name=names.get(delivery.kind, delivery.kind),
        to=delivery.recipient_shown,
        state=states.get(delivery.state, delivery.state),
        is_bad=delivery.state in {"refused", "gave-up"},
        at=delivery.finished_at or delivery.created_at,
    )
