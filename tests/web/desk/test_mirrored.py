"""Invitations at the desk that are registration tokens of the homeserver as well."""

from __future__ import annotations

import pytest
from django.test import Client

from foyer.homeserver.memory import MemoryHomeserver, MemoryToken
from foyer.invites.models import Invite
from foyer.jobs.worker import Worker
from tests.conftest import Configure
from tests.web.desk.conftest import OPEN, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.database]
BOX = 'name="mirror"'


def test_form_has_the_box_only_where_it_can_be(moderator: Client, homeserver: MemoryHomeserver) -> None:
    assert BOX in text_of(moderator.get("/desk/invitations/new"))

    homeserver.has_token = False

    assert BOX not in text_of(moderator.get("/desk/invitations/new"))


def test_form_ticked_makes_a_token_and_the_page_says_how_it_stands(
    moderator: Client, homeserver: MemoryHomeserver
) -> None:
    moderator.post("/desk/invitations/new", {"count": "1", "uses": "2", "mirror": "yes"})
    made = Invite.objects.get()
    page = f"/desk/invitations/{made.pk}"
    assert "a registration token there soon" in text_of(moderator.get(page))

    Worker().run_until_idle("homeserver")
    assert homeserver.tokens[made.code].uses == 2
    assert "a registration token there as well" in text_of(moderator.get(page))

    homeserver.register_natively(made.code, "maria", "a password")
    moderator.post(f"{page}/close")
    Worker().run_until_idle("homeserver")
    said = text_of(moderator.get(page))
    assert "Registered at the homeserver itself, which does not say who: 1" in said
    assert "no registration token there (any more)" in said
    assert homeserver.tokens == {}


def test_form_not_ticked_makes_none(moderator: Client, homeserver: MemoryHomeserver, configure: Configure) -> None:
    configure(**OPEN, invitations={"mirror": True})

    moderator.post("/desk/invitations/new", {"count": "1"})
    Worker().run_until_idle("homeserver")

    assert homeserver.tokens == {}


def test_one_press_follows_the_house(moderator: Client, homeserver: MemoryHomeserver, configure: Configure) -> None:
    configure(**OPEN, invitations={"mirror": True})

    moderator.post("/desk/invitations")
    Worker().run_until_idle("homeserver")

    assert list(homeserver.tokens) == [Invite.objects.get().code]
    assert f'{BOX} value="yes" checked' in text_of(moderator.get("/desk/invitations/new"))


@pytest.mark.parametrize("house", [True, False])
def test_form_ticked_for_one_name_is_refused_unless_the_house_ticked_it(
    moderator: Client, homeserver: MemoryHomeserver, configure: Configure, house: bool
) -> None:
    configure(**OPEN, invitations={"mirror": house})

    response = moderator.post("/desk/invitations/new", {"count": "1", "mirror": "yes", "username": "maria"})

    assert response.status_code == (303 if house else 400)
    assert Invite.objects.exists() == house
    Worker().run_until_idle("homeserver")
    assert homeserver.tokens == {}


def test_a_code_that_is_taken_there_is_said(moderator: Client, homeserver: MemoryHomeserver) -> None:
    homeserver.tokens["Theirs"] = MemoryToken(uses=1, expires_at=None)
    moderator.post("/desk/invitations/new", {"count": "1", "mirror": "yes", "code": "Theirs"})
    Worker().run_until_idle("homeserver")

    page = text_of(moderator.get(f"/desk/invitations/{Invite.objects.get().pk}"))

    assert "not there: the homeserver has another registration token of this code." in page
