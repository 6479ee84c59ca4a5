"""The same person pressing again: with the code, the name and the password of an attempt that is not long ago.

The password decides, and only the homeserver can tell whether it is right. So that nobody who knows a code can try
passwords of those who came by it, an account has a few tries an hour, whoever makes them; after that its name is taken.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import structlog

from foyer.accounts import settling
from foyer.accounts.errors import MadeAlready, OutcomeUnknown
from foyer.accounts.models import Account, State
from foyer.config import current
from foyer.homeserver.errors import HomeserverError, NotPossible
from foyer.homeserver.make import current as current_homeserver
from foyer.homeserver.port import Homeserver
from foyer.invites import services as invites
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.screening import limits

PRESS_AGAIN_WITHIN = timedelta(hours=1)
POLL_SECONDS = 0.1
WAITING = 6
"""How many may wait for another press at once; whoever comes beyond them is asked to press again later."""
_waiting = threading.BoundedSemaphore(WAITING)
log = structlog.get_logger(__name__)


def opened_before(there: Account | None, code: str, password: str) -> Account | None:
    """Return the account, open, if this person's earlier press made or is making it. `there` is who has the name.

    None: somebody else's, or nothing came of it, so that this press may begin anew.

    Raises:
        OutcomeUnknown: it is not known yet what became of it.
        MadeAlready: the homeserver lets nobody find out whose it is.
        HomeserverError
    """
    if there is None or not _is_same_persons(there, code):
        return None
    account = _wait_for_outcome(there) if there.state == State.CREATING else there
    if account.state in {State.REFUSED, State.SHELVED}:
        return None
    homeserver = current_homeserver()
    if account.state == State.OPEN:
        return account if _is_theirs(homeserver, account, password) else None
    if _proves_itself(homeserver, account, password):
        settling.settle_open(account, actor=Actor.person(), code=code)
        return account
    try:
        settling.settle(account.id)
    except settling.StillUnknown:
        raise OutcomeUnknown from None
    account.refresh_from_db()
    if account.state == State.CREATING:
        raise OutcomeUnknown
    return None


def password_opens(homeserver: Homeserver, account: Account, password: str) -> bool:
    """Sign in once (and out): the one proof that needs no admin. False also where no answer came.

    A locked account's password is right, too. So a shell is opened before it counts as open.
    """
    try:
        return homeserver.password_is_right(account.localpart, password) and settling.finish_shell(account, homeserver)
    except HomeserverError as error:
        log.info("could not try the password", reason=error.code)
        return False


def _is_theirs(homeserver: Homeserver, account: Account, password: str) -> bool:
    try:
        return _is_right(homeserver, account, password)
    except NotPossible as error:  # Nobody can try a password there.
        log.warning("whether somebody pressed twice cannot be told", reason=error.code, remedy=error.remedy)
        raise MadeAlready from error


def _is_right(homeserver: Homeserver, account: Account, password: str) -> bool:
    """Try the password at the homeserver, as long as there are tries left. Only wrong ones are used up."""
    if not limits.take_try("password", account.holder):
        log.info("too many wrong passwords", account=account.id)
        return False
    is_wrong = False
    try:
        is_wrong = not homeserver.password_is_right(account.localpart, password)
    finally:
        if not is_wrong:
            limits.give_back_try("password", account.holder)
    return not is_wrong


def _proves_itself(homeserver: Homeserver, account: Account, password: str) -> bool:
    """Try the same where it may well be that no answer comes, or that the last step is missing."""
    try:
        return _is_right(homeserver, account, password) and settling.finish_shell(account, homeserver)
    except HomeserverError as error:
        log.info("could not try the password", reason=error.code)
        return False


def _is_same_persons(account: Account, code: str) -> bool:
    """Say whether an attempt of the last hour came by this code."""
    if account.state not in {State.CREATING, State.UNKNOWN, State.OPEN}:
        return False
    return account.begun_at > now() - PRESS_AGAIN_WITHIN and invites.code_of(account.holder) == code


def _wait_for_outcome(account: Account) -> Account:
    """Wait while another request makes the account: the browser shows the answer to the last press only.

    When that takes longer than the homeserver may, the request is dead, and the row comes back as it is.

    Raises:
        OutcomeUnknown: too many wait already.
    """
    if not _waiting.acquire(blocking=False):
        raise OutcomeUnknown
    try:
        deadline = time.monotonic() + current().homeserver.timeout.total_seconds()
        while account.state == State.CREATING and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            account.refresh_from_db()
    finally:
        _waiting.release()
    return account
