"""Reading applications: one by its key, the queue, those that look alike, how long it takes."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import F, Q, QuerySet

from foyer.applications import keys, search
from foyer.applications.errors import ApplicationUnknown
from foyer.applications.models import Application, Message, Note, State
from foyer.applications.texts import cleaned
from foyer.audit.models import Event
from foyer.kit.codes import digests_match

Tab = Literal["waiting", "flagged", "asked", "decided"]
TABS: tuple[Tab, ...] = ("waiting", "flagged", "asked", "decided")
PAGE = 50
RECENT_DECISIONS = 20
FEWEST_DECISIONS = 5
MOST_LOOK_ALIKES = 20


def by_key(key: str) -> Application:
    """Return the application of a status key.

    Raises:
        ApplicationUnknown
    """
    row = Application.objects.filter(key_digest=keys.status_digest(key)).first()
    if row is None:
        raise ApplicationUnknown
    return row


def by_mail_key(mail_key: str) -> Application:
    """Return the application of a mailed link, proven or still to be proven by it.

    Raises:
        ApplicationUnknown: also where the email was corrected since.
    """
    number, _dash, _digest = mail_key.partition("-")
    row = Application.objects.filter(id=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if row is None or not row.email:
        raise ApplicationUnknown
    if not any(digests_match(known, mail_key) for known in (keys.mail_key(row), keys.proven_mail_key(row))):
        raise ApplicationUnknown
    return row


def by_id(application_id: int) -> Application:
    """Return the application of a number.

    Raises:
        ApplicationUnknown
    """
    row = Application.objects.filter(id=application_id).first()
    if row is None:
        raise ApplicationUnknown
    return row


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and where the next page begins: give `after` back; empty at the end."""

    rows: list[Application]
    after: str


def queue(tab: Tab, *, after: str = "", words: str = "", size: int = PAGE) -> Page:
    """Return a page of the moderators' queue: the oldest first, but of the decided the newest."""
    rows = _tab(tab)
    if words := cleaned(words):
        rows = search.among_all(rows, words) if tab == "decided" else search.among_undecided(rows, words)
    return _page(rows, "decided_at" if tab == "decided" else "submitted_at", after, size, newest=tab == "decided")


def listing(states: list[str] | None = None, *, after: str = "", words: str = "", size: int = PAGE) -> Page:
    """Return a page of all applications, or of those in these states, the newest first."""
    rows = Application.objects.all()
    if states is not None:
        rows = rows.filter(state__in=states)
    if words := cleaned(words):
        rows = search.among_all(rows, words)
    if after.isdecimal():
        rows = rows.filter(id__lt=int(after))
    # Numbers are given in the order of coming, and every table has their index.
    found = list(rows.order_by("-id")[: size + 1])
    return Page(found[:size], str(found[size - 1].id) if len(found) > size else "")


def _tab(tab: Tab) -> QuerySet[Application]:
    match tab:
        case "waiting":
            return Application.objects.filter(state=State.WAITING)
        case "flagged":
            return Application.objects.filter(state=State.WAITING, is_flagged=True)
        case "asked":
            return Application.objects.filter(state=State.ASKED)
        case "decided":
            return Application.objects.filter(decided_at__isnull=False)


def _page(rows: QuerySet[Application], column: str, after: str, size: int, *, newest: bool) -> Page:
    """Page by where the last page ended, never by counting: the millionth page costs what the first does."""
    if place := _place(after):
        moment, identifier = place
        way = "lt" if newest else "gt"
        # The first condition alone lets the index begin at the place.
        rows = rows.filter(
            Q(**{f"{column}__{way}e": moment}),
            Q(**{f"{column}__{way}": moment}) | Q(**{column: moment, f"id__{way}": identifier}),
        )
    order = (f"-{column}", "-id") if newest else (column, "id")
    found = list(rows.order_by(*order)[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return Page(found[:size], f"{getattr(last, column).isoformat()}~{last.id}" if last is not None else "")


def _place(after: str) -> tuple[datetime, int] | None:
    moment, _sign, identifier = after.partition("~")
    try:
        at, number = datetime.fromisoformat(moment), int(identifier)
    except ValueError:
        return None
    return (at, number) if at.tzinfo is not None else None


def counts() -> dict[str, int]:
    """Return how many wait, are flagged, and were asked. The decided are not counted: there may be a million."""
    # One count for each partial index: a single pass over both states would read the whole table.
    return {tab: _tab(tab).count() for tab in TABS if tab != "decided"}


def typical_wait() -> timedelta | None:
    """Return the median time from the request to the decision, of the recent ones; None where they are too few."""
    decided = Application.objects.filter(decided_at__isnull=False, submitted_at__isnull=False)
    recent = decided.order_by("-decided_at", "-id").annotate(wait=F("decided_at") - F("submitted_at"))
    waits = list(recent.values_list("wait", flat=True)[:RECENT_DECISIONS])
    return statistics.median(waits) if len(waits) >= FEWEST_DECISIONS else None


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """Other applications that have something in common with one, the newest first."""

    by_name: list[Application]
    by_email: list[Application]
    by_subnet: list[Application]


def look_alikes(application: Application) -> LookAlikes:
    """Return who else has a name that looks the same, the same mailbox, or the same subnet."""
    return LookAlikes(
        by_name=_others(application, skeleton=application.skeleton),
        by_email=_others(application, mailbox=application.mailbox),
        by_subnet=_others(application, subnet=application.subnet),
    )


def _others(application: Application, **common: str) -> list[Application]:
    if not all(common.values()):
        return []
    return list(Application.objects.filter(**common).exclude(id=application.id).order_by("-id")[:MOST_LOOK_ALIKES])


def conversation(application: Application) -> list[Message]:
    """Return what was asked and answered, the oldest first."""
    return list(application.messages.order_by("id"))


def notes(application: Application) -> list[Note]:
    """Return what moderators noted, the oldest first."""
    return list(application.notes.order_by("id"))


def history(application: Application) -> list[Event]:
    """Return what happened to it, and to the account that was made for it, the oldest first."""
    about = Q(subject_kind="application", subject_id=str(application.id))
    if application.account_id is not None:
        about |= Q(subject_kind="account", subject_id=str(application.account_id))
    return list(Event.objects.filter(about).order_by("id"))
