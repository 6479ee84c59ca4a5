"""Invitations, their uses, and their registration tokens at the homeserver."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from foyer.kit.clock import now


class Invite(models.Model):
    """One invitation. It has facts, not a state: limit, held, used, expires_at, revoked_at."""

    id = models.BigAutoField(primary_key=True)
    code = models.CharField(max_length=64, unique=True)
    uses_limit = models.PositiveIntegerField(null=True)  # None: as many as come
    held = models.PositiveIntegerField(default=0)
    used = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    label = models.CharField(max_length=200, default="")
    message = models.TextField(default="")
    rooms = models.JSONField(default=list)
    localpart = models.CharField(max_length=255, default="")  # pinned name; claims nothing until somebody joins
    email = models.CharField(max_length=254, default="")  # pinned email
    inviter = models.CharField(max_length=200, default="")  # shown on the page, where the inviter agreed
    created_at = models.DateTimeField(default=now)
    created_by = models.CharField(max_length=150)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(uses_limit=None) | Q(uses_limit__gte=0), name="invites_limit_not_negative"
            ),
        )
        indexes = (models.Index(fields=["-created_at", "-id"], name="invites_newest"),)

    def __str__(self) -> str:
        """Return the code."""
        return self.code

    @property
    def holder(self) -> str:
        """How names know this invitation, where one was made for somebody who has claimed the name already."""
        return f"invite:{self.pk}"

    @property
    def uses_left(self) -> int | None:
        """Return how many more may join, None for any number."""
        return None if self.uses_limit is None else max(0, self.uses_limit - self.used)

    @property
    def is_live(self) -> bool:
        """Say whether somebody could still join by it; a use that is only held counts as free."""
        open_still = self.revoked_at is None and (self.expires_at is None or self.expires_at > now())
        return open_still and self.uses_left != 0


class Use(models.Model):
    """One use, held or spent, by `holder` (such as `account:17`). It outlives a deleted invitation."""

    id = models.BigAutoField(primary_key=True)
    invite = models.ForeignKey(Invite, null=True, on_delete=models.SET_NULL, related_name="uses")
    code = models.CharField(max_length=64)
    holder = models.CharField(max_length=64, unique=True)
    spent_at = models.DateTimeField(null=True)  # None: held
    at = models.DateTimeField(default=now)
    ip = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = (models.Index(fields=["at"], condition=Q(ip__isnull=False), name="invites_use_ips"),)

    def __str__(self) -> str:
        """Return who used what."""
        return f"{self.code}: {self.holder}"


class MirrorState(models.TextChoices):
    """What is at the homeserver."""

    NONE = "none"  # nothing of ours
    THERE = "there"  # a token of ours; people may come in by it
    TAKEN = "taken"  # a token of this code that somebody else made: it is left alone


class Mirror(models.Model):
    """The registration token of one invitation: what it may let in, and what was counted.

    Its row outlives the invitation until the token is gone.
    """

    id = models.BigAutoField(primary_key=True)
    invite = models.OneToOneField(Invite, null=True, on_delete=models.SET_NULL, related_name="mirror")
    code = models.CharField(max_length=64, unique=True)
    wanted = models.BooleanField(default=True)  # by the owner; a pinned invitation has none all the same
    state = models.CharField(max_length=8, choices=MirrorState, default=MirrorState.NONE)
    is_ours = models.BooleanField(default=False)  # was made by us, whether it is there now or not
    # The most that the homeserver can be letting in, those made there included. It is raised before the homeserver is
    # told, and lowered after it has said yes. None: any number.
    allowed = models.PositiveIntegerField(null=True)
    ends_at = models.DateTimeField(null=True)
    # Not None: it is not known what the homeserver was told last, so it must be told again; until this moment again and
    # again, as what was asked before may arrive late.
    unsure_until = models.DateTimeField(null=True)
    counted = models.PositiveIntegerField(default=0)  # of those that the token as it stands let in: is in invite.used
    pending = models.PositiveIntegerField(default=0)
    used_there = models.PositiveIntegerField(default=0)  # of invite.used: all that ever registered there
    checked_at = models.DateTimeField(null=True)
    lease = models.CharField(max_length=32, default="")
    leased_until = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["checked_at", "id"], condition=Q(state=MirrorState.THERE), name="invites_mirror_due"),
        )

    def __str__(self) -> str:
        """Return the code."""
        return self.code
