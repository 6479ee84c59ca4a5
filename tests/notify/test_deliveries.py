"""What is owed to whom, until it is sent, refused or given up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from foyer.audit.models import Event
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.jobs.models import Job
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.notify import queries, registry, services, smtp
from foyer.notify.masking import masked
from foyer.notify.messages import Answered, Message, Question
from foyer.notify.models import Delivery
from tests.support.smtp import Sink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

EMAIL = "maria+matrix@example.net"
TEAM = ("ana@example.org", "ben@example.org")
ROOM = "#team:example.test"
LINK = "https://join.example.test/apply/secret"


@dataclass
class Applications:
    """A room above: what it would say, and what it was told."""

    to: str = ""
    is_gone: bool = False
    breaks: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def question(self, subject: str, to: str) -> Message | None:
        """Return a mail to the applicant."""
        self.asked.append((subject, to))
        if self.breaks:
            raise ZeroDivisionError
        if self.is_gone:
            return None
        return Question(to=self.to or to, address="@maria:example.test", text="Who are you?", link=LINK)

    def answered(self, _subject: str, to: str) -> Message:
        """Return a mail to moderators."""
        return Answered(to=to, address="@maria:example.test", text="Maria.", link=LINK)


@pytest.fixture
def applications() -> Iterator[Applications]:
    """Register a room above."""
    made = Applications()
    renderers, refused = dict(registry._renderers), dict(registry._refused)
    registry.renders("test.question")(made.question)
    registry.renders("test.answered")(made.answered)
    registry.when_refused("test.question")(lambda subject, to: made.refused.append((subject, to)))
    yield made
    registry._renderers.clear()
    registry._renderers.update(renderers)
    registry._refused.clear()
    registry._refused.update(refused)


@pytest.fixture(autouse=True)
def by_mail(configure: Callable[..., object], homeserver: MemoryHomeserver, sink: Sink) -> None:
    """Configure the sink as the mail server, and moderators with a room."""
    homeserver.rooms[ROOM] = "!team:example.test"
    configure(
        email={"host": "127.0.0.1", "port": sink.port, "username": "foyer@example.test", "security": "none"},
        moderators={"emails": TEAM, "room": ROOM},
    )


def owe(**more: Any) -> int:
    return services.deliver("test.question", "application:17 message:4", to=EMAIL, **more)


def work() -> None:
    worker = Worker()
    worker.run_until_idle("mail")
    worker.run_until_idle("homeserver")


def later(wait: timedelta) -> Any:
    return time_machine.travel(now() + wait)


def test_deliver_sends_once_and_keeps_no_recipient(applications: Applications, sink: Sink) -> None:
    sink.start()

    owe()
    work()
    work()

    (taken,) = sink.taken
    assert taken.recipients == [EMAIL]
    assert applications.asked == [("application:17 message:4", EMAIL)]
    (delivery,) = queries.about("application:17")
    assert (delivery.state, delivery.recipient, delivery.recipient_shown) == ("sent", "", "m•••@example.net")
    assert (delivery.attempts, delivery.last_error) == (1, "")
    assert taken.message["Message-ID"] == delivery.message_id
    assert not Job.objects.exists()


def test_mails_that_follow_each_other_take_one_connection_and_hang_up(applications: Applications, sink: Sink) -> None:
    sink.start()
    for _ in range(3):
        owe()

    work()

    assert (len(sink.taken), sink.connections) == (3, 1)
    assert smtp._kept.client is None
    assert len({taken.message["Message-ID"] for taken in sink.taken}) == 3


def test_connection_that_the_server_does_not_want_any_more_is_opened_anew(
    applications: Applications, sink: Sink
) -> None:
    sink.answers["NOOP"] = "421 4.7.0 enough"
    sink.start()
    owe()
    owe()

    work()

    assert (len(sink.taken), sink.connections) == (2, 2)


def test_connection_takes_so_many_mails_and_no_more(
    applications: Applications, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "MAILS_ON_ONE", 2)
    sink.start()
    for _ in range(3):
        owe()

    work()

    assert (len(sink.taken), sink.connections) == (3, 2)


def test_mail_after_one_that_was_refused_goes_by_a_new_connection(applications: Applications, sink: Sink) -> None:
    sink.answers["RCPT"] = "550 5.1.1 no such user"
    sink.start()
    owe()
    owe()
    work()
    sink.answers.clear()

    owe()
    work()

    assert [row.state for row in queries.about("application:17")] == ["refused", "refused", "sent"]
    assert (len(sink.taken), sink.connections) == (1, 3)


def test_deliver_in_a_transaction_that_fails_owes_nothing(applications: Applications) -> None:
    with transaction.atomic():
        owe()
        transaction.set_rollback(True)

    assert not Delivery.objects.exists()
    assert not Job.objects.exists()


def test_deliver_twice_with_one_key_owes_once(applications: Applications, sink: Sink) -> None:
    sink.start()

    first, again, other = owe(key="17 question 4"), owe(key="17 question 4"), owe(key="17 question 5")
    work()
    after_it_was_sent = owe(key="17 question 4")
    work()

    assert first == again == after_it_was_sent != other
    assert len(sink.taken) == 2


def test_deliver_at_once_with_one_key_owes_once(applications: Applications) -> None:
    ids: list[int] = []

    def one() -> None:
        ids.append(owe(key="17"))
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ids) == 6
    assert len(set(ids)) == 1
    assert Delivery.objects.count() == Job.objects.count() == 1


def test_rows_hold_no_link_and_no_words(applications: Applications) -> None:
    owe()

    assert LINK not in str(vars(Delivery.objects.get())) + str(vars(Job.objects.get()))


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"MAIL": "451 4.3.0 later"}, "mail-busy"),
        ({"RCPT": "450 4.2.0 greylisted"}, "mail-busy"),
        ({"DATA": "452 4.3.1 full"}, "mail-busy"),
        ({"MAIL": "550 5.7.1 not you"}, "mail-misconfigured"),
    ],
)
def test_server_that_says_no_to_us_for_now_gets_the_mail_later(
    applications: Applications, sink: Sink, answers: dict[str, str], code: str
) -> None:
    sink.start()
    sink.answers |= answers
    owe()
    work()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error, delivery.attempts) == ("owed", code, 1)
    assert delivery.recipient == EMAIL

    sink.answers.clear()
    with later(timedelta(seconds=5)):
        work()

    assert Delivery.objects.get().state == "sent"
    assert {mail.message["Message-ID"] for mail in sink.taken} == {delivery.message_id}


def test_server_down_is_tried_again_and_given_up_after_three_days(applications: Applications, sink: Sink) -> None:
    owe()
    work()
    with later(timedelta(days=2)):
        work()
        assert Delivery.objects.get().state == "owed"
    with later(timedelta(days=3, minutes=1)):
        work()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error) == ("gave-up", "mail-unreachable")
    assert not Job.objects.exists()
    assert [(event.verb, event.facts["reason"]) for event in Event.objects.all()] == [
        ("job.gave-up", "mail-unreachable")
    ]


def test_worker_that_was_away_for_a_week_still_tries_once(applications: Applications, sink: Sink) -> None:
    sink.start()
    owe()

    with later(timedelta(days=7)):
        work()

    assert len(sink.taken) == 1


def test_email_that_takes_no_mail_is_refused_and_its_room_is_told(applications: Applications, sink: Sink) -> None:
    sink.start()
    sink.answers["RCPT"] = "550 5.1.1 no such user"

    owe()
    work()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error) == ("refused", "mail-address-refused")
    assert applications.refused == [("application:17 message:4", EMAIL)]
    assert not Job.objects.exists()


def test_mail_that_is_refused_as_a_whole_is_given_up_and_nobody_is_called_unreachable(
    applications: Applications, sink: Sink
) -> None:
    sink.start()
    sink.answers["DATA"] = "554 5.7.1 spam"

    owe()
    work()

    assert Delivery.objects.get().state == "gave-up"
    assert applications.refused == []


def test_try_again_sends_what_was_refused_with_its_message_id(applications: Applications, sink: Sink) -> None:
    sink.start()
    sink.answers["RCPT"] = "550 5.1.1 no such user"
    identifier = owe()
    work()
    (failed,) = queries.failed()
    assert failed.id == identifier

    sink.answers.clear()
    assert services.try_again(identifier, actor=Actor.staff("anna"))
    work()

    assert queries.failed() == []
    assert queries.counts() == {"owed": 0, "sent": 1, "refused": 0, "gave-up": 0, "dropped": 0}
    assert sink.taken[0].message["Message-ID"] == failed.message_id


def test_try_again_does_not_wait_for_the_next_turn(applications: Applications, sink: Sink) -> None:
    identifier = owe()
    work()
    sink.start()
    work()
    assert sink.taken == []

    assert services.try_again(identifier, actor=Actor.staff("anna"))
    work()

    assert len(sink.taken) == 1


def test_try_again_of_what_is_sent_or_gone_does_nothing(applications: Applications, sink: Sink) -> None:
    sink.start()
    identifier = owe()
    work()

    assert not services.try_again(identifier, actor=Actor.staff("anna"))
    assert not services.try_again(0, actor=Actor.staff("anna"))
    work()

    assert len(sink.taken) == 1


def test_message_that_has_nothing_to_say_any_more_is_dropped(applications: Applications, sink: Sink) -> None:
    sink.start()
    owe()
    applications.is_gone = True

    work()

    assert sink.taken == []
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.recipient) == ("dropped", "")


def test_email_corrected_before_it_was_sent_gets_the_mail_and_the_old_one_none(
    applications: Applications, sink: Sink
) -> None:
    sink.start()
    owe()
    applications.to = "right@example.net"

    work()

    assert [mail.recipients for mail in sink.taken] == [["right@example.net"]]
    assert Delivery.objects.get().recipient_shown == "r•••@example.net"


def test_fault_of_ours_is_tried_again_and_given_up_in_the_end(
    applications: Applications, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    sink.start()
    applications.breaks = True
    owe()
    work()
    assert Delivery.objects.get().state == "owed"

    with later(timedelta(days=4)):
        work()

    assert (Delivery.objects.get().state, Delivery.objects.get().last_error) == ("gave-up", "fault")


def test_moderators_are_told_by_mail_each_and_in_their_room(
    applications: Applications, sink: Sink, homeserver: MemoryHomeserver
) -> None:
    sink.start()

    services.tell_moderators("test.answered", "application:17", key="17 answered")
    services.tell_moderators("test.answered", "application:17", key="17 answered")
    work()

    assert sorted(mail.recipients for mail in sink.taken) == [[email] for email in TEAM]
    assert all(mail.message["List-Unsubscribe"] for mail in sink.taken)
    assert list(homeserver.said["!team:example.test"].values()) == [f"@maria:example.test has answered\n{LINK}"]
    assert {delivery.recipient_shown for delivery in queries.about("application:17")} == {
        "a•••@example.org",
        "b•••@example.org",
        ROOM,
    }


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.LOST_ANSWER, Fault.BUSY, Fault.BROKEN, Fault.MISCONFIGURED])
def test_room_whose_homeserver_fails_hears_it_once_later(
    applications: Applications, homeserver: MemoryHomeserver, fault: Fault
) -> None:
    homeserver.fail(fault, "say_in_room")
    services.deliver("test.answered", "application:17", to=ROOM, channel="room")
    work()
    assert Delivery.objects.get().state == "owed"

    with later(timedelta(minutes=1)):
        work()

    assert len(homeserver.said["!team:example.test"]) == 1
    assert Delivery.objects.get().state == "sent"


def test_room_without_an_admin_token_is_given_up_at_once(
    applications: Applications, homeserver: MemoryHomeserver
) -> None:
    homeserver.has_token = False
    services.deliver("test.answered", "application:17", to=ROOM, channel="room")

    work()

    assert (Delivery.objects.get().state, Delivery.objects.get().last_error) == ("gave-up", "homeserver-not-possible")


def test_forget_deletes_what_is_owed_too(applications: Applications, sink: Sink) -> None:
    sink.start()
    owe()
    services.deliver("test.question", "application:170", to=EMAIL)

    assert services.forget("application:17") == 1
    work()

    assert len(sink.taken) == 1


def test_sweep_deletes_what_is_old_and_done_and_keeps_what_is_owed(
    applications: Applications, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SWEEP_BATCH", 2)
    for _ in range(5):
        owe()
    sink.start()
    work()
    sink.stop()
    owed = owe()

    with later(timedelta(days=31)):
        assert services.sweep() == 5
        assert [delivery.id for delivery in Delivery.objects.all()] == [owed]


@pytest.mark.parametrize(
    ("email", "shown"), [("maria@example.net", "m•••@example.net"), ("m@b.c", "m•••@b.c"), ("", "•••@")]
)
def test_masked_shows_the_first_letter_and_the_domain(email: str, shown: str) -> None:
    assert masked(email) == shown
