"""What runs often, or while others wait, reads few rows, however many accounts and invitations there are."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from foyer.accounts import holding
from foyer.accounts.models import Account
from foyer.accounts.models import State as AccountState
from foyer.applications import effects
from foyer.applications.models import State
from foyer.homeserver.memory import MemoryHomeserver
from foyer.invites.models import Invite
from tests.applications.acts import approved, fresh, verified, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

MANY = 3000
WHOLE = r"(SCAN|Seq Scan on) (accounts_account|invites_invite|U0)(?! USING INDEX accounts_held)"


@pytest.fixture(autouse=True)
def many() -> None:
    """Accounts that are open, and invitations that were used up."""
    Account.objects.bulk_create(
        Account(localpart=f"n{number}", state=AccountState.OPEN, made_for=f"invite:{number}" if number % 9 == 0 else "")
        for number in range(MANY)
    )
    Invite.objects.bulk_create(Invite(code=f"c{number}", created_by="test", used=1) for number in range(MANY))


def whole_tables_read(deed: Callable[[], object]) -> list[str]:
    """Return each statement of `deed` that reads all accounts, or all invitations, with its plan."""
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    if connection.vendor != "sqlite":  # nobody asks SQLite to count its rows
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as captured:
        deed()
    found = []
    for query in captured.captured_queries:
        if re.match("SELECT|UPDATE|DELETE", query["sql"]):
            with connection.cursor() as cursor:
                cursor.execute(f"{explain} {query['sql']}")
                plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
            if re.search(WHOLE, plan):
                found.append(f"{query['sql']}\n{plan}")
    return found


def test_letting_go_reads_by_an_index(homeserver: MemoryHomeserver) -> None:
    row = waiting()

    def let_go() -> None:
        with transaction.atomic():
            holding.let_go(holder=row.holder)

    assert whole_tables_read(let_go) == []


def test_sweep_of_held_accounts_reads_those_that_are_held(homeserver: MemoryHomeserver) -> None:
    waiting()
    Account.objects.create(localpart="erika", state=AccountState.HELD, made_for=verified("kim", "k@example.net").holder)

    assert whole_tables_read(holding.sweep) == []


def test_sweep_of_those_who_joined_reads_no_invitations_but_theirs(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False
    row = approved(waiting(password=""))
    waits = approved(waiting("erika", "erika@example.org", password=""))
    Invite.objects.filter(id=row.invite_id or 0).update(used=1)

    assert whole_tables_read(effects.sweep) == []

    assert (fresh(row).state, fresh(waits).state) == (State.DONE, State.APPROVED)
