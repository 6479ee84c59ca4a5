"""What happened to a request, in words. The audit keeps who did what; nothing personal is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from foyer.applications.moves import who
from foyer.audit.models import Event
from foyer.audit.verbs import Verb


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened."""

    at: datetime
    text: str
    by: str


def told(events: Iterable[Event]) -> list[Moment]:
    """Return each in words, in the active language. Of the homeserver's side only what moderators care about."""
    in_words = words()
    return [Moment(it.at, in_words.get(it.verb, it.verb), actor_word(it.actor)) for it in events]


def actor_word(actor: str) -> str:
    """Return who did it, as people say it."""
    kind = actor.partition(":")[0]
    known = {
        "person": _("the applicant"),
        "applicant": _("the applicant"),
        "job": _("Foyer"),
        "command-line": _("the command line"),
    }
    return known.get(kind) or who(actor)


def words() -> dict[str, str]:
    return {**_before(), **_decisions(), **_after()}


def _before() -> dict[str, str]:
    return {
        Verb.APPLICATION_STARTED: _("Asked for an account"),
        Verb.APPLICATION_CODE_SENT: _("A code was mailed"),
        Verb.APPLICATION_EMAIL_CORRECTED: _("The email was corrected"),
        Verb.APPLICATION_VERIFIED: _("The email was confirmed"),
        Verb.APPLICATION_NAME_LOST: _("The user name went to somebody else"),
        Verb.APPLICATION_NAME_CHOSEN: _("Another user name was chosen"),
        Verb.APPLICATION_SUBMITTED: _("The request was sent"),
        Verb.APPLICATION_ANSWERED: _("The question was answered"),
        Verb.APPLICATION_WITHDRAWN: _("Withdrawn"),
        Verb.APPLICATION_EXPIRED: _("Expired: it was not finished"),
        Verb.ACCOUNT_CREATING: _("The account is being made"),
        Verb.ACCOUNT_HELD: _("The account is there, and closed until it is approved"),
    }


def _decisions() -> dict[str, str]:
    return {
        Verb.APPLICATION_ASKED: _("Asked a question"),
        Verb.APPLICATION_APPROVED: _("Approved"),
        Verb.APPLICATION_DENIED: _("Denied"),
        Verb.APPLICATION_UNDONE: _("The decision was taken back"),
        Verb.APPLICATION_REOPENED: _("Opened again"),
        Verb.APPLICATION_NOTED: _("Wrote a note"),
    }


def _after() -> dict[str, str]:
    return {
        Verb.APPLICATION_EFFECTS_STARTED: _("The decision takes effect"),
        Verb.APPLICATION_OPENING_FAILED: _("The account could not be opened: a link is mailed instead"),
        Verb.APPLICATION_INVITED: _("A link to choose the password was made"),
        Verb.APPLICATION_DONE: _("They are in"),
        Verb.APPLICATION_LAPSED: _("Lapsed"),
        Verb.APPLICATION_RENEWED: _("Taken up again"),
        Verb.APPLICATION_DELETED: _("Deleted"),
        Verb.ACCOUNT_OPENED: _("The account was opened"),
        Verb.ACCOUNT_SHELVED: _("The account was emptied and put away"),
        Verb.ACCOUNT_REFUSED: _("The account could not be made"),
        Verb.ACCOUNT_UNKNOWN: _("The homeserver did not answer: it is asked again"),
        Verb.ACCOUNT_SETTLED_BY_PRESENCE: _("The account was found open"),
        Verb.ACCOUNT_NEEDS_A_DECISION: _("The account needs a decision"),
        Verb.ACCOUNT_EMAIL_ATTACHED: _("The email was attached to the account"),
        Verb.ACCOUNT_ROOM_JOINED: _("A room was joined"),
        Verb.ACCOUNT_CONSENT_RECORDED: _("The homeserver noted that the terms were accepted"),
        Verb.ACCOUNT_WELCOMED: _("The welcome was said"),
    }
