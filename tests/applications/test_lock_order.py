"""Whoever touches an application, an account, a name and an invitation does so in that order.

Else PostgreSQL ends one of two that are at it at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from foyer.accounts.models import Account
from foyer.accounts.models import State as AccountState
from foyer.applications import decisions, effects, naming, services
from foyer.applications.errors import WrongState
from foyer.applications.models import Application, State
from foyer.homeserver.memory import MemoryHomeserver
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.names import services as names
from tests.applications.acts import ANNA, approved, fresh, verified, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

A_WHILE = 1.0
"""Seconds in which another thread gets to where it must wait. Where it is slower, less is tested, and nothing fails."""


class Other:
    """Somebody whose deed runs beside this thread."""

    def __init__(self, deed: Callable[[], Any]) -> None:
        self._deed = deed
        self._thread = threading.Thread(target=self._run)
        self.error: BaseException | None = None

    def _run(self) -> None:
        try:
            self._deed()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error
        finally:
            connection.close()

    def get_stuck(self) -> None:
        self._thread.start()
        self._thread.join(timeout=A_WHILE)

    def finish(self) -> None:
        self._thread.join()


def withdraw(row: Application) -> None:
    services.withdraw(row)


def deny(row: Application) -> None:
    effects.begin(row.id)


def lose(row: Application) -> None:
    naming.lose_name(row)


def choose(row: Application) -> None:
    naming.choose_name(row, "maria.s")


@pytest.mark.parametrize("deed", [withdraw, deny, lose, choose])
def test_name_that_is_let_go_while_somebody_joins_with_it_deadlocks_nobody(
    homeserver: MemoryHomeserver, deed: Callable[[Application], None]
) -> None:
    row = waiting() if deed in (withdraw, deny) else verified()
    if deed is deny:
        decisions.deny(row.id, ANNA, at_once=True)
    elif deed is not withdraw:
        Account.objects.create(localpart="maria", state=AccountState.HELD, made_for=row.holder, stays_locked=True)
    other = Other(lambda: deed(row))

    with transaction.atomic():
        account = Account.objects.select_for_update().get(localpart="maria")
        other.get_stuck()
        with pytest.raises(names.NameHeld):
            names.claim("maria", holder=account.holder)
    other.finish()

    assert other.error is None
    assert names.holder_of("maria") is None


def test_link_that_is_taken_back_while_its_person_joins_deadlocks_nobody(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False
    row = approved(waiting(password=""))
    invite = Invite.objects.get(id=row.invite_id or 0)
    with transaction.atomic():
        invites.reserve(invite.code, holder="account:1")
    other = Other(lambda: services.withdraw(row))

    with transaction.atomic():
        names.hand_over("maria", holder=invite.holder, to="account:1")
        other.get_stuck()
        invites.complete(holder="account:1")
    other.finish()

    assert isinstance(other.error, WrongState)
    assert (fresh(row).state, names.holder_of("maria")) == (State.APPROVED, "account:1")


def test_name_of_a_link_that_is_let_go_while_its_person_joins_deadlocks_nobody(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False
    row = approved(waiting(password=""))
    invite = Invite.objects.get(id=row.invite_id or 0)
    # An account of that name was held for them before, and lost.
    Account.objects.create(localpart="maria", state=AccountState.SHELVED, made_for=row.holder)
    other = Other(lambda: services.withdraw(row))

    with transaction.atomic():
        account = Account.objects.select_for_update().get(localpart="maria")
        other.get_stuck()
        names.claim("maria", holder=account.holder, unless=invite.holder)
        invites.reserve(invite.code, holder=account.holder)
    other.finish()

    assert isinstance(other.error, WrongState)
    assert (fresh(row).state, names.holder_of("maria")) == (State.APPROVED, invite.holder)
