"""From a wish to a proven email and a claimed name.

Until the email is proven, a stranger learns nothing: the same page and the same words follow, whether the name or the
email is known here or not. Whoever owns an email with an application under way hears of it by mail.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction

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
from foyer.applications.models import Application, State
from foyer.applications.moves import lock, wrong_state
from foyer.applications.statements import ADD, COUNT_TRY, KEEP_CODE, PENDING_WITH, VERIFY
from foyer.applications.texts import allowed_email
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.config import current
from foyer.kit.actor import Actor
from foyer.kit.client_ip import ClientAddress
from foyer.kit.clock import now
from foyer.kit.codes import digests_match
from foyer.kit.folding import mailbox, skeleton
from foyer.kit.refusal import Refusal
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
        pending = _prepare_code(application)
        ADD(application)
        record(Verb.APPLICATION_STARTED, actor=Actor.person(), subject=("application", application.id))
        _owe_code(application, pending)
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
    """Give a row that is kept already a code, and owe the mail."""
    pending = _prepare_code(row)
    KEEP_CODE(row)
    _owe_code(row, pending)


def _prepare_code(row: Application) -> Application | None:
    """Put a code on the row. Return the application under way that the email has, if any: then no code is right.

    Raises:
        MailedOften
    """
    moment = now()
    if row.mails >= MAILS_A_DAY and row.mailed_at is not None and row.mailed_at > moment - A_DAY:
        raise MailedOften
    floods.count(mailbox(row.email_to_prove), row.subnet)
    pending = _pending_with(row)
    is_alive = row.has_code and row.code_tries < CODE_TRIES and (row.code_expires_at or moment) > moment
    if not is_alive:
        row.code_generation, row.code_tries = row.code_generation + 1, 0
    row.has_code = pending is None
    row.mails = row.mails + 1 if row.mailed_at is not None and row.mailed_at > moment - A_DAY else 1
    row.mailed_at, row.mail_refused_at = moment, None
    row.code_expires_at = moment + mailing.CODE_IS_GOOD_FOR
    return pending


def _owe_code(row: Application, pending: Application | None) -> None:
    """Owe the mail with the code, or, where the email has an application under way, the one that leads there."""
    record(Verb.APPLICATION_CODE_SENT, actor=Actor.person(), subject=("application", row.id))
    if pending is None:
        mailing.owe(mailing.VERIFICATION, row)
    else:
        mailing.owe(mailing.ALREADY_APPLIED, pending)


def _pending_with(row: Application) -> Application | None:
    return PENDING_WITH.first(row.email_to_prove.lower(), row.id or 0)


def verify_by_code(application: Application, code: str) -> Verified:
    """Prove the email by the six digits. Where there is nothing to prove (any more) it changes nothing.

    Raises:
        CodeWrong, CodeSpent, CodeExpired
        AlreadyApplied
        WrongState
    """
    return _prove(application.id, lambda row: _refusal_of(row, code))


def _refusal_of(row: Application, code: str) -> Refusal | None:
    """Return what is wrong with a code; a wrong one is counted.

    Raises:
        CodeSpent, CodeExpired: not even a right one helps.
    """
    if row.code_tries >= CODE_TRIES:
        raise CodeSpent
    if row.code_expires_at is None or row.code_expires_at <= now():
        raise CodeExpired
    row.code_tries += 1
    digits = "".join(character for character in code if character.isdecimal())
    if row.has_code and digests_match(keys.code(row), digits):
        return None
    COUNT_TRY(row)
    return CodeWrong(left=CODE_TRIES - row.code_tries)


def verify_by_link(mail_key: str) -> Verified:
    """Prove the email by the key of the mailed link. Pressing twice does no harm.

    Raises:
        ApplicationUnknown: no such key, or the email was corrected since.
        AlreadyApplied
        WrongState
    """
    row = queries.by_mail_key(mail_key)
    if not (row.awaits_proof and digests_match(keys.mail_key(row), mail_key)):
        return Verified(keys.status_key(row))
    return _prove(row.id, lambda row: None if digests_match(keys.mail_key(row), mail_key) else wrong_state(row.id))


def _prove(application_id: int, look: Callable[[Application], Refusal | None]) -> Verified:
    """The email is its owner's, if `look` finds nothing wrong with what came. What it writes stays in any case."""
    try:
        with transaction.atomic():
            row = lock(application_id)
            if not row.awaits_proof:
                return Verified(keys.status_key(row))
            is_first = row.state == State.UNVERIFIED
            refusal, lost = look(row), ""
            if refusal is None:
                lost = _note_proof(row) if is_first else _note_correction(row)
    except IntegrityError:
        # Another application was proven with it first. Only now may this person know.
        _mail_who_was_first(application_id)
        raise AlreadyApplied from None
    if refusal is not None:
        raise refusal
    if is_first and not lost:
        lost = naming.find_lost(row)
    return Verified(keys.status_key(row), lost)


def _mail_who_was_first(application_id: int) -> None:
    with transaction.atomic():
        row = lock(application_id)
        # Pressing on and on sends no further mail.
        is_news = Application.objects.filter(id=row.id, has_code=True).update(has_code=False)
        pending = _pending_with(row)
        if is_news and pending is not None:
            mailing.owe(mailing.ALREADY_APPLIED, pending)


def _note_proof(row: Application) -> str:
    """Claim the name; return it where somebody else has it."""
    row.state, row.email_verified_at, row.mail_refused_at = State.VERIFIED, now(), None
    flags.look(row)
    if not VERIFY(row, state=State.UNVERIFIED):
        raise wrong_state(row.id)
    record(Verb.APPLICATION_VERIFIED, actor=Actor.person(), subject=("application", row.id))
    try:
        names.claim(row.localpart, holder=row.holder)
    except names.NameHeld:
        lost, row.localpart, row.skeleton = row.localpart, "", ""
        row.save(update_fields=["localpart", "skeleton"])
        record(Verb.APPLICATION_NAME_LOST, actor=Actor.person(), subject=("application", row.id))
        flags.raise_for(row)
        return lost
    return ""


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
