"""Reading applications: one by its key, the queue, those that look alike, how long it takes."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import StrIndex

from foyer.applications import keys, search
from foyer.applications.errors import ApplicationUnknown
from foyer.applications.models import Application, Message, Note, State
from foyer.applications.statements import BY_ID, BY_KEY, LARGEST_ID
from foyer.applications.texts import cleaned
from foyer.audit.models import Event
from foyer.kit.codes import digests_match

Tab = Literal["waiting", "flagged", "asked", "decided"]
TABS: tuple[Tab, ...] = ("waiting", "flagged", "asked", "decided")
PAGE = 30
LOOKED_AT = 2000
CUT = "from-"
"""How the place begins where the time of a search was over."""
RECENT_DECISIONS = 20
FEWEST_DECISIONS = 5
MOST_LOOK_ALIKES = 20


def by_key(key: str) -> Application:
    """Return the application of a status key.

    Raises:
        ApplicationUnknown
    """
    row = BY_KEY.first(keys.status_digest(key))
    if row is None:
        raise ApplicationUnknown
    return row


def by_mail_key(mail_key: str) -> Application:
    """Return the application of a mailed link, proven or still to be proven by it.

    Raises:
        ApplicationUnknown: also where the email was corrected since.
    """
    number, _dash, _digest = mail_key.partition("-")
    row = BY_ID.first(int(number)) if number.isdecimal() and len(number) < 19 else None
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
    row = BY_ID.first(application_id) if application_id <= LARGEST_ID else None
    if row is None:
        raise ApplicationUnknown
    return row


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and where the next page begins: give `after` back; empty at the end.

    `looked_to`: a search that may take no longer has got to here, and `after` lets it go on; None: it missed nothing.
    """

    rows: list[Application]
    after: str
    looked_to: datetime | None = None


def queue(tab: Tab, *, after: str = "", words: str = "", size: int = PAGE, seconds: float = search.SECONDS) -> Page:
    """Return a page of the moderators' queue: the oldest first, but of the decided the newest.

    `seconds`: how long a search may take, beyond its first step.
    """
    rows, words = _tab(tab), cleaned(words)
    if not words:
        return _page(rows, "decided_at" if tab == "decided" else "submitted_at", after, size, newest=tab == "decided")
    if tab == "decided":
        return _newest_matches(rows, words, after, size, seconds)
    return _matches_in_turn(rows, words, after, size, seconds)


def listing(
    states: list[str] | None = None,
    *,
    after: str = "",
    words: str = "",
    size: int = PAGE,
    seconds: float = search.SECONDS,
) -> Page:
    """Return a page of all applications, or of those in these states, the newest first."""
    rows = Application.objects.all()
    if states is not None:
        rows = rows.filter(state__in=states)
    if words := cleaned(words):
        return _newest_matches(rows, words, after, size, seconds)
    if after.isdecimal():
        rows = rows.filter(id__lt=int(after))
    # Numbers are given in the order of coming, and every table has their index.
    found = list(rows.order_by("-id")[: size + 1])
    return Page(found[:size], str(found[size - 1].id) if len(found) > size else "")


def _newest_matches(rows: QuerySet[Application], words: str, after: str, size: int, seconds: float) -> Page:
    """Return those that match, by their numbers, from the newest back. Too short a word matches whole names."""
    if len(words.casefold()) < search.SHORTEST:
        return Page(list(rows.filter(localpart=words.casefold()).order_by("-id")[:size]), "")

    def keep(ids: list[int]) -> set[int]:
        return set(rows.filter(id__in=ids).values_list("id", flat=True))

    is_cut, number = after.startswith(CUT), after.removeprefix(CUT)
    before = int(number) if number.isdecimal() and len(number) < 19 else None
    matches = search.newest(words, wanted=size, keep=keep, before=before, may_ask=not is_cut, seconds=seconds)
    found = Application.objects.in_bulk(matches.ids)
    page = Page([found[number] for number in matches.ids if number in found], str(matches.down_to or ""))
    if matches.down_to is None or len(matches.ids) == size:
        return page
    last = Application.objects.filter(id__lte=matches.down_to).order_by("-id").first()
    return replace(page, after=f"{CUT}{page.after}", looked_to=last.created_at if last else None)


def _matches_in_turn(rows: QuerySet[Application], words: str, after: str, size: int, seconds: float) -> Page:
    """Return those that match of a tab whose rows wait, the oldest first. There are some thousands at most, mostly."""
    until, found = time.monotonic() + seconds, list[int]()
    hit = StrIndex("haystack__text", Value(words.casefold()))
    while True:
        part = _after(rows, "submitted_at", after, newest=False).order_by("submitted_at", "id")
        looked = list(part.annotate(hit=hit, at=F("submitted_at")).values_list("id", "at", "hit")[:LOOKED_AT])
        found += [number for number, _at, hit in looked if hit]
        after = f"{looked[-1][1].isoformat()}~{looked[-1][0]}" if len(looked) == LOOKED_AT else ""
        if len(found) > size or not after or time.monotonic() > until:
            break
    whole = Application.objects.in_bulk(found[:size])
    shown = [whole[number] for number in found[:size] if number in whole]
    if len(found) > size and shown:
        return Page(shown, _place_of(shown[-1], "submitted_at"))
    return Page(shown, after, looked[-1][1] if after else None)


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
    rows = _after(rows, column, after, newest=newest)
    order = (f"-{column}", "-id") if newest else (column, "id")
    found = list(rows.order_by(*order)[: size + 1])
    last = found[size - 1] if len(found) > size else None
    return Page(found[:size], _place_of(last, column) if last is not None else "")


def _after(rows: QuerySet[Application], column: str, after: str, *, newest: bool) -> QuerySet[Application]:
    place = _place(after)
    if place is None:
        return rows
    moment, identifier = place
    way = "lt" if newest else "gt"
    # The first condition alone lets the index begin at the place.
    return rows.filter(
        Q(**{f"{column}__{way}e": moment}),
        Q(**{f"{column}__{way}": moment}) | Q(**{column: moment, f"id__{way}": identifier}),
    )


def _place_of(row: Application, column: str) -> str:
    return f"{getattr(row, column).isoformat()}~{row.id}"


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
    """Return what happened to it, and to the account that was made for it, the oldest first.

    An account that was let go may be somebody else's by now: what happened to it after the end is not told.
    """
    about = Q(subject_kind="application", subject_id=str(application.id))
    if application.account_id is not None:
        account = Q(subject_kind="account", subject_id=str(application.account_id), at__gte=application.created_at)
        if application.state != State.DONE and application.ended_at is not None:
            account &= Q(at__lte=application.ended_at)
        about |= account
    return list(Event.objects.filter(about).order_by("id"))
