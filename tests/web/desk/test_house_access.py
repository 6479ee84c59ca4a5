"""Invitations, people, rules, history and health, as nobody, a moderator and an admin."""

from __future__ import annotations

import pytest
from django.test import Client

from foyer.audit.models import Event
from foyer.invites import services as invites
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.jobs.models import Job
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from foyer.notify.models import Delivery
from foyer.screening import services as rules
from foyer.screening.models import About, Effect, Rule
from foyer.screening.services import NewRule
from foyer.staff.models import Staff
from tests.web.desk.conftest import browser_of, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]

FOR_STAFF = ["invitations", "invitations/new", "invitations?which=over", "people", "people?which=in", "rules"]
FOR_ADMINS = ["rules/new", "history", "history.csv", "history.json", "health"]
POSTS_FOR_STAFF = ["invitations", "invitations/new", "invitations/{invite}/close", "invitations/{invite}/mail"]
POSTS_FOR_ADMINS = [
    "rules/new",
    "rules/{rule}/edit",
    "rules/{rule}/end",
    "health/jobs/{job}",
    "health/deliveries/{delivery}",
    "health/jobs/all",
    "health/deliveries/all",
]


@pytest.fixture
def numbers(anna: Staff) -> dict[str, int]:
    """One of each thing, and its number; the invitation is Anna's."""
    invite = invites.create(NewInvite(label="For the choir"), actor=Actor.staff("anna"))
    rule = rules.make(NewRule(About.NAME, Effect.HOLD, "spam.*", "a wave"), actor=Actor.staff("bert"))
    job = Job.objects.create(lane="mail", kind="notify.email", subject="1", gave_up_at=now(), last_error="smtp")
    delivery = Delivery.objects.create(
        kind="applications.received",
        subject="application:1",
        recipient="m@example.com",
        recipient_shown="m•••@example.com",
        message_id="<1@example.test>",
        state="gave-up",
        finished_at=now(),
    )
    return {"invite": invite.pk, "rule": rule.pk, "job": job.pk, "delivery": delivery.pk}


def state() -> tuple[object, ...]:
    """Return whatever a POST here could change."""
    return (
        Invite.objects.count(),
        list(Invite.objects.values_list("revoked_at", "email")),
        list(Rule.objects.values_list("pattern", "ended_at")),
        list(Job.objects.values_list("gave_up_at", flat=True)),
        list(Delivery.objects.values_list("state", flat=True)),
        Event.objects.count(),
    )


FORM = {"about": "name", "effect": "flag", "pattern": "x+yz", "email": "maria@example.com", "count": "1"}


@pytest.mark.parametrize("path", [*FOR_STAFF, *FOR_ADMINS, "invitations/1", "invitations/1/qr.svg", "rules/1"])
def test_stranger_is_sent_to_the_sign_in(stranger: Client, path: str) -> None:
    response = stranger.get(f"/desk/{path}")

    assert response.status_code == 303
    assert response.headers["Location"].startswith("/desk/sign-in")


@pytest.mark.parametrize("path", [*POSTS_FOR_STAFF, *POSTS_FOR_ADMINS])
def test_stranger_changes_nothing(stranger: Client, numbers: dict[str, int], path: str) -> None:
    before = state()

    assert stranger.post(f"/desk/{path.format(**numbers)}", FORM).status_code == 303
    assert state() == before


@pytest.mark.parametrize("role", ["moderator", "admin"])
@pytest.mark.parametrize("path", [*FOR_STAFF, "invitations/{invite}", "rules/{rule}", "invitations/sheet?ids={invite}"])
def test_staff_see_what_is_for_all_of_them(
    request: pytest.FixtureRequest, role: str, numbers: dict[str, int], path: str
) -> None:
    response = request.getfixturevalue(role).get(f"/desk/{path.format(**numbers)}")

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", FOR_ADMINS)
def test_admins_see_what_is_for_them_and_moderators_do_not(moderator: Client, admin: Client, path: str) -> None:
    assert admin.get(f"/desk/{path}").status_code == 200
    assert moderator.get(f"/desk/{path}").status_code == 403


@pytest.mark.parametrize("path", POSTS_FOR_ADMINS)
def test_moderator_changes_nothing_of_what_is_for_admins(moderator: Client, numbers: dict[str, int], path: str) -> None:
    before = state()

    assert moderator.post(f"/desk/{path.format(**numbers)}", FORM).status_code == 403
    assert state() == before


@pytest.mark.parametrize("path", [*POSTS_FOR_STAFF, *POSTS_FOR_ADMINS])
def test_admin_may_do_all_of_it_and_is_sent_on(admin: Client, numbers: dict[str, int], path: str) -> None:
    assert admin.post(f"/desk/{path.format(**numbers)}", FORM).status_code == 303


@pytest.mark.parametrize("path", [*POSTS_FOR_STAFF, *POSTS_FOR_ADMINS])
def test_form_without_its_token_is_refused(bert: Staff, numbers: dict[str, int], path: str) -> None:
    before = state()

    response = browser_of(bert, checks_forms=True).post(f"/desk/{path.format(**numbers)}", FORM)

    assert response.status_code == 403
    assert state() == before


@pytest.mark.parametrize("path", [it for it in [*POSTS_FOR_STAFF, *POSTS_FOR_ADMINS] if "{" in it or "all" in it])
def test_deeds_are_closed_to_get(admin: Client, numbers: dict[str, int], path: str) -> None:
    before = state()

    assert admin.get(f"/desk/{path.format(**numbers)}").status_code == 405
    assert state() == before


def test_moderator_sees_and_changes_no_invitation_of_somebody_else(moderator: Client, admin: Client) -> None:
    theirs = invites.create(NewInvite(label="For the board"), actor=Actor.staff("bert"))
    before = state()

    for path in ("", "/qr.svg", "/qr.png"):
        assert moderator.get(f"/desk/invitations/{theirs.pk}{path}").status_code == 404
        assert admin.get(f"/desk/invitations/{theirs.pk}{path}").status_code == 200
    assert moderator.get(f"/desk/invitations/sheet?ids={theirs.pk}").status_code == 404
    for deed in ("close", "reopen", "mail"):
        assert moderator.post(f"/desk/invitations/{theirs.pk}/{deed}", FORM).status_code == 404
    assert "For the board" not in text_of(moderator.get("/desk/invitations?which=all"))
    assert "For the board" in text_of(admin.get("/desk/invitations?which=all"))
    assert state() == before


@pytest.mark.parametrize(
    "path", ["invitations/99999", "invitations/{invite}/qr.gif", "rules/99999", "history.xml", "invitations/sheet"]
)
def test_what_is_not_there_is_not_found(admin: Client, numbers: dict[str, int], path: str) -> None:
    assert admin.get(f"/desk/{path.format(**numbers)}").status_code == 404


@pytest.mark.parametrize(
    "path", ["invitations/{invite}/bribe", "health/people/1", "health/people/all", "rules/99999/end"]
)
def test_deed_that_is_none_is_not_found(admin: Client, numbers: dict[str, int], path: str) -> None:
    assert admin.post(f"/desk/{path.format(**numbers)}").status_code == 404


def test_way_around_shows_moderators_only_what_is_theirs(moderator: Client, admin: Client) -> None:
    theirs, all_of_it = text_of(moderator.get("/desk/people")), text_of(admin.get("/desk/people"))

    assert "desk/history" not in theirs
    assert "desk/health" not in theirs
    assert "desk/history" in all_of_it
