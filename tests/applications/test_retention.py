"""What retention does while people and moderators are at the same rows, and what it costs the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction

from foyer.applications import decisions, keys, retention, services
from foyer.applications.models import Application, State
from foyer.homeserver.memory import MemoryHomeserver
from foyer.kit.clock import now
from foyer.names import services as names
from tests.applications.acts import ANNA, begin, denied, fresh, in_state, verified, waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

A_WHILE = 1.0
"""Seconds in which another thread gets to where it must wait. Where it is slower, less is tested, and nothing fails."""


def run_in_the_midst_of(deed: Callable[[], object]) -> dict[str, int]:
    """Run retention after the deed was done, and before its transaction ended."""
    done: dict[str, int] = {}

    def run() -> None:
        try:
            done.update(retention.run())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        deed()
        thread.start()
        thread.join(timeout=A_WHILE)
    thread.join()
    return done


def made_long_ago(application: Application) -> Application:
    """Return an application whose time is over in any state."""
    long_ago = now() - timedelta(days=40)
    Application.objects.filter(id=application.id).update(created_at=long_ago, mailed_at=long_ago)
    for column in ("email_verified_at", "ended_at"):
        rows = Application.objects.filter(id=application.id, **{f"{column}__isnull": False})
        rows.update(**{column: long_ago})
    return fresh(application)


def test_who_verifies_while_retention_runs_keeps_the_application(homeserver: MemoryHomeserver) -> None:
    application = made_long_ago(begin())

    done = run_in_the_midst_of(lambda: services.verify_by_link(keys.mail_key(application)))

    assert done["expired"] == 0
    row = fresh(application)
    assert (row.state, row.email, names.holder_of("maria")) == (State.VERIFIED, "maria@example.net", row.holder)


def test_who_presses_the_last_button_while_retention_runs_keeps_the_application(homeserver: MemoryHomeserver) -> None:
    application = made_long_ago(verified())
    at_it = Application.objects.filter(id=application.id)

    done = run_in_the_midst_of(lambda: at_it.update(submitting_at=now()))

    assert done["expired"] == 0
    assert in_state(application, State.VERIFIED)


def test_who_is_mailed_again_while_retention_runs_keeps_the_application(homeserver: MemoryHomeserver) -> None:
    application = made_long_ago(begin())

    done = run_in_the_midst_of(lambda: services.resend(application))

    assert done["expired"] == 0
    assert in_state(application, State.UNVERIFIED)


def test_who_renews_while_retention_runs_keeps_application_and_name(homeserver: MemoryHomeserver) -> None:
    application = waiting()
    decisions.ask(application.id, ANNA, "Who told you?")
    with time_machine.travel(now() + timedelta(days=31)):
        retention.run()
    made_long_ago(application)
    assert in_state(application, State.LAPSED)

    done = run_in_the_midst_of(lambda: services.renew(application))

    assert done["deleted"] == 0
    row = fresh(application)
    assert (row.state, names.holder_of("maria")) == (State.WAITING, row.holder)


def test_what_is_reopened_while_retention_runs_stays(homeserver: MemoryHomeserver) -> None:
    application = made_long_ago(denied(waiting()))

    done = run_in_the_midst_of(lambda: decisions.reopen(application.id, ANNA))

    assert done["deleted"] == 0
    row = fresh(application)
    assert (row.state, names.holder_of("maria")) == (State.WAITING, row.holder)


def test_names_of_applications_that_are_gone_are_given_back_after_an_hour(homeserver: MemoryHomeserver) -> None:
    stays = verified("erika", "erika@example.org")
    with transaction.atomic():
        for name, holder in {"maria": f"application:{stays.id + 1}", "kim": "invite:7", "lee": "account:7"}.items():
            names.claim(name, holder=holder)
    assert retention.run()["names"] == 0

    with time_machine.travel(now() + timedelta(hours=1, minutes=1)):
        assert retention.run()["names"] == 1

    holders = [names.holder_of(name) for name in ("maria", "kim", "lee", "erika")]
    assert holders == [None, "invite:7", "account:7", stays.holder]
