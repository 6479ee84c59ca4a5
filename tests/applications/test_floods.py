"""A stranger who types your email again and again keeps you from nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from foyer.applications import keys, retention, services
from foyer.applications.errors import MailedOften
from foyer.applications.floods import FROM_ALL, FROM_ONE_CLIENT
from foyer.applications.models import Mailed, State
from foyer.kit.clock import now
from tests.applications.acts import begin, fresh, mails, verified

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

EMAIL = "maria@example.net"
STRANGER, OWNER = "192.0.2.66", "198.51.100.7"


def flood(count: int, ip: str = STRANGER, email: str = EMAIL) -> None:
    for number in range(count):
        begin(f"x{number}", email, ip=ip)


def test_stranger_uses_up_their_own_share_and_the_owner_gets_through() -> None:
    flood(FROM_ONE_CLIENT)
    with pytest.raises(MailedOften):
        begin("x", "Maria+more@Example.net", ip=STRANGER)

    owner = begin("maria", EMAIL, ip=OWNER)
    services.verify_by_code(owner, keys.code(owner))

    assert fresh(owner).state == State.VERIFIED


def test_all_clients_together_do_not_bury_a_mailbox() -> None:
    for number in range(FROM_ALL // FROM_ONE_CLIENT):
        flood(FROM_ONE_CLIENT, ip=f"192.0.2.{number}")

    with pytest.raises(MailedOften):
        begin("maria", EMAIL, ip=OWNER)
    with time_machine.travel(now() + timedelta(days=1, minutes=1)):
        begin("maria", EMAIL, ip=OWNER)


def test_one_network_of_ipv6_is_one_client() -> None:
    flood(FROM_ONE_CLIENT, ip="2001:db8::1")

    with pytest.raises(MailedOften):
        begin("x", EMAIL, ip="2001:db8::2")


def test_mails_to_another_mailbox_do_not_count_for_yours() -> None:
    stranger = begin("stranger", "stranger@example.org", ip=STRANGER)
    for number in range(1, 6):
        with time_machine.travel(now() + timedelta(minutes=2 * number)):
            services.resend(fresh(stranger))

    services.correct_email(fresh(stranger), EMAIL)
    for number in range(FROM_ONE_CLIENT - 1):
        begin(f"x{number}", EMAIL, ip=STRANGER)

    assert mails(stranger).count("verification") == 7


def test_withdrawing_and_correcting_begin_no_count_anew() -> None:
    for number in range(FROM_ONE_CLIENT // 2):
        services.withdraw(begin(f"x{number}", EMAIL, ip=STRANGER))
        moved = begin(f"y{number}", EMAIL, ip=STRANGER)
        services.correct_email(moved, f"other{number}@example.net")

    with pytest.raises(MailedOften):
        begin("x", EMAIL, ip=STRANGER)


def test_going_back_to_an_email_that_is_proven_needs_no_mail() -> None:
    owner = verified("maria", EMAIL, ip=OWNER)
    flood(FROM_ONE_CLIENT - 1, ip=OWNER)
    services.correct_email(owner, "mistyped@example.net")

    services.correct_email(fresh(owner), EMAIL)

    assert (fresh(owner).email, fresh(owner).email_wanted) == (EMAIL, "")


def test_what_is_counted_is_kept_for_a_day_and_names_nobody() -> None:
    begin("maria", EMAIL, ip=OWNER)
    kept = Mailed.objects.get()
    assert "maria" not in kept.box
    assert OWNER not in kept.client

    assert retention.run()["mailed"] == 0
    with time_machine.travel(now() + timedelta(days=1)):
        assert retention.run()["mailed"] == 1
