"""What applicants and moderators are told, and when nothing is to be said any more.

A row of notify holds the application's number and no word. The words, codes and links are made when the mail is sent.
"""

from __future__ import annotations

from datetime import UTC, timedelta

from django.db import transaction

from foyer.applications import flags, keys, queries
from foyer.applications.models import PENDING, Application, Decision, Message, State
from foyer.applications.statements import BY_ID, COUNT_LATELY, GOOD_FROM_NOW
from foyer.config import current
from foyer.invites import mailing as invite_mailing
from foyer.invites.models import Invite
from foyer.jobs import services as jobs
from foyer.kit.clock import now
from foyer.kit.matrix import mxid
from foyer.notify import messages, services
from foyer.notify.masking import masked
from foyer.notify.registry import renders, when_refused

VERIFICATION = "applications.verification"
ALREADY_APPLIED = "applications.already-applied"
RECEIVED = "applications.received"
QUESTION = "applications.question"
APPROVED = "applications.approved"
OPENING_FAILED = "applications.opening-failed"
DENIED = "applications.denied"
LAPSED = "applications.lapsed"
NEW = "applications.new"
ANSWERED = "applications.answered"
DIGEST = "applications.digest"

CODE_IS_GOOD_FOR = timedelta(minutes=30)
A_MOMENT = timedelta(seconds=5)
DIGEST_FROM = 5
DIGEST_WINDOW = timedelta(minutes=10)
DIGEST_AFTER = timedelta(minutes=15)
IN_A_DIGEST = 30
MORNING = 7
"""The hour (UTC) from which the digest of the day goes out."""


def owe(kind: str, application: Application, *, part: Message | None = None) -> None:
    """Owe a mail to the applicant. Call in the transaction that makes it due."""
    subject = application.holder if part is None else f"{application.holder} message:{part.id}"
    to = application.email_to_prove if kind == VERIFICATION else application.email
    if to:
        services.deliver(kind, subject, to=to)


def tell_moderators_of(application: Application) -> None:
    """Owe the news of a new application; in a flood, one digest for all that come within a quarter of an hour.

    With `moderators.digest: daily` the mails wait for the next morning, and the room alone hears.
    """
    by_mail = current().moderators.digest == "each"
    if COUNT_LATELY(now() - DIGEST_WINDOW, DIGEST_FROM) < DIGEST_FROM:
        services.tell_moderators(NEW, application.holder, by_mail=by_mail)
    else:
        jobs.enqueue("applications.digest", subject="", delay=DIGEST_AFTER)


def tell_moderators_answered(application: Application, message: Message) -> None:
    """Owe the news of an answer."""
    services.tell_moderators(ANSWERED, f"{application.holder} message:{message.id}")


def tell_moderators_all() -> None:
    """Owe the digest of a flood."""
    services.tell_moderators(DIGEST, "applications", by_mail=current().moderators.digest == "each")


def tell_moderators_daily() -> None:
    """Owe the digest of the day, once each morning, where the owner wants one and somebody waits."""
    moment = now().astimezone(UTC)
    if current().moderators.digest == "each" or moment.hour < MORNING:
        return
    if Application.objects.filter(state=State.WAITING).exists():
        services.tell_moderators(DIGEST, "applications", key=f"daily {moment.date()}", in_room=False)


@renders(VERIFICATION)
def _verification(subject: str, _to: str) -> messages.Message | None:
    application = _application(subject)
    if application is None or not application.awaits_proof or not application.has_code:
        return None
    _make_good_from_now(application)
    return messages.Verification(
        to=application.email_to_prove,
        language=application.language,
        code=keys.code(application),
        link=keys.confirm_link(application),
        minutes=int(CODE_IS_GOOD_FOR.total_seconds() // 60),
    )


def _make_good_from_now(application: Application) -> None:
    """A mail server may have been down for hours: the code is good from the sending on."""
    until = now() + CODE_IS_GOOD_FOR
    if application.code_expires_at is None or abs(until - application.code_expires_at) > A_MOMENT:
        with transaction.atomic():
            GOOD_FROM_NOW.run(until, application.id, application.code_generation)


@renders(ALREADY_APPLIED)
def _already_applied(subject: str, _to: str) -> messages.Message | None:
    application = _application(subject, *PENDING)
    if application is None:
        return None
    return messages.AlreadyApplied(
        to=application.email,
        language=application.language,
        address=_address(application),
        link=keys.status_link(application),
    )


@renders(RECEIVED)
def _received(subject: str, _to: str) -> messages.Message | None:
    application = _application(subject, State.WAITING, State.ASKED)
    if application is None:
        return None
    return messages.Received(
        to=application.email,
        language=application.language,
        address=_address(application),
        link=keys.status_link(application),
        usual_wait=queries.typical_wait(),
    )


@renders(QUESTION)
def _question(subject: str, _to: str) -> messages.Message | None:
    application, message = _application(subject, State.ASKED), _message(subject)
    if application is None or message is None:
        return None
    return messages.Question(
        to=application.email,
        language=application.language,
        address=_address(application),
        text=message.text,
        link=keys.status_link(application),
    )


@renders(APPROVED)
def _approved(subject: str, _to: str) -> messages.Message | None:
    application = _application(subject, State.APPROVED, State.DONE)
    return None if application is None else approved_message(application)


def approved_message(application: Application) -> messages.Approved:
    """Return the mail that says yes, as it stands now. The desk shows it before anybody decides."""
    invite = _invite(application)
    chooses = invite is not None or application.account_id is None
    return messages.Approved(
        to=application.email,
        language=application.language,
        address=_address(application),
        link=invite_mailing.link(invite) if invite is not None else keys.status_link(application),
        chooses_password=chooses,
        message=application.message,
        expires_at=invite.expires_at if invite is not None else None,
    )


@renders(OPENING_FAILED)
def _opening_failed(subject: str, _to: str) -> messages.Message | None:
    application = _application(subject, State.APPROVED)
    invite = _invite(application) if application is not None else None
    if application is None or invite is None:
        return None
    return messages.OpeningFailed(
        to=application.email,
        language=application.language,
        address=_address(application),
        link=invite_mailing.link(invite),
    )


@renders(DENIED)
def _denied(subject: str, _to: str) -> messages.Message | None:
    application = _application(subject, State.DENIED)
    return None if application is None else denied_message(application)


def denied_message(application: Application) -> messages.Denied:
    """Return the mail that says no, as it stands now."""
    return messages.Denied(
        to=application.email,
        language=application.language,
        address=_address(application),
        message=application.message,
    )


@renders(LAPSED)
def _lapsed(subject: str, _to: str) -> messages.Message | None:
    application = _application(subject, State.LAPSED)
    if application is None:
        return None
    return messages.Lapsed(
        to=application.email,
        language=application.language,
        address=_address(application),
        link=keys.status_link(application),
        was_approved=application.decision == Decision.APPROVE,
    )


@renders(NEW)
def _new(subject: str, to: str) -> messages.Message | None:
    application = _application(subject, State.WAITING, State.ASKED)
    if application is None:
        return None
    return messages.NewApplication(
        to=to,
        address=_address(application),
        email_shown=masked(application.email),
        link=keys.desk_link(application),
        answers=tuple((str(it["text"]), str(it["answer"])) for it in application.answers),
        flags=tuple(flags.phrase(flag) for flag in application.flags),
        waiting=Application.objects.filter(state=State.WAITING).count(),
    )


@renders(ANSWERED)
def _answered(subject: str, to: str) -> messages.Message | None:
    application, message = _application(subject, State.WAITING, State.ASKED), _message(subject)
    if application is None or message is None:
        return None
    link = keys.desk_link(application)
    return messages.Answered(to=to, address=_address(application), text=message.text, link=link)


@renders(DIGEST)
def _digest(_subject: str, to: str) -> messages.Message | None:
    waiting = Application.objects.filter(state=State.WAITING)
    count = waiting.count()
    if not count:
        return None
    oldest = waiting.order_by("submitted_at", "id")[:IN_A_DIGEST]
    return messages.Digest(
        to=to,
        requests=tuple(
            messages.Waiting(
                address=_address(one),
                since=one.submitted_at or one.created_at,
                flags=tuple(flags.phrase(flag) for flag in one.flags),
            )
            for one in oldest
        ),
        waiting=count,
        link=keys.queue_link(),
    )


def _refused(subject: str, to: str) -> None:
    """Show the applicant that their email takes no mail, unless they have corrected it since."""
    application = _application(subject)
    if application is not None and to in (application.email_to_prove, application.email):
        Application.objects.filter(id=application.id).update(mail_refused_at=now())


for _kind in (VERIFICATION, RECEIVED, QUESTION, APPROVED, OPENING_FAILED, LAPSED):
    when_refused(_kind)(_refused)


def _application(subject: str, *states: State) -> Application | None:
    number = subject.partition(" ")[0].removeprefix("application:")
    found = BY_ID.first(int(number))
    if found is None or (states and found.state not in states):
        return None
    keys.renew_digest(found)
    return found


def _message(subject: str) -> Message | None:
    number = subject.partition(" message:")[2]
    return Message.objects.filter(id=int(number)).first() if number else None


def _invite(application: Application) -> Invite | None:
    return None if application.invite_id is None else Invite.objects.filter(id=application.invite_id).first()


def _address(application: Application) -> str:
    return mxid(application.localpart, current().server_name)
