"""The rules about who is welcome. Moderators read them, so that a flag explains itself; admins change them."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from foyer.applications.moves import who
from foyer.applications.texts import cleaned
from foyer.kit.refusal import Refusal
from foyer.screening import patterns, queries, services
from foyer.screening.models import About, Effect, Rule
from foyer.screening.services import NewRule
from foyer.web.desk import frame, lists
from foyer.web.desk.door import Me, admins, moderators
from foyer.web.desk.matches import Match, lately
from foyer.web.errors import allow, refused
from foyer.web.forms import Error, by_field

FIELDS = ("about", "effect", "pattern", "comment", "expires")
PAGE = 50


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed, as it was typed."""

    about: str = About.NAME
    effect: str = Effect.HOLD
    pattern: str = ""
    comment: str = ""
    expires: str = ""


def about_word(about: str) -> str:
    """Return what a rule looks at, in words."""
    words = {
        About.NAME: _("User name"),
        About.EMAIL: _("Email"),
        About.DOMAIN: _("Email domain"),
        About.NETWORK: _("Network"),
    }
    return words[About(about)]


def effect_word(effect: str) -> str:
    """Return what a rule does, in words."""
    words = {Effect.REFUSE: _("Refuse"), Effect.HOLD: _("Hold for a person to look at"), Effect.FLAG: _("Flag")}
    return words[Effect(effect)]


@moderators
@allow("GET")
def page(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Show the rules that hold, or those that are over."""
    is_over = request.GET.get("which") == "over"
    rows = queries.over(before=lists.before_of(request), size=PAGE + 1) if is_over else queries.live()[::-1]
    before = rows[PAGE - 1].pk if is_over and len(rows) > PAGE else None
    return frame.render(
        request,
        me,
        "desk/rules.html",
        here="rules",
        which="over" if is_over else "",
        tabs=[("", _("In force")), ("over", _("Over"))],
        rules=[(it, about_word(it.about), effect_word(it.effect), who(it.created_by)) for it in _first(rows, is_over)],
        next_page=lists.following(before, which="over"),
    )


def _first(rows: list[Rule], is_over: bool) -> list[Rule]:
    return rows[:PAGE] if is_over else rows


@admins
@allow("GET", "POST")
def new(request: HttpRequest, me: Me) -> HttpResponseBase:
    """Ask for a rule, and make it; or show whom it would have matched."""
    if request.method != "POST":
        return _form(request, me, None, _asked_for(request), [])
    draft = _typed(request)
    try:
        wanted = _read(draft)
        if request.POST.get("look"):
            return _look(request, me, None, draft, wanted)
        services.make(wanted, actor=me.actor)
    except Refusal as refusal:
        return _form(request, me, None, draft, [Error(str(refusal.field), str(refusal))])
    frame.say(request, [_("The rule is in force.")])
    return frame.go_to(request, "desk/rules")


@moderators
@allow("GET")
def one(request: HttpRequest, me: Me, number: int) -> HttpResponseBase:
    """Show a rule, whom it would have matched lately, and to admins the form that changes it."""
    try:
        rule = queries.by_id(number)
    except Refusal as refusal:
        return refused(request, refusal)
    draft = Draft(rule.about, rule.effect, rule.pattern, rule.comment, lists.day_of(rule.expires_at))
    return _form(request, me, rule, draft, [], matches=lately(rule.about, rule.pattern))


@admins
@allow("POST")
def edit(request: HttpRequest, me: Me, number: int) -> HttpResponseBase:
    """Change a rule; or show whom the changed one would have matched."""
    draft = _typed(request)
    try:
        rule = queries.by_id(number)
    except Refusal as refusal:
        return refused(request, refusal)
    try:
        wanted = _read(draft)
        if request.POST.get("look"):
            return _look(request, me, rule, draft, wanted)
        services.edit(number, wanted, actor=me.actor)
    except Refusal as refusal:
        if refusal.field is None:
            return refused(request, refusal)
        return _form(request, me, rule, draft, [Error(refusal.field, str(refusal))])
    frame.say(request, [_("The rule is changed.")])
    return frame.go_to(request, f"desk/rules/{number}")


@admins
@allow("POST")
def end(request: HttpRequest, me: Me, number: int) -> HttpResponseBase:
    """Let a rule do nothing any more."""
    try:
        services.end(number, actor=me.actor)
    except Refusal as refusal:
        return refused(request, refusal)
    frame.say(request, [_("The rule is over. It does nothing any more.")])
    return frame.go_to(request, "desk/rules")


def _asked_for(request: HttpRequest) -> Draft:
    """Return a form that a link has filled in, such as one beside a request."""
    about, pattern = frame.one(request.GET, "about"), frame.one(request.GET, "pattern", 300)
    return Draft(about=about if about in About.values else About.NAME, pattern=pattern)


def _typed(request: HttpRequest) -> Draft:
    return Draft(**{name: cleaned(request.POST.get(name, ""))[:1000] for name in FIELDS})


def _read(draft: Draft) -> NewRule:
    try:
        about, effect = About(draft.about), Effect(draft.effect)
    except ValueError:
        raise ChoiceMissing from None
    try:
        expires_at = lists.end_of_day(draft.expires)
    except ValueError:
        raise DayMalformed from None
    return NewRule(about, effect, draft.pattern, draft.comment, expires_at)


class ChoiceMissing(Refusal):
    """Not one of the choices."""

    code = "choice-missing"
    field = "about"

    def __str__(self) -> str:
        """Return the sentence."""
        return _("Choose what the rule looks at, and what it does.")


class DayMalformed(Refusal):
    """Not a day."""

    code = "day-malformed"
    field = "expires"

    def __str__(self) -> str:
        """Return the sentence."""
        return _("This is not a day. Type it like 2027-01-31, or leave it empty.")


def _look(request: HttpRequest, me: Me, rule: Rule | None, draft: Draft, wanted: NewRule) -> HttpResponseBase:
    pattern = patterns.checked(wanted.about, wanted.pattern)
    return _form(request, me, rule, draft, [], matches=lately(wanted.about, pattern), is_draft=True)


def _form(
    request: HttpRequest,
    me: Me,
    rule: Rule | None,
    draft: Draft,
    errors: list[Error],
    *,
    matches: list[Match] | None = None,
    is_draft: bool = False,
) -> HttpResponseBase:
    return frame.render(
        request,
        me,
        "desk/rule.html",
        here="rules",
        status=400 if errors else 200,
        rule=rule,
        may_change=me.is_admin and (rule is None or rule.ended_at is None),
        draft=draft,
        errors=errors,
        errors_by_field=by_field(errors, FIELDS),
        abouts=[(it.value, about_word(it)) for it in About],
        effects=[(it.value, effect_word(it)) for it in Effect],
        about_name=about_word(draft.about) if draft.about in About.values else "",
        effect_name=effect_word(draft.effect) if draft.effect in Effect.values else "",
        made_by=who(rule.created_by) if rule is not None else "",
        matches=matches,
        is_draft=is_draft,
        longest=services.LONGEST_COMMENT,
        path="new" if rule is None else str(rule.pk),
    )
