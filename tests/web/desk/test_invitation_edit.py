"""Changing and deleting invitations at the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from foyer.audit.models import Event
from foyer.invites import services
from foyer.invites.models import Invite
from foyer.invites.services import NewInvite
from foyer.kit.actor import Actor
from foyer.kit.clock import now
from tests.web.desk.conftest import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]
ANNA, BERT = Actor.staff("anna"), Actor.staff("bert")


def made(actor: Actor = ANNA, **facts: Any) -> Invite:
    return services.create(
        NewInvite(**{"label": "Choir", "expires_at": now() + timedelta(days=5), **facts}), actor=actor
    )


def form_of(client: Client, invite: Invite) -> dict[str, str]:
    """Return what the form holds as it is shown."""
    page = client.get(f"/desk/invitations/{invite.id}/edit")
    assert page.status_code == 200
    draft = page.context["draft"] if page.context else None
    assert draft is None or draft.label == invite.label
    return {
        "uses": "" if invite.uses_limit is None else str(invite.uses_limit),
        "expires": invite.expires_at.date().isoformat() if invite.expires_at else "",
        "label": invite.label,
        "message": invite.message,
        "inviter": invite.inviter,
        "rooms": "\n".join(invite.rooms),
        "username": invite.localpart,
        "email": invite.email,
    }


def test_form_shows_the_invitation_as_it_is(moderator: Client) -> None:
    invite = made(uses_limit=12, message="Sing with us", rooms=["#choir:example.test"])

    page = text_of(moderator.get(f"/desk/invitations/{invite.id}/edit"))

    for words in ("Change the invitation", 'value="12"', "Sing with us", "#choir:example.test", 'value="Choir"'):
        assert words in page
    assert 'name="code"' not in page
    assert 'name="count"' not in page


def test_saving_changes_what_was_changed_and_nothing_else(moderator: Client) -> None:
    invite = made(uses_limit=2)
    ends = invite.expires_at

    answer = moderator.post(
        f"/desk/invitations/{invite.id}/edit", {**form_of(moderator, invite), "uses": "5", "label": "Big choir"}
    )

    assert answer.status_code == 303
    invite.refresh_from_db()
    assert (invite.uses_limit, invite.label, invite.expires_at) == (5, "Big choir", ends)
    changed = Event.objects.get(verb="invite.edited")
    assert (changed.actor, changed.facts["changed"]) == ("staff:anna", ["label", "uses_limit"])


def test_rooms_of_an_admin_stay_and_a_moderator_adds_none(moderator: Client) -> None:
    invite = made(rooms=["#choir:example.test"])
    address, form = f"/desk/invitations/{invite.id}/edit", form_of(moderator, invite)

    assert moderator.post(address, {**form, "label": "Big choir"}).status_code == 303
    assert moderator.post(address, {**form, "rooms": "#choir:example.test #secret:example.test"}).status_code == 400
    assert moderator.post(address, {**form, "rooms": ""}).status_code == 303

    invite.refresh_from_db()
    assert invite.rooms == []


def test_saving_the_form_as_it_was_changes_nothing(moderator: Client) -> None:
    invite = made()
    moderator.post(f"/desk/invitations/{invite.id}/edit", form_of(moderator, invite))

    assert not Event.objects.filter(verb="invite.edited").exists()


def test_ended_invitation_can_be_relabelled_and_prolonged(moderator: Client) -> None:
    invite = made(expires_at=now() - timedelta(days=2))
    path = f"/desk/invitations/{invite.id}/edit"

    assert moderator.post(path, {**form_of(moderator, invite), "label": "Old choir"}).status_code == 303
    day = (now() + timedelta(days=3)).date().isoformat()
    assert moderator.post(path, {**form_of(moderator, invite), "expires": day}).status_code == 303
    past = (now() - timedelta(days=1)).date().isoformat()
    assert "This day is over" in text_of(moderator.post(path, {**form_of(moderator, invite), "expires": past}))

    invite.refresh_from_db()
    assert invite.expires_at is not None
    assert invite.expires_at.date().isoformat() == day


def test_what_is_wrong_stands_beside_its_field_and_is_kept(moderator: Client) -> None:
    invite = made()

    answer = moderator.post(f"/desk/invitations/{invite.id}/edit", {**form_of(moderator, invite), "uses": "none"})

    assert answer.status_code == 400
    assert "Type a number from 1" in text_of(answer)
    assert 'value="none"' in text_of(answer)


def test_deleted_invitation_is_gone_and_its_guests_stay(moderator: Client) -> None:
    invite = made()

    assert moderator.post(f"/desk/invitations/{invite.id}/delete").status_code == 303

    assert not Invite.objects.filter(id=invite.id).exists()
    assert "Choir is deleted." in text_of(moderator.get("/desk/invitations"))
    assert Event.objects.filter(verb="invite.deleted", actor="staff:anna").count() == 1


def test_invitation_that_somebody_joins_by_at_this_moment_is_not_deleted(moderator: Client) -> None:
    invite = made()
    Invite.objects.filter(id=invite.id).update(held=1)

    moderator.post(f"/desk/invitations/{invite.id}/delete")

    assert Invite.objects.filter(id=invite.id).exists()
    assert "Somebody is joining by it" in text_of(moderator.get(f"/desk/invitations/{invite.id}"))


@pytest.mark.parametrize("deed", ["edit", "delete"])
def test_only_ones_own_can_be_changed_but_admins_can_change_all(moderator: Client, admin: Client, deed: str) -> None:
    invite = made(BERT)

    assert moderator.post(f"/desk/invitations/{invite.id}/{deed}").status_code == 404
    assert admin.post(f"/desk/invitations/{invite.id}/{deed}", form_of(admin, invite)).status_code == 303


@pytest.mark.parametrize("deed", ["edit", "delete"])
def test_link_of_a_request_cannot_be_changed_by_hand(admin: Client, deed: str) -> None:
    invite = made(Actor.job(), label="application:7", localpart="maria")

    assert admin.post(f"/desk/invitations/{invite.id}/{deed}").status_code == 404
    page = text_of(admin.get(f"/desk/invitations/{invite.id}"))
    assert "/edit" not in page
    assert "Delete it" not in page


def test_invitation_of_a_person_is_listed_and_changed_whatever_its_label_says(moderator: Client) -> None:
    invite = made(label="application: of the choir")

    assert "application: of the choir" in text_of(moderator.get("/desk/invitations"))
    answer = moderator.post(f"/desk/invitations/{invite.id}/edit", {**form_of(moderator, invite), "uses": "5"})
    assert answer.status_code == 303


def test_link_of_a_request_is_not_listed(admin: Client) -> None:
    invite = made(Actor.job(), label="application:7")

    assert invite.code not in text_of(admin.get("/desk/invitations?which=all"))
    assert "application:7" not in text_of(admin.get("/desk/invitations?which=all"))
