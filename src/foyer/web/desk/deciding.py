"""The decision: on one request, or on many at once, with the mail that will go out before anything is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foyer.applications import decisions, queries
from foyer.applications.decisions import Outcome
from foyer.applications.errors import AlreadyDecided, ApplicationUnknown, WrongState
from foyer.applications.models import Application, Decision
from foyer.applications.moves import who
from foyer.applications.texts import MAX_TEXT_LENGTH
from foyer.kit.refusal import Refusal
from foyer.web import errors
from foyer.web.desk import frame, letters, wordings
from foyer.web.desk.cards import DECIDABLE, address_of, card, cards
from foyer.web.desk.door import Me, moderators
from foyer.web.desk.letters import Act
from foyer.web.desk.tabs import MOST_AT_ONCE, tab_of
from foyer.web.errors import allow
from foyer.web.forms import by_field, errors_of
from foyer.web.jinja import long_moment

ACTS: tuple[Act, ...] = ("approve", "deny", "ask")
SHOWN_AT_ONCE = 30
SECONDS_FOR_ALL = 3.0
FRAGMENT = "X-Foyer-Fragment"


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form; `tab`, `words` and `next` lead back to where in the queue one was."""

    message: str = ""
    reason: str = ""
    is_silent: bool = False
    tab: str = ""
    words: str = ""
    next: str = ""

    @property
    def place(self) -> dict[str, str]:
        """Return the parameters of the queue."""
        return {"tab": self.tab, "q": self.words}


def _draft(form: QueryDict, *, is_silent: bool) -> Draft:
    next_number = frame.one(form, "next", 18)
    return Draft(
        message=form.get("message", ""),
        reason=form.get("reason", ""),
        is_silent=is_silent,
        tab=frame.one(form, "tab"),
        words=frame.one(form, "q"),
        next=next_number if next_number.isdecimal() else "",
    )


@moderators
@allow("GET", "POST")
def one(request: HttpRequest, me: Me, number: int, decision: str) -> HttpResponseBase:
    """Show what deciding on one request will do; with POST, do it."""
    if decision not in ACTS:
        return errors.answer(request, errors.NOT_FOUND)
    act: Act = decision
    try:
        row = queries.by_id(number)
    except ApplicationUnknown as refusal:
        return errors.refused(request, refusal)
    if request.method != "POST":
        draft = _draft(request.GET, is_silent=_is_silent_unless_changed(row))
        return _form(request, me, act, [row], draft)
    draft = _draft(request.POST, is_silent="silent" in request.POST)
    if "wording" in request.POST or "preview" in request.POST:
        return _look_again(request, me, act, [row], draft)
    try:
        _decide(act, row, me, draft)
    except Refusal as refusal:
        return _form(request, me, act, [queries.by_id(number)], draft, refusal=refusal)
    if act != "ask":
        frame.remember_deed(request, act, [row.id])
    else:
        frame.say(request, [_("Your question to %(address)s is on its way.") % {"address": address_of(row)}])
    return frame.go_to(request, "desk/queue", draft.place, at=f"address-{draft.next}" if draft.next else "")


def _is_silent_unless_changed(row: Application) -> bool:
    """No mail goes to an email that nobody has proven, or that takes none, unless somebody says so."""
    return row.email_verified_at is None or row.mail_refused_at is not None


def _decide(act: Act, row: Application, me: Me, draft: Draft) -> None:
    match act:
        case "approve":
            decisions.approve(row.id, me.actor, draft.message, draft.reason, silent=draft.is_silent)
        case "deny":
            decisions.deny(row.id, me.actor, draft.message, draft.reason, silent=draft.is_silent)
        case "ask":
            decisions.ask(row.id, me.actor, draft.message)


@moderators
@allow("GET", "POST")
def many(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Show what deciding on many requests will do; with POST, do it."""
    form = request.POST if request.method == "POST" else request.GET
    act: Act = "deny" if form.get("decision") == "deny" else "approve"
    draft = _draft(form, is_silent="silent" in form)
    rows = _chosen(form, draft)
    if not rows:
        frame.say(request, [_("Nothing was done. Choose some requests first.")])
        return frame.go_to(request, "desk/queue", draft.place)
    if request.method != "POST":
        return _form(request, me, act, rows, draft)
    if "wording" in request.POST or "preview" in request.POST:
        return _look_again(request, me, act, rows, draft)
    decide = decisions.approve_many if act == "approve" else decisions.deny_many
    try:
        outcomes = decide([row.id for row in rows], me.actor, draft.message, draft.reason, silent=draft.is_silent)
    except Refusal as refusal:
        return _form(request, me, act, rows, draft, refusal=refusal)
    frame.remember_deed(request, act, [it.application_id for it in outcomes if it.refusal is None])
    frame.say(request, told(outcomes, {row.id: address_of(row) for row in rows}))
    return frame.go_to(request, "desk/queue", draft.place)


def _chosen(form: QueryDict, draft: Draft) -> list[Application]:
    """Return the requests that were ticked; or, where all were wanted, the oldest of them."""
    if "all" in form:
        return queries.queue(tab_of(draft.tab), words=draft.words, size=MOST_AT_ONCE, seconds=SECONDS_FOR_ALL).rows
    ids = frame.numbers(form.get("ids", "") or ",".join(form.getlist("id")), most=MOST_AT_ONCE)
    found = Application.objects.in_bulk(ids)
    return [found[number] for number in ids if number in found]


def told(outcomes: Sequence[Outcome], addresses: dict[int, str]) -> list[str]:
    """Return a sentence for each that was not done: who was first, and when."""
    lost = [(it.application_id, it.refusal) for it in outcomes if it.refusal is not None]
    sentences = [f"{addresses[number]}: {sentence_of(refusal)}" for number, refusal in lost]
    more = len(sentences) - frame.MOST_SAID + 1
    if more > 1:
        text = ngettext("%(count)s more was not changed.", "%(count)s more were not changed.", more)
        sentences = [*sentences[: frame.MOST_SAID - 1], text % {"count": more}]
    return sentences


def sentence_of(refusal: Refusal) -> str:
    """Return why not, with the minute in which somebody else decided."""
    if isinstance(refusal, AlreadyDecided) and refusal.decided_at is not None:
        facts = {"who": who(refusal.decided_by), "when": long_moment(refusal.decided_at)}
        if refusal.state == "denied":
            return _("%(who)s denied this request on %(when)s.") % facts
        return _("%(who)s approved this request on %(when)s.") % facts
    return str(refusal)


def _look_again(request: HttpRequest, me: Me, act: Act, rows: list[Application], draft: Draft) -> HttpResponse:
    """Show the mail with what was typed, or with one of the wordings; only the mail, where a script asks."""
    chosen = request.POST.get("wording", "")
    known = wordings.of(act, rows[0].language)
    if chosen.isdecimal() and int(chosen) < len(known):
        draft = Draft(known[int(chosen)][1], draft.reason, draft.is_silent, draft.tab, draft.words, draft.next)
    if request.headers.get(FRAGMENT):
        shown = letters.preview(rows[0], act, draft.message)
        return frame.fragment(request, "desk/parts/letter.html", letter=shown, is_silent=draft.is_silent)
    return _form(request, me, act, rows, draft)


def _form(
    request: HttpRequest,
    me: Me,
    act: Act,
    rows: list[Application],
    draft: Draft,
    *,
    refusal: Refusal | None = None,
) -> HttpResponse:
    found = errors_of([refusal] if refusal is not None and refusal.field == "text" else [])
    first = rows[0]
    is_late = isinstance(refusal, WrongState) or (len(rows) == 1 and first.state not in DECIDABLE)
    status = 200 if refusal is None else refusal.status
    context: dict[str, Any] = {
        "act": act,
        "card": card(first, me),
        "cards": cards(rows[:SHOWN_AT_ONCE], me),
        "count": len(rows),
        "more": max(0, len(rows) - SHOWN_AT_ONCE),
        "flagged": sum(1 for row in rows if row.is_flagged),
        "ids": frame.joined([row.id for row in rows]),
        "draft": draft,
        "longest": MAX_TEXT_LENGTH,
        "letter": letters.preview(first, act, draft.message),
        "wordings": wordings.of(act, first.language),
        "is_late": is_late,
        "trouble": "" if refusal is None or found else sentence_of(refusal),
        "error": by_field(found, ["text"])["text"],
    }
    if is_late and not context["trouble"]:
        context["trouble"] = _as_it_stands(first)
    few = {"decision": act, "ids": context["ids"]} if len(rows) <= 50 else {}
    parameters = {} if len(rows) == 1 else few
    return frame.render(request, me, "desk/decide.html", here="queue", status=status, parameters=parameters, **context)


def _as_it_stands(row: Application) -> str:
    if row.decision == Decision.NONE or row.decided_at is None:
        return str(WrongState())
    return sentence_of(AlreadyDecided(state=row.state, decided_by=row.decided_by, decided_at=row.decided_at))
