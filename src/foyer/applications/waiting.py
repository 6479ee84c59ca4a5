"""What applicants can do from their status page while, and after, moderators decide."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from foyer.accounts import holding
from foyer.accounts import services as accounts
from foyer.applications import mailing, search
from foyer.applications.errors import AlreadyApplied
from foyer.applications.models import Application, Decision, Message, Note, PasswordWay, State
from foyer.applications.moves import lock, move, wrong_state
from foyer.applications.texts import required
from foyer.audit.verbs import Verb
from foyer.homeserver.errors import NameRefused, NameTaken
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.jobs import services as jobs
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.names import services as names
from foyer.notify import services as notify

APPLICANT = "applicant"
ERASED: dict[str, Any] = {
    "localpart": "",
    "skeleton": "",
    "email": "",
    "mailbox": "",
    "email_wanted": "",
    "has_code": False,
    "answers": [],
    "legal": [],
    "ip": None,
    "subnet": "",
    "message": "",
    "reason": "",
    "flags": [],
    "is_flagged": False,
    "claimed_by": "",
    "claimed_until": None,
}
"""What an application's row is without its person."""


def reply(application: Application, text: str) -> None:
    """Answer what the moderators asked; the application waits again, in its old place.

    Raises:
        TextMissing, TextTooLong
        WrongState: nothing is asked.
    """
    text = required(text)
    with transaction.atomic():
        moved = move(application.id, [State.ASKED], State.WAITING, verb=Verb.APPLICATION_ANSWERED, actor=Actor.person())
        message = Message.objects.create(application=moved, by=APPLICANT, text=text)
        mailing.tell_moderators_answered(moved, message)


def withdraw(application: Application) -> None:
    """End it and erase everything that was personal about it, at once.

    Raises:
        WrongState: denied, or the account is open or being made.
    """
    sources = [State.UNVERIFIED, State.VERIFIED, State.WAITING, State.ASKED, State.APPROVED, State.LAPSED]
    with transaction.atomic():
        row = lock(application.id)
        end(row, State.WITHDRAWN, verb=Verb.APPLICATION_WITHDRAWN, actor=Actor.person(), sources=sources)
        erase(row)


def end(row: Application, state: State, *, verb: Verb, actor: Actor, sources: list[State]) -> None:
    """Move a locked row to its end, and let go of the account that was held for it, of its name and of its link.

    Raises:
        WrongState: also where somebody is joining, or has joined, by the link.
    """
    if row.state not in sources:
        raise wrong_state(row.id)
    let_go(row)
    _close_link(row)
    move(row.id, sources, state, verb=verb, actor=actor, ended_at=now())


def let_go(row: Application) -> None:
    """Release the name, and owe the emptying of what was held. Call in the transaction that ends the application."""
    holding.let_go(holder=row.holder)
    if row.localpart:
        names.release(row.localpart, holder=row.holder)


def _close_link(row: Application) -> None:
    """Take back the link by which an approved applicant was to join, and what it holds.

    Raises:
        WrongState: somebody is joining, or has joined, by it.
    """
    if row.invite_id is None:
        return
    names.release(row.localpart, holder=Invite(id=row.invite_id).holder)
    invite = Invite.objects.select_for_update().filter(id=row.invite_id).first()
    if invite is not None and (invite.held or invite.used):
        raise wrong_state(row.id)
    if invite is not None:
        invites.delete(invite, actor=Actor.job())  # its row has the name and the email


def erase(row: Application) -> None:
    """Erase everything personal. Only that there was an application, and when, remains."""
    Application.objects.filter(id=row.id).update(**ERASED, account_id=None, invite_id=None)
    Message.objects.filter(application_id=row.id).delete()
    Note.objects.filter(application_id=row.id).delete()
    search.forget([row.id])
    notify.forget(row.holder)


def renew(application: Application) -> None:
    """Take up one that has lapsed: approved again, or waiting again.

    Where the name went to somebody else, one that was approved gets a link with a free choice of name; another is
    verified again and chooses first.

    Raises:
        AlreadyApplied: another application of this email is under way.
        WrongState
    """
    try:
        with transaction.atomic():
            row = lock(application.id)
            if row.decision == Decision.APPROVE:
                _renew_approved(row)
            else:
                _renew_asked(row)
    except IntegrityError:
        raise AlreadyApplied from None


def _renew_approved(row: Application) -> None:
    _renewed(row, State.APPROVED, invite_id=None, account_id=None, password_way=PasswordWay.WHEN_APPROVED)
    _reclaim(row)
    jobs.enqueue("applications.invite", subject=str(row.id))


def _renew_asked(row: Application) -> None:
    has_name = _reclaim(row)
    _renewed(
        row, State.WAITING if has_name else State.VERIFIED, **({} if has_name else {"localpart": "", "skeleton": ""})
    )
    if not holding.is_held_for(row.account_id, holder=row.holder):
        Application.objects.filter(id=row.id).update(account_id=None, password_way=PasswordWay.WHEN_APPROVED)
    if has_name:
        mailing.tell_moderators_of(row)


def _renewed(row: Application, state: State, **changes: Any) -> None:
    changes |= {"ended_at": None}
    if state == State.VERIFIED:
        changes |= {"email_verified_at": now(), "submitted_at": None}
    move(row.id, [State.LAPSED], state, verb=Verb.APPLICATION_RENEWED, actor=Actor.person(), **changes)


def _reclaim(row: Application) -> bool:
    try:
        names.claim(row.localpart, holder=row.holder)
    except names.NameHeld:
        return False
    return True


def choose_freely(application: Application) -> bool:
    """Let an approved applicant's link have any name, if the homeserver has given theirs to somebody else.

    False: it has not, and they can join with the name that was approved.

    Raises:
        WrongState: there is no link, or somebody is joining by it.
        HomeserverError
    """
    row = Application.objects.filter(id=application.id, state=State.APPROVED).exclude(invite_id=None).first()
    if row is None:
        raise wrong_state(application.id)
    try:
        accounts.require_free(row.localpart)
    except (NameTaken, NameRefused):
        pass
    else:
        return False
    with transaction.atomic():
        row = lock(application.id)
        if row.state != State.APPROVED or row.invite_id is None:
            raise wrong_state(row.id)
        names.release(row.localpart, holder=Invite(id=row.invite_id).holder)
        invite = Invite.objects.select_for_update().filter(id=row.invite_id, held=0, used=0).first()
        if invite is None:
            raise wrong_state(row.id)
        if invite.localpart:
            invites.edit(invite, actor=Actor.job(), localpart="")
    return True
