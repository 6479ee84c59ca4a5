"""The name that an application wishes for: whether it can be had, losing it, choosing another.

Who has proven an email may ask about names, nobody else: an open question would let anybody list who has an account.
"""

from __future__ import annotations

import structlog
from django.db import transaction

from foyer.accounts import holding
from foyer.accounts import queries as account_queries
from foyer.accounts import services as accounts
from foyer.accounts.errors import DoorBusy
from foyer.accounts.rules import allowed_localpart
from foyer.applications import flags, queries, welcome
from foyer.applications.models import Application, State
from foyer.applications.moves import lock, wrong_state
from foyer.audit.services import record
from foyer.audit.verbs import Verb
from foyer.homeserver.errors import HomeserverError, NameRefused, NameTaken
from foyer.kit.actor import Actor
from foyer.kit.folding import skeleton
from foyer.kit.refusal import Refusal
from foyer.names import services as names

log = structlog.get_logger(__name__)


def find_lost(row: Application) -> str:
    """Ask the homeserver whether a claimed name can be had, and return it if not: then it is given back.

    Where no answer comes, it is found out later.
    """
    try:
        accounts.require_free(row.localpart)
    except (NameTaken, NameRefused):
        lose_name(row)
        return row.localpart
    except (HomeserverError, DoorBusy) as error:
        log.info("whether a name is free is found out later", application=row.id, reason=error.code)
    return ""


def lose_name(row: Application) -> None:
    """The homeserver has given the name to somebody else: give the claim back, and let another name be chosen."""
    with transaction.atomic():
        mine = Application.objects.filter(id=row.id, state=State.VERIFIED, localpart=row.localpart)
        if row.localpart and mine.update(localpart="", skeleton=""):
            holding.let_go(holder=row.holder)
            names.release(row.localpart, holder=row.holder)
            record(Verb.APPLICATION_NAME_LOST, actor=Actor.job(), subject=("application", row.id))


def check_name(application: Application, username: str) -> str:
    """Return the localpart if this application could have it now. Only for one whose email is proven.

    Raises:
        Refusal: of the rules, the claims, or the homeserver.
        WrongState
    """
    if queries.by_id(application.id).state != State.VERIFIED:
        raise wrong_state(application.id)
    localpart = allowed_localpart(username)
    welcome.require(name=localpart)
    if names.holder_of(localpart) not in (None, application.holder):
        raise names.NameHeld
    accounts.require_free(localpart)
    return localpart


def suggestions(application: Application, localpart: str) -> list[str]:
    """Return up to three free names like `localpart`."""
    free = []
    for candidate in account_queries.variants(localpart):
        try:
            free.append(check_name(application, candidate))
        except Refusal:
            continue
    return free


def choose_name(application: Application, username: str) -> str:
    """Claim this name instead of the one that was wished for, or lost. Return the localpart.

    Raises:
        Refusal: of the rules, the claims, or the homeserver (where that does not answer, nothing is refused).
        WrongState: the application is complete, or over.
    """
    localpart = allowed_localpart(username)
    if queries.by_id(application.id).state != State.VERIFIED:
        raise wrong_state(application.id)
    try:
        check_name(application, localpart)
    except (NameTaken, NameRefused):
        raise
    except (HomeserverError, DoorBusy) as error:
        log.info("whether a name is free is found out later", application=application.id, reason=error.code)
    with transaction.atomic():
        row = lock(application.id)
        if row.state != State.VERIFIED or row.submitting_at is not None:
            raise wrong_state(row.id)
        if row.localpart != localpart:
            holding.let_go(holder=row.holder)
        names.claim(localpart, holder=row.holder)
        if row.localpart == localpart:
            return localpart
        if row.localpart:
            names.release(row.localpart, holder=row.holder)
        row.localpart, row.skeleton = localpart, skeleton(localpart)
        row.save(update_fields=["localpart", "skeleton"])
        flags.raise_for(row)
        record(Verb.APPLICATION_NAME_CHOSEN, actor=Actor.person(), subject=("application", row.id))
    return localpart
