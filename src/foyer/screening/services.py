"""Making rules, changing them and ending them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.screening import patterns, queries
from foyer.screening.models import About, Effect, Rule
from foyer.screening.rule_errors import ExpiryPast, RuleEnded

LONGEST_COMMENT = 500


@dataclass(frozen=True, slots=True)
class NewRule:
    """What a rule shall be. `expires_at` None: until somebody ends it."""

    about: About
    effect: Effect
    pattern: str
    comment: str = ""
    expires_at: datetime | None = None


def make(wanted: NewRule, *, actor: Actor) -> Rule:
    """Make a rule; it holds from the next attempt on.

    Raises:
        PatternRefused, ExpiryPast
    """
    columns = _columns(wanted)
    with transaction.atomic():
        rule = Rule.objects.create(**columns, created_by=str(actor))
        record(Verb.RULE_MADE, actor=actor, subject=("rule", rule.id), about=rule.about, effect=rule.effect)
    return rule


def edit(rule_id: int, wanted: NewRule, *, actor: Actor) -> Rule:
    """Make the rule what is wanted. Where that is what it is, nothing happens.

    Raises:
        PatternRefused, ExpiryPast
        RuleUnknown, RuleEnded
    """
    columns = _columns(wanted)
    before = queries.by_id(rule_id)
    changed = sorted(name for name, value in columns.items() if getattr(before, name) != value)
    with transaction.atomic():
        if not Rule.objects.filter(id=rule_id, ended_at=None).update(**columns):
            queries.by_id(rule_id)
            raise RuleEnded
        if changed:
            record(Verb.RULE_EDITED, actor=actor, subject=("rule", rule_id), changed=changed)
    return queries.by_id(rule_id)


def end(rule_id: int, *, actor: Actor) -> bool:
    """Let the rule do nothing any more. False: it was ended before.

    Raises:
        RuleUnknown
    """
    with transaction.atomic():
        ended = Rule.objects.filter(id=rule_id, ended_at=None).update(ended_at=now())
        if ended:
            record(Verb.RULE_ENDED, actor=actor, subject=("rule", rule_id))
    if not ended:
        queries.by_id(rule_id)
    return ended == 1


def _columns(wanted: NewRule) -> dict[str, object]:
    if wanted.expires_at is not None and wanted.expires_at <= now():
        raise ExpiryPast
    return {
        "about": wanted.about.value,
        "effect": wanted.effect.value,
        "pattern": patterns.checked(wanted.about, wanted.pattern),
        "comment": wanted.comment.replace("\0", "").strip()[:LONGEST_COMMENT],
        "expires_at": wanted.expires_at,
    }
