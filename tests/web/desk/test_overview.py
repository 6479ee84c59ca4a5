"""The overview: its figures, the chart, and whose invitations it shows."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from foyer.applications import days, models
from foyer.applications.days import A_DAY
from foyer.applications.models import Day
from foyer.audit.models import Event
from foyer.audit.queries import AT_THE_SAME_TIME
from foyer.audit.verbs import Verb
from foyer.invites import services as invites
from foyer.invites.services import NewInvite
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.web.desk.chart import HEIGHT, TOP, chart
from tests.web.desk.conftest import MakeRequest, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def happened(verb: str, subject: str, days_ago: int = 0) -> None:
    kind = verb.partition(".")[0]
    at = now() - timedelta(days=days_ago)
    Event.objects.create(at=at, verb=verb, actor="job", subject_kind=kind, subject_id=subject)


def test_sign_ups_are_counted_by_day_and_by_way() -> None:
    happened("account.opened", "1")
    happened("account.opened", "2")
    happened("application.done", "9")
    happened("account.settled-by-presence", "3", days_ago=2)
    happened("account.opened", "4", days_ago=days.DAYS + 1)

    found = days.lately()

    today = now().astimezone(UTC).date()
    assert len(found) == days.DAYS
    assert (found[-1].day, found[-1].by_request, found[-1].by_invitation) == (today, 1, 1)
    assert (found[-3].day, found[-3].by_request, found[-3].by_invitation) == (today - timedelta(days=2), 0, 1)
    assert sum(day.all for day in found) == 3


@pytest.mark.parametrize("seed", range(6))
def test_each_day_is_counted_by_itself_however_numbers_and_moments_are_mixed(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "AT_THE_SAME_TIME", 5)
    chance, begin = random.Random(seed), datetime(2026, 3, 1, tzinfo=UTC)
    moments = sorted(begin + chance.random() * 6 * A_DAY for _ in range(90))
    if seed % 2:
        moments = [at for at in moments if at.day != 3]  # a day without anything
    for at in range(0, len(moments) - 3, 3):
        chance.shuffle(part := moments[at : at + 3])  # written down in another order
        moments[at : at + 3] = part
    verbs = ["account.opened", "application.done", "account.refused"]
    Event.objects.bulk_create(
        Event(at=at, verb=chance.choice(verbs), actor="job", subject_kind="account", subject_id="1") for at in moments
    )

    for number in range(-1, 8):
        day = (begin + number * A_DAY).date()
        of_day = Event.objects.filter(at__gte=begin + number * A_DAY, at__lt=begin + (number + 1) * A_DAY)
        opened, done = (of_day.filter(verb=verb).count() for verb in verbs[:2])
        found = days.count(day)
        assert (found.by_request, found.by_invitation) == (done, max(0, opened - done)), day


def test_days_that_are_over_are_kept_and_today_is_counted_each_time() -> None:
    happened("account.opened", "1", days_ago=1)
    happened("account.opened", "2")

    with time_machine.travel(now().replace(hour=12)):
        assert (days.keep(), days.keep()) == (days.DAYS - 1, 0)
        Event.objects.all().delete()
        happened("account.opened", "3")
        happened("account.opened", "4")

        assert [day.by_invitation for day in days.lately()[-2:]] == [1, 2]
    assert not models.Day.objects.filter(day=now().date()).exists()


def test_day_is_not_kept_before_all_that_began_in_it_is_noted() -> None:
    with time_machine.travel(now().replace(hour=0, minute=30)):
        days.keep()
        assert not models.Day.objects.filter(day=now().date() - timedelta(days=1)).exists()


def test_day_with_thousands_is_counted_from_midnight_to_midnight() -> None:
    midnight = now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    many = AT_THE_SAME_TIME * 2 + 1

    def opened(first: datetime, *, every: timedelta) -> list[Event]:
        verb = Verb.ACCOUNT_OPENED
        return [
            Event(at=first + number * every, verb=verb, actor="job", subject_kind="account") for number in range(many)
        ]

    # What was noted at the same moment has its numbers in any order.
    rows = opened(midnight - A_DAY, every=A_DAY / many) + opened(midnight, every=timedelta(milliseconds=1))
    around = rows[many - 5 : many + 5]
    rows[many - 5 : many + 5] = reversed(around)
    Event.objects.bulk_create(rows)

    assert [days.count((midnight + shift).date()).by_invitation for shift in (-2 * A_DAY, -A_DAY, 0 * A_DAY)] == [
        *(0, many, many),
    ]


@pytest.mark.parametrize(("most", "top"), [(0, 4), (4, 4), (5, 6), (7, 10), (11, 20), (999, 1000), (1001, 2000)])
def test_chart_has_a_round_top_that_everything_fits_under(most: int, top: int) -> None:
    drawn = chart([Day(day=date(2026, 1, 1), by_invitation=most)])

    assert [line.value for line in drawn.lines] == [0, top // 2, top]
    assert all(TOP <= column.upper.y <= HEIGHT for column in drawn.columns)


def test_overview_tells_how_things_stand(moderator: Client, make_request: MakeRequest) -> None:
    make_request("maria", submitted_at=now() - timedelta(days=2))
    for number in range(6):
        decided = now() - timedelta(days=1)
        make_request(
            f"p{number}",
            state="denied" if number < 2 else "done",
            decision="deny" if number < 2 else "approve",
            decided_at=decided,
            decided_by="staff:bert",
            submitted_at=decided - timedelta(hours=5),
        )
    happened("account.opened", "1")

    page = text_of(moderator.get("/desk/"))

    for words in ("Hello, anna", "the oldest for 2 days", "5 hours", "4 yes", "2 no", '<svg class="chart"'):
        assert words in page


def test_empty_overview_is_cheerful(moderator: Client) -> None:
    page = text_of(moderator.get("/desk/"))

    assert "Have a cup of tea" in page
    assert "Nobody has signed up in the last 30 days. It will come." in page


def test_moderators_see_their_own_ending_invitations_and_admins_all(moderator: Client, admin: Client) -> None:
    soon = now() + timedelta(days=2)
    invites.create(NewInvite(label="Of Anna", expires_at=soon), actor=Actor.staff("anna"))
    invites.create(NewInvite(label="Of Bert", expires_at=soon), actor=Actor.staff("bert"))
    invites.create(NewInvite(label="Late", expires_at=now() + timedelta(days=90)), actor=Actor.staff("anna"))
    invites.create(NewInvite(label="application:7", expires_at=soon), actor=Actor.job())

    hers, all_of_them = text_of(moderator.get("/desk/")), text_of(admin.get("/desk/"))

    assert ("Of Anna" in hers, "Of Bert" in hers, "Late" in hers) == (True, False, False)
    assert ("Of Anna" in all_of_them, "Of Bert" in all_of_them) == (True, True)
    assert "application:7" not in all_of_them


def test_number_too_large_for_any_request_is_not_found(moderator: Client) -> None:
    assert moderator.get("/desk/requests/99999999999999999999999").status_code == 404
