"""Invitations by the page, for those who look after them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import F, Q, QuerySet

from foyer.invites.models import Invite, Use
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.kit.walking import SECONDS, walk

Which = Literal["open", "over", "all"]
PAGE = 50
BY_ITSELF = str(Actor.job())
"""Who made those for somebody who was approved: no person looks after them."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some invitations, and the `before` of the next page; None at the end.

    `looked_to`: the time for one page was over here, and the next page goes on; None: nothing was missed.
    """

    invites: list[Invite]
    before: int | None
    looked_to: datetime | None = None


def page(
    which: Which,
    *,
    made_by: str = "",
    words: str = "",
    before: int | None = None,
    size: int = PAGE,
    seconds: float = SECONDS,
) -> Page:
    """Return a page, the newest first.

    `made_by`: only those of this actor; empty: everybody's. `words`: a piece of label, code or email, or a whole name.
    """
    rows = _of(made_by).exclude(created_by=BY_ITSELF)
    if which != "all":
        rows = rows.filter(_is_open()) if which == "open" else rows.exclude(_is_open())
    if words := words.strip():
        rows = rows.filter(
            Q(label__icontains=words) | Q(code__icontains=words) | Q(email__icontains=words) | Q(localpart=words)
        )
    numbers = Invite.objects.values_list("id", flat=True)
    walked = walk(
        lambda low, high, most: list(rows.filter(id__gte=low, id__lt=high).order_by("-id")[:most]),
        number_of=lambda invite: invite.id,
        begin=before if before is not None else 1 + (numbers.order_by("-id").first() or 0),
        end=numbers.order_by("id").first() or 0,
        wanted=size,
        seconds=seconds,
    )
    last = None
    if walked.is_cut:
        last = Invite.objects.filter(id__gte=walked.before).order_by("id").values_list("created_at", flat=True).first()
    return Page(walked.found, walked.before, last)


def looks_after_itself(invite: Invite) -> bool:
    """Say whether it is the link of an approved request, which nobody is to change."""
    return invite.created_by == BY_ITSELF


def one(invite_id: int, *, made_by: str = "") -> Invite | None:
    """Return an invitation, if it is there and of this actor (empty: whoever made it)."""
    return _of(made_by).filter(id=invite_id).first()


def several(ids: Iterable[int], *, made_by: str = "") -> list[Invite]:
    """Return those of these that are of this actor, the oldest first."""
    return list(_of(made_by).filter(id__in=list(ids)).order_by("id"))


def uses_of_holders(holders: Iterable[str]) -> dict[str, Use]:
    """Return holder → its use, with the invitation where that is still there."""
    uses = Use.objects.filter(holder__in=list(holders)).select_related("invite")
    return {use.holder: use for use in uses}


def _of(made_by: str) -> QuerySet[Invite]:
    return Invite.objects.filter(created_by=made_by) if made_by else Invite.objects.all()


def _is_open() -> Q:
    has_uses = Q(uses_limit=None) | Q(uses_limit__gt=F("used"))
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now())) & has_uses
