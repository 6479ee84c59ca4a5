from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from foyer.accounts.errors import NameReserved
from foyer.applications import keys, queries, services
from foyer.applications.errors import (
    AlreadyApplied,
    ApplicationUnknown,
    CodeExpired,
    CodeSpent,
    CodeWrong,
    DoorClosed,
    EmailMalformed,
    EmailUnchanged,
    MailedOften,
    MailTooSoon,
    WrongState,
)
from foyer.applications.models import State
from foyer.homeserver.errors import NameTaken
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.kit.clock import now
from foyer.kit.matrix import NameMalformed
from foyer.names import services as names
from foyer.notify.messages import AlreadyApplied as AlreadyAppliedMail
from foyer.notify.messages import Verification
from foyer.notify.models import Delivery
from foyer.notify.registry import tell_refused
from tests.applications.acts import (
    begin,
    everything_in_tables,
    fresh,
    in_state,
    mail,
    mails,
    verified,
    waiting,
)
from tests.applications.conftest import OPEN
from tests.conftest import Configure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_start_makes_a_row_that_has_claimed_nothing_and_owes_a_mail(homeserver: MemoryHomeserver) -> None:
    application = begin(" @Maria:Example.test ", " maria+foyer@Example.net ", ip="2001:db8::1", language="de")

    assert (application.state, application.localpart) == (State.UNVERIFIED, "maria")
    assert application.email == "maria+foyer@Example.net"
    assert (application.ip, application.subnet) == ("2001:db8::1", "2001:db8::/64")
    assert names.holder_of("maria") is None
    assert homeserver.calls == []
    sent = mail(application, "verification")
    assert isinstance(sent, Verification)
    assert (sent.to, sent.language, sent.code) == ("maria+foyer@Example.net", "de", keys.code(application))


def test_start_refuses_what_the_rules_refuse_and_nothing_else(configure: Configure) -> None:
    configure(**OPEN, usernames={"reserved": ["abuse"]})
    names.claim("taken", holder="account:1")

    for username, email, refusal in (
        ("ma ria", "maria@example.net", NameMalformed),
        ("abuse", "maria@example.net", NameReserved),
        ("maria", "maria", EmailMalformed),
        ("maria", "maria@example.net\nBcc: all@example.net", EmailMalformed),
    ):
        with pytest.raises(refusal):
            services.start(username, email)
    assert services.start("taken", "maria@example.net").key


def test_start_where_the_door_is_closed_is_refused(configure: Configure) -> None:
    configure(email={})

    with pytest.raises(DoorClosed):
        services.start("maria", "maria@example.net")


@pytest.mark.parametrize("way", ["code", "link"])
def test_verifying_claims_the_name(way: str) -> None:
    application = begin()
    if way == "code":
        done = services.verify_by_code(application, f" {keys.code(application)[:3]} {keys.code(application)[3:]} ")
    else:
        done = services.verify_by_link(keys.mail_key(application))

    assert (queries.by_key(done.key).id, done.lost_name) == (application.id, "")
    assert in_state(application, State.VERIFIED)
    assert names.holder_of("maria") == application.holder
    assert mail(application, "verification") is None  # there is nothing to prove any more
    again = services.verify_by_link(keys.mail_key(application))
    assert queries.by_key(again.key).id == application.id


def test_code_is_wrong_ten_times_and_then_spent_until_another_is_sent() -> None:
    application = begin()
    code = keys.code(application)
    for left in range(9, -1, -1):
        with pytest.raises(CodeWrong) as caught:
            services.verify_by_code(application, wrong(code))
        assert caught.value.params["left"] == left
    with pytest.raises(CodeSpent):
        services.verify_by_code(application, code)

    with time_machine.travel(now() + timedelta(seconds=61)):
        services.resend(application)
    assert keys.code(fresh(application)) != code
    services.verify_by_code(fresh(application), keys.code(fresh(application)))

    assert in_state(application, State.VERIFIED)


def test_code_is_good_for_half_an_hour_and_the_link_longer() -> None:
    application = begin()
    with time_machine.travel(now() + timedelta(minutes=31)):
        with pytest.raises(CodeExpired):
            services.verify_by_code(application, keys.code(application))
        services.verify_by_link(keys.mail_key(application))

    assert in_state(application, State.VERIFIED)


def test_code_is_good_from_the_sending_on_however_long_the_mail_server_was_down() -> None:
    application = begin()
    with time_machine.travel(now() + timedelta(hours=3)):
        sent = mail(application, "verification")
        assert isinstance(sent, Verification)

        services.verify_by_code(application, sent.code)

    assert in_state(application, State.VERIFIED)


def test_resend_waits_a_minute_and_kills_neither_code_nor_link() -> None:
    application = begin()
    code, link = keys.code(application), keys.mail_key(application)
    with pytest.raises(MailTooSoon) as caught:
        services.resend(application)
    assert 0 < caught.value.params["seconds"] <= 60

    with time_machine.travel(now() + timedelta(seconds=61)):
        services.resend(application)

    assert (keys.code(fresh(application)), keys.mail_key(fresh(application))) == (code, link)
    assert mails(application) == ["verification", "verification"]


def test_one_mailbox_is_mailed_ten_times_a_day_and_tomorrow_again() -> None:
    for number in range(10):
        begin(f"maria{number}", f"maria+{number}@example.net")

    with pytest.raises(MailedOften):
        begin("maria", "Maria@Example.net")
    with time_machine.travel(now() + timedelta(days=1, minutes=1)):
        begin("maria", "maria@example.net")


def test_corrected_email_gets_its_own_code_and_the_old_link_proves_nothing() -> None:
    application = begin(email="mraia@example.net")
    old_link, old_code = keys.mail_key(application), keys.code(application)

    services.correct_email(application, "maria@example.net")

    with pytest.raises(ApplicationUnknown):
        services.verify_by_link(old_link)
    with pytest.raises(CodeWrong):
        services.verify_by_code(application, old_code)
    with pytest.raises(EmailUnchanged):
        services.correct_email(application, "maria@example.net")
    application = fresh(application)
    services.verify_by_code(application, keys.code(application))
    assert (fresh(application).email, fresh(application).state) == ("maria@example.net", State.VERIFIED)


def test_email_corrected_while_waiting_counts_only_once_it_is_proven() -> None:
    application = waiting()

    services.correct_email(application, "maria@example.org")
    assert fresh(application).email == "maria@example.net"
    application = fresh(application)
    services.verify_by_code(application, keys.code(application))

    assert (fresh(application).email, fresh(application).state) == ("maria@example.org", State.WAITING)


def test_email_with_an_application_under_way_looks_new_to_a_stranger_and_its_owner_hears() -> None:
    owner = verified()

    stranger = begin("erika", "Maria@Example.NET")

    assert mails(stranger) == []
    assert mails(owner) == ["verification", "already-applied"]
    told = mail(owner, "already-applied")
    assert isinstance(told, AlreadyAppliedMail)
    assert (told.to, told.link) == ("maria@example.net", keys.status_link(owner))
    for code in (keys.code(stranger), "000000"):
        with pytest.raises(CodeWrong):  # no code was mailed, so none is right
            services.verify_by_code(stranger, code)
    with time_machine.travel(now() + timedelta(seconds=61)):
        services.resend(stranger)
    assert mails(owner)[-1] == "already-applied"


def test_link_of_a_second_request_pressed_again_and_again_mails_once_where_the_first_one_is() -> None:
    second = begin("erika")
    first = verified("maria")

    for _ in range(3):
        with pytest.raises(AlreadyApplied):
            services.verify_by_link(keys.mail_key(second))

    assert mails(first).count("already-applied") == 1


def test_unverified_row_of_a_stranger_takes_nothing_from_the_owner_of_the_email() -> None:
    stranger = begin("erika")

    owner = verified("maria")

    assert owner.state == State.VERIFIED
    with pytest.raises(AlreadyApplied):
        services.verify_by_code(stranger, keys.code(stranger))
    assert mails(owner)[-1] == "already-applied"
    with pytest.raises(CodeWrong):
        services.verify_by_code(stranger, keys.code(stranger))


def test_second_applicant_for_a_name_keeps_the_email_and_chooses_another() -> None:
    verified("maria", "first@example.net")
    second = begin("maria", "second@example.net")

    done = services.verify_by_code(second, keys.code(second))

    assert done.lost_name == "maria"
    assert (fresh(second).state, fresh(second).localpart) == (State.VERIFIED, "")
    with pytest.raises(names.NameHeld):
        services.choose_name(second, "maria")
    assert services.choose_name(second, "maria.s") == "maria.s"
    assert names.holder_of("maria.s") == second.holder


def test_name_that_somebody_has_at_the_homeserver_is_lost_at_verify(homeserver: MemoryHomeserver) -> None:
    homeserver.create("maria", "somebody else's")
    application = begin()

    assert services.verify_by_code(application, keys.code(application)).lost_name == "maria"
    assert names.holder_of("maria") is None
    with pytest.raises(NameTaken):
        services.choose_name(application, "maria")
    offered = services.suggestions(fresh(application), "maria")
    assert len(offered) == 3
    assert services.choose_name(application, offered[0]) == offered[0]


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.BUSY, Fault.BROKEN, Fault.MISCONFIGURED])
def test_verifying_with_the_homeserver_down_keeps_the_name_for_the_applicant(
    homeserver: MemoryHomeserver, fault: Fault
) -> None:
    homeserver.fail(fault, "check_name", times=2)

    application = verified()

    assert names.holder_of("maria") == application.holder
    assert services.choose_name(application, "erika") == "erika"
    assert names.holder_of("maria") is None


def test_name_is_answered_for_only_with_a_proven_email() -> None:
    application = begin()

    with pytest.raises(WrongState):
        services.check_name(application, "erika")
    with pytest.raises(WrongState):
        services.choose_name(application, "erika")


def test_mail_that_is_refused_for_good_is_shown_until_the_email_is_corrected() -> None:
    application = begin(email="nobody@example.net")
    delivery = Delivery.objects.get(subject=application.holder)

    tell_refused(delivery.kind, delivery.whole_subject, "older@example.net")
    assert fresh(application).mail_refused_at is None
    tell_refused(delivery.kind, delivery.whole_subject, delivery.recipient)
    assert fresh(application).mail_refused_at is not None

    services.correct_email(application, "maria@example.net")
    assert fresh(application).mail_refused_at is None


def test_no_code_and_no_key_is_in_any_table() -> None:
    application = begin()
    secrets = [keys.code(application), keys.mail_key(application), keys.status_key(application)]
    services.verify_by_code(application, keys.code(application))

    tables = everything_in_tables()

    assert [secret for secret in secrets if secret in tables] == []
    assert "maria@example.net" in tables


@pytest.mark.parametrize("text", ["", "x" * 32, "0-0", "999999999-abc", "١-abc", "1" * 40 + "-a", "../../1-a", "\0"])
def test_keys_that_are_none_lead_nowhere(text: str) -> None:
    begin()
    with pytest.raises(ApplicationUnknown):
        queries.by_key(text)
    with pytest.raises(ApplicationUnknown):
        queries.by_mail_key(text)
