"""Where Synapse asks for consent to its terms, whoever ticked them here is not asked again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from foyer.audit.models import Event
from foyer.homeserver.memory import Fault, MemoryHomeserver
from foyer.invites.models import Invite
from foyer.jobs.models import Job
from foyer.jobs.worker import Worker
from foyer.screening import limits
from tests.conftest import Configure
from tests.web.conftest import CODE

pytestmark = pytest.mark.django_db(transaction=True)

RULES = {"title": "House rules", "url": "https://example.org/rules", "must_accept": True}
PRIVACY = {"title": "Privacy", "url": "https://example.org/privacy"}


@pytest.fixture(autouse=True)
def asking(configure: Configure, homeserver: MemoryHomeserver) -> None:
    limits.reset()
    homeserver.asks_consent = True
    configure(legal=[PRIVACY, RULES])


FORM = {"token": CODE, "username": "maria", "password": "correct horse battery"}


def join(client: Client, **fields: str) -> Any:
    return client.post("/register", FORM | fields, headers={"Accept": "text/html"})


def work() -> None:
    Worker().run_until_idle("homeserver")


def recorded() -> int:
    return Event.objects.filter(verb="account.consent-recorded").count()


def test_join_with_the_terms_ticked_has_it_recorded(
    client: Client, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    assert join(client, **{"accept-2": "yes"}).status_code == 303

    work()

    assert homeserver.accounts["maria"].consented
    assert recorded() == 1


def test_join_where_consent_is_not_configured_records_nothing(
    client: Client, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    homeserver.asks_consent = False
    join(client, **{"accept-2": "yes"})

    work()

    assert not homeserver.accounts["maria"].consented
    assert not Job.objects.filter(kind="accounts.record-consent").exists()


def test_join_by_a_program_that_ticks_nothing_records_nothing(
    client: Client, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    assert client.post("/register", FORM | {"confirm": FORM["password"]}).status_code == 200

    work()

    assert not homeserver.accounts["maria"].consented
    assert recorded() == 0


def test_join_where_nothing_must_be_accepted_records_nothing(
    client: Client, invite: Invite, homeserver: MemoryHomeserver, configure: Configure
) -> None:
    configure(legal=[PRIVACY])
    assert join(client, **{"accept-1": "yes"}).status_code == 303

    work()

    assert not homeserver.accounts["maria"].consented


def test_consent_whose_answer_is_lost_is_recorded_again_without_harm(
    client: Client, invite: Invite, homeserver: MemoryHomeserver
) -> None:
    join(client, **{"accept-2": "yes"})
    homeserver.fail(Fault.LOST_ANSWER, "record_consent")
    work()
    Job.objects.filter(kind="accounts.record-consent").update(next_attempt_at="2020-01-01T00:00:00Z")

    work()

    assert homeserver.accounts["maria"].consented
    assert recorded() == 1
