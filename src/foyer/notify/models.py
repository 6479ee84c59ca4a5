"""The record of what was said, and of what is still owed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from foyer.kit.clock import now


class Channel(models.TextChoices):
    """How it gets there."""

    EMAIL = "email"
    ROOM = "room"


class State(models.TextChoices):
    """What became of it. Refused: that email takes no mail. Dropped: when its turn came there was nothing to say."""

    OWED = "owed"
    SENT = "sent"
    REFUSED = "refused"
    GAVE_UP = "gave-up"
    DROPPED = "dropped"


class Delivery(models.Model):
    """One message to one recipient over one channel, however often it is tried.

    `subject` says whom or what it is about (`application:17`), `detail` which part of that; both are opaque here.
    `recipient` is emptied once the message is sent or dropped; `recipient_shown` stays and is for people's eyes.
    `message_id` is the same in every try, so that mail programs see one message even where it arrived twice.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=64)
    subject = models.CharField(max_length=64)
    detail = models.CharField(max_length=128, default="")
    channel = models.CharField(max_length=8, choices=Channel.choices, default=Channel.EMAIL)
    recipient = models.CharField(max_length=320, default="")
    recipient_shown = models.CharField(max_length=320)
    message_id = models.CharField(max_length=320)
    key = models.CharField(max_length=128, null=True, unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OWED)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField(default=now)
    owed_at = models.DateTimeField(default=now)
    attempted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["subject", "id"], name="notify_subject"),
            models.Index(fields=["finished_at", "id"], condition=~Q(state="owed"), name="notify_finished"),
            models.Index(fields=["id"], condition=Q(state__in=["refused", "gave-up"]), name="notify_failed"),
        )

    def __str__(self) -> str:
        """Return what it is about, without saying to whom."""
        return f"{self.kind} {self.subject} {self.state}"

    @property
    def whole_subject(self) -> str:
        """Return the subject as it was given to `deliver`."""
        return f"{self.subject} {self.detail}".rstrip()
