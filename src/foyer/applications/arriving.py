"""From a wish to a proven email and a claimed name.

Until the email is proven, a stranger learns nothing: the same page and the same words follow, whether the name or the
email is known here or not. Whoever owns an email with an application under way hears of it by mail.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Lower

from foyer.accounts.rules import allowed_localpart
from foyer.applications import flags, floods, keys, mailing, naming, queries, search, welcome
from foyer.applications.errors import (
    AlreadyApplied,
    CodeExpired,
    CodeSpent,
    CodeWrong,
    DoorClosed,
    EmailUnchanged,
    MailedOften,
    MailTooSoon,
)
from foyer.applications.models import PENDING, Application, State
from foyer.applications.moves import lock, move, wrong_state
from foyer.applications.texts import allowed_email
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.kit.actor import Actor
from foyer.kit.client_ip import ClientAddress
from foyer.kit.clock import now
from foyer.kit.codes import digests_match
from foyer.kit.folding import mailbox, skeleton
from foyer.names import services as names

CODE_TRIES = 10
MAIL_AGAIN_AFTER = timedelta(seconds=60)
MAILS_A_DAY = 10
"""For the sake of one application, to whatever emails."""
A_DAY = timedelta(days=1)
CORRECTABLE = (State.VERIFIED, State.WAITING, State.ASKED)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """An application begins. `key` leads to its pages; it is nobody else's."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verified:
    """The email is proven. `lost_name`: the wished name, where it is not to be had: choose another one."""

    key: str = field(repr=False)
    lost_name: str = ""


def start(
    username: str, email: str, *, ip: str | None = None, language: str = "en", traps: Collection[str] = ()
) -> Started:
    """Begin an application, and owe the mail that proves the email. Says nothing about who is known here.

    `traps`: of flags.OF_THE_FORM, those that the form has sprung.

    Raises:
        DoorClosed
        NameMalformed, NameForbidden, NameReserved: the rules; whether it is free is not looked at.
        EmailMalformed
        NotWelcome: by the rules of the moderators. Nobody is mailed then.
        MailedOften
    """
    if "application" not in current().open_ways:
        raise DoorClosed
    localpart, email = allowed_localpart(username), allowed_email(email)
    welcome.require(name=localpart, email=email, ip=ip)
    application = Application(
        localpart=localpart,
        skeleton=skeleton(localpart),
        email=email,
        mailbox=mailbox(email),
        language=language,
        ip=ip,
        subnet=ClientAddress(ip, is_known=True).subnet if ip else "",
        nonce=keys.new_nonce(),
        flags=flags.with_traps([], traps),
    )
    application.key_digest = keys.status_digest(keys.status_key(application))
    with transaction.atomic():
        application.save()
        record(Verb.APPLICATION_STARTED, actor=Actor.person(), subject=("application", application.id))
        _mail_code(application)
    return Started(keys.status_key(application))


def resend(application: Application) -> None:
    """Owe another mail with the code. The link of the older mail stays good, and its code while it is valid.

    Raises:
        MailTooSoon: `.params["seconds"]` says how long to wait.
        MailedOften
        WrongState: there is nothing to prove.
    """
    with transaction.atomic():
        row = lock(application.id)
        if not row.awaits_proof or row.state not in (State.UNVERIFIED, *CORRECTABLE):
            raise wrong_state(row.id)
        wait = seconds_until_resend(row)
        if wait:
            raise MailTooSoon(seconds=wait)
        _mail_code(row)


def seconds_until_resend(application: Application) -> int:
    """Return how long the page shows that one must wait; 0: a mail can be sent now."""
    if application.mailed_at is None:
        return 0
    left = application.mailed_at + MAIL_AGAIN_AFTER - now()
    if left > 2 * MAIL_AGAIN_AFTER:
        return 0  # the clock ran ahead when it was mailed
    return max(0, -(-left // timedelta(seconds=1)))


def correct_email(application: Application, email: str) -> None:
    """Take another email. It must be proven; until then one that was proven before stays in force.

    Raises:
        EmailMalformed, EmailUnchanged, MailedOften
        NotWelcome: by the rules of the moderators.
        WrongState: decided, or over.
    """
    email = allowed_email(email)
    welcome.require(email=email)
    with transaction.atomic():
        row = lock(application.id)
        if email == row.email_to_prove:
            raise EmailUnchanged
        if row.state == State.UNVERIFIED:
            row.email, row.mailbox = email, mailbox(email)
        elif row.state in CORRECTABLE:
            row.email_wanted = "" if email == row.email else email
        else:
            raise wrong_state(row.id)
        row.has_code, row.mail_refused_at = False, None
        row.save(update_fields=["email", "mailbox", "email_wanted", "has_code", "mail_refused_at"])
        record(Verb.APPLICATION_EMAIL_CORRECTED, actor=Actor.person(), subject=("application", row.id))
        if row.awaits_proof:
            _mail_code(row)


def _mail_code(row: Application) -> None:
    """Owe the mail with the code, or, where the email has an application under way, the one that leads there."""
    moment = now()
    if row.mails >= MAILS_A_DAY and row.mailed_at is not None and row.mailed_at > moment - A_DAY:
        raise MailedOften
    floods.count(mailbox(row.email_to_prove), row.subnet)
    pending = _pending_with(row.email_to_prove).exclude(id=row.id).first()
    is_alive = row.has_code and row.code_tries < CODE_TRIES and (row.code_expires_at or moment) > moment
    if not is_alive:
        row.code_generation, row.code_tries = row.code_generation + 1, 0
    row.has_code = pending is None
    row.mails = row.mails + 1 if row.mailed_at is not None and row.mailed_at > moment - A_DAY else 1
    row.mailed_at, row.mail_refused_at = moment, None
    row.code_expires_at = moment + mailing.CODE_IS_GOOD_FOR
    row.save(
        update_fields=[
            "code_generation", "code_tries", "code_expires_at", "has_code", "mailed_at", "mails", "mail_refused_at",
        ]
    )  # fmt: skip
    record(Verb.APPLICATION_CODE_SENT, actor=Actor.person(), subject=("application", row.id))
    if pending is None:
        mailing.owe(mailing.VERIFICATION, row)
    else:
        mailing.owe(mailing.ALREADY_APPLIED, pending)


def _pending_with(email: str) -> QuerySet[Application]:
    return Application.objects.annotate(lower_email=Lower("email")).filter(lower_email=email.lower(), state__in=PENDING)


def verify_by_code(application: Application, code: str) -> Verified:
    """Prove the email by the six digits. Where there is nothing to prove (any more) it changes nothing.

    Raises:
        CodeWrong, CodeSpent, CodeExpired
        AlreadyApplied
        WrongState
    """
    row = queries.by_id(application.id)
    if not row.awaits_proof:
        return _as_it_is(row)
    open_still = Application.objects.filter(id=row.id, code_generation=row.code_generation, code_tries__lt=CODE_TRIES)
    if not open_still.filter(code_expires_at__gt=now()).update(code_tries=F("code_tries") + 1):
        raise CodeExpired if open_still.exists() else CodeSpent
    digits = "".join(character for character in code if character.isdecimal())
    if not (row.has_code and digests_match(keys.code(row), digits)):
        raise CodeWrong(left=max(0, CODE_TRIES - row.code_tries - 1))
    return _prove(row)


def verify_by_link(mail_key: str) -> Verified:
    """Prove the email by the key of the mailed link. Pressing twice does no harm.

    Raises:
        ApplicationUnknown: no such key, or the email was corrected since.
        AlreadyApplied
        WrongState
    """
    row = queries.by_mail_key(mail_key)
    if not (row.awaits_proof and digests_match(keys.mail_key(row), mail_key)):
        return _as_it_is(row)
    return _prove(row)


def _as_it_is(row: Application) -> Verified:
    return Verified(keys.status_key(row))


def _prove(row: Application) -> Verified:
    """The email of this row is its owner's."""
    try:
        with transaction.atomic():
            lost = _note_proof(row) if row.state == State.UNVERIFIED else _note_correction(row)
    except IntegrityError:
        # Another application was proven with it first. Only now may this person know.
        with transaction.atomic():
            is_news = Application.objects.filter(id=row.id, has_code=True).update(has_code=False)
            pending = _pending_with(row.email_to_prove).exclude(id=row.id).first()
            if is_news and pending is not None:  # pressing on and on sends no further mail
                mailing.owe(mailing.ALREADY_APPLIED, pending)
        raise AlreadyApplied from None
    if row.state == State.UNVERIFIED and not lost:
        lost = naming.find_lost(queries.by_id(row.id))
    return Verified(keys.status_key(row), lost)


def _note_proof(row: Application) -> str:
    """Claim the name; return it where somebody else has it."""
    moved = move(
        row.id,
        [State.UNVERIFIED],
        State.VERIFIED,
        verb=Verb.APPLICATION_VERIFIED,
        actor=Actor.person(),
        only={"email": row.email},
        email_verified_at=now(),
        mail_refused_at=None,
    )
    lost = ""
    try:
        names.claim(moved.localpart, holder=moved.holder)
    except names.NameHeld:
        lost, moved.localpart, moved.skeleton = moved.localpart, "", ""
        moved.save(update_fields=["localpart", "skeleton"])
        record(Verb.APPLICATION_NAME_LOST, actor=Actor.person(), subject=("application", moved.id))
    flags.raise_for(moved)
    return lost


def _note_correction(row: Application) -> str:
    corrected = Application.objects.filter(id=row.id, email_wanted=row.email_wanted, state__in=CORRECTABLE)
    if not corrected.update(
        email=row.email_wanted,
        mailbox=mailbox(row.email_wanted),
        email_wanted="",
        email_verified_at=now(),
        mail_refused_at=None,
    ):
        raise wrong_state(row.id)
    record(Verb.APPLICATION_VERIFIED, actor=Actor.person(), subject=("application", row.id), corrected=True)
    moved = queries.by_id(row.id)
    flags.raise_for(moved)
    if moved.submitted_at is not None:
        search.index(moved)
    return ""
