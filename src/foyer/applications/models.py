"""One row for each application, what was said about it, and the digests by which a denied person is known again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from foyer.kit.clock import now


class State(models.TextChoices):
    """Where an application stands; see the room's docstring."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    WAITING = "waiting"
    ASKED = "asked"
    APPROVED = "approved"
    DENIED = "denied"
    DONE = "done"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


PENDING = (State.VERIFIED, State.WAITING, State.ASKED, State.APPROVED)
"""Its email was proven, and it is not over: an email has one of these at most."""


class Decision(models.TextChoices):
    """What the moderators said."""

    NONE = ""
    APPROVE = "approve"
    DENY = "deny"


class PasswordWay(models.TextChoices):
    """When the applicant chooses the password."""

    WHEN_APPLYING = "when_applying"
    WHEN_APPROVED = "when_approved"


class Application(models.Model):
    """One application. `answers`: [{id, text, answer}], `legal`: [{title, url, at}], `flags`: [{code, params}]."""

    id = models.BigAutoField(primary_key=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.UNVERIFIED)
    state_before = models.CharField(max_length=16, default="")  # where an undo leads
    localpart = models.CharField(max_length=255)  # empty: the name was lost, and none was chosen yet
    skeleton = models.CharField(max_length=255, default="")  # of the name; see folding
    language = models.CharField(max_length=16, default="en")
    ip = models.GenericIPAddressField(null=True)
    subnet = models.CharField(max_length=50, default="")
    created_at = models.DateTimeField(default=now)

    email = models.CharField(max_length=254)
    mailbox = models.CharField(max_length=254, default="")  # of the email; see folding
    email_wanted = models.CharField(max_length=254, default="")  # a correction that is not proven yet
    email_verified_at = models.DateTimeField(null=True)
    mail_refused_at = models.DateTimeField(null=True)  # a mail server said that there is no such mailbox
    has_code = models.BooleanField(default=False)  # False: no code was mailed, so none is right
    code_generation = models.PositiveIntegerField(default=0)
    code_tries = models.PositiveIntegerField(default=0)
    code_expires_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    mails = models.PositiveIntegerField(default=0)  # in the day that ends with mailed_at
    nonce = models.CharField(max_length=32)
    key_digest = models.CharField(max_length=64, unique=True)

    answers = models.JSONField(default=list)
    legal = models.JSONField(default=list)
    password_way = models.CharField(max_length=16, choices=PasswordWay.choices, default=PasswordWay.WHEN_APPROVED)
    account_id = models.BigIntegerField(null=True)  # of accounts: held for this application, or made by its link
    invite_id = models.BigIntegerField(null=True)  # of invites: its link, where the password is chosen later
    submitting_at = models.DateTimeField(null=True)  # a request is at it
    submitted_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)

    decision = models.CharField(max_length=8, choices=Decision.choices, default=Decision.NONE)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=150, default="")
    message = models.TextField(default="")  # to the applicant
    is_silent = models.BooleanField(default=False)  # no mail says so
    reason = models.TextField(default="")  # for the moderators alone
    effects_at = models.DateTimeField(null=True)
    effects_started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    claimed_by = models.CharField(max_length=150, default="")  # who is reading it
    claimed_until = models.DateTimeField(null=True)
    flags = models.JSONField(default=list)
    is_flagged = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("user registration")  # Django's admin calls it as its predecessor did
        verbose_name_plural = _("user registrations")
        constraints = (
            models.UniqueConstraint(
                Lower("email"), condition=Q(state__in=PENDING), name="applications_one_for_an_email"
            ),
        )
        indexes = (
            models.Index(fields=["submitted_at", "id"], condition=Q(state="waiting"), name="applications_waiting"),
            models.Index(
                fields=["submitted_at", "id"],
                condition=Q(state="waiting", is_flagged=True),
                name="applications_flagged",
            ),
            models.Index(fields=["submitted_at", "id"], condition=Q(state="asked"), name="applications_asked"),
            models.Index(
                fields=["decided_at", "id"], condition=Q(decided_at__isnull=False), name="applications_decided"
            ),
            models.Index(
                fields=["decision", "decided_at"],
                condition=Q(decided_at__isnull=False),
                name="applications_decisions",
            ),
            models.Index(fields=["invite_id"], condition=Q(state="approved"), name="applications_approved"),
            models.Index(fields=["created_at", "id"], condition=Q(state="unverified"), name="applications_unverified"),
            models.Index(
                fields=["email_verified_at", "id"], condition=Q(state="verified"), name="applications_verified"
            ),
            models.Index(fields=["ended_at", "id"], condition=Q(ended_at__isnull=False), name="applications_ended"),
            models.Index(fields=["created_at", "id"], condition=Q(ip__isnull=False), name="applications_ips"),
            models.Index(fields=["localpart"], name="applications_localpart"),
            models.Index(fields=["mailbox"], name="applications_mailbox"),
            models.Index(fields=["skeleton"], name="applications_skeleton"),
            models.Index(fields=["subnet", "created_at"], name="applications_subnet"),
        )

    def __str__(self) -> str:
        """Return the number and the state, and nothing about the person."""
        return f"application {self.pk} ({self.state})"

    @property
    def holder(self) -> str:
        """How names, accounts and notify know this application."""
        return f"application:{self.pk}"

    @property
    def email_to_prove(self) -> str:
        """The email that a code is, or would be, mailed to."""
        return self.email_wanted or self.email

    @property
    def awaits_proof(self) -> bool:
        """Say whether there is an email that is not proven yet."""
        return self.state == State.UNVERIFIED or bool(self.email_wanted)


class Message(models.Model):
    """One turn of the conversation with the applicant. `by`: "applicant", or an actor such as `staff:anna`."""

    id = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="messages")
    by = models.CharField(max_length=150)
    text = models.TextField()
    at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        """Return whose turn it was."""
        return f"{self.by} at {self.at}"


class Note(models.Model):
    """What moderators tell each other."""

    id = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="notes")
    by = models.CharField(max_length=150)
    text = models.TextField()
    at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        """Return who wrote it."""
        return f"{self.by} at {self.at}"


class DenialDigest(models.Model):
    """A keyed digest of a denied name or email, which outlives the application: known again, never readable."""

    class Kind(models.TextChoices):
        """Of what."""

        NAME = "name"
        EMAIL = "email"

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    digest = models.CharField(max_length=64)
    at = models.DateTimeField(default=now)

    class Meta:
        indexes = (
            models.Index(fields=["kind", "digest"], name="applications_denied"),
            models.Index(fields=["at"], name="applications_denied_at"),
        )

    def __str__(self) -> str:
        """Return what is known."""
        return f"{self.kind} denied at {self.at}"


class Mailed(models.Model):
    """A mail to a mailbox that somebody said is theirs: for a day, as keyed digests; see floods."""

    id = models.BigAutoField(primary_key=True)
    box = models.CharField(max_length=64)
    client = models.CharField(max_length=64, default="")  # empty: not known
    at = models.DateTimeField(default=now)

    class Meta:
        indexes = (
            models.Index(fields=["box", "at"], name="applications_mailed_box"),
            models.Index(fields=["at"], name="applications_mailed_at"),
        )

    def __str__(self) -> str:
        """Return when."""
        return f"mailed at {self.at}"


class Day(models.Model):
    """How many came in on one day (UTC), and what was decided. Kept longer than what was counted."""

    day = models.DateField(primary_key=True)
    by_request = models.PositiveIntegerField(default=0)
    by_invitation = models.PositiveIntegerField(default=0)
    approved = models.PositiveIntegerField(default=0)
    denied = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        """Return which day."""
        return str(self.day)

    @property
    def all(self) -> int:
        """Return how many came in."""
        return self.by_request + self.by_invitation


class Haystack(models.Model):
    """What a search looks through, in a table of its own: the search index of SQLite hangs on it by triggers."""

    application = models.OneToOneField(Application, on_delete=models.CASCADE, primary_key=True, related_name="haystack")
    text = models.TextField()

    def __str__(self) -> str:
        """Return whose it is."""
        return f"application {self.pk}"
