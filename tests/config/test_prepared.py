"""Statements on the driver's own connection: what they write and raise is what Django's would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from foyer.audit.models import Event
from foyer.config.prepared import Insert, Statement
from foyer.names.models import Claim

MOMENT = datetime(2026, 11, 22, 6, 30, 0, 1234, tzinfo=UTC)
CLAIM = Insert(Claim)
CLAIM_OR_LEAVE = Insert(Claim, or_leave=True)
AFTER = Statement(Claim, "SELECT {columns} FROM {table} WHERE localpart = %s AND at >= %s")
RENEW = Statement(
    Claim,
    "UPDATE {table} SET at = %s WHERE localpart = %s",
    then="SELECT {columns} FROM {table} WHERE localpart = %s",
    columns=("holder",),
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_insert_writes_what_django_reads() -> None:
    event = Event(verb="invite.created", actor="person", subject_kind="invite", subject_id="1", facts={"a": [1, "ü"]})
    event.at = MOMENT

    assert Insert(Event)(event)

    kept = Event.objects.get()
    assert (kept.id, kept.at, kept.verb, kept.facts) == (event.id, MOMENT, "invite.created", {"a": [1, "ü"]})


def test_insert_of_values_takes_the_models_defaults() -> None:
    Insert(Event).values(verb="invite.created", actor="person", subject_kind="invite", subject_id="1")

    kept = Event.objects.get()
    assert kept.facts == {}
    assert abs(kept.at - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5))])
def test_moments_of_every_zone_are_compared_as_instants(zone: timezone) -> None:
    CLAIM.values(localpart="maria", holder="account:1", at=MOMENT.astimezone(zone))

    assert Claim.objects.get().at == MOMENT
    assert AFTER.first("maria", MOMENT.astimezone(zone)) == Claim.objects.get()
    assert AFTER.first("maria", (MOMENT + timedelta(microseconds=1)).astimezone(zone)) is None


def test_values_of_a_change_are_those_of_its_row() -> None:
    CLAIM.values(localpart="maria", holder="account:1")

    assert RENEW.values(MOMENT, "maria", then=("maria",)) == ("account:1",)
    assert RENEW.values(MOMENT, "nobody", then=("nobody",)) is None
    assert RENEW.run(MOMENT, "maria") == 1


def test_row_in_the_way_raises_djangos_error_or_is_left() -> None:
    CLAIM.values(localpart="maria", holder="account:1")

    with pytest.raises(IntegrityError):
        CLAIM.values(localpart="maria", holder="account:2")

    assert not CLAIM_OR_LEAVE.values(localpart="maria", holder="account:2")
    assert Claim.objects.get().holder == "account:1"


def test_statement_in_a_broken_transaction_is_not_run() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            CLAIM.values(localpart="maria", holder="account:1")

    assert not Claim.objects.exists()


def test_statement_is_seen_by_whoever_listens() -> None:
    with CaptureQueriesContext(connection) as captured:
        CLAIM.values(localpart="maria", holder="account:1")

    assert len(captured) == 1
    assert Claim.objects.count() == 1


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite keeps prepared statements by itself")
def test_postgresql_keeps_a_statement_prepared_unless_a_pooler_is_in_between() -> None:
    AFTER.first("maria", MOMENT)
    AFTER.first("maria", MOMENT)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%names_claim%%'")
        assert cursor.fetchone() == (1,)
