"""Reading rules."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from foyer.kit.clock import now
from foyer.screening.models import About, Rule
from foyer.screening.rule_errors import RuleUnknown
from foyer.screening.statements import LIVE


def by_id(rule_id: int) -> Rule:
    """Return the rule of a number.

    Raises:
        RuleUnknown
    """
    rule = Rule.objects.filter(id=rule_id).first()
    if rule is None:
        raise RuleUnknown
    return rule


def live(about: Collection[About] = tuple(About)) -> list[Rule]:
    """Return the rules about these that hold at this moment, the oldest first."""
    if not about:
        return []
    kinds = [str(kind) for kind in about]
    kinds += kinds[-1:] * (len(About) - len(kinds))
    # The index has no order over several kinds; there are few rules.
    return sorted(LIVE.rows(*kinds, now()), key=lambda rule: rule.id)


def over(*, before: int | None = None, size: int = 50) -> list[Rule]:
    """Return the rules that are ended or have expired, the newest first; `before`: the id the last page ended with."""
    rows = Rule.objects.exclude(id__in=_live().values("id"))
    if before is not None:
        rows = rows.filter(id__lt=before)
    return list(rows.order_by("-id")[:size])


def _live() -> QuerySet[Rule]:
    return Rule.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now()), ended_at=None)
