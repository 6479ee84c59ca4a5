"""How moderators hear of what waits: of each request, in a flood of many at once, or once a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from foyer.applications import mailing
from foyer.homeserver.memory import MemoryHomeserver
from foyer.jobs import services as jobs
from foyer.jobs.worker import Worker
from foyer.notify.messages import Digest
from foyer.notify.models import Delivery
from foyer.notify.registry import renderer_of
from tests.applications.acts import approved, waiting
from tests.applications.conftest import OPEN
from tests.conftest import Configure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

NIGHT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
MORNING = NIGHT.replace(hour=mailing.MORNING, minute=5)
TEAM = {"emails": ["team@example.test"], "room": "#team:example.test"}


@pytest.fixture(autouse=True)
def nothing_is_held(homeserver: MemoryHomeserver) -> None:
    homeserver.has_token = False


def heard() -> list[tuple[str, str]]:
    """Return over which channel the moderators heard what, the oldest first."""
    rows = Delivery.objects.filter(kind__in=[mailing.NEW, mailing.DIGEST]).order_by("id")
    return [(row.channel, row.kind.removeprefix("applications.")) for row in rows]


def run_schedule(at: datetime) -> None:
    with time_machine.travel(at):
        jobs.run_schedule()
        Worker().run_until_idle("house")


def test_each_new_request_is_told_at_once_where_nobody_says_otherwise(configure: Configure) -> None:
    configure(**{**OPEN, "moderators": TEAM})
    with time_machine.travel(NIGHT):
        waiting()
    run_schedule(MORNING)

    assert heard() == [("email", "new"), ("room", "new")]


def test_daily_digest_comes_once_in_the_morning_with_all_that_wait(configure: Configure) -> None:
    configure(**{**OPEN, "moderators": {**TEAM, "digest": "daily"}})
    with time_machine.travel(NIGHT):
        waiting("maria", "maria@example.net")
        waiting("erika", "erika@example.net")
    for minutes in (-60, 0, 10, 300):
        run_schedule(MORNING + timedelta(minutes=minutes))

    assert heard() == [("room", "new"), ("room", "new"), ("email", "digest")]
    row = Delivery.objects.get(kind=mailing.DIGEST)
    message = renderer_of(row.kind)(row.whole_subject, row.recipient)
    assert isinstance(message, Digest)
    assert [one.address for one in message.requests] == ["@maria:example.test", "@erika:example.test"]
    run_schedule(MORNING + timedelta(days=1))
    assert heard()[-2:] == [("email", "digest"), ("email", "digest")]


def test_daily_digest_is_not_sent_where_nobody_waits(configure: Configure) -> None:
    configure(**{**OPEN, "moderators": {**TEAM, "digest": "daily"}})
    with time_machine.travel(NIGHT):
        approved(waiting())
    run_schedule(MORNING)

    assert heard() == [("room", "new")]


def test_flood_is_not_mailed_either_where_a_digest_is_wanted(configure: Configure) -> None:
    configure(**{**OPEN, "moderators": {**TEAM, "digest": "daily"}})
    with time_machine.travel(NIGHT):
        for number in range(mailing.DIGEST_FROM + 1):
            waiting(f"maria{number}", f"maria@example{number}.net")
    run_schedule(NIGHT + mailing.DIGEST_AFTER)

    assert {channel for channel, _kind in heard()} == {"room"}
