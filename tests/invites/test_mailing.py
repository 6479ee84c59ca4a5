"""An invitation that is mailed, from the owner's wish to the newcomer's page."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from foyer.audit.models import Event
from foyer.config import current
from foyer.invites import mailing, queries, services
from foyer.invites.errors import InviteRevoked, InviteUnknown
from foyer.invites.mailing import InviteWithoutEmail, MailNotSetUp
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.jobs.models import Job
from foyer.jobs.services import LEASE
from foyer.jobs.worker import Worker
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.notify.models import Delivery
from tests.support.smtp import Sink, Taken, sink

__all__ = ["sink"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

OWNER = Actor.command_line()
EMAIL = "maria+matrix@example.net"
A_CHILD_WORKER = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "foyer.config.django"
django.setup()
from foyer.jobs.worker import Worker
Worker().run_until_idle("mail")
"""


@pytest.fixture(autouse=True)
def by_mail(configure: Callable[..., object], sink: Sink) -> None:
    """Configure the sink as the mail server."""
    configure(email=email_block(sink))


def email_block(sink: Sink) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": sink.port, "username": "foyer@example.test", "security": "none"}


def make(**facts: Any) -> Invite:
    return services.create(NewInvite(email=EMAIL, **facts), actor=OWNER)


def work() -> None:
    Worker().run_until_idle("mail")


def text_of(mail: Taken) -> str:
    body = mail.message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def later(wait: timedelta) -> Any:
    return time_machine.travel(now() + wait)


def test_send_mails_once_to_the_email_as_given(sink: Sink) -> None:
    sink.start()
    invite = make(inviter="Ana", message="Come in!")

    assert mailing.send(invite, actor=OWNER)
    work()
    work()

    (mail,) = sink.taken
    assert mail.recipients == [EMAIL]
    assert f"\n{mailing.link(invite)}\n" in text_of(mail)
    assert not Job.objects.exists()
    assert [event.verb for event in Event.objects.order_by("id")] == ["invite.created", "invite.mailed"]


def test_send_pressed_twice_owes_one_mail(sink: Sink) -> None:
    sink.start()
    invite = make()

    assert mailing.send(invite, actor=OWNER)
    assert not mailing.send(invite, actor=OWNER)
    work()

    assert len(sink.taken) == 1
    assert Event.objects.filter(verb="invite.mailed").count() == 1


def test_send_again_on_purpose_is_another_mail(sink: Sink) -> None:
    sink.start()
    invite = make()

    for _ in range(2):
        mailing.send(invite, actor=OWNER)
        work()

    assert len({mail.message["Message-ID"] for mail in sink.taken}) == 2


def test_send_in_a_language_speaks_it(sink: Sink) -> None:
    sink.start()

    mailing.send(make(), actor=OWNER, language="de")
    work()

    assert sink.taken[0].message["Content-Language"] == "de"


def test_mailed_link_proves_the_email_and_the_job_holds_no_secret() -> None:
    invite = make()
    mailing.send(invite, actor=OWNER)

    key = services.email_key(invite)
    assert mailing.link(invite) == f"{queries.link(invite)}?{mailing.KEY_PARAMETER}={key}"
    job, delivery = Job.objects.get(), Delivery.objects.get()
    kept = f"{job.kind} {job.subject} {job.last_error} {[event.facts for event in Event.objects.all()]}"
    assert not any(secret in kept for secret in (key, invite.code, EMAIL))
    assert not any(secret in str(vars(delivery)) for secret in (key, invite.code))


def test_mailed_link_opens_the_page_that_hands_the_key_on(client: Client) -> None:
    invite = make()

    page = client.get(mailing.link(invite).removeprefix(current().public_url))

    assert page.status_code == 200
    assert f'value="{services.email_key(invite)}"' in page.content.decode()


def test_server_down_then_up_gets_the_mail(sink: Sink) -> None:
    mailing.send(make(), actor=OWNER)
    work()
    assert Job.objects.get().last_error == "mail-unreachable"

    sink.start()
    with later(timedelta(seconds=5)):
        work()

    assert len(sink.taken) == 1
    assert not Job.objects.exists()


def test_server_busy_then_free_gets_the_mail(sink: Sink) -> None:
    sink.start()
    sink.answers["RCPT"] = "450 4.2.0 greylisted"
    mailing.send(make(), actor=OWNER)
    work()
    assert Job.objects.get().last_error == "mail-busy"

    sink.answers.clear()
    with later(timedelta(seconds=5)):
        work()

    assert len(sink.taken) == 1


def test_email_refused_for_good_is_given_up_and_kept(sink: Sink) -> None:
    sink.start()
    sink.answers["RCPT"] = "550 5.1.1 no such user"
    mailing.send(make(), actor=OWNER)

    work()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.last_error) == ("refused", "mail-address-refused")
    assert not Job.objects.exists()
    assert Event.objects.filter(verb="job.gave-up").count() == 1


def test_worker_killed_after_its_mail_was_taken_sends_again_with_one_message_id(sink: Sink) -> None:
    mailing.send(make(), actor=OWNER)
    sink.start()
    workers: list[subprocess.Popen[bytes]] = []
    sink.at_taken = lambda: workers[0].send_signal(signal.SIGKILL)
    child = subprocess.Popen([sys.executable, "-c", A_CHILD_WORKER], env={**os.environ, **child_environment(sink)})
    workers.append(child)
    assert child.wait(60) == -signal.SIGKILL
    assert len(sink.taken) == 1
    assert Job.objects.count() == 1

    sink.at_taken = None
    with later(LEASE + timedelta(seconds=1)):
        work()

    assert len(sink.taken) == 2
    assert len({mail.message["Message-ID"] for mail in sink.taken}) == 1
    assert not Job.objects.exists()


def child_environment(sink: Sink) -> dict[str, str]:
    """Return the environment of a process of its own that shares the test's database and mail server."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        at = f"{database['HOST']}:{database['PORT']}".rstrip(":")
        url = f"postgresql://{database['USER']}:{database['PASSWORD']}@{at}/{database['NAME']}"
    keys = {name: str(value) for name, value in email_block(sink).items()}
    return {"FOYER_DATABASE": url, **{f"FOYER_EMAIL__{name.upper()}": value for name, value in keys.items()}}


def test_invite_revoked_before_the_mail_goes_is_not_mailed(sink: Sink) -> None:
    sink.start()
    invite = make()
    mailing.send(invite, actor=OWNER)
    services.revoke(invite, actor=OWNER)

    work()

    assert sink.taken == []
    assert not Job.objects.exists()


def test_invite_deleted_before_the_mail_goes_is_not_mailed(sink: Sink) -> None:
    sink.start()
    invite = make()
    mailing.send(invite, actor=OWNER)
    services.delete(invite, actor=OWNER)

    work()

    assert sink.taken == []


def test_invite_pinned_to_another_email_meanwhile_is_mailed_there(sink: Sink) -> None:
    sink.start()
    invite = make()
    mailing.send(invite, actor=OWNER)
    edited = services.edit(invite, actor=OWNER, email="ana@example.net")

    work()

    (mail,) = sink.taken
    assert mail.recipients == ["ana@example.net"]
    assert f"\n{mailing.link(edited)}\n" in text_of(mail)


def test_send_without_a_mail_server_is_refused_in_a_sentence(configure: Callable[..., object]) -> None:
    configure()
    assert current().email.host is None

    with pytest.raises(MailNotSetUp, match=r"email\.host is not set"):
        mailing.send(make(), actor=OWNER)


def test_send_to_nobody_is_refused_in_a_sentence() -> None:
    invite = services.create(NewInvite(), actor=OWNER)

    with pytest.raises(InviteWithoutEmail, match="no email in particular"):
        mailing.send(invite, actor=OWNER)


def test_send_of_a_dead_invitation_is_refused() -> None:
    invite = make()
    services.revoke(invite, actor=OWNER)

    with pytest.raises(InviteRevoked):
        mailing.send(invite, actor=OWNER)
    services.delete(invite, actor=OWNER)
    with pytest.raises(InviteUnknown):
        mailing.send(invite, actor=OWNER)
    assert not Job.objects.exists()
