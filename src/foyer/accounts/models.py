"""One row for each account that Foyer set out to make."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from foyer.kit.clock import now


class State(models.TextChoices):
    """What is known of the account.

    creating → open | held | refused | unknown      unknown → open | refused | shelved
    held → open | shelved | creating                shelved → creating

    A held account is rightful as long as the one it was made for has the claim on its name. After that it is as good
    as shelved: the next one who claims the name takes it up, and a job empties it.
    """

    CREATING = "creating"  # a request is asking the homeserver at this moment
    UNKNOWN = "unknown"  # the answer was lost: it may exist
    HELD = "held"  # it exists, locked, and will open with the password that its person chose
    OPEN = "open"  # it exists, and its person can sign in
    REFUSED = "refused"  # it does not exist, or is not ours
    SHELVED = "shelved"  # an empty shell of ours that nobody can sign in to; the next one with the name gets it


class Account(models.Model):
    """An account, from the first attempt on. Never deleted; the IP goes after `retention.ips`."""

    id = models.BigAutoField(primary_key=True)
    localpart = models.CharField(max_length=255)
    state = models.CharField(max_length=16, choices=State.choices, default=State.CREATING)
    begun_at = models.DateTimeField(default=now)  # the last attempt, not the first
    settled_at = models.DateTimeField(null=True)
    absent_at = models.DateTimeField(null=True)  # when, after a lost answer, the homeserver first knew of none
    is_shell = models.BooleanField(default=False)  # the attempt fills a shell that was ours before
    stays_locked = models.BooleanField(default=False)  # the attempt makes it for somebody who waits for a yes
    unsure_until = models.DateTimeField(null=True)  # so long a request for whoever had it may still arrive there
    unsure_for = models.CharField(max_length=64, default="", db_default="")  # who that was: `invite:5`
    made_for = models.CharField(max_length=64, default="")  # who had claimed the name before: `application:17`
    reason = models.CharField(max_length=64, default="")  # the code of the refusal
    email = models.CharField(max_length=254, default="")  # proven; to be attached
    rooms = models.JSONField(default=list)
    ip = models.GenericIPAddressField(null=True)
    welcomed_at = models.DateTimeField(null=True)
    accepted_terms = models.BooleanField(default=False, db_default=False)  # its person ticked what must be accepted

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["localpart"], condition=~Q(state=State.REFUSED), name="accounts_one_for_a_name"
            ),
        )
        indexes = (
            models.Index(
                fields=["begun_at"], condition=Q(state__in=[State.CREATING, State.UNKNOWN]), name="accounts_unsettled"
            ),
            # SQLite does not use the constraint's partial index for "who has this name?".
            models.Index(fields=["localpart"], name="accounts_localpart"),
            models.Index(fields=["made_for"], condition=Q(state=State.HELD), name="accounts_held"),
            models.Index(fields=["made_for"], condition=~Q(made_for=""), name="accounts_made_for"),
            models.Index(fields=["begun_at"], condition=Q(ip__isnull=False), name="accounts_ips"),
        )

    def __str__(self) -> str:
        """Return the name and the state."""
        return f"{self.localpart} ({self.state})"

    @property
    def holder(self) -> str:
        """How names and invitations know this account."""
        return f"account:{self.pk}"

    @property
    def claimant(self) -> str:
        """Who has the claim on the name until the account is open."""
        return self.made_for or self.holder
